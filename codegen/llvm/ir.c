// Small pieces of LLVM IR through the C API: types, constants, intrinsics, shuffles, index
// arithmetic and loops.
//
// Invariant: only instructions and intrinsics are used that the X86 back end lowers without calling
// a library.
#include "codegen/llvm/emit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool sni_fail_emission(sni_emitter *e, const char *format, ...) {
  if (e->error[0]) return false;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(e->error, sizeof(((sni_llvm_result *)0)->error), format, arguments);
  va_end(arguments);
  return false;
}

LLVMTypeRef sni_ir_type(const sni_emitter *e, sn_dtype dtype) {
  switch (dtype) {
    case SN_BOOL:
      return e->type_i1;
    case SN_I8:
    case SN_U8:
      return e->type_i8;
    case SN_I16:
    case SN_U16:
    case SN_F16:
    case SN_BF16:  // as bits
      return e->type_i16;
    case SN_I32:
    case SN_U32:
      return e->type_i32;
    case SN_I64:
    case SN_U64:
      return e->type_i64;
    case SN_F32:
      return e->type_f32;
    case SN_F64:
      return e->type_f64;
    case SN_C64:  // no kernel has them
    case SN_C128:
    case SN_DTYPE_COUNT:
    case SN_STRING:
      break;
  }
  return e->type_i64;
}

LLVMTypeRef sni_ir_memory_type(const sni_emitter *e, sn_dtype dtype) {
  return dtype == SN_BOOL ? e->type_i8 : sni_ir_type(e, dtype);
}

unsigned sni_ir_width(LLVMTypeRef type) {
  return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetVectorSize(type) : 1;
}

LLVMTypeRef sni_ir_element(LLVMTypeRef type) {
  return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetElementType(type) : type;
}

LLVMTypeRef sni_ir_like(LLVMTypeRef shape, LLVMTypeRef element) {
  const unsigned width = sni_ir_width(shape);
  return LLVMGetTypeKind(shape) == LLVMVectorTypeKind ? LLVMVectorType(element, width) : element;
}

static LLVMValueRef constant_splat(LLVMTypeRef type, LLVMValueRef scalar) {
  if (LLVMGetTypeKind(type) != LLVMVectorTypeKind) return scalar;
  LLVMValueRef lanes[sni_max_group];
  const unsigned width = LLVMGetVectorSize(type);
  for (unsigned i = 0; i < width; i++) lanes[i] = scalar;
  return LLVMConstVector(lanes, width);
}

LLVMValueRef sni_ir_i64(const sni_emitter *e, int64_t value) {
  return LLVMConstInt(e->type_i64, (unsigned long long)value, true);
}

LLVMValueRef sni_ir_float(LLVMTypeRef type, double value) {
  return constant_splat(type, LLVMConstReal(sni_ir_element(type), value));
}

LLVMValueRef sni_ir_int(LLVMTypeRef type, int64_t value) {
  return constant_splat(type, LLVMConstInt(sni_ir_element(type), (unsigned long long)value, true));
}

LLVMValueRef sni_ir_iota(LLVMTypeRef element, unsigned width, int64_t step) {
  LLVMValueRef lanes[sni_max_group];
  for (unsigned i = 0; i < width; i++)
    lanes[i] = LLVMConstInt(element, (unsigned long long)((int64_t)i * step), true);
  return width == 1 ? lanes[0] : LLVMConstVector(lanes, width);
}

LLVMValueRef sni_ir_shuffle(sni_emitter *e, LLVMValueRef a, LLVMValueRef b, const int *lanes,
                            unsigned width) {
  LLVMValueRef numbers[sni_max_group];
  for (unsigned i = 0; i < width; i++)
    numbers[i] = LLVMConstInt(e->type_i32, (unsigned long long)lanes[i], false);
  if (!b) b = LLVMGetPoison(LLVMTypeOf(a));
  return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(numbers, width), "");
}

