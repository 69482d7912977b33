// Convolutions that are something simpler: of single points, a matmul; of a channel or two, the sum over
// the window of shifted images; the image of strides above 1, one convolution of stride 1 for each
// remainder, whose results lie between one another. The others stay for the GEMM, which reads windows.
//
// Invariant: eager execution takes the same way, so which way it is follows from sizes that inference
// has settled.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

enum {
  narrow = 1,        // channels, of either side
  most_shifts = 128  // of an image
};

// A convolution to be: the third side from the two of `sides`.
typedef struct convolution {
  sni_op op;
  sni_convolution_result result;
  int spatial, rank;
  sni_node_id sides[2];
  int64_t stride[SNI_SPATIAL_MAX], dilation[SNI_SPATIAL_MAX];
  sni_dim start[SNI_SPATIAL_MAX], size[SNI_SPATIAL_MAX];
} convolution;

static convolution describe(const sni_node *node, sni_convolution_result result,
                            const sni_convolution *c) {
  convolution x = {.op = node->op,
                   .result = result,
                   .spatial = c->spatial,
                   .rank = node->type.rank,
                   .sides = {node->operands[0], node->operands[1]}};
  for (int i = 0; i < c->spatial; i++) {
    x.stride[i] = c->stride[i];
    x.dilation[i] = c->dilation[i];
    x.start[i] = c->start[i];
    x.size[i] = c->size[i];
  }
  return x;
}

static sni_node_id build(sni_rewrite *r, const convolution *x) {
  return sni_build_conv(&r->build, x->op, x->sides[0], x->sides[1], x->spatial, x->stride,
                        x->dilation, x->start, x->size);
}

static bool known(const sni_rewrite *r, sni_dim dim, int64_t *out) {
  return sni_dim_is_constant(r->to->dims, dim, out);
}
static bool is(const sni_rewrite *r, sni_dim dim, int64_t value) {
  int64_t it = 0;
  return known(r, dim, &it) && it == value;
}

static sni_type type_of(const sni_rewrite *r, const convolution *x, int side) {
  return sni_build_type(&r->build, x->sides[side]);
}

// The first spatial dim of a side or of the result: in the kernel they follow the batch dims, elsewhere
// the examples.
static int first_spatial(const convolution *x, bool of_kernel) {
  return x->rank - 1 - x->spatial - of_kernel;
}
static bool is_kernel(const convolution *x, int side) {
  return side == 1 && x->result != SNI_CONVOLUTION_KERNEL;
}

// Size of the kernel along a spatial dim.
static sni_dim kernel_size(const sni_rewrite *r, const convolution *x, int i) {
  if (x->result == SNI_CONVOLUTION_KERNEL) return x->size[i];
  return type_of(r, x, 1).dims[first_spatial(x, true) + i];
}

// ---- single points

static bool has_points(const sni_rewrite *r, const convolution *x) {
  const int first = first_spatial(x, false);
  const sni_type a = type_of(r, x, 0), b = type_of(r, x, 1);
  for (int i = 0; i < x->spatial; i++) {
    const sni_dim other = x->result == SNI_CONVOLUTION_KERNEL ? b.dims[first + i] : x->size[i];
    if (x->stride[i] != 1 || !is(r, x->start[i], 0) || !is(r, kernel_size(r, x, i), 1) ||
        !sni_dim_equal(r->to->dims, a.dims[first + i], other))
      return false;
  }
  return true;
}

// [.., N, S.., C] as [.., N S.., C]; a kernel as [.., C, F].
static sni_node_id flat(sni_rewrite *r, const convolution *x, int side) {
  const sni_type type = type_of(r, x, side);
  sni_type to = {.dtype = type.dtype};
  const int first = x->rank - 2 - x->spatial;
  for (int d = 0; d < first; d++) to.dims[to.rank++] = type.dims[d];
  sni_dim rows = is_kernel(x, side) ? type.dims[x->rank - 2] : type.dims[first];
  for (int d = first + 1; !is_kernel(x, side) && d < x->rank - 1; d++)
    rows = sni_dim_mul(r->to->dims, rows, type.dims[d]);
  to.dims[to.rank++] = rows;
  to.dims[to.rank++] = type.dims[x->rank - 1];
  return sni_build_reshape(&r->build, x->sides[side], &to);
}

