// What sn_gradients (in a trace) and sn_tape_gradient (of a record) share.
#ifndef SNI_FRONTEND_GRADIENTS_H
#define SNI_FRONTEND_GRADIENTS_H

#include "frontend/context/internal.h"
#include "passes/graph/passes.h"

#include <stdio.h>

// Checks the arguments of a public gradient function. NULL: every out[i] has been set to what it
// must return.
sn_context *sni_gradients_begin(const char *name, sn_tensor *y, sn_tensor *const *xs, int n,
                                sn_tensor **out, const sn_gradients_options *given,
                                sn_gradients_options *out_options);
// ok false: an error is pending, every out[i] becomes the error tensor.
void sni_gradients_end(sn_context *context, int n, sn_tensor **out, bool ok);
void sni_fail_unconnected(sn_context *context, const sn_tensor *x, int i, const char *why);

#endif
