// What a native loop carries round: which memory a carry lies in, and of one of a single element its value too, so that what
// the next iteration computes need not wait for a store and a load.
//
// Invariant: the memory has every carry, whatever is known besides.
#include "codegen/llvm/emit_flow.h"

#include <stddef.h>

enum { most_unrolled_bytes = 64 };

// Of up to so many bytes, as they are.
static void copy_known(sni_flow_code *f, LLVMValueRef to, LLVMValueRef from, int64_t bytes) {
  sni_emitter *e = f->e;
  LLVMTypeRef types[4] = {e->type_i64, e->type_i32, e->type_i16, e->type_i8};
  for (int64_t at = 0; at < bytes;) {
    int t = 0;
    while (at + (8 >> t) > bytes) t++;
    LLVMValueRef piece = sni_flow_load(f, types[t], from, (size_t)at);
    LLVMSetAlignment(piece, 1);
    LLVMSetAlignment(LLVMBuildStore(e->builder, piece, sni_flow_field(f, to, (size_t)at)), 1);
    at += 8 >> t;
  }
}

static void copy(sni_flow_code *f, LLVMValueRef to, LLVMValueRef from, LLVMValueRef bytes) {
  sni_emitter *e = f->e;
  int64_t known;
  if (to == from) return;
  if (sni_ir_is_constant(bytes, &known) && known <= most_unrolled_bytes) {
    copy_known(f, to, from, known);
    return;
  }
  LLVMTypeRef types[3] = {e->type_pointer, e->type_pointer, e->type_i64};
  LLVMValueRef arguments[3] = {to, from, bytes};
  LLVMBasicBlockRef same = sni_flow_run_if(f, LLVMBuildICmp(e->builder, LLVMIntNE, to, from, ""));
  LLVMBuildCall2(e->builder, LLVMFunctionType(e->type_pointer, types, 3, false),
                 sni_flow_load(f, e->type_pointer, f->frame, offsetof(sni_native_frame, copy)),
                 arguments, 3, "");
  sni_flow_go_on(f, same);
}

static const sni_executable *step_of(const sni_flow_control *c) {
  return c->call->bodies[c->call->n_bodies - 1];
}

// ---- values of carries of one element
// The dtype that kernels know such a variable by; SN_DTYPE_COUNT: it has several elements, or no kernel reads it.
static sn_dtype dtype_of(const sni_flow_body *body, uint32_t variable) {
  const sni_executable *e = body->executable;
  for (uint32_t i = 0; i < e->n_commands; i++) {
    const sni_command *command = &e->commands[i];
    const uint32_t n = command->n_buffers / sni_command_parts(command);
    for (uint32_t b = 0; body->kernels[i] && b < n; b++) {
      const sni_slot *slot = sni_flow_slot(e, command->slots[b]);
      const sn_dtype dtype = (sn_dtype)sni_tree_buffers(body->kernels[i])[b].dtype;
      if (slot->kind == SNI_SLOT_VARIABLE && slot->index == variable)
        return slot->bytes == (int64_t)sni_dtype_bytes(dtype) ? dtype : SN_DTYPE_COUNT;
    }
  }
  return SN_DTYPE_COUNT;
}

static const sni_flow_body *step_body(const sni_flow_control *c) {
  return &c->flow->bodies[c->call->n_bodies - 1];
}

static LLVMValueRef load_scalar(sni_flow_code *f, sn_dtype dtype, LLVMValueRef address) {
  LLVMValueRef value = LLVMBuildLoad2(f->e->builder, sni_ir_memory_type(f->e, dtype), address, "");
  return sni_from_memory(f->e, dtype, value);
}

// Their values before the loop.
static void begin_scalars(sni_flow_code *f, sni_flow_control *c) {
  for (uint32_t i = 0; i < c->call->n_carries; i++) {
    const sn_dtype dtype = dtype_of(step_body(c), i);
    c->scalars[i] = dtype == SN_DTYPE_COUNT ? NULL : load_scalar(f, dtype, c->results[i]);
  }
}

static void begin_scalar_phis(sni_flow_code *f, sni_flow_control *c, LLVMBasicBlockRef before) {
  for (uint32_t i = 0; i < c->call->n_carries; i++) {
    if (!c->scalars[i]) continue;
    LLVMValueRef phi = LLVMBuildPhi(f->e->builder, LLVMTypeOf(c->scalars[i]), "");
    LLVMAddIncoming(phi, &c->scalars[i], &before, 1);
    c->scalars[i] = c->ends.known[i] = phi;
  }
}

