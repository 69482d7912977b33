// What a program computes: its graph as the user's calls made it, operation by operation.
//
//   const sn_graph *graph = sn_program_graph(program);
//   for (int i = 0; i < sn_graph_size(graph); i++) {
//     sn_operation op = {.size = sizeof(op)};
//     if (sn_graph_operation(graph, i, &op)) printf("%d: %s %s\n", i, op.op, op.name);
//   }
//
// Everything here is borrowed from the program, immutable, and valid as long as a reference to it is held; nothing is allocated, and any
// thread may ask. An operation is named by its number; what it reads has smaller ones.
#ifndef SINTER_GRAPH_H
#define SINTER_GRAPH_H

#include <sinter/function.h>

SNI_EXTERN_C_BEGIN

// Immutable and Thread-safe: the graph of a program, or of a body of one of its operations.
typedef struct sni_graph sn_graph;

typedef enum sn_operation_kind {
  SN_OPERATION_COMPUTED,
  SN_OPERATION_INPUT,  // index: of the function's inputs; in a body of what the operation hands it
  SN_OPERATION_VARIABLE,  // index: for sn_program_variable; in a body that of a carry
  SN_OPERATION_CAPTURED,  // index: for sn_program_capture
  SN_OPERATION_CONSTANT,
} sn_operation_kind;

typedef struct sn_operation {
  size_t size;  // in: sizeof(sn_operation)
  sn_operation_kind kind;
  const char *op;          // "pow"; "parameter" of what the caller gives
  const char *name;        // of an input or a variable; else ""
  int index;               // -1: COMPUTED, CONSTANT
  sn_spec type;            // of its result; dims that vary are SN_UNKNOWN
  int n_inputs;            // operations whose results it reads
  const uint32_t *inputs;  // their numbers
  int n_attributes, n_bodies;
  const void *data;  // of a CONSTANT: its elements, row-major
  const char *file;  // of the call that made it; NULL: unknown
  int line;
} sn_operation;

typedef struct sn_attribute {
  size_t size;  // in: sizeof(sn_attribute)
  char name[32];
  int n;                        // values
  int64_t values[SN_MAX_RANK];  // the first ones; SN_UNKNOWN: varies with the inputs' sizes
} sn_attribute;

// The graph as traced; NULL for NULL.
SN_API const sn_graph *sn_program_graph(const sn_program *program);
// Number of operations; 0 for NULL.
SN_API int sn_graph_size(const sn_graph *graph);
// Fills as much of *out as its size says. False: there is no operation of this number.
SN_API bool sn_graph_operation(const sn_graph *graph, int number, sn_operation *out);
// Number of the operation that has this name (an input's, a variable's); -1: none.
SN_API int sn_graph_find(const sn_graph *graph, const char *name);
// Number of the first "pow", say, from number `from` on; -1: none.
SN_API int sn_graph_find_op(const sn_graph *graph, const char *op, int from);
// Attribute i of an operation: an axis, the sizes of a slice, ... False: it has none.
SN_API bool sn_graph_attribute(const sn_graph *graph, int number, int i, sn_attribute *out);
// Graph of a branch, a condition or a step of a control operation; NULL: it has no such body.
SN_API const sn_graph *sn_graph_body(const sn_graph *graph, int number, int i);
// Number of outputs, and the operation that gives output i; -1: none.
SN_API int sn_graph_outputs(const sn_graph *graph);
SN_API int sn_graph_output(const sn_graph *graph, int i);
// The operation whose result variable `index` is at the end (in a body: carry `index`, in the next iteration); -1: it is not assigned.
SN_API int sn_graph_assigned(const sn_graph *graph, int index);
// Variables that a program reads or assigns, and tensors that it captured (small ones are constants); NULL out of range. Borrowed.
SN_API int sn_program_variables(const sn_program *program);
SN_API sn_tensor *sn_program_variable(const sn_program *program, int i);
SN_API int sn_program_captures(const sn_program *program);
SN_API sn_tensor *sn_program_capture(const sn_program *program, int i);
// "cube(x: f32[]) -> (f32[])": inputs with their names, dims that vary as ?, static values, variables; then what the program uses besides.
// Borrowed.
SN_API const char *sn_program_signature(const sn_program *program);

SNI_EXTERN_C_END
#endif
