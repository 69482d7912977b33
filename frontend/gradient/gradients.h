// What sn_gradients (in a trace) and sn_tape_gradient (of a record) share.
#ifndef SNI_FRONTEND_GRADIENTS_H
#define SNI_FRONTEND_GRADIENTS_H

#include "frontend/context/internal.h"
#include "passes/graph/passes.h"

#include <stdio.h>

// What is asked for: the gradient, or all derivatives.
typedef enum sni_derivative_kind {
  SNI_DERIVATIVE_GRADIENT,
  SNI_DERIVATIVE_JACOBIAN,  // of one y, without a seed
  SNI_DERIVATIVE_BATCH_JACOBIAN,
} sni_derivative_kind;

// d sum(ys) / d xs, or d y / d xs.
struct sni_gradient_call {
  sni_derivative_kind kind;
  sn_jacobian_mode mode;
  sn_tensor *const *ys;
  int n_ys;
  sn_tensor *const *xs;
  int n;
  sn_tensor **out;
  sn_unconnected unconnected;
  sn_tensor *seed;          // of the one y; NULL: ones
  sn_tensor *const *seeds;  // NULL, or of each y
  // What messages call x number i, into buffer (SNI_X_NAME bytes); NULL: xs[i]
  const char *(*name_x)(const void *owner, int i, char *buffer);
  const void *owner;
};
enum { SNI_X_NAME = 200 };
// The public functions: of a trace, or of the innermost tape; of this tape.
void sni_gradients(const char *name, sni_gradient_call *call, const sn_gradients_options *options);
void sni_gradients_of_tape(const char *name, sn_tape *tape, sni_gradient_call *call,
                           const sn_gradients_options *options);
// The same behind sni_gradients_begin.
void sni_derivative_at(sn_context *context, const sni_gradient_call *call);
void sni_derivative_of_tape(sn_context *context, sn_tape *tape, const sni_gradient_call *call);
// Enters the context of a public gradient function and checks its arguments. NULL: every out[i] has
// been set to what it must return.
sn_context *sni_gradients_begin(const char *name, sni_gradient_call *call,
                                const sn_gradients_options *given, sn_context **out_entered);
// Labels what the call gave, or the error that it left, with the caller's line.
void sni_locate_derivative(const sni_gradient_call *call, const char *file, int line);
// ok false: an error is pending, every out[i] becomes the error tensor.
void sni_gradients_end(sn_context *context, const sni_gradient_call *call, bool ok);
// The nodes that each x of a gradient stands for: a variable for each value of it that was read.
typedef struct sni_gradient_terms {
  int n_xs, n;
  int *counts;                     // per x: of its terms, 1 or more
  sni_node_id *nodes, *gradients;  // per term, those of x 0 first
  size_t bytes;                    // of counts
} sni_gradient_terms;
sn_status sni_terms_init(sni_gradient_terms *terms, sni_allocator *allocator, int n,
                         sni_diag *diag);
// Makes room for as many as counts say.
sn_status sni_terms_reserve(sni_gradient_terms *terms, sni_allocator *allocator, sni_diag *diag);
void sni_terms_deinit(sni_gradient_terms *terms, sni_allocator *allocator);
// Appends what the call asks for to the graph: terms->gradients[i] is that of x i, or SNI_NO_NODE.
sn_status sni_derivative_append(const sni_gradient_call *call, sni_graph *graph,
                                const sni_differentiate_request *request,
                                sni_gradient_terms *terms);
// Of y with respect to x, where they are not connected.
sni_type sni_derivative_type(const sni_gradient_call *call, const sni_type *y, const sni_type *x);
// Whether y depends on none of the xs through what is around the body that is called in place. Errors: SN_ERR_GRADIENT, SN_ERR_MEMORY.
sn_status sni_check_boundary(sn_context *context, sni_node_id y, const sni_gradient_terms *terms);
// Whether the ys and their seeds can be differentiated at all. False: an error is pending.
bool sni_gradients_fit(sn_context *context, const sni_gradient_call *call);
// Cotangent of ys[k] as the caller gave it; NULL: ones.
static inline sn_tensor *sni_seed_of(const sni_gradient_call *call, int k) {
  return call->seeds ? call->seeds[k] : call->seed;
}
// The ys of a request: the first of nodes is its y, the others come along. Seeds that are SNI_NO_NODE become ones in the graph. An entry
// of nodes that is SNI_NO_NODE is left out. *out_any: there are some.
sn_status sni_request_ys(sni_graph *graph, sni_node_id *nodes, sni_node_id *seeds, int n,
                         sni_differentiate_request *request, bool *out_any);
void sni_fail_unconnected(sn_context *context, const sni_gradient_call *call, const sn_tensor *x,
                          int i, const char *why);

#endif
