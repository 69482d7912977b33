// Graph IR: SSA nodes in an arena. Node ids ascend in topological order: a node's operands have
// smaller ids. A graph is built by appending and is rewritten by building a new one
// (passes/graph/rewrite.h), never by mutation; but for a loop that is differentiated, whose body gets outputs that nobody
// had before (passes/gradient/vjp_loops.c).
//
// A pointwise node's operands all have the node's shape: broadcasting is explicit BROADCAST nodes,
// put in by the builders. Variables are parameters; what a function assigns to them are extra
// results. So every node is pure.
#ifndef SNI_GRAPH_GRAPH_H
#define SNI_GRAPH_GRAPH_H

#include "graph/ops.def"
#include "graph/type.h"
#include "runtime/arena.h"
#include "runtime/host.h"

typedef enum sni_op {
#define SNI_X(id, name, operands, class, dtypes, attributes, infer, vjp, vmap, kop, lowering, \
              flags, cost, formula)                                                           \
  SNI_OP_##id,

  SNI_OPS(SNI_X)
#undef SNI_X
      SNI_OP_COUNT
} sni_op;

typedef enum sni_op_class {
  SNI_CLASS_LEAF,
  SNI_CLASS_POINTWISE,
  SNI_CLASS_VIEW,
  SNI_CLASS_REDUCE,
  SNI_CLASS_PARTIAL,
  SNI_CLASS_CUMULATE,
  SNI_CLASS_CONTRACT,
  SNI_CLASS_INDEX,
  SNI_CLASS_LIBRARY,
  SNI_CLASS_CONTROL,
} sni_op_class;

// What a kernel makes of an op.
typedef enum sni_op_lowering {
  SNI_LOWERING_MEMORY,  // lies there from the beginning; a constant of one element is an immediate
  SNI_LOWERING_INDEX,   // the index of a loop, in whoever reads it
  SNI_LOWERING_SIZE,    // a size, in whoever reads it
  SNI_LOWERING_ACCESS,  // addresses of whoever reads it
  SNI_LOWERING_PIECES,  // loads under conditions, where its pieces are few and dense; else a kernel each
  SNI_LOWERING_LOOPS,    // loops of its own, or those of whoever reads it
  SNI_LOWERING_CHUNKS,   // cuts the loops of what else reads its operand
  SNI_LOWERING_UPDATE,   // a copy that is then changed where indices say
  SNI_LOWERING_LIBRARY,  // a command of its own, of a function of the library
  SNI_LOWERING_PARTS,    // nothing: split_complex has made real ops of it
  SNI_LOWERING_CONTROL,  // a command of its own, which runs the executables of its bodies
  SNI_LOWERING_RESULT,   // a buffer that the command of its operand fills
  SNI_LOWERING_EXTENT,   // nothing: between two segments (passes/segments.h)
} sni_op_lowering;

typedef enum sni_op_flags {
  SNI_FLAGS_PLAIN = 0,
  SNI_FLAGS_SAME = 1,      // y = a
  SNI_FLAGS_CONVERTS = 2,  // y = a in another dtype, its value or its bits
  SNI_FLAGS_REPEATS = 4,   // a view whose elements are all of its operand's, and no others
  SNI_FLAGS_ROUNDS = 8,    // a reduction that rounds: of floats the order is part of the value
  // A reduction that adds +0.0 to a float result at last, so that a zero is +0.0: which of several
  // zeros a maximum or minimum is would depend on the order.
  SNI_FLAGS_SETTLES = 16,
  SNI_FLAGS_SUM = SNI_FLAGS_ROUNDS | SNI_FLAGS_SETTLES,
  SNI_FLAGS_WHOLE_A = 32,  // reads a as a whole buffer, at places of its own choosing
  SNI_FLAGS_WHOLE_B = 64,
  SNI_FLAGS_WHOLE_AB = SNI_FLAGS_WHOLE_A | SNI_FLAGS_WHOLE_B,
  SNI_FLAGS_LIES =
      128,  // and these buffers have the operand's elements as they lie: it reads past no view but reshapes
  SNI_FLAGS_LIES_A = SNI_FLAGS_WHOLE_A | SNI_FLAGS_LIES,
  SNI_FLAGS_LIES_AB = SNI_FLAGS_WHOLE_AB | SNI_FLAGS_LIES,
  SNI_FLAGS_FAILS = 256,  // a run may find elements that it cannot take
  SNI_FLAGS_LIES_A_FAILS = SNI_FLAGS_LIES_A | SNI_FLAGS_FAILS,
  SNI_FLAGS_LIES_AB_FAILS = SNI_FLAGS_LIES_AB | SNI_FLAGS_FAILS,
} sni_op_flags;

