// From an optimised graph to a plan: fusion groups, kernels, and a schedule of commands over buffer
// slots. The plan is what passes/compile.c turns into an executable by handing each kernel to a
// backend.
#ifndef SNI_PASSES_LOWER_H
#define SNI_PASSES_LOWER_H

#include "codegen/kernel/tree.h"
#include "graph/graph.h"
#include "runtime/executable.h"

// What one kernel may hold, asked before anything joins it. A program that needs more gets more
// kernels: no budget makes it fail or changes a bit.
typedef struct sni_budget {
  uint32_t values;    // members of a group
  uint32_t parts;     // of a chain
  int64_t row_bytes;  // scratch of a unit; 0: none
} sni_budget;
// LLVM's time grows faster than a kernel's size; rows should stay in a core's own cache.
static inline sni_budget sni_budget_usual(void) {
  return (sni_budget){.values = 160, .parts = 8, .row_bytes = 192 << 10};
}

typedef struct sni_lower_options {
  const sni_budget *budget;  // NULL: the usual one
  bool blas;                 // usable: library ops take what they are better at
  int vector_bits;           // of the CPU
  int64_t streamed_bytes;    // outputs from this size on go around the caches; 0: none
  bool alone;                // one op that nothing is fused with: a concat is copies
  bool verify;               // check the groups, as debug builds always do: for tests
  bool
      body;  // of a control op: its variables are not the user's, a run that fails need not leave them as they were
  // Per node: of a control op the executables of its bodies. NULL: there are none.
  const sni_executable *const *const *bodies;
} sni_lower_options;

typedef struct sni_plan_command {
  const sni_tree *kernel;                // before expansion; NULL: a library call
  uint32_t kernel_number;                // while lowering: of sni_lowering.kernels
  const struct sni_library_op *library;  // library.h; of a control op too, for its name and cost
  const void *call;                      // what it is asked to do
  const struct sni_node *control;        // the control op that it is
  uint32_t n_inside;       // of a control op that became one native kernel: those that are in it
  const uint32_t *slots;   // one per buffer of the kernel; of a call: operands, result, work
  const int64_t *offsets;  // bytes from each slot's beginning; NULL: none
  const sni_size_ref *params;   // one per kernel parameter, or as the library op says
  const sni_size_ref *extents;  // units, as sni_command
  const int64_t *grains;
  uint32_t n_slots, n_params, n_extents;
  uint32_t n_written;    // of a call: its last slots, results and behind them work space
  uint32_t n_parts;      // as sni_command: above 1 a list, and all counts and arrays are its parts'
  double ns_per_unit;    // schedule_commands.c
  bool copies;           // buffer 0 to buffer 1, nothing else
  bool checked;          // an earlier command has checked the kernel's indices
  size_t scratch_bytes;  // of a library call, per thread, behind the header
  sni_location location;
  const char *fault;  // message, as sni_command; NULL: cannot happen
  const sni_size_ref *fault_sizes;
  sn_status fault_status;  // SN_OK: SN_ERR_INDEX
  const char *op_name;     // of the op that may fault, else of the group's last op
} sni_plan_command;

typedef struct sni_plan_constant {
  const void *data;  // in the graph's arena
  size_t bytes;
} sni_plan_constant;

static inline uint32_t sni_plan_parts(const sni_plan_command *c) {
  return c->n_parts > 1 ? c->n_parts : 1;
}

