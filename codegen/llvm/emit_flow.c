// A branch or loop as one function: its bodies' kernels where they run, library calls through the table of steps, loops and
// branches around them.
//
// Invariants: steps are numbered as runtime/native_loop.c does. What is the same in each iteration is loaded in the entry
// block; carries, rows and captures are values. The same kernels run in the same order on the same memory as in
// runtime/control.c, which is the reference.
#include "codegen/llvm/emit_flow.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef sni_flow_code flow;
typedef sni_flow_control control;
typedef sni_slot_values slot_values;

static bool emit_control(flow *f, const sni_flow *of, LLVMValueRef *buffers);

LLVMValueRef sni_flow_field(flow *f, LLVMValueRef base, size_t offset) {
  return sni_ir_element_address(f->e, f->e->type_i8, base, sni_ir_i64(f->e, (int64_t)offset));
}

LLVMValueRef sni_flow_load(flow *f, LLVMTypeRef type, LLVMValueRef base, size_t offset) {
  return LLVMBuildLoad2(f->e->builder, type, sni_flow_field(f, base, offset), "");
}

// ---- what is loaded once
static LLVMBasicBlockRef go_to_entry(flow *f) {
  LLVMBasicBlockRef here = LLVMGetInsertBlock(f->e->builder);
  LLVMPositionBuilderAtEnd(f->e->builder, f->e->entry);
  return here;
}