typedef struct sni_op_info {
  const char *name;
  const char *attributes;  // schema, see ops.def
  const char *formula;
  int operands;  // -1: one or more
  sni_op_class op_class;
  sni_op_lowering lowering;
  uint32_t flags;       // sni_op_flags
  float cost;           // ns of an element; < 0: its KOP's
  uint32_t dtypes;      // bit per sn_dtype that operand 0 (the result of a leaf) may have
  bool differentiable;  // has a vjp rule
} sni_op_info;
extern const sni_op_info sni_op_infos[SNI_OP_COUNT];
// SNI_OP_COUNT when there is none of that name.
sni_op sni_op_by_name(const char *name, size_t length);

typedef uint32_t sni_node_id;
#define SNI_NO_NODE UINT32_MAX

typedef enum sni_complex_table {
  SNI_TABLE_REAL,
  SNI_TABLE_PART,  // it is one of the two parts
  SNI_TABLE_PAIR,  // it has both, in one dim more
} sni_complex_table;

typedef struct sni_location {
  const char *file;  // static storage of the caller's binary, or the graph's arena; NULL: unknown
  int line;
  // What messages call the op: the caller's; of one that may fail in a run behind the frames that were open
  // ("encoder: sn_gather"), in the arena of the trace; else static. NULL: its row's name.
  const char *op;
  const char *
      gradient_of;  // the op whose gradient the node is part of, static or as long as the graph; NULL: none
  // Of an op that may fail: how its operand #0 was a complex tensor (split_complex).
  uint8_t complex_table;  // sni_complex_table
} sni_location;

typedef struct sni_graph sni_graph;

typedef struct sni_node {
  sni_op op;
  uint16_t n_operands;
  uint16_t n_attrs;
  uint16_t n_bodies;
  const sni_node_id *operands;
  const sni_dim *attrs;  // integers, named by the op's schema; dims may be symbolic (slice starts)
  sni_type type;
  // CONSTANT: row-major elements, in the arena or kept alive by the owner of the graph.
  const void *data;
  // Of a control op: graphs over the same table of dims (graph/control.h).
  sni_graph *const *bodies;
  const sni_host *host;  // of a HOST op; NULL: of a text that nobody has linked yet
  const char *name;      // user's name or NULL
  sni_location location;
} sni_node;

