// Functions whose ops have no say in the tapes that are open, and which one control op of the record stands for. Private to
// frontend/control/.
#ifndef SNI_FRONTEND_APART_H
#define SNI_FRONTEND_APART_H

#include "frontend/control/control.h"

// Whether tapes record, so that the functions below are needed.
bool sni_is_recording(const sn_context *context);
// Runs it in place, with a boundary; its outputs are tensors of its own.
sn_status sni_run_here(sn_context *context, const sni_user_code *code, sn_tensor *const *in,
                       sn_tensor **out);
// The same where tapes record, none of which it is for: one of its own serves gradients in it.
sn_status sni_run_apart(sn_context *context, const sni_user_code *code, sn_tensor *const *in,
                        sn_tensor **out);
// Runs it in a trace that is open, given parameters of these types.
sn_status sni_run_alone(sni_trace *trace, const sni_user_code *code, const sni_type *types, int n,
                        sn_tensor **out);
// Ends such a trace: what it captured becomes inputs from number `first` on, and operands[0 .. *out_n).
sn_status sni_take_captures(sni_trace *trace, int first, sn_tensor ***out_operands, int *out_n);

#endif
