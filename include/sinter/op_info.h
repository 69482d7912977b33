// What the library knows of its ops, at run time: the rows of docs/ops.md.
#ifndef SINTER_OP_INFO_H
#define SINTER_OP_INFO_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// Static storage; fields are appended in later versions.
typedef struct sn_op_info {
  const char *name;         // "sn_add"
  const char *subject;      // of its header: "math", "shape", ...
  const char *declaration;  // in C
  const char *comment;      // that of the header: shapes, errors, VJP, source
  int inputs;               // tensors among its parameters; -1: a list of them
  uint32_t dtypes;          // of the first of them: bit 1u << dtype for each that it takes
  bool has_gradient;        // of floats
} sn_op_info;

// Number of ops, and the one at index, in the order of names; NULL out of range.
SN_API size_t sn_op_count(void);
SN_API const sn_op_info *sn_op_at(size_t index);
// The op of that name, with or without "sn_"; NULL: none.
SN_API const sn_op_info *sn_op_find(const char *name);

SNI_EXTERN_C_END
#endif