static void end_scalar_phis(sni_flow_code *f, sni_flow_control *c) {
  LLVMBasicBlockRef here = LLVMGetInsertBlock(f->e->builder);
  for (uint32_t i = 0; i < c->call->n_carries; i++) {
    if (!c->scalars[i]) continue;
    LLVMValueRef next = c->ends.known_next[i];
    if (!next) next = load_scalar(f, dtype_of(step_body(c), i), c->ends.next[i]);
    LLVMAddIncoming(c->scalars[i], &next, &here, 1);
  }
}

void sni_tell_known(const sni_executable *e, const sni_command *command, const sni_tree *tree,
                    const sni_slot_values *ends, LLVMValueRef *known) {
  for (uint32_t b = 0; b < command->n_buffers; b++) {
    const sni_slot *slot = sni_flow_slot(e, command->slots[b]);
    if (sni_tree_buffers(tree)[b].written) continue;
    if (slot->kind == SNI_SLOT_VARIABLE) known[b] = ends->known[slot->index];
    if (slot->kind == SNI_SLOT_NEW_VARIABLE && ends->known_next)
      known[b] = ends->known_next[slot->index];
  }
}

// Of a buffer that is written once, and not read and written again.
static bool is_stored_once(const sni_tree *tree, uint32_t buffer) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    const sni_tree_inst *inst = &sni_tree_insts(tree)[i];
    if (!sni_kop_is_store((sni_kop)inst->op)) continue;
    if (sni_tree_accesses(tree)[inst->access].buffer != buffer) continue;
    n += inst->op == SNI_KOP_STORE ? 1 : 2;
  }
  return n == 1;
}

void sni_note_stored(const sni_executable *e, const sni_command *command, const sni_tree *tree,
                     const sni_slot_values *ends, LLVMValueRef *stored) {
  for (uint32_t b = 0; ends->known_next && b < command->n_buffers; b++) {
    const sni_slot *slot = sni_flow_slot(e, command->slots[b]);
    if (slot->kind != SNI_SLOT_NEW_VARIABLE) continue;
    const bool is_written = !tree || !stored || sni_tree_buffers(tree)[b].written;
    if (is_written)
      ends->known_next[slot->index] = stored && is_stored_once(tree, b) ? stored[b] : NULL;
  }
}

// ---- where they lie
void sni_begin_carries(sni_flow_code *f, sni_flow_control *c) {
  LLVMValueRef *spare = c->results + c->call->n_results;
  for (uint32_t i = 0; i < c->call->n_carries; i++) {
    c->ends.variables[i] = c->results[i];
    c->ends.next[i] = step_of(c)->in_place[i] ? c->results[i] : *spare++;
    copy(f, c->results[i], c->buffers[c->call->first_carry + i], sni_flow_param(f, c, 1 + i));
  }
  begin_scalars(f, c);
}

// What a loop's head has of an array of values; `ends` have it from here on.
void sni_begin_phis(sni_flow_code *f, sni_flow_control *c, LLVMBasicBlockRef before) {
  for (uint32_t i = 0; i < c->call->n_carries; i++) {
    LLVMValueRef *now = &c->ends.variables[i], *next = &c->ends.next[i];
    c->began[2 * i] = NULL;
    if (*now == *next) continue;
    for (int k = 0; k < 2; k++) {
      LLVMValueRef *value = k ? next : now;
      LLVMValueRef phi = LLVMBuildPhi(f->e->builder, f->e->type_pointer, "");
      LLVMAddIncoming(phi, value, &before, 1);
      *value = c->began[2 * i + (uint32_t)k] = phi;
    }
  }
  begin_scalar_phis(f, c, before);
}

// From the end of an iteration, where they change places.
void sni_end_phis(sni_flow_code *f, sni_flow_control *c) {
  end_scalar_phis(f, c);
  LLVMBasicBlockRef here = LLVMGetInsertBlock(f->e->builder);
  for (uint32_t i = 0; i < c->call->n_carries; i++) {
    if (!c->began[2 * i]) continue;
    LLVMAddIncoming(c->began[2 * i], &c->began[2 * i + 1], &here, 1);
    LLVMAddIncoming(c->began[2 * i + 1], &c->began[2 * i], &here, 1);
  }
}

void sni_end_carries(sni_flow_code *f, sni_flow_control *c) {
  for (uint32_t i = 0; i < c->call->n_carries; i++) {
    LLVMValueRef last = c->ends.variables[i];
    if (last == c->results[i]) continue;
    LLVMBasicBlockRef after =
        sni_flow_run_if(f, LLVMBuildICmp(f->e->builder, LLVMIntNE, last, c->results[i], ""));
    copy(f, c->results[i], last, sni_flow_param(f, c, 1 + i));
    sni_flow_go_on(f, after);
  }
}
