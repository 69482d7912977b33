// Building blocks of neural networks. What all ops have in common: ops.h.
#ifndef SINTER_OPS_NN_H
#define SINTER_OPS_NN_H

#include <sinter/ops/conv.h>

SNI_EXTERN_C_BEGIN

// ---- activations
// max(0, x). reals. VJP: dy where x > 0, else 0; NaN where x is NaN.
SN_API sn_tensor *sn_relu(sn_tensor *x);
// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): tanh form, Hendrycks & Gimpel 2016, accurate in its
// negative tail too. floats. -0 for -inf, inf for inf. VJP: by the chain rule; 0 and 1 far out.
SN_API sn_tensor *sn_gelu(sn_tensor *x);
// x/2 erfc(-x / sqrt(2)), x times the share of a normal distribution below it: the form without approximation, accurate in its
// negative tail too. floats; 16-bit ones in f32. -0 for -inf, inf for inf. VJP: by the chain rule; 0 and 1 far out. Source: Hendrycks & Gimpel 2016.
SN_API sn_tensor *sn_gelu_exact(sn_tensor *x);
// log(1 + exp(x)), stable. floats. VJP: dy * sigmoid(x).
SN_API sn_tensor *sn_softplus(sn_tensor *x);
// log(sigmoid(x)) = -softplus(-x), stable. floats. VJP: dy * sigmoid(-x).
SN_API sn_tensor *sn_log_sigmoid(sn_tensor *x);
// x > 0 ? x : slope x, slope a number or a tensor that broadcasts. floats. VJP: dy, dy slope for x <= 0; dy x to slope.
SN_API sn_tensor *sn_leaky_relu(sn_tensor *x, double slope);
SN_API sn_tensor *sn_prelu(sn_tensor *x, sn_tensor *slope);
// min(max(x, 0), 6). floats. VJP: dy inside, 0 at both ends and outside.
SN_API sn_tensor *sn_relu6(sn_tensor *x);
// x > 0 ? x : alpha (exp(x) - 1). floats. VJP: dy, dy alpha exp(x). Source: Clevert et al. 2015.
SN_API sn_tensor *sn_elu(sn_tensor *x, double alpha);
// x > 0 ? x : alpha (exp(x / alpha) - 1). floats. Errors: SN_ERR_ARGUMENT (alpha 0). VJP: dy, dy exp(x / alpha).
// Source: Barron 2017.
SN_API sn_tensor *sn_celu(sn_tensor *x, double alpha);
// 1.0507.. elu(x, 1.6732..). floats. VJP: as sn_elu. Source: Klambauer et al. 2017.
SN_API sn_tensor *sn_selu(sn_tensor *x);
// x sigmoid(x), also called swish; -0 for -inf. floats. VJP: dy sigmoid(x) (1 + x (1 - sigmoid(x))). Source: Elfwing
// et al. 2017.
SN_API sn_tensor *sn_silu(sn_tensor *x);
// x tanh(softplus(x)); -0 for -inf. floats. VJP: by the chain rule. Source: Misra 2019.
SN_API sn_tensor *sn_mish(sn_tensor *x);
// x / (1 + |x|); +-1 for +-inf. floats. VJP: dy / (1 + |x|)^2; 0 at infinities.
SN_API sn_tensor *sn_softsign(sn_tensor *x);
// min(max(x + 3, 0), 6) / 6; x times that; min(max(x, -1), 1). floats. VJP: of the lines between the kinks; at the kinks
// that of the flat side. Source: Howard et al. 2019 (h-swish).
SN_API sn_tensor *sn_hard_sigmoid(sn_tensor *x);
SN_API sn_tensor *sn_hard_silu(sn_tensor *x);
SN_API sn_tensor *sn_hard_tanh(sn_tensor *x);
// x moved towards 0 by threshold, 0 where it is nearer. floats. Errors: SN_ERR_ARGUMENT (threshold < 0 or NaN). VJP: dy
// outside, 0 inside and at the ends.
SN_API sn_tensor *sn_soft_shrink(sn_tensor *x, double threshold);
// a sigmoid(b), a and b the halves of axis. floats. Errors: SN_ERR_SHAPE (axis; an odd size). VJP: by the chain rule.
// Source: Dauphin et al. 2016.
SN_API sn_tensor *sn_glu(sn_tensor *x, int axis);

// ---- neural network building blocks
// exp(x) / sum(exp(x)) along axis, and its logarithm, both stable for large x; x's shape. floats; 16-bit ones in f32.
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
// l = e^2; l = |e|. floats. VJP: as above.
SN_API sn_tensor *sn_mean_squared_error(sn_tensor *prediction, sn_tensor *target);
SN_API sn_tensor *sn_mean_absolute_error(sn_tensor *prediction, sn_tensor *target);

