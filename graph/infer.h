// Inside of type inference: what the rules see, and how they fail.
#ifndef SNI_GRAPH_INFER_H
#define SNI_GRAPH_INFER_H

#include "graph/graph.h"

typedef struct sni_inference {
  sni_diag *diag;
  sni_dim_table *dims;
  bool unify;  // dims that must be equal may be made equal; otherwise they must be so already
  sni_op op;
  const sni_type *const *operands;
  int n_operands;
  const sni_dim *attrs;
  int n_attrs;
  const sni_type *declared;
} sni_inference;

// Computes the type; a declared one must agree with it.
sn_status sni_infer_node(const sni_inference *in, sni_type *out_type);

// "op: <format>; operands: f32[2,3], i32[3]".
sn_status sni_infer_fail(const sni_inference *in, sn_status status, const char *format, ...)
    SNI_PRINTF(3, 4);
// Failure of a dim computation: memory, or a size beyond int64.
sn_status sni_infer_fail_dim(const sni_inference *in);
// Equal, or made equal.
bool sni_infer_agree(const sni_inference *in, sni_dim a, sni_dim b);
// Dtype of an operand is in the set; SN_ERR_DTYPE names operand, expected and given.
sn_status sni_infer_check_dtype(const sni_inference *in, int operand, uint32_t dtypes);
// Operands first.. have the dtype of operand `reference`.
sn_status sni_infer_check_same_dtype(const sni_inference *in, int first, int reference);
// The dtype of a product: that of both operands; or, where these differ or the result is declared so, the
// one that both compute in.
sn_status sni_infer_product_dtype(const sni_inference *in, sn_dtype *out_dtype);
// Dtype, rank and dims are those of a type that can exist: dims >= 0, size in bytes within int64.
sn_status sni_infer_check_type(const sni_inference *in, const sni_type *type, const char *what);

// The rules, named in ops.def. Operand and attribute counts and operand #0's dtype are checked
// before.
typedef sn_status (*sni_infer_rule)(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_declared(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_dim_size(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_same(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_string_compare(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_string_rank(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_compare(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_part(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_complex(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_select(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_cast(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_bitcast(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_reshape(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_transpose(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_broadcast(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_slice(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_pad(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_concat(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_reduce(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_partial_sum(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_cumulate(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_pair_cumulation(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_matmul(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_conv(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_gather(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_scatter(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_flat_index(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_sort(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_argsort(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_top_k(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_search_sorted(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_square(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_triangular_solve(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_solve(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_determinant(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_qr(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_eigh(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_svd(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_barrier(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_control(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_extent(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_require(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_random_words(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_random_f32(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_random_float(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_random_order(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_random_integers(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_random_sample(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_fft(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_rfft(const sni_inference *in, sni_type *out_type);
sn_status sni_infer_irfft(const sni_inference *in, sni_type *out_type);

// ---- attribute schemas ("axis", "start[],step[]")
typedef struct sni_schema_field {
  const char *name;
  int length;  // of the name
  bool list;
} sni_schema_field;
enum { sni_schema_max = 5 };
// Fields of the schema; returns how many.
int sni_schema_fields(const char *schema, sni_schema_field fields[sni_schema_max]);

// ---- construction with or without unification (the parser's way)
sn_status sni_graph_append(sni_graph *graph, bool unify, sni_op op, const sni_node_id *operands,
                           int n_operands, const sni_dim *attrs, int n_attrs,
                           const sni_type *declared, sni_location location, sni_node_id *out_id);

#endif