static sni_node_id as_matmul(sni_rewrite *r, const convolution *x, const sni_type *type) {
  const sni_node_id a = flat(r, x, 0), b = flat(r, x, 1);
  const sni_node_id y = sni_build_matmul(&r->build, a, b, x->result == SNI_CONVOLUTION_KERNEL,
                                         x->result == SNI_CONVOLUTION_INPUT);
  return sni_build_reshape(&r->build, y, type);
}

// ---- remainders of the stride

static int64_t remainder_of(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return rest < 0 ? rest + b : rest;
}

// The first place of the kernel that meets remainder `rest` of dim i, and every how many one does; false:
// none does.
static bool places_of(const convolution *x, int i, int64_t rest, int64_t start, int64_t *first,
                      int64_t *step) {
  for (*first = 0; *first < x->stride[i]; ++*first) {
    if (remainder_of(rest - *first * x->dilation[i] - start, x->stride[i])) continue;
    for (*step = 1; *step * x->dilation[i] % x->stride[i]; ++*step) continue;
    return true;
  }
  return false;
}

static sni_node_id every(sni_rewrite *r, sni_node_id x, int dim, int64_t first, int64_t step,
                         sni_dim size) {
  sni_dim starts[SN_MAX_RANK] = {0};
  int64_t steps[SN_MAX_RANK];
  sni_type type = sni_build_type(&r->build, x);
  for (int d = 0; d < type.rank; d++) steps[d] = 1;
  starts[dim] = first;
  steps[dim] = step;
  type.dims[dim] = size;
  return sni_build_slice(&r->build, x, starts, steps, type.dims);
}

static sni_type result_type(const sni_rewrite *r, const convolution *x) {
  sni_type type = type_of(r, x, 0);
  const sni_type kernel = type_of(r, x, 1);
  for (int i = 0; i < x->spatial; i++) type.dims[first_spatial(x, false) + i] = x->size[i];
  type.dims[x->rank - 1] = kernel.dims[x->rank - 2];
  return type;
}

static sni_node_id image(sni_rewrite *r, convolution x);

// Elements rest, rest + stride, ... of dim i: `size` of them.
static sni_node_id one_remainder(sni_rewrite *r, const convolution *x, int i, int64_t rest,
                                 int64_t start, int64_t kernel, sni_dim size) {
  convolution part = *x;
  int64_t first = 0, step = 1;
  part.size[i] = size;
  if (!places_of(x, i, rest, start, &first, &step) || first >= kernel) {
    const sni_type type = result_type(r, &part);
    return sni_build_full(&r->build, &type, 0);
  }
  const int64_t count = (kernel - first + step - 1) / step;
  part.sides[1] = every(r, x->sides[1], first_spatial(x, true) + i, first, step, count);
  part.stride[i] = 1;
  part.dilation[i] = step * x->dilation[i] / x->stride[i];
  part.start[i] =
      sni_dim_signed(r->to->dims, -(rest - first * x->dilation[i] - start) / x->stride[i]);
  return image(r, part);
}

// Dim i, whose stride is above 1, from its remainders.
static sni_node_id from_remainders(sni_rewrite *r, const convolution *x, int i, int64_t start,
                                   int64_t kernel) {
  sni_build *b = &r->build;
  sni_dim_table *dims = r->to->dims;
  const int64_t stride = x->stride[i];
  const int dim = first_spatial(x, false) + i;
  const sni_dim size =
      sni_dim_floor_div(dims, sni_dim_add_constant(dims, x->size[i], stride - 1), stride);
  sni_node_id parts[most_shifts];
  for (int64_t rest = 0; rest < stride; rest++) {
    parts[rest] = one_remainder(r, x, i, rest, start, kernel, size);
    sni_type type = sni_build_type(b, parts[rest]);
    for (int d = type.rank++; d > dim + 1; d--) type.dims[d] = type.dims[d - 1];
    type.dims[dim + 1] = 1;
    parts[rest] = sni_build_reshape(b, parts[rest], &type);
  }
  sni_node_id y = sni_build_concat(b, parts, (int)stride, dim + 1);
  sni_type type = result_type(r, x);
  type.dims[dim] = sni_dim_mul_constant(dims, size, stride);
  y = sni_build_reshape(b, y, &type);
  return sni_dim_equal(dims, type.dims[dim], x->size[i]) ? y : every(r, y, dim, 0, 1, x->size[i]);
}

// The same by an output with zeros between its elements.
static sni_node_id from_gaps(sni_rewrite *r, const convolution *x, int i) {
  sni_build *b = &r->build;
  sni_dim none[SN_MAX_RANK] = {0};
  int64_t gaps[SN_MAX_RANK] = {0};
  convolution even = *x;
  const sn_dtype dtype = type_of(r, x, 0).dtype;
  gaps[first_spatial(x, false) + i] = x->stride[i] - 1;
  even.sides[0] = sni_build_pad(b, x->sides[0], sni_build_scalar(b, dtype, 0), none, none, gaps);
  even.stride[i] = 1;
  return image(r, even);
}