// What becomes of a node's value, and why.
typedef enum sni_fate {
  SNI_FATE_NONE,        // a parameter or a constant
  SNI_FATE_VIEW,        // addresses of what it views
  SNI_FATE_RECOMPUTED,  // in each kernel that reads it
  SNI_FATE_JOINED,      // a value inside one kernel
  SNI_FATE_ROW,         // so is this; kept in a row of the unit for later loops
  SNI_FATE_LENT,        // kept where a result is stored later
  SNI_FATE_KEPT,        // kept in a buffer of the kernel's own
  SNI_FATE_STORED,      // has a buffer
  SNI_FATES
} sni_fate;
typedef enum sni_why {
  SNI_WHY_NONE,
  SNI_WHY_SOLE,     // one kernel reads it, where it lies
  SNI_WHY_MERGED,   // its readers became one kernel
  SNI_WHY_CHEAP,    // computing it again costs less than a buffer
  SNI_WHY_RESULT,   // of the program
  SNI_WHY_MEMORY,   // some op reads it at places of its own: a product, a gather, a reshape
  SNI_WHY_APART,    // must have a buffer: stored by the kernel that makes it
  SNI_WHY_READERS,  // too many kernels read it
  SNI_WHY_KERNELS,  // several kernels read it that cannot become one
  SNI_WHY_PLACES,   // its reader reads it elsewhere than where it lies
  SNI_WHY_AXES,     // its axes or sums are not those of its reader's kernel
  SNI_WHY_LARGE,    // its reader's kernel would be too large
  SNI_WHY_CYCLE,    // its reader waits for another kernel that needs it
  SNI_WHY_PRODUCT,  // it ends a product, and its reader's kernel has another
  SNI_WHYS
} sni_why;
typedef struct sni_plan_value {
  sni_fate fate;
  sni_why why;
  sni_size_ref bytes;  // of a buffer; 0: none
  double ns;  // of writing it and reading it once, or of computing it once more; 0: not known
} sni_plan_value;

// A fusion group, for people: its nodes and the commands that run it.
typedef struct sni_plan_group {
  const char *kind;  // "fused", "chain", "pieces", "library"
  const sni_node_id *members;
  uint32_t n_members, first_command, n_commands;
} sni_plan_group;

typedef struct sni_plan {
  uint32_t n_sizes, n_slots, n_commands, n_constants, n_symbols;
  // The first n_captures CONSTANT slots' indices are the graph's captures; literal data follow.
  uint32_t n_captures;
  const sni_size_expression *sizes;
  const sni_slot *slots;
  const sni_plan_command *commands;
  const sni_plan_constant *constants;
  const bool *in_place;  // per variable
  uint32_t
      first_in_place;  // number of the first command that writes a variable in place, or of commands
  bool checks_first;   // no command that may fault writes a variable in place or follows one
  uint32_t n_variables, n_inputs, n_outputs;
  uint32_t n_temporaries;  // slots of kind TEMPORARY that own memory
  uint32_t n_built;        // kernels that were built; equal groups have one in common
  const sni_plan_group *groups;
  const sni_plan_value *values;  // per node of the graph
  uint32_t n_groups;
  uint32_t n_tasks, n_phases;  // as in sni_executable
  const uint32_t *order;
  const sni_task *tasks;
  const sni_phase *phases;
} sni_plan;

// keep_operands.c: of a cond, outputs of its bodies that take the memory of captures. In the bodies each such pair is a
// variable, by its number here.
typedef struct sni_kept_operands {
  uint32_t n;
  const uint32_t *captures, *outputs;
} sni_kept_operands;
// Of other nodes: none. In arena.
sn_status sni_find_kept_operands(const sni_graph *graph, const sni_node *node, sni_arena *arena,
                                 sni_diag *diag, sni_kept_operands *out);
// Gives the body those variables: in arrays of its own, in arena.
sn_status sni_keep_operands(const sni_kept_operands *kept, sni_arena *arena, sni_diag *diag,
                            sni_graph *body);

// Everything lives in arena; the plan refers to the graph's constants. Errors: SN_ERR_MEMORY,
// SN_ERR_UNSUPPORTED.
sn_status sni_lower_graph(const sni_graph *graph, const sni_lower_options *options,
                          sni_arena *arena, sni_diag *diag, sni_plan **out_plan);
// Text of the plan: groups in order of execution (fused stage), or slots, commands and their kernels
// (kernel stage); symbols with the inputs that they are dims of.
// graph: the one that was lowered.
sn_status sni_plan_print(const sni_plan *plan, const sni_graph *graph, bool kernels,
                         sni_text *text);

#endif