// What passes and eager mode ask of single ops, so that they need not name them.
static inline bool sni_is_constant(const sni_node *node) {
  return node->op == SNI_OP_CONSTANT;
}
static inline bool sni_is_parameter(const sni_node *node) {
  return node->op == SNI_OP_PARAMETER;
}
static inline bool sni_is_broadcast(const sni_node *node) {
  return node->op == SNI_OP_BROADCAST;
}
static inline bool sni_is_reshape(const sni_node *node) {
  return node->op == SNI_OP_RESHAPE;
}
static inline bool sni_is_slice(const sni_node *node) {
  return node->op == SNI_OP_SLICE;
}
static inline bool sni_is_concat(const sni_node *node) {
  return node->op == SNI_OP_CONCAT;
}
static inline bool sni_is_pad(const sni_node *node) {
  return node->op == SNI_OP_PAD;
}
static inline bool sni_is_sum(const sni_node *node) {
  return node->op == SNI_OP_REDUCE_SUM;
}
static inline bool sni_is_reduce(sni_op op) {
  return sni_op_infos[op].op_class == SNI_CLASS_REDUCE;
}
static inline bool sni_is_contraction(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_CONTRACT;
}
static inline bool sni_is_matmul(const sni_node *node) {
  return node->op == SNI_OP_MATMUL;
}
// Gives the sums of the chunks of an axis: attrs[0], cut into pieces of attrs[1] elements.
static inline bool sni_is_partial(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_PARTIAL;
}
// Runs along the axis attrs[0] one element after the other.
static inline bool sni_is_cumulation(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_CUMULATE;
}
static inline bool sni_is_recurrence(const sni_node *node) {
  return node->op == SNI_OP_RECURRENCE;
}
// Of complex numbers, whose parts are operands of their own.
static inline bool sni_is_pair_cumulation(const sni_node *node) {
  return node->op == SNI_OP_PAIR_CUMULATION;
}
// What it begins with.
typedef enum sni_cumulation_first {
  SNI_FIRST_ZERO,
  SNI_FIRST_ONE,
  SNI_FIRST_LEAST,
  SNI_FIRST_GREATEST,
} sni_cumulation_first;
static inline sni_cumulation_first sni_cumulation_first_of(sni_op op) {
  if (op == SNI_OP_CUMPROD) return SNI_FIRST_ONE;
  if (op == SNI_OP_CUMMAX) return SNI_FIRST_LEAST;
  return op == SNI_OP_CUMMIN ? SNI_FIRST_GREATEST : SNI_FIRST_ZERO;
}
// The attributes of a FLAT_INDEX; lists of n.
typedef struct sni_flat_index {
  int n;
  const sni_dim *axis, *size, *stride;
} sni_flat_index;
// The attributes of a cumulation.
static inline bool sni_is_exclusive(const sni_node *node) {
  return node->attrs[1] != 0;
}
static inline bool sni_is_reverse(const sni_node *node) {
  return node->attrs[2] != 0;
}
// FLAT_INDEX checks indices, but reads no table.
static inline bool sni_is_flat_index(const sni_node *node) {
  return node->op == SNI_OP_FLAT_INDEX;
}
static inline sni_flat_index sni_flat_index_of(const sni_node *node) {
  const int n = node->n_attrs / 3;
  if (!n) return (sni_flat_index){0};
  return (sni_flat_index){n, node->attrs, node->attrs + n, node->attrs + 2 * n};
}
// What a run may find wrong with its operands' elements: the node remembers whose call it is.
static inline bool sni_op_may_fail(sni_op op) {
  return sni_op_infos[op].op_class == SNI_CLASS_INDEX || sni_op_infos[op].flags & SNI_FLAGS_FAILS;
}
// The columns of ops.def.
static inline bool sni_op_passes_on(sni_op op) {
  return sni_op_infos[op].flags & SNI_FLAGS_SAME;
}
static inline bool sni_op_converts(sni_op op) {
  return sni_op_infos[op].flags & SNI_FLAGS_CONVERTS;
}
static inline bool sni_op_repeats(sni_op op) {
  return sni_op_infos[op].flags & SNI_FLAGS_REPEATS;
}
static inline bool sni_op_accumulates(sni_op op) {
  return sni_op_infos[op].flags & SNI_FLAGS_ROUNDS;
}
static inline bool sni_op_settles_zero(sni_op op) {
  return sni_op_infos[op].flags & SNI_FLAGS_SETTLES;
}
// Operands #0 .. that an op reads as whole buffers, at places of its own choosing.
static inline int sni_whole_operands(sni_op op) {
  const uint32_t flags = sni_op_infos[op].flags;
  return flags & SNI_FLAGS_WHOLE_B ? 2 : flags & SNI_FLAGS_WHOLE_A ? 1 : 0;
}
static inline sni_op_lowering sni_lowering_of(const sni_node *node) {
  return sni_op_infos[node->op].lowering;
}
static inline bool sni_is_control(const sni_node *node) {
  return sni_lowering_of(node) == SNI_LOWERING_CONTROL;
}
// One of the values that a control op gives.
static inline bool sni_is_result(const sni_node *node) {
  return sni_lowering_of(node) == SNI_LOWERING_RESULT;
}

// Says a size or what is true of one (graph/late.h).
static inline bool sni_is_about_sizes(const sni_node *node) {
  return sni_lowering_of(node) == SNI_LOWERING_EXTENT;
}

typedef enum sni_parameter_kind {
  SNI_PARAMETER_INPUT,     // index: of the function's inputs
  SNI_PARAMETER_VARIABLE,  // index: of the graph's captured variables; also the random state
  SNI_PARAMETER_CAPTURE,  // index: of the captured constant tensors (by reference to their buffers)
} sni_parameter_kind;

typedef struct sni_parameter {
  sni_node_id node;
  sni_parameter_kind kind;
  uint32_t index;
} sni_parameter;

typedef struct sni_result {
  sni_node_id node;
  // -1: an output of the function, in order; else the variable that receives the value.
  int32_t variable;
} sni_result;

typedef struct sni_outer_history {
  sni_node_id node;
  const sni_node *loop;
} sni_outer_history;

struct sni_graph {
  sni_arena *arena;  // owns everything below; borrowed
  sni_diag *diag;    // where failures are described; borrowed
  const char *name;
  sni_node *nodes;
  uint32_t n_nodes, nodes_capacity;
  sni_parameter *parameters;
  uint32_t n_parameters, parameters_capacity;
  sni_result *results;
  uint32_t n_results, results_capacity;
  // Symbols and expressions; shared by the graphs that passes derive from each other.
  sni_dim_table *dims;
  // INPUT parameters that are histories (graph/control.h) of whiles in other graphs: of segments alone.
  sni_outer_history *histories;
  uint32_t n_histories, histories_capacity;
  bool is_clean;  // a body that passes have done with (passes/graph/rewrite_control.h)
};

// ---- construction. Everything lives in the arena; all return SN_ERR_MEMORY when it is exhausted.
// dims NULL: a new table.
sn_status sni_graph_create(sni_arena *arena, sni_diag *diag, const char *name, sni_dim_table *dims,
                           sni_graph **out_graph);