LLVMValueRef sni_ir_splat(sni_emitter *e, LLVMValueRef scalar, unsigned width) {
  if (width == 1) return scalar;
  const LLVMTypeRef type = LLVMVectorType(LLVMTypeOf(scalar), width);
  if (LLVMIsConstant(scalar)) return constant_splat(type, scalar);
  int lanes[sni_max_group] = {0};
  LLVMValueRef one = LLVMBuildInsertElement(e->builder, LLVMGetPoison(type), scalar,
                                            LLVMConstInt(e->type_i32, 0, false), "");
  return sni_ir_shuffle(e, one, NULL, lanes, width);
}

LLVMValueRef sni_ir_slice(sni_emitter *e, LLVMValueRef vector, unsigned first, unsigned width) {
  if (width == 1)
    return LLVMBuildExtractElement(e->builder, vector, LLVMConstInt(e->type_i32, first, false), "");
  int lanes[sni_max_group];
  for (unsigned i = 0; i < width; i++) lanes[i] = (int)(first + i);
  return sni_ir_shuffle(e, vector, NULL, lanes, width);
}

LLVMValueRef sni_ir_concat(sni_emitter *e, LLVMValueRef low, LLVMValueRef high) {
  int lanes[sni_max_group];
  const unsigned width = 2 * LLVMGetVectorSize(LLVMTypeOf(low));
  for (unsigned i = 0; i < width; i++) lanes[i] = (int)i;
  return sni_ir_shuffle(e, low, high, lanes, width);
}

LLVMValueRef sni_ir_intrinsic(sni_emitter *e, const char *name, LLVMTypeRef *overloads,
                              unsigned n_overloads, LLVMValueRef *arguments, unsigned n_arguments) {
  const unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
  if (!id) {
    sni_fail_emission(e, "this LLVM has no %s", name);
    return LLVMGetPoison(n_overloads ? overloads[0] : LLVMTypeOf(arguments[0]));
  }
  LLVMValueRef callee = LLVMGetIntrinsicDeclaration(e->module, id, overloads, n_overloads);
  LLVMTypeRef type = LLVMIntrinsicGetType(e->context, id, overloads, n_overloads);
  return LLVMBuildCall2(e->builder, type, callee, arguments, n_arguments, "");
}

LLVMValueRef sni_ir_select(sni_emitter *e, LLVMValueRef condition, LLVMValueRef yes,
                           LLVMValueRef no) {
  // The builder folds conditions, not what they choose.
  if (condition == LLVMConstAllOnes(LLVMTypeOf(condition))) return yes;
  if (condition == LLVMConstNull(LLVMTypeOf(condition))) return no;
  return LLVMBuildSelect(e->builder, condition, yes, no, "");
}

LLVMValueRef sni_ir_any(sni_emitter *e, LLVMValueRef bits) {
  const unsigned width = sni_ir_width(LLVMTypeOf(bits));
  if (width == 1) return bits;
  LLVMTypeRef type = LLVMIntTypeInContext(e->context, width);
  LLVMValueRef number = LLVMBuildBitCast(e->builder, bits, type, "");
  return LLVMBuildICmp(e->builder, LLVMIntNE, number, LLVMConstNull(type), "");
}

bool sni_ir_is_constant(LLVMValueRef value, int64_t *out_value) {
  if (!LLVMIsAConstantInt(value)) return false;
  *out_value = (int64_t)LLVMConstIntGetSExtValue(value);
  return true;
}

LLVMValueRef sni_ir_add(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  int64_t constant;
  if (sni_ir_is_constant(a, &constant) && constant == 0) return b;
  if (sni_ir_is_constant(b, &constant) && constant == 0) return a;
  return LLVMBuildAdd(e->builder, a, b, "");
}

