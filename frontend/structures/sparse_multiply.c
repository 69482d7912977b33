// Products of two sparse matrices: the pairs of values that meet, and the sums of what falls on one place. Values are gathered and summed by the core's ops.
#include "frontend/structures/sparse.h"

#include <stdlib.h>

// Rows of the right operand: the values of row i are order[splits[i] .. splits[i + 1]).
typedef struct grouped {
  int64_t *order, *splits;
} grouped;

static void end_groups(grouped *g) {
  free(g->order);
  free(g->splits);
}

static sn_status group_rows(const sn_host_args *args, const sns_entries *e, grouped *out) {
  const int64_t rows = e->dims[0];
  out->order = malloc(((size_t)e->n + 1) * sizeof(int64_t));
  out->splits = calloc((size_t)rows + 1, sizeof(int64_t));
  const sn_status status = out->order && out->splits ? sns_order_entries(args, e, 1, out->order)
                                                     : sns_refuse(args, SN_ERR_MEMORY, "rows of b");
  for (int64_t i = 0; !status && i < e->n; i++) out->splits[e->at[2 * i] + 1]++;
  for (int64_t i = 0; !status && i < rows; i++) out->splits[i + 1] += out->splits[i];
  return status;
}

// in: indices and dense shape of a, of b
static sn_status open_both(const sn_host_args *args, sns_entries *a, sns_entries *b, grouped *g) {
  sn_status status = sns_entries_of(args, 0, 1, a);
  if (!status) status = sns_entries_of(args, 2, 3, b);
  if (!status && a->dims[1] != b->dims[0])
    return sns_refuse(args, SN_ERR_SHAPE, "a is [%lld, %lld], b [%lld, %lld]",
                      (long long)a->dims[0], (long long)a->dims[1], (long long)b->dims[0],
                      (long long)b->dims[1]);
  return status ? status : group_rows(args, b, g);
}

static sn_status count_pairs(const sn_host_args *args) {
  sns_entries a, b;
  grouped g = {NULL, NULL};
  const sn_status status = open_both(args, &a, &b, &g);
  int64_t n = 0;
  for (int64_t i = 0; !status && i < a.n; i++) {
    const int64_t row = a.at[2 * i + 1];
    n += g.splits[row + 1] - g.splits[row];
  }
  *sns_i64(&args->out[0]) = n;
  end_groups(&g);
  return status;
}

// [pairs, 4]: the value of a, that of b, the row and the column of their product
static sn_status fill_pairs(const sn_host_args *args) {
  sns_entries a, b;
  grouped g = {NULL, NULL};
  const sn_status status = open_both(args, &a, &b, &g);
  int64_t *out = sns_i64(&args->out[0]), *const end = out + sns_view_size(&args->out[0]);
  for (int64_t i = 0; !status && i < a.n; i++) {
    const int64_t row = a.at[2 * i + 1];
    for (int64_t k = g.splits[row]; k < g.splits[row + 1] && out < end; k++, out += 4) {
      out[0] = i;
      out[1] = g.order[k];
      out[2] = a.at[2 * i];
      out[3] = b.at[2 * g.order[k] + 1];
    }
  }
  end_groups(&g);
  return status;
}

static sn_tensor *columns(sn_tensor *table, int64_t first, int64_t end) {
  return sn_slice(table, (const sn_range_spec[]){SN_ALL, SN_RANGE(first, end, 1)}, 2);
}

static sns_coo turned(sn_context *c, const sns_coo *s, bool transpose, bool adjoint) {
  sns_coo out = *s;
  const sn_dtype dtype = sn_dtype_of(s->values);
  if (adjoint && (dtype == SN_C64 || dtype == SN_C128)) out.values = sn_conj(s->values);
  if (!transpose && !adjoint) return out;
  return sns_permuted(c, &out, (const int64_t[]){1, 0});
}

sn_sparse *sn_sparse_matmul_sparse_opts(const sn_sparse *a, const sn_sparse *b,
                                        const sn_sparse_matmul_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_matmul_sparse", a ? a : b);
  const sn_sparse_matmul_options none = {0}, *o = options ? options : &none;
  sns_coo x, y;
  if (!sns_coo_of(c, a, "a", &x) || !sns_coo_of(c, b, "b", &y)) return sns_no_sparse(c);
  if (x.rank != 2 || y.rank != 2)
    sn_fail(c, SN_ERR_SHAPE, "a has %d dims, b %d: expected the 2 of matrices", x.rank, y.rank);
  else if (sn_dtype_of(x.values) != sn_dtype_of(y.values))
    sn_fail(c, SN_ERR_DTYPE, "a is %s, b %s", sn_dtype_name(sn_dtype_of(x.values)),
            sn_dtype_name(sn_dtype_of(y.values)));
  if (sn_pending_error(c)) return sns_no_sparse(c);
  x = turned(c, &x, o->transpose_a, o->adjoint_a);
  y = turned(c, &y, o->transpose_b, o->adjoint_b);
  sn_tensor *const in[] = {x.indices, x.shape, y.indices, y.shape};
  const int64_t n =
      sn_late_dim(SNS_RUN(c, in, 4, .name = "sparse_pair_count", .callback = count_pairs,
                          .dtype = SN_I64, .shape = SN_SCALAR));
  sn_tensor *pairs = SNS_RUN(c, in, 4, .name = "sparse_pairs", .callback = fill_pairs,
                             .dtype = SN_I64, .shape = SN_SHAPE(n, 4));
  sn_tensor *const dims[] = {sn_index(x.shape, 0, 0), sn_index(y.shape, 0, 1)};
  sns_coo out = {.indices = columns(pairs, 2, 4), .shape = sn_stack(dims, 2, 0), .rank = 2};
  sn_tensor *terms = sn_mul(sn_gather(x.values, sn_index(pairs, 1, 0)),
                            sn_gather(y.values, sn_index(pairs, 1, 1)));
  sn_tensor *groups = sns_groups(c, &out, SNS_ALL_AXES);
  const int64_t count = sn_late_dim(sns_group_count(c, groups));
  return sns_sparse_of(c, sns_group_indices(c, &out, groups, count, SNS_ALL_AXES, true),
                       sn_segment_sum(terms, groups, count), out.shape);
}