// Appends a node, inferring and checking its type. declared: the type for ops whose row says
// `declared`, cast, bitcast, reshape, broadcast, slice (sizes) and random numbers; NULL for the
// others. Copies operands and attrs. Errors: dtype and shape rules of the op; the message names the
// op and all operand types.
sn_status sni_graph_add(sni_graph *graph, sni_op op, const sni_node_id *operands, int n_operands,
                        const sni_dim *attrs, int n_attrs, const sni_type *declared,
                        sni_location location, sni_node_id *out_id);
// data: row-major elements; copied into the arena.
sn_status sni_graph_add_constant(sni_graph *graph, const sni_type *type, const void *data,
                                 sni_location location, sni_node_id *out_id);
// A constant with every element value (converted to the dtype): a scalar constant and a broadcast.
sn_status sni_graph_add_full(sni_graph *graph, const sni_type *type, double value,
                             sni_location location, sni_node_id *out_id);
sn_status sni_graph_add_parameter(sni_graph *graph, const sni_type *type, sni_parameter_kind kind,
                                  uint32_t index, const char *name, sni_node_id *out_id);
sn_status sni_graph_add_result(sni_graph *graph, sni_node_id node, int32_t variable);
// A node of another graph over the same dims as it is; map: what its operands are here. Bodies and data are shared.
sn_status sni_graph_add_copy(sni_graph *graph, const sni_node *node, const sni_node_id *map,
                             sni_node_id *out_id);

// The parameters and results of another graph; map: what its nodes are here.
sn_status sni_graph_add_ends(sni_graph *graph, const sni_graph *from, const sni_node_id *map);

static inline const sni_node *sni_graph_node(const sni_graph *graph, sni_node_id id) {
  return &graph->nodes[id];
}
static inline const sni_type *sni_graph_type(const sni_graph *graph, sni_node_id id) {
  return &graph->nodes[id].type;
}
// Dim of the operand along which dim d of a view runs; -1: along none, it is repeated. A reshape has no
// such dims. Of a slice the operand's index is attrs[d] + the view's * attrs[rank + d], else the same.
int sni_viewed_dim(const sni_graph *graph, const sni_node *view, int d);

// Which of the three sides of a convolution a node gives; its numbers, one for each spatial dim. They
// point into the node.
enum { SNI_SPATIAL_MAX = 3 };
typedef struct sni_convolution {
  int spatial;  // 1 .. SNI_SPATIAL_MAX
  int64_t stride[SNI_SPATIAL_MAX], dilation[SNI_SPATIAL_MAX];
  const sni_dim *start, *size;
} sni_convolution;
typedef enum sni_convolution_result {
  SNI_CONVOLUTION_NONE,  // it is none
  SNI_CONVOLUTION_OUTPUT,
  SNI_CONVOLUTION_INPUT,
  SNI_CONVOLUTION_KERNEL,
} sni_convolution_result;
sni_convolution_result sni_convolution_of(const sni_graph *graph, const sni_node *node,
                                          sni_convolution *out);

// ---- inference alone (eager mode): *out_type of op applied to operands of these types. declared
// as in sni_graph_add. operand_names NULL. dims: for symbolic dims; may be NULL when all dims are
// constants.
sn_status sni_infer(sni_diag *diag, sni_dim_table *dims, sni_op op, const sni_type *const *operands,
                    int n_operands, const sni_dim *attrs, int n_attrs, const sni_type *declared,
                    sni_type *out_type);
// NumPy's broadcast of two shapes into *out (dtype is a's). Unifies two different symbols. Errors:
// SN_ERR_SHAPE.
sn_status sni_broadcast_shapes(sni_diag *diag, sni_dim_table *dims, const char *op_name,
                               const sni_type *a, const sni_type *b, sni_type *out);

// ---- checks and text
// Every invariant of the IR: ids, operand counts, attribute counts, types as inferred, results in
// range.
sn_status sni_graph_verify(const sni_graph *graph);
// Whether all sizes are possible when symbol i is symbols[i]: no dim is negative, slices stay
// inside their axes. What tracing makes always passes; a graph from text may not. Reads the graph
// only. Errors: SN_ERR_SHAPE, SN_ERR_INDEX, SN_ERR_MEMORY; the message names the op and its
// operands.
sn_status sni_graph_check_sizes(const sni_graph *graph, const int64_t *symbols,
                                sni_allocator *allocator, sni_diag *diag);
// Text in allocator memory (sni_free with its length + 1).
sn_status sni_graph_print(const sni_graph *graph, sni_allocator *allocator, char **out_text);
sn_status sni_graph_print_dot(const sni_graph *graph, sni_allocator *allocator, char **out_text);
// Parses what sni_graph_print prints. Errors: SN_ERR_SYNTAX with line:column.
sn_status sni_graph_parse(sni_arena *arena, sni_diag *diag, const char *text, size_t length,
                          sni_graph **out_graph);

#endif
