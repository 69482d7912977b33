// A small convolutional network on 64 images of 28 x 28: conv 3x3x32, relu, pool, conv 3x3x64, relu,
// pool, dense 10. conv.f gives the logits; conv.fb the loss and the weights' gradients. There windows are
// slices of a padded array side by side (im2col), and a product; conv.op_f and .op_fb use sn_conv.
#include "bench/bench.h"
#include "bench/oracle_tape.h"

#include <math.h>
#include <stdlib.h>

#define CLASSES 10
enum { X, W1, B1, W2, B2, W3, B3, LABELS };
// size: images, side, channels of the first and second convolution

static sn_tensor *conv3_of_slices(sn_tensor *x, sn_tensor *w, sn_tensor *b, sn_shape in) {
  int64_t *d = in.dims;
  sn_tensor *p = sn_pad(x, (int64_t[]){0, 1, 1, 0}, (int64_t[]){0, 1, 1, 0}, 4, 0), *taps[9];
  for (int64_t i = 0; i < 9; i++)
    taps[i] = sn_slice(p,
                       (sn_range_spec[]){SN_ALL, SN_RANGE(i / 3, i / 3 + d[1], 1),
                                         SN_RANGE(i % 3, i % 3 + d[2], 1), SN_ALL},
                       4);
  sn_tensor *windows = sn_reshape(sn_concat(taps, 9, 3), SN_SHAPE(d[0] * d[1] * d[2], 9 * d[3]));
  sn_tensor *y = sn_relu(sn_add(sn_matmul(windows, w), b));
  return sn_reshape(y, SN_SHAPE(d[0], d[1], d[2], -1));
}

#ifdef sn_conv  // newer than the builds that this one may be compared with
static sn_tensor *conv3_of_op(sn_tensor *x, sn_tensor *w, sn_tensor *b, sn_shape in) {
  sn_tensor *kernel = sn_reshape(w, SN_SHAPE(3, 3, in.dims[3], -1));
  return sn_relu(sn_add(sn_conv(x, kernel, .padding = SN_PADDING_SAME), b));
}
#endif

typedef sn_tensor *(*conv3_function)(sn_tensor *x, sn_tensor *w, sn_tensor *b, sn_shape in);

static sn_tensor *pool2(sn_tensor *x, sn_shape in) {
  int64_t *d = in.dims;
  sn_tensor *pairs = sn_reshape(x, SN_SHAPE(d[0], d[1] / 2, 2, d[2] / 2, 2, d[3]));
  return sn_max(pairs, .axes = SN_AXES(2, 4));
}

static sn_status run_network(const bench_work *w, conv3_function conv3, sn_tensor *const *in,
                             sn_tensor **out) {
  int64_t n = w->size[0], side = w->size[1], c1 = w->size[2], c2 = w->size[3];
  sn_tensor *h = conv3(in[X], in[W1], in[B1], SN_SHAPE(n, side, side, 1));
  h = pool2(h, SN_SHAPE(n, side, side, c1));
  h = conv3(h, in[W2], in[B2], SN_SHAPE(n, side / 2, side / 2, c1));
  h = pool2(h, SN_SHAPE(n, side / 2, side / 2, c2));
  h = sn_reshape(h, SN_SHAPE(n, side / 4 * (side / 4) * c2));
  out[0] = sn_add(sn_matmul(h, in[W3]), in[B3]);
  if (!w->row->gradients) return SN_OK;
  out[0] = sn_mean(sn_sparse_softmax_cross_entropy(out[0], in[LABELS]));
  sn_gradients(out[0], in + W1, 6, out + 1);
  return SN_OK;
}

static sn_status network(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  return run_network(user, conv3_of_slices, in, out);
}

#ifdef sn_conv
static sn_status network_of_ops(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  (void)context;
  return run_network(user, conv3_of_op, in, out);
}
#endif

static bool create(bench_work *w) {
  int64_t n = w->size[0], side = w->size[1], c1 = w->size[2], c2 = w->size[3];
  int64_t flat = side / 4 * (side / 4) * c2;
  int32_t *labels = malloc(sizeof(int32_t) * (size_t)n);
  for (int64_t i = 0; i < n && labels; i++) labels[i] = (int32_t)(i * 7 % CLASSES);
  bool ok = labels && bench_input(w, SN_SHAPE(n, side, side, 1), 1, 1) &&
            bench_input(w, SN_SHAPE(9, c1), 2, 0.6) && bench_input(w, SN_SHAPE(c1), 3, 0.1) &&
            bench_input(w, SN_SHAPE(9 * c1, c2), 4, 2 / sqrt(9.0 * (double)c1)) &&
            bench_input(w, SN_SHAPE(c2), 5, 0.1) &&
            bench_input(w, SN_SHAPE(flat, CLASSES), 6, 2 / sqrt((double)flat)) &&
            bench_input(w, SN_SHAPE(CLASSES), 7, 0.1);
  if (ok && w->row->gradients) ok = bench_input_of(w, SN_I32, SN_SHAPE(n), labels);
  free(labels);
  return ok;
}

static ref layer(ref_tape *t, ref x, ref kernel, ref bias, sn_shape shape) {
  ref y = ref_conv3(t, x, ref_reshape(t, kernel, shape));
  return ref_pool2(t, ref_map(t, ref_add(t, y, bias), REF_RELU));
}

static bool reference(bench_work *w) {
  int64_t n = w->size[0], side = w->size[1], c1 = w->size[2], c2 = w->size[3];
  ref_tape *t = ref_tape_create();
  if (!t) return false;
  ref p[LABELS];
  for (int i = 0; i < LABELS; i++) p[i] = ref_leaf(t, w->host[i].shape, w->host[i].data);
  ref h = layer(t, p[X], p[W1], p[B1], SN_SHAPE(3, 3, 1, c1));
  h = layer(t, h, p[W2], p[B2], SN_SHAPE(3, 3, c1, c2));
  h = ref_reshape(t, h, SN_SHAPE(n, side / 4 * (side / 4) * c2));
  ref y = ref_dense(t, h, p[W3], p[B3]);
  bool ok = true;
  if (w->row->gradients) {
    ref loss = ref_sum_all(t, ref_cross_entropy(t, y, w->host[LABELS].data));
    loss = ref_affine(t, loss, 1 / (double)n, 0);
    ref_backward(t, loss);
    ok = ref_expect(w, 0, t, loss, 1e-5);
    for (int i = 0; i < 6; i++) ok = ref_expect_gradient(w, 1 + i, t, p[W1 + i], 1e-5) && ok;
  } else {
    ok = ref_expect(w, 0, t, y, 1e-5);
  }
  ref_tape_destroy(t);
  return ok;
}

static const int64_t images[] = {1, 4, 16, 0};

#define CONV(text, n, ...)                                                           \
  {                                                                                  \
    .name = text, .size = {64, 28, 32, 64}, .small = {3, 8, 4, 6}, .create = create, \
    .reference = reference, .outputs = (n), __VA_ARGS__                              \
  }
static const bench_workload bench_rows_conv[] = {
    CONV("conv.f", 1, .body = network, .sweep = images),
    CONV("conv.fb", 7, .body = network, .gradients = true),
#ifdef sn_conv
    CONV("conv.op_f", 1, .body = network_of_ops, .sweep = images),
    CONV("conv.op_fb", 7, .body = network_of_ops, .gradients = true),
#endif
};
BENCH_GROUP(conv);