// Per-row loss [..] of logits and labels [.., C] of one dtype, labels being the probabilities of the classes: -sum of
// labels log_softmax(logits). floats. Errors: SN_ERR_SHAPE, SN_ERR_DTYPE (they differ). VJP: dy (softmax(logits) sum of
// labels - labels); -dy log_softmax(logits). Source: tf.nn.softmax_cross_entropy_with_logits.
SN_API sn_tensor *sn_softmax_cross_entropy(sn_tensor *logits, sn_tensor *labels);
// Element by element -z log(sigmoid(x)) - (1 - z) log(1 - sigmoid(x)) of logits x and labels z, stable. floats. Errors:
// as above. VJP: dy (sigmoid(x) - z); -dy x. Source: tf.nn.sigmoid_cross_entropy_with_logits.
SN_API sn_tensor *sn_sigmoid_cross_entropy(sn_tensor *logits, sn_tensor *labels);

// ---- normalisation: scale and offset may be NULL, for none
// (x - mean) / sqrt(variance + epsilon) scale + offset, mean and variance (by n) over the dims from axis to the last;
// scale and offset broadcast. floats. Errors: SN_ERR_SHAPE (axis; shapes), SN_ERR_ARGUMENT (epsilon < 0 or NaN), as for
// all of these. VJP: by the chain rule, through mean and variance too. Source: Ba et al. 2016.
SN_API sn_tensor *sn_layer_norm(sn_tensor *x, sn_tensor *scale, sn_tensor *offset, int axis,
                                double epsilon);
// x / sqrt(mean of x^2 + epsilon) scale over the dims from axis to the last. floats. Errors: SN_ERR_ARGUMENT (epsilon < 0). VJP: by the chain rule. Source: Zhang
// & Sennrich 2019.
SN_API sn_tensor *sn_rms_norm(sn_tensor *x, sn_tensor *scale, int axis, double epsilon);
// Of images [examples, spatial.., channels] (or channels first): each example's channels in equal groups, normalised
// together with all positions; scale, offset: one per channel. groups = channels: instance norm. floats. Errors:
// SN_ERR_SHAPE (rank below 2 or SN_MAX_RANK; groups do not divide), SN_ERR_ARGUMENT (format; epsilon < 0). VJP: by the chain rule. Source: Wu & He 2018.
SN_API sn_tensor *sn_group_norm(sn_tensor *x, sn_tensor *scale, sn_tensor *offset, int64_t groups,
                                sn_data_format format, double epsilon);
// (x - mean) / sqrt(variance + epsilon) scale + offset with a mean and a variance that are given; all broadcast. floats.
// Errors: SN_ERR_ARGUMENT (epsilon < 0). VJP: by the chain rule, to all five. Source: tf.nn.batch_normalization.
SN_API sn_tensor *sn_batch_norm(sn_tensor *x, sn_tensor *mean, sn_tensor *variance,
                                sn_tensor *scale, sn_tensor *offset, double epsilon);
// The mean over n axes (none: all), and in *out_variance (may be NULL) the variance by n; after an error both are the
// error tensor. floats. VJP: as sn_mean and sn_var. Source: tf.nn.moments.
SN_API sn_tensor *sn_moments(sn_tensor *x, const int *axes, int n, bool keepdims,
                             sn_tensor **out_variance);
// x / sqrt(max(sum of x^2 along axis, epsilon)). floats. Errors: SN_ERR_ARGUMENT (epsilon < 0). VJP: by the chain rule. Source: tf.math.l2_normalize.
SN_API sn_tensor *sn_l2_normalize(sn_tensor *x, int axis, double epsilon);
// x / (1 - rate) with probability 1 - rate, else 0, each element on its own, by the context's generator. floats. Errors:
// SN_ERR_ARGUMENT (rate not in [0, 1)). VJP: dy / (1 - rate) where x was kept. Source: Srivastava et al. 2014.
SN_API sn_tensor *sn_dropout(sn_tensor *x, double rate);

// ---- attention
typedef struct sn_attention_options {
  size_t size;  // sizeof(sn_attention_options); filled in by the macros
  sn_tensor *
      mask;  // NULL: none. bool: true takes part; floats of q's dtype: added. Broadcasts to [.., T, S]
  bool causal;   // query i sees keys 0 to i
  double scale;  // of q k^T; 0: 1 / sqrt(width)
} sn_attention_options;
// softmax(q k^T scale, masked with -inf) v: q [.., T, D], k [.., S, D], v [.., S, E] -> [.., T, E]; leading dims
// broadcast. floats. A query that sees nothing: NaN. Errors: SN_ERR_SHAPE (rank below 2; sizes), SN_ERR_DTYPE. VJP: by the
// chain rule, without a matrix of T x S in memory where the program is compiled. Source: Vaswani et al. 2017.
SN_API sn_tensor *sn_scaled_dot_product_attention_opts(sn_tensor *q, sn_tensor *k, sn_tensor *v,
                                                       const sn_attention_options *options);

SNI_EXTERN_C_END
#endif