static LLVMValueRef field(flow *f, uint32_t step, LLVMTypeRef type, size_t offset) {
  LLVMValueRef *at = &f->fields[step * step_words + offset / 8];
  if (*at) return *at;
  LLVMBasicBlockRef here = go_to_entry(f);
  *at = sni_flow_load(f, type, f->steps, step * sizeof(sni_native_step) + offset);
  LLVMPositionBuilderAtEnd(f->e->builder, here);
  return *at;
}
#define FIELD(f, step, type, name) \
  field((f), (step), (f)->e->type_##type, offsetof(sni_native_step, name))

static LLVMValueRef entry_of(flow *f, LLVMTypeRef type, LLVMValueRef array, uint32_t number) {
  LLVMBasicBlockRef here = go_to_entry(f);
  LLVMValueRef value = sni_flow_load(f, type, array, 8 * (size_t)number);
  LLVMPositionBuilderAtEnd(f->e->builder, here);
  return value;
}

static LLVMValueRef param(flow *f, sni_size_ref ref, uint32_t step, uint32_t number) {
  if (ref >= 0) return sni_ir_i64(f->e, ref);
  return entry_of(f, f->e->type_i64, FIELD(f, step, pointer, params), number);
}

LLVMValueRef sni_flow_param(flow *f, const control *c, uint32_t number) {
  return param(f, c->flow->params[number], c->step, number);
}

// Units of a command's part.
static LLVMValueRef units_of(flow *f, const sni_command *command, uint32_t part, uint32_t step) {
  const uint32_t n = command->n_extents / sni_command_parts(command);
  int64_t units = 1;
  for (uint32_t i = 0; i < n; i++) {
    const sni_size_ref extent = command->extents[part * n + i];
    if (extent < 0) return FIELD(f, step, i64, units);
    units *= extent ? (extent - 1) / command->grains[i] + 1 : 0;
  }
  return sni_ir_i64(f->e, units);
}

// ---- where buffers lie
const sni_slot *sni_flow_slot(const sni_executable *e, uint32_t slot) {
  while (e->slots[slot].kind == SNI_SLOT_TEMPORARY && e->slots[slot].shares >= 0)
    slot = (uint32_t)e->slots[slot].shares;
  return &e->slots[slot];
}

static LLVMValueRef of_slot(const slot_values *ends, const sni_slot *slot) {
  switch (slot->kind) {
    case SNI_SLOT_INPUT:
      return ends->inputs[slot->index];
    case SNI_SLOT_OUTPUT:
      return ends->outputs[slot->index];
    case SNI_SLOT_VARIABLE:
      return ends->variables[slot->index];
    case SNI_SLOT_NEW_VARIABLE:
      return ends->next[slot->index];
    case SNI_SLOT_CONSTANT:
    case SNI_SLOT_TEMPORARY:
      break;
  }
  return NULL;
}

// Buffer number `number` of the command, which is number `own` of the step; *out_moves: it may lie elsewhere in another
// iteration.
static LLVMValueRef buffer(flow *f, const sni_executable *e, const slot_values *ends,
                           const sni_command *command, uint32_t number, uint32_t step, uint32_t own,
                           bool *out_moves) {
  LLVMValueRef base = of_slot(ends, sni_flow_slot(e, command->slots[number]));
  *out_moves = base != NULL;
  if (!base) return entry_of(f, f->e->type_pointer, FIELD(f, step, pointer, buffers), own);
  return sni_flow_field(f, base, command->offsets ? (size_t)command->offsets[number] : 0);
}

// ---- branches
LLVMBasicBlockRef sni_flow_run_if(flow *f, LLVMValueRef condition) {
  sni_emitter *e = f->e;
  LLVMBasicBlockRef yes = sni_ir_block(e, "run"), after = sni_ir_block(e, "done");
  LLVMBuildCondBr(e->builder, condition, yes, after);
  LLVMPositionBuilderAtEnd(e->builder, yes);
  return after;
}

void sni_flow_go_on(flow *f, LLVMBasicBlockRef block) {
  LLVMBuildBr(f->e->builder, block);
  LLVMPositionBuilderAtEnd(f->e->builder, block);
}

static void leave_if(flow *f, LLVMValueRef condition, int64_t reason) {
  sni_emitter *e = f->e;
  LLVMBasicBlockRef out = sni_ir_block(e, "ends"), on = sni_ir_block(e, "on");
  LLVMBuildCondBr(e->builder, condition, out, on);
  LLVMPositionBuilderAtEnd(e->builder, out);
  LLVMBuildStore(e->builder, sni_ir_i64(e, reason),
                 sni_flow_field(f, f->frame, offsetof(sni_native_frame, ended)));
  LLVMBuildBr(e->builder, f->leave);
  LLVMPositionBuilderAtEnd(e->builder, on);
}

static LLVMValueRef is_set(flow *f, LLVMValueRef number) {
  return LLVMBuildICmp(f->e->builder, LLVMIntNE, number, LLVMConstNull(LLVMTypeOf(number)), "");
}

static void leave_on_fault(flow *f, uint32_t step) {
  leave_if(f,
           is_set(f, sni_flow_load(f, f->e->type_i64, FIELD(f, step, pointer, scratch),
                                   offsetof(sni_scratch_header, fault))),
           step);
}

// ---- commands
static void call_kernel(flow *f, uint32_t step, LLVMValueRef begin, LLVMValueRef end) {
  sni_emitter *e = f->e;
  LLVMTypeRef types[6] = {e->type_pointer, e->type_pointer, e->type_pointer,
                          e->type_i64,     e->type_i64,     e->type_pointer};
  LLVMValueRef arguments[6] = {FIELD(f, step, pointer, code),
                               FIELD(f, step, pointer, buffers),
                               FIELD(f, step, pointer, params),
                               begin,
                               end,
                               FIELD(f, step, pointer, scratch)};
  LLVMBuildCall2(e->builder, LLVMFunctionType(e->type_void, types, 6, false),
                 FIELD(f, step, pointer, function), arguments, 6, "");
}

static void emit_call(flow *f, uint32_t step, LLVMValueRef *buffers, const bool *moves, uint32_t n,
                      LLVMValueRef units) {
  for (uint32_t i = 0; i < n; i++)
    if (moves[i])
      LLVMBuildStore(f->e->builder, buffers[i],
                     sni_flow_field(f, FIELD(f, step, pointer, buffers), 8 * (size_t)i));
  call_kernel(f, step, sni_ir_i64(f->e, 0), units);
}

static bool emit_kernel(flow *f, const sni_tree *tree, const sni_command *command, uint32_t part,
                        uint32_t step, LLVMValueRef *buffers, uint32_t n, LLVMValueRef units,
                        LLVMValueRef *known) {
  LLVMValueRef *params = calloc(tree->n_params + 1u, sizeof(*params));
  if (!params) return sni_fail_emission(f->e, "out of memory");
  const uint32_t n_params = command->n_params / sni_command_parts(command);
  for (uint32_t i = 0; i < tree->n_params; i++)
    params[i] = param(f, command->params[part * n_params + i], step, i);
  const sni_arguments arguments = {
      buffers, params, n, units, FIELD(f, step, pointer, scratch), known, known ? known + n : NULL};
  const bool ok = sni_emit_kernel_inside(f->e, tree, &arguments);
  free(params);
  return ok;
}

static bool emit_part(flow *f, const sni_flow_body *body, uint32_t number, uint32_t part,
                      const slot_values *ends, LLVMValueRef *buffers, bool *moves) {
  sni_emitter *e = f->e;
  LLVMValueRef *known = buffers + body->executable->commands[number].n_buffers;
  const sni_command *command = &body->executable->commands[number];
  const uint32_t n = command->n_buffers / sni_command_parts(command), step = f->next_step++;
  LLVMBasicBlockRef after = NULL, same = NULL;
  int64_t count = 0;
  LLVMValueRef units = units_of(f, command, part, step);
  const bool is_known = sni_ir_is_constant(units, &count);
  if (is_known && !count) return true;
  for (uint32_t i = 0; i < n; i++)
    buffers[i] = buffer(f, body->executable, ends, command, part * n + i, step, i, &moves[i]);
  if (command->copies && buffers[0] == buffers[1]) return true;
  if (!is_known)
    after = sni_flow_run_if(f, LLVMBuildICmp(e->builder, LLVMIntSGT, units, sni_ir_i64(e, 0), ""));
  if (command->copies)
    same = sni_flow_run_if(f, LLVMBuildICmp(e->builder, LLVMIntNE, buffers[0], buffers[1], ""));
  // Of a list, and where it does not run for sure, nothing is known of what a kernel stores.
  const sni_tree *tree = body->kernels[number];
  const bool tells = ends->known && tree && sni_command_parts(command) == 1 && !after && !same;
  if (tells) sni_tell_known(body->executable, command, tree, ends, known);
  if (!tree)
    emit_call(f, step, buffers, moves, n, units);
  else if (!emit_kernel(f, tree, command, part, step, buffers, n, units, tells ? known : NULL))
    return false;
  sni_note_stored(body->executable, command, tree, ends, tells ? known + n : NULL);
  if (same) sni_flow_go_on(f, same);
  if (after) sni_flow_go_on(f, after);
  if (command->faults) leave_on_fault(f, step);
  return true;
}

static bool emit_command(flow *f, const sni_flow_body *body, uint32_t number,
                         const slot_values *ends, LLVMValueRef *buffers, bool *moves) {
  const sni_command *command = &body->executable->commands[number];
  if (!body->controls[number]) {
    bool ok = true;
    for (uint32_t p = 0; ok && p < sni_command_parts(command); p++)
      ok = emit_part(f, body, number, p, ends, buffers, moves);
    return ok;
  }
  for (uint32_t i = 0; i < command->n_buffers; i++)
    buffers[i] = buffer(f, body->executable, ends, command, i, f->next_step, i, &moves[i]);
  sni_note_stored(body->executable, command, NULL, ends, NULL);
  return emit_control(f, body->controls[number], buffers);
}

static bool emit_body(flow *f, const sni_flow_body *body, const slot_values *ends) {
  bool ok = true;
  for (uint32_t i = 0; ok && i < body->executable->n_commands; i++) {
    const uint32_t n = body->executable->commands[i].n_buffers;
    LLVMValueRef *buffers = calloc(3 * (size_t)n + 1, sizeof(*buffers));
    bool *moves = calloc(n + 1u, sizeof(*moves));
    ok = buffers && moves ? emit_command(f, body, i, ends, buffers, moves)
                          : sni_fail_emission(f->e, "out of memory");
    free(buffers);
    free(moves);
  }
  return ok;
}

// ---- loops
static bool has_loops(const sni_flow *of) {
  for (uint32_t b = 0; b < of->call->n_bodies; b++)
    for (uint32_t i = 0; i < of->bodies[b].executable->n_commands; i++) {
      const sni_flow *inner = of->bodies[b].controls[i];
      if (inner && (inner->call->kind != SNI_CONTROL_COND || has_loops(inner))) return true;
    }
  return false;
}

static void poll(flow *f, const control *c, LLVMValueRef iteration) {
  sni_emitter *e = f->e;
  if (has_loops(c->flow))
    LLVMBuildStore(
        e->builder, iteration,
        sni_flow_field(f, f->steps,
                       c->step * sizeof(sni_native_step) + offsetof(sni_native_step, iteration)));
  LLVMValueRef word = LLVMBuildLoad2(e->builder, e->type_i64, f->word, "");
  LLVMSetVolatile(word, true);
  LLVMBasicBlockRef after = sni_flow_run_if(f, is_set(f, word));
  LLVMTypeRef types[3] = {e->type_pointer, e->type_i64, e->type_i64};
  LLVMValueRef arguments[3] = {f->frame, sni_ir_i64(e, c->step), iteration};
  LLVMValueRef stops =
      LLVMBuildCall2(e->builder, LLVMFunctionType(e->type_i64, types, 3, false),
                     sni_flow_load(f, e->type_pointer, f->frame, offsetof(sni_native_frame, poll)),
                     arguments, 3, "");
  leave_if(f, is_set(f, stops), SNI_NATIVE_STOPPED);
  sni_flow_go_on(f, after);
}

typedef struct loop {
  LLVMBasicBlockRef head, after;
  LLVMValueRef count;  // iterations done
} loop;

static loop begin_loop(flow *f, control *c) {
  sni_emitter *e = f->e;
  LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
  LLVMValueRef zero = sni_ir_i64(e, 0);
  loop l = {sni_ir_block(e, "iteration"), sni_ir_block(e, "after"), NULL};
  sni_flow_go_on(f, l.head);
  l.count = LLVMBuildPhi(e->builder, e->type_i64, "");
  LLVMAddIncoming(l.count, &zero, &before, 1);
  sni_begin_phis(f, c, before);
  return l;
}

static void leave_loop_unless(flow *f, const loop *l, LLVMValueRef condition) {
  LLVMBasicBlockRef body = sni_ir_block(f->e, "body");
  LLVMBuildCondBr(f->e->builder, condition, body, l->after);
  LLVMPositionBuilderAtEnd(f->e->builder, body);
}

static void end_loop(flow *f, control *c, const loop *l) {
  sni_emitter *e = f->e;
  LLVMValueRef next = LLVMBuildAdd(e->builder, l->count, sni_ir_i64(e, 1), "");
  LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
  LLVMAddIncoming(l->count, &next, &here, 1);
  sni_end_phis(f, c);
  LLVMBuildBr(e->builder, l->head);
  LLVMPositionBuilderAtEnd(e->builder, l->after);
}

// base + index * params[number]
static LLVMValueRef row_of(flow *f, const control *c, LLVMValueRef base, LLVMValueRef index,
                           uint32_t number) {
  LLVMValueRef offset = sni_ir_mul(f->e, index, sni_flow_param(f, c, number));
  return sni_ir_element_address(f->e, f->e->type_i8, base, offset);
}

static void put_captures(control *c, uint32_t first_input, LLVMValueRef *captures) {
  memcpy(c->ends.inputs + first_input, captures, c->call->n_captures * sizeof(*captures));
}

// The iteration's number is an input, which lies in memory.
static LLVMValueRef begin_number(flow *f, control *c) {
  return c->ends.inputs[0] = sni_frame_take(f->e, sizeof(int64_t));
}

static bool emit_scan(flow *f, control *c) {
  sni_emitter *e = f->e;
  const sni_control_call *call = c->call;
  const uint32_t first_row = 1 + call->n_carries;
  LLVMValueRef length = sni_flow_param(f, c, 0), number = begin_number(f, c);
  put_captures(c, 1 + call->n_xs, c->operands + call->n_xs);
  const loop l = begin_loop(f, c);
  leave_loop_unless(f, &l, LLVMBuildICmp(e->builder, LLVMIntSLT, l.count, length, ""));
  poll(f, c, l.count);
  LLVMValueRef i = l.count;
  if (call->reverse)
    i = LLVMBuildSub(e->builder, LLVMBuildSub(e->builder, length, sni_ir_i64(e, 1), ""), i, "");
  LLVMBuildStore(e->builder, i, number);
  for (uint32_t k = 0; k < call->n_xs; k++)
    c->ends.inputs[1 + k] = row_of(f, c, c->operands[k], i, first_row + k);
  for (uint32_t k = 0; k < call->n_outputs; k++)
    c->ends.outputs[k] =
        row_of(f, c, c->results[call->n_carries + k], i, first_row + call->n_xs + k);
  if (!emit_body(f, &c->flow->bodies[0], &c->ends)) return false;
  end_loop(f, c, &l);
  sni_frame_release(e, number);
  return true;
}

// ---- histories
static void begin_history(flow *f, const control *c) {
  LLVMValueRef outputs = FIELD(f, c->step, pointer, outputs);
  call_kernel(f, c->step, sni_ir_i64(f->e, 0), sni_ir_i64(f->e, 1));
  LLVMBuildStore(f->e->builder, sni_flow_load(f, f->e->type_pointer, outputs, 0),
                 c->results[c->call->n_carries]);
}

static void add_row(flow *f, control *c) {
  LLVMValueRef outputs = FIELD(f, c->step, pointer, outputs);
  call_kernel(f, c->step, sni_ir_i64(f->e, 1), sni_ir_i64(f->e, 1));
  leave_on_fault(f, c->step);
  for (uint32_t k = 0; k < c->call->n_outputs; k++)
    c->ends.outputs[k] = sni_flow_load(f, f->e->type_pointer, outputs, 8 * (size_t)k);
}

static bool emit_while(flow *f, control *c) {
  sni_emitter *e = f->e;
  LLVMValueRef goes_on = sni_frame_take(e, 8), outputs[1] = {goes_on};
  put_captures(c, 0, c->operands);
  if (c->call->n_outputs) begin_history(f, c);
  const loop l = begin_loop(f, c);
  poll(f, c, l.count);
  const slot_values of_condition = {.inputs = c->ends.inputs,
                                    .outputs = outputs,
                                    .variables = c->ends.variables,
                                    .known = c->ends.known};
  if (!emit_body(f, &c->flow->bodies[0], &of_condition)) return false;
  leave_loop_unless(f, &l, is_set(f, sni_flow_load(f, e->type_i8, goes_on, 0)));
  if (c->call->n_outputs) add_row(f, c);
  if (!emit_body(f, &c->flow->bodies[1], &c->ends)) return false;
  end_loop(f, c, &l);
  sni_frame_release(e, goes_on);
  return true;
}

static LLVMValueRef row_bytes(flow *f, const control *c, uint32_t row) {
  sni_emitter *e = f->e;
  const uint32_t number = 1 + c->call->n_carries + row;
  if (c->flow->params[number] >= 0)
    return sni_ir_i64(e, sni_history_aligned(c->flow->params[number]));
  LLVMValueRef up = LLVMBuildAdd(e->builder, sni_flow_param(f, c, number), sni_ir_i64(e, 63), "");
  return LLVMBuildAnd(e->builder, up, sni_ir_i64(e, -64), "");
}

static bool emit_rescan(flow *f, control *c) {
  sni_emitter *e = f->e;
  LLVMValueRef number = begin_number(f, c),
               history = sni_flow_load(f, e->type_pointer, c->buffers[0], 0);
  LLVMValueRef memory = sni_flow_load(f, e->type_pointer, history, offsetof(sni_history, memory));
  LLVMValueRef count = sni_flow_load(f, e->type_i64, history, offsetof(sni_history, count));
  LLVMValueRef bytes = sni_flow_load(f, e->type_i64, history, offsetof(sni_history, row_bytes));
  put_captures(c, 1 + c->call->n_rows, c->operands);
  const loop l = begin_loop(f, c);
  leave_loop_unless(f, &l, LLVMBuildICmp(e->builder, LLVMIntSLT, l.count, count, ""));
  poll(f, c, l.count);
  LLVMValueRef n =
      LLVMBuildSub(e->builder, LLVMBuildSub(e->builder, count, sni_ir_i64(e, 1), ""), l.count, "");
  LLVMBuildStore(e->builder, n, number);
  LLVMValueRef at =
      sni_ir_element_address(e, e->type_i8, memory, LLVMBuildMul(e->builder, n, bytes, ""));
  for (uint32_t k = 0; k < c->call->n_rows; k++) {
    c->ends.inputs[1 + k] = at;
    at = sni_ir_element_address(e, e->type_i8, at, row_bytes(f, c, k));
  }
  if (!emit_body(f, &c->flow->bodies[0], &c->ends)) return false;
  end_loop(f, c, &l);
  sni_frame_release(e, number);
  return true;
}

// ---- branches
static void put_outputs(control *c, LLVMValueRef *results) {
  uint32_t n = 0, k = 0;
  for (uint32_t i = 0; i < c->call->n_outputs; i++)
    if (!sni_is_kept_output(c->call, i, &k))
      c->ends.outputs[n++] = results[i];
    else
      c->ends.next[k] = results[i];
  for (k = 0; k < c->call->n_kept; k++)
    c->ends.variables[k] = c->ends.inputs[c->call->kept_captures[k]];
}

static bool emit_cond(flow *f, control *c) {
  sni_emitter *e = f->e;
  const uint32_t n = c->call->n_bodies;
  LLVMBasicBlockRef after = sni_ir_block(e, "after"), last = sni_ir_block(e, "last");
  LLVMValueRef number = sni_flow_load(f, e->type_i32, c->buffers[0], 0);
  LLVMValueRef choice = LLVMBuildSwitch(e->builder, number, last, n);
  put_captures(c, 0, c->buffers + 1);
  put_outputs(c, c->buffers + 1 + c->call->n_captures);
  for (uint32_t i = 0; i < n; i++) {
    LLVMBasicBlockRef block = i + 1 < n ? sni_ir_block(e, "branch") : last;
    if (i + 1 < n) LLVMAddCase(choice, LLVMConstInt(e->type_i32, i, false), block);
    LLVMPositionBuilderAtEnd(e->builder, block);
    if (!emit_body(f, &c->flow->bodies[i], &c->ends)) return false;
    LLVMBuildBr(e->builder, after);
  }
  LLVMPositionBuilderAtEnd(e->builder, after);
  return true;
}

static bool emit_loop(flow *f, control *c) {
  const sni_control_call *call = c->call;
  c->operands = c->buffers + call->first_carry + call->n_carries;
  c->results = c->operands + call->n_xs + call->n_captures;
  sni_begin_carries(f, c);
  const bool ok = call->kind == SNI_CONTROL_WHILE  ? emit_while(f, c)
                  : call->kind == SNI_CONTROL_SCAN ? emit_scan(f, c)
                                                   : emit_rescan(f, c);
  if (ok) sni_end_carries(f, c);
  return ok;
}

static bool emit_control(flow *f, const sni_flow *of, LLVMValueRef *buffers) {
  const sni_control_call *call = of->call;
  const size_t inputs = 1 + (size_t)call->n_rows + call->n_captures;
  const uint32_t n_variables = call->n_carries + call->n_kept;
  const size_t n_values = inputs + call->n_outputs + 7 * (size_t)n_variables;
  LLVMValueRef *values = calloc(n_values + 1, sizeof(*values));
  if (!values) return sni_fail_emission(f->e, "out of memory");
  LLVMValueRef *variables = values + inputs + call->n_outputs;
  control c = {.flow = of,
               .call = call,
               .step = f->next_step++,
               .buffers = buffers,
               .ends = {.inputs = values,
                        .outputs = values + inputs,
                        .variables = variables,
                        .next = variables + n_variables},
               .began = variables + 2 * (size_t)n_variables};
  if (call->kind != SNI_CONTROL_COND) {
    c.ends.known = variables + 4 * (size_t)n_variables;
    c.ends.known_next = variables + 5 * (size_t)n_variables;
    c.scalars = variables + 6 * (size_t)n_variables;
  }
  const bool ok = call->kind == SNI_CONTROL_COND ? emit_cond(f, &c) : emit_loop(f, &c);
  free(values);
  return ok;
}

// ---- the function
static void load_buffers(flow *f, LLVMValueRef *buffers, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    buffers[i] =
        sni_flow_load(f, f->e->type_pointer, LLVMGetParam(f->e->function, 1), 8 * (size_t)i);
}

static uint32_t count_buffers(const sni_control_call *call) {
  const sni_executable *step = call->bodies[call->n_bodies - 1];
  uint32_t n =
      call->first_carry + call->n_carries + call->n_xs + call->n_captures + call->n_results;
  for (uint32_t i = 0; i < call->n_carries; i++) n += !step->in_place[i];
  return n;
}

bool sni_emit_flow(sni_emitter *e, const sni_flow *of, const char *symbol) {
  const uint32_t n = count_buffers(of->call);
  flow f = {.e = e, .fields = calloc((size_t)of->n_steps * step_words, sizeof(*f.fields))};
  LLVMValueRef *buffers = calloc(n + 1u, sizeof(*buffers));
  if (!f.fields || !buffers) {
    free(f.fields);
    free(buffers);
    return sni_fail_emission(e, "out of memory");
  }
  sni_begin_function(e, symbol);
  LLVMBasicBlockRef body = sni_ir_block(e, "begin");
  f.leave = sni_ir_block(e, "leave");
  f.frame = LLVMGetParam(e->function, 0);
  f.steps = sni_flow_load(&f, e->type_pointer, f.frame, offsetof(sni_native_frame, steps));
  f.word = sni_flow_load(&f, e->type_pointer, f.frame, offsetof(sni_native_frame, word));
  load_buffers(&f, buffers, n);
  LLVMPositionBuilderAtEnd(e->builder, body);
  const bool ok = emit_control(&f, of, buffers);
  if (ok) {
    LLVMBuildBr(e->builder, f.leave);
    LLVMPositionBuilderAtEnd(e->builder, e->entry);
    LLVMBuildBr(e->builder, body);
    LLVMPositionBuilderAtEnd(e->builder, f.leave);
    LLVMMoveBasicBlockAfter(f.leave, LLVMGetLastBasicBlock(e->function));
  }
  sni_end_function(e);
  free(f.fields);
  free(buffers);
  return ok;
}
