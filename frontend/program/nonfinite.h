// debug_nonfinite: what holds NaN or infinities, and words about it. nonfinite.c measures values, find_nonfinite.c looks for the op of a
// program that made them.
#ifndef SNI_FRONTEND_NONFINITE_H
#define SNI_FRONTEND_NONFINITE_H

#include "frontend/program/program.h"

// Elements of a type whose dims are numbers.
typedef struct sni_elements {
  const sni_type *type;
  const void *data;
} sni_elements;

typedef enum sni_finiteness { SNI_FINITE, SNI_HOLDS_INF, SNI_HOLDS_NAN } sni_finiteness;
sni_finiteness sni_finiteness_of(const sni_elements *elements);
// "the result f32[3] holds 2 NaN; operand #0 f32[3] is within [-1, 7.5]"
void sni_nonfinite_format(const sni_elements *result, const sni_elements *operands, int n,
                          char *text, size_t capacity);
// Result of an op of eager mode: whether it holds what none of the operands holds. Errors: SN_ERR_NONFINITE, described in diag.
sn_status sni_check_result(const sni_elements *result, const sni_elements *operands, int n,
                           sni_diag *diag);
// The same for the tensor that an op made: it, or the error tensor.
sn_tensor *sni_checked_tensor(sn_context *context, sn_tensor *const *operands, int n,
                              sn_tensor *result);

// Values of a record's node, its gradient's among them: as sni_check_result, with the node's name and line in diag.
sn_status sni_check_node(const sni_node *node, const sni_elements *result,
                         const sni_elements *operands, int n, sni_diag *diag);

// A run whose outputs are there, and whose variables have not been written: names the op that made the first NaN or infinity
// which they depend on. Errors: SN_ERR_NONFINITE where they hold one, in run->diag; SN_ERR_MEMORY.
sn_status sni_run_check_nonfinite(sni_run *run, const sni_host_journal *journal);

#endif
