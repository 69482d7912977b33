// Building blocks of neural networks. What all ops have in common: ops.h.
#ifndef SINTER_OPS_NN_H
#define SINTER_OPS_NN_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- activations
// max(0, x). numbers. VJP: dy where x > 0, else 0; NaN where x is NaN.
SN_API sn_tensor *sn_relu(sn_tensor *x);
// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): tanh form, Hendrycks & Gimpel 2016, accurate in its
// negative tail too. floats. -0 for -inf, inf for inf. VJP: by the chain rule; 0 and 1 far out.
SN_API sn_tensor *sn_gelu(sn_tensor *x);
// log(1 + exp(x)), stable. floats. VJP: dy * sigmoid(x).
SN_API sn_tensor *sn_softplus(sn_tensor *x);

// ---- neural network building blocks
// exp(x) / sum(exp(x)) along axis, and its logarithm, both stable for large x; x's shape. floats.
// VJP: y (dy - sum(dy y)); dy - softmax(x) sum(dy).
SN_API sn_tensor *sn_softmax(sn_tensor *x, int axis);
SN_API sn_tensor *sn_log_softmax(sn_tensor *x, int axis);
// Per-row loss [N] of logits [N, C] (floats) and labels integers [N]: -log_softmax(logits)[label].
// NaN for a label outside [0, C), and so is its gradient. Errors: SN_ERR_SHAPE (also C beyond i32
// with i32 labels). VJP: dy (softmax(logits) - one_hot(labels)) to logits.
SN_API sn_tensor *sn_sparse_softmax_cross_entropy(sn_tensor *logits, sn_tensor *labels);
// Scalar losses: the mean of l(e) over all n elements of e = prediction - target (they broadcast).
// floats. VJP: dy l'(e) / n to prediction, its negative to target.
// Huber 1964: l = e^2/2 where |e| <= delta, else delta (|e| - delta/2). Errors: SN_ERR_ARGUMENT
// (delta is not > 0).
SN_API sn_tensor *sn_huber_loss(sn_tensor *prediction, sn_tensor *target, double delta);
// l = e^2; l = |e|.
SN_API sn_tensor *sn_mean_squared_error(sn_tensor *prediction, sn_tensor *target);
SN_API sn_tensor *sn_mean_absolute_error(sn_tensor *prediction, sn_tensor *target);

SNI_EXTERN_C_END
#endif
