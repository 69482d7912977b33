// Inside of emit_flow.c, which walks through bodies, and emit_carries.c, what loops carry round. Private to those two.
#ifndef SNI_CODEGEN_LLVM_EMIT_FLOW_H
#define SNI_CODEGEN_LLVM_EMIT_FLOW_H

#include "codegen/llvm/emit_walk.h"

enum { step_words = sizeof(sni_native_step) / 8 };

typedef struct sni_flow_code {
  sni_emitter *e;
  LLVMValueRef frame, steps, word;
  LLVMValueRef *fields;  // step_words for each step: loaded in the entry block; NULL: not yet
  uint32_t next_step;
  LLVMBasicBlockRef leave;
} sni_flow_code;

// What the slots of a body are in the iteration at hand.
typedef struct sni_slot_values {
  LLVMValueRef *inputs, *outputs, *variables, *next;
  // Per variable of one element: what lies there, and there then, as values; NULL: not known. Of a branch both are NULL.
  LLVMValueRef *known, *known_next;
} sni_slot_values;

// One control command.
typedef struct sni_flow_control {
  const sni_flow *flow;
  const sni_control_call *call;
  uint32_t step;
  LLVMValueRef *buffers;  // of the command
  sni_slot_values ends;
  LLVMValueRef *operands, *results;  // behind the carries; of the carries on
  LLVMValueRef *began;               // phis of the carries and of their next values
  LLVMValueRef *scalars;             // phis of the values of those of one element; NULL: none
} sni_flow_control;

// ---- emit_flow.c
LLVMValueRef sni_flow_field(sni_flow_code *f, LLVMValueRef base, size_t offset);
LLVMValueRef sni_flow_load(sni_flow_code *f, LLVMTypeRef type, LLVMValueRef base, size_t offset);
LLVMValueRef sni_flow_param(sni_flow_code *f, const sni_flow_control *c, uint32_t number);
// What follows runs where the condition holds, until sni_flow_go_on at the block that it gives.
LLVMBasicBlockRef sni_flow_run_if(sni_flow_code *f, LLVMValueRef condition);
void sni_flow_go_on(sni_flow_code *f, LLVMBasicBlockRef block);
const sni_slot *sni_flow_slot(const sni_executable *e, uint32_t slot);  // whose memory it is

// ---- emit_carries.c
// Before the loop; in its head, which is reached from `before`; at the end of an iteration; behind the loop.
void sni_begin_carries(sni_flow_code *f, sni_flow_control *c);
void sni_begin_phis(sni_flow_code *f, sni_flow_control *c, LLVMBasicBlockRef before);
void sni_end_phis(sni_flow_code *f, sni_flow_control *c);
void sni_end_carries(sni_flow_code *f, sni_flow_control *c);
// Around a kernel of a loop's body: the values that are known of buffers that it only reads, in arrays of as many; what it has stored.
void sni_tell_known(const sni_executable *e, const sni_command *command, const sni_tree *tree,
                    const sni_slot_values *ends, LLVMValueRef *known);
void sni_note_stored(const sni_executable *e, const sni_command *command, const sni_tree *tree,
                     const sni_slot_values *ends, LLVMValueRef *stored);

#endif
