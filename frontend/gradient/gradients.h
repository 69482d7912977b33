// What sn_gradients (in a trace) and sn_tape_gradient (of a record) share.
#ifndef SNI_FRONTEND_GRADIENTS_H
#define SNI_FRONTEND_GRADIENTS_H

#include "frontend/context/internal.h"
#include "passes/graph/passes.h"

#include <stdio.h>

// The nodes that each x of a gradient stands for: a variable for each value of it that was read.
typedef struct sni_gradient_terms {
  int n_xs, n;
  int *counts;                     // per x: of its terms, 1 or more
  sni_node_id *nodes, *gradients;  // per term, those of x 0 first
  size_t bytes;                    // of counts
} sni_gradient_terms;
// What is asked for: the gradient, or all derivatives.
typedef enum sni_derivative_kind {
  SNI_DERIVATIVE_GRADIENT,
  SNI_DERIVATIVE_JACOBIAN,
  SNI_DERIVATIVE_BATCH_JACOBIAN,
} sni_derivative_kind;
typedef struct sni_derivative {
  sni_derivative_kind kind;
  sn_gradients_options options;  // a Jacobian has no seed
  sn_jacobian_mode mode;
} sni_derivative;
// Appends them to the graph: terms->gradients[i] is that of x i, or SNI_NO_NODE.
sn_status sni_derivative_append(const sni_derivative *d, sni_graph *graph,
                                const sni_differentiate_request *request,
                                sni_gradient_terms *terms);
// Of y with respect to x, where they are not connected.
sni_type sni_derivative_type(const sni_derivative *d, const sni_type *y, const sni_type *x);
// In a trace, or of the innermost tape; y, xs and options have been checked.
void sni_derivative_at(sn_context *context, sn_tensor *y, sn_tensor *const *xs, int n,
                       sn_tensor **out, const sni_derivative *d);

// Enters the context of a public gradient function and checks its arguments. NULL: every out[i] has
// been set to what it must return.
sn_context *sni_gradients_begin(const char *name, sn_tensor *y, sn_tensor *const *xs, int n,
                                sn_tensor **out, const sn_gradients_options *given,
                                sn_gradients_options *out_options, sn_context **out_entered);
// ok false: an error is pending, every out[i] becomes the error tensor.
void sni_gradients_end(sn_context *context, int n, sn_tensor **out, bool ok);
sn_status sni_terms_init(sni_gradient_terms *terms, sni_allocator *allocator, int n,
                         sni_diag *diag);
// Makes room for as many as counts say.
sn_status sni_terms_reserve(sni_gradient_terms *terms, sni_allocator *allocator, sni_diag *diag);
void sni_terms_deinit(sni_gradient_terms *terms, sni_allocator *allocator);
// gradients[i] becomes the sum of those of x i's terms, added in order to the graph; SNI_NO_NODE:
// there is none.
sn_status sni_terms_add(const sni_gradient_terms *terms, sni_graph *graph);
// Whether y and the seed (may be NULL) can be differentiated at all. False: an error is pending.
bool sni_gradients_fit(sn_context *context, const sn_tensor *y, const sn_tensor *seed);
void sni_fail_unconnected(sn_context *context, const sn_tensor *x, int i, const char *why);

#endif