static sni_node_id image(sni_rewrite *r, convolution x) {
  for (int i = 0; i < x.spatial; i++) {
    int64_t start = 0, kernel = 0;
    if (x.stride[i] == 1) continue;
    const bool split = known(r, x.start[i], &start) && known(r, kernel_size(r, &x, i), &kernel) &&
                       x.stride[i] <= most_shifts && x.rank < SN_MAX_RANK;
    return split ? from_remainders(r, &x, i, start, kernel) : from_gaps(r, &x, i);
  }
  return build(r, &x);
}

// ---- few channels: the window, place by place

typedef struct shifts {
  int64_t size[SNI_SPATIAL_MAX], channels, all;  // channels: that are summed
} shifts;

static bool few_channels(const sni_rewrite *r, const convolution *x, shifts *out) {
  const sni_type a = type_of(r, x, 0), b = type_of(r, x, 1);
  int64_t first = 0, second = 0;
  const bool turned = x->result == SNI_CONVOLUTION_INPUT;
  if (!known(r, a.dims[x->rank - 1], &first) ||
      !known(r, b.dims[x->rank - (turned ? 2 : 1)], &second) || first < 1 || first > narrow ||
      second < 1 || second > narrow)
    return false;
  *out = (shifts){.channels = first, .all = first};
  for (int i = 0; i < x->spatial; i++) {
    if (!known(r, kernel_size(r, x, i), &out->size[i]) || out->size[i] < 1) return false;
    if (__builtin_mul_overflow(out->all, out->size[i], &out->all)) return false;
  }
  return out->all <= most_shifts;
}

// The image under place `at` of the window: [.., N, O.., 1] of channel c. Inside of padding by zeros.
static sni_node_id shifted(sni_rewrite *r, const convolution *x, const int64_t *at, int64_t c) {
  sni_build *b = &r->build;
  sni_dim_table *dims = r->to->dims;
  const int first = first_spatial(x, false);
  sni_type type = type_of(r, x, 0);
  const sni_type other = type_of(r, x, 1);
  sni_dim low[SN_MAX_RANK] = {0}, high[SN_MAX_RANK] = {0}, starts[SN_MAX_RANK] = {0};
  int64_t gaps[SN_MAX_RANK] = {0}, steps[SN_MAX_RANK];
  for (int d = 0; d < type.rank; d++) steps[d] = 1;
  const bool back = x->result == SNI_CONVOLUTION_INPUT;
  for (int i = 0; i < x->spatial; i++) {
    const int d = first + i;
    const int64_t sign = back ? -1 : 1;
    // elements begin, begin + step, .., of which there are `size`
    const sni_dim begin = sni_dim_add_constant(dims, sni_dim_mul_constant(dims, x->start[i], sign),
                                               sign * at[i] * x->dilation[i]);
    const sni_dim size = x->result == SNI_CONVOLUTION_KERNEL ? other.dims[d] : x->size[i];
    steps[d] = back ? 1 : x->stride[i];
    const sni_dim end = sni_dim_add_constant(
        dims,
        sni_dim_add(dims, begin,
                    sni_dim_mul_constant(dims, sni_dim_add_constant(dims, size, -1), steps[d])),
        1);
    low[d] = sni_dim_max(dims, sni_dim_mul_constant(dims, begin, -1), 0);
    high[d] = sni_dim_max(dims, sni_dim_sub(dims, end, type.dims[d]), 0);
    starts[d] = sni_dim_add(dims, begin, low[d]);
    type.dims[d] = size;
  }
  starts[type.rank - 1] = c;
  type.dims[type.rank - 1] = 1;
  const sni_node_id zero = sni_build_scalar(b, type.dtype, 0);
  const sni_node_id padded = sni_build_pad(b, x->sides[0], zero, low, high, gaps);
  return sni_build_slice(b, padded, starts, steps, type.dims);
}

