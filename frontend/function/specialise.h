// A trace to be made, and which of its dims are symbolic. Private to specialise.c and
// symbolic_policy.c.
#ifndef SNI_FRONTEND_SPECIALISE_H
#define SNI_FRONTEND_SPECIALISE_H

#include "frontend/function/function.h"

typedef struct sni_trace_plan {
  sn_function *function;
  sn_context *context;
  sn_tensor *const *inputs;  // NULL: only keys are known
  sni_input_key *keys;       // dims: values, or -1 where unknown
  uint8_t *symbolic;         // per input: bit per dim
  bool asked;                // explicitly
  sni_retrace_list *why;
  double trace_ms;
} sni_trace_plan;

// Notes which dims differ from the group's first trace, and chooses.
void sni_choose_symbolic(sni_trace_plan *p, sni_shape_group *group);
// Makes constant what keeps `blocking` from serving these inputs: of the dims in its broken guards
// those that are 1 (they broadcast), or else all.
void sni_unblock(sni_trace_plan *p, const sn_program *blocking, const int64_t *symbols,
                 bool *marks);
// After a trace that failed over shapes: makes constant the symbolic dims that are 1, or else all.
// False: there are none.
bool sni_retreat(sni_trace_plan *p);
// After a trace that succeeded: the group's latest types, and the symbols that it used as numbers.
void sni_note_trace(const sni_trace_plan *p, sni_shape_group *group, const sn_program *program);

#endif