LLVMValueRef sni_ir_mul(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  int64_t constant;
  if (sni_ir_is_constant(a, &constant) && (constant == 0 || constant == 1)) return constant ? b : a;
  if (sni_ir_is_constant(b, &constant) && (constant == 0 || constant == 1)) return constant ? a : b;
  return LLVMBuildMul(e->builder, a, b, "");
}

LLVMValueRef sni_ir_min(sni_emitter *e, LLVMValueRef a, LLVMValueRef b) {
  LLVMValueRef less = LLVMBuildICmp(e->builder, LLVMIntSLT, a, b, "");
  return sni_ir_select(e, less, a, b);
}

LLVMValueRef sni_ir_element_address(sni_emitter *e, LLVMTypeRef element, LLVMValueRef base,
                                    LLVMValueRef index) {
  int64_t constant;
  if (sni_ir_is_constant(index, &constant) && constant == 0) return base;
  return LLVMBuildGEP2(e->builder, element, base, &index, 1, "");
}

LLVMBasicBlockRef sni_ir_block(sni_emitter *e, const char *name) {
  return LLVMAppendBasicBlockInContext(e->context, e->function, name);
}

void sni_loop_begin(sni_emitter *e, sni_loop *loop, LLVMValueRef start, LLVMValueRef end,
                    LLVMValueRef step, int n_carried) {
  int64_t first, last;
  loop->start = start;
  loop->end = end;
  loop->step = step;
  loop->n_carried = n_carried;
  loop->always =
      sni_ir_is_constant(start, &first) && sni_ir_is_constant(end, &last) && first < last;
  loop->before = LLVMGetInsertBlock(e->builder);
  loop->body = sni_ir_block(e, "loop");
  loop->after = sni_ir_block(e, "after");
  if (loop->always)
    LLVMBuildBr(e->builder, loop->body);
  else
    LLVMBuildCondBr(e->builder, LLVMBuildICmp(e->builder, LLVMIntSLT, start, end, ""), loop->body,
                    loop->after);
  LLVMPositionBuilderAtEnd(e->builder, loop->body);
  loop->index = LLVMBuildPhi(e->builder, e->type_i64, "");
  LLVMAddIncoming(loop->index, &start, &loop->before, 1);
  for (int i = 0; i < n_carried; i++) {
    loop->carried[i] = LLVMBuildPhi(e->builder, LLVMTypeOf(loop->initial[i]), "");
    LLVMAddIncoming(loop->carried[i], &loop->initial[i], &loop->before, 1);
  }
}

// The value behind the loop of what is `next` at the end of a turn and was `initial` before the
// first.
static LLVMValueRef after_loop(sni_emitter *e, const sni_loop *loop, LLVMBasicBlockRef latch,
                               LLVMValueRef next, LLVMValueRef initial) {
  if (loop->always) return next;
  LLVMValueRef phi = LLVMBuildPhi(e->builder, LLVMTypeOf(next), "");
  LLVMAddIncoming(phi, &next, &latch, 1);
  LLVMAddIncoming(phi, &initial, (LLVMBasicBlockRef *)&loop->before, 1);
  return phi;
}

void sni_loop_end(sni_emitter *e, sni_loop *loop, LLVMValueRef *next) {
  LLVMValueRef next_index = LLVMBuildAdd(e->builder, loop->index, loop->step, "");
  LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSLT, next_index, loop->end, "");
  LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->builder);
  LLVMBuildCondBr(e->builder, more, loop->body, loop->after);
  LLVMAddIncoming(loop->index, &next_index, &latch, 1);
  for (int i = 0; i < loop->n_carried; i++) LLVMAddIncoming(loop->carried[i], &next[i], &latch, 1);
  LLVMPositionBuilderAtEnd(e->builder, loop->after);
  loop->last_index = after_loop(e, loop, latch, next_index, loop->start);
  for (int i = 0; i < loop->n_carried; i++)
    loop->carried[i] = after_loop(e, loop, latch, next[i], loop->initial[i]);
}