// The kernel at place `at` of its window: [.., 1, 1.., F] of channel c, or of INPUT, C of F's c.
static sni_node_id weights(sni_rewrite *r, const convolution *x, const int64_t *at, int64_t c) {
  sni_build *b = &r->build;
  const int first = first_spatial(x, true);
  sni_type type = type_of(r, x, 1), to = type;
  sni_dim starts[SN_MAX_RANK] = {0};
  int64_t steps[SN_MAX_RANK];
  for (int d = 0; d < type.rank; d++) steps[d] = 1;
  for (int i = 0; i < x->spatial; i++) {
    starts[first + i] = at[i];
    type.dims[first + i] = to.dims[first + i] = 1;
  }
  const int summed = x->result == SNI_CONVOLUTION_INPUT ? x->rank - 1 : x->rank - 2;
  starts[summed] = c;
  type.dims[summed] = 1;
  to.dims[x->rank - 1] = type.dims[2 * x->rank - 3 - summed];
  to.dims[x->rank - 2] = 1;
  return sni_build_reshape(b, sni_build_slice(b, x->sides[1], starts, steps, type.dims), &to);
}

// To the next place; the last dim first, and then the channel.
static bool next_place(const shifts *s, int spatial, int64_t *at, int64_t *c) {
  if (++*c < s->channels) return true;
  *c = 0;
  for (int i = spatial; i-- > 0; at[i] = 0)
    if (++at[i] < s->size[i]) return true;
  return false;
}

static sni_node_id sum_of_shifts(sni_rewrite *r, const convolution *x, const shifts *s) {
  sni_build *b = &r->build;
  int64_t at[SNI_SPATIAL_MAX] = {0}, c = 0;
  sni_node_id sum = SNI_NO_NODE;
  do {
    const sni_node_id by = weights(r, x, at, c);
    if (b->status) return SNI_NO_NODE;
    const sni_node_id term = sni_build_mul(b, shifted(r, x, at, c), by);
    sum = sum == SNI_NO_NODE ? term : sni_build_add(b, sum, term);
  } while (!b->status && next_place(s, x->spatial, at, &c));
  const sn_dtype dtype = sni_build_type(b, sum).dtype;
  if (s->all == 1 || !sni_is_float(dtype)) return sum;
  return sni_build_add(b, sum, sni_build_scalar(b, dtype, 0));  // as sums end: never -0
}

// Each element of the kernel: the sum of the image under it times the output.
static sni_node_id kernel_of_shifts(sni_rewrite *r, const convolution *x, const shifts *s,
                                    const sni_type *type) {
  sni_build *b = &r->build;
  int64_t at[SNI_SPATIAL_MAX] = {0}, c = 0;
  sni_node_id parts[most_shifts];
  sni_dim axes[1 + SNI_SPATIAL_MAX];
  int n = 0;
  const int first = first_spatial(x, false) - 1;
  for (int i = 0; i <= x->spatial; i++) axes[i] = first + i;
  do {
    const sni_node_id products = sni_build_mul(b, shifted(r, x, at, c), x->sides[1]);
    const sni_node_id sum = sni_build_reduce(b, SNI_OP_REDUCE_SUM, products, axes, 1 + x->spatial);
    if (b->status) return SNI_NO_NODE;
    sni_type line = sni_build_type(b, sum);  // [.., F] to [.., 1, F]
    line.dims[line.rank] = line.dims[line.rank - 1];
    line.dims[line.rank++ - 1] = 1;
    parts[n++] = sni_build_reshape(b, sum, &line);
  } while (next_place(s, x->spatial, at, &c));
  const sni_node_id all = sni_build_concat(b, parts, n, x->rank - 2 - x->spatial);
  return sni_build_reshape(b, all, type);
}

// ---- the rule

sni_node_id sni_rewrite_convolution(sni_rewrite *r, const sni_node *node) {
  sni_convolution c;
  shifts s;
  const sni_convolution_result result = sni_convolution_of(r->to, node, &c);
  if (result == SNI_CONVOLUTION_NONE) return SNI_NO_NODE;
  const convolution x = describe(node, result, &c);
  bool strided = false;
  for (int i = 0; i < x.spatial; i++) strided |= x.stride[i] > 1;
  if (result == SNI_CONVOLUTION_INPUT && strided) return image(r, x);
  if (few_channels(r, &x, &s))
    return result == SNI_CONVOLUTION_KERNEL ? kernel_of_shifts(r, &x, &s, &node->type)
                                            : sum_of_shifts(r, &x, &s);
  if (has_points(r, &x) && sni_dim_is_at_least(r->to->dims, node->type.dims[x.rank - 1], 2))
    return as_matmul(r, &x, &node->type);
  return SNI_NO_NODE;
}

sn_status sni_rewrite_convolutions(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_rewrite_convolution};
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1}, out_graph);
}
