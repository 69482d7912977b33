// Vectors from memory and to it: masks of lanes outside the loop, gathers and scatters.
//
// Invariant: masked lanes touch no memory. A vector is aligned to its element only.
#include "codegen/llvm/emit.h"

LLVMValueRef sni_emit_mask(sni_emitter *e, LLVMValueRef active, unsigned width) {
  int64_t count;
  if (width == 1) return LLVMBuildICmp(e->builder, LLVMIntSGT, active, sni_ir_i64(e, 0), "");
  if (sni_ir_is_constant(active, &count)) {
    LLVMValueRef bits[sni_max_group];
    for (unsigned i = 0; i < width; i++)
      bits[i] = LLVMConstInt(e->type_i1, (int64_t)i < count, false);
    return LLVMConstVector(bits, width);
  }
  LLVMValueRef most = sni_ir_min(e, active, sni_ir_i64(e, width));
  LLVMValueRef narrow = LLVMBuildTrunc(e->builder, most, e->type_i32, "");
  return LLVMBuildICmp(e->builder, LLVMIntSLT, sni_ir_iota(e->type_i32, width, 1),
                       sni_ir_splat(e, narrow, width), "");
}

static unsigned element_bytes(const sni_emitter *e, LLVMTypeRef type) {
  LLVMTypeRef element = sni_ir_element(type);
  if (element == e->type_f32 || element == e->type_i32) return 4;
  if (element == e->type_i16) return 2;
  return element == e->type_i8 ? 1 : 8;
}

// The masked intrinsics: (address, [alignment,] mask, rest). LLVM 22 made the alignment an
// attribute of the address.
static LLVMValueRef masked_call(sni_emitter *e, const char *name, LLVMTypeRef *overloads,
                                LLVMValueRef value, LLVMValueRef address, LLVMValueRef mask,
                                LLVMValueRef rest, unsigned align) {
  LLVMValueRef arguments[4];
  unsigned count = 0;
  if (value) arguments[count++] = value;
  const unsigned position = count + 1;  // attributes count parameters from 1
  arguments[count++] = address;
#if LLVM_VERSION_MAJOR < 22
  (void)position;
  arguments[count++] = LLVMConstInt(e->type_i32, align, false);
#endif
  arguments[count++] = mask;
  if (rest) arguments[count++] = rest;
  LLVMValueRef call = sni_ir_intrinsic(e, name, overloads, 2, arguments, count);
#if LLVM_VERSION_MAJOR >= 22
  const unsigned kind = LLVMGetEnumAttributeKindForName("align", 5);
  LLVMAddCallSiteAttribute(call, position, LLVMCreateEnumAttribute(e->context, kind, align));
#endif
  return call;
}

LLVMValueRef sni_emit_vector_load(sni_emitter *e, LLVMTypeRef type, LLVMValueRef address,
                                  LLVMValueRef mask) {
  const unsigned align = element_bytes(e, type);
  if (mask && sni_ir_width(type) > 1) {
    LLVMTypeRef overloads[2] = {type, e->type_pointer};
    return masked_call(e, "llvm.masked.load", overloads, NULL, address, mask, LLVMConstNull(type),
                       align);
  }
  LLVMValueRef load = LLVMBuildLoad2(e->builder, type, address, "");
  LLVMSetAlignment(load, align);
  return load;
}

void sni_emit_vector_store(sni_emitter *e, LLVMValueRef value, LLVMValueRef address,
                           LLVMValueRef mask) {
  LLVMTypeRef type = LLVMTypeOf(value);
  const unsigned align = element_bytes(e, type);
  if (mask && sni_ir_width(type) > 1) {
    LLVMTypeRef overloads[2] = {type, e->type_pointer};
    masked_call(e, "llvm.masked.store", overloads, value, address, mask, NULL, align);
    return;
  }
  LLVMSetAlignment(LLVMBuildStore(e->builder, value, address), align);
}

static LLVMValueRef all_lanes(sni_emitter *e, unsigned width) {
  return LLVMConstAllOnes(LLVMVectorType(e->type_i1, width));
}

LLVMValueRef sni_lane_addresses(sni_emitter *e, LLVMTypeRef type, LLVMValueRef base,
                                LLVMValueRef offsets) {
  return LLVMBuildGEP2(e->builder, sni_ir_element(type), base, &offsets, 1, "");
}

LLVMValueRef sni_emit_gather_from(sni_emitter *e, LLVMTypeRef type, LLVMValueRef addresses,
                                  LLVMValueRef mask) {
  LLVMTypeRef overloads[2] = {type, LLVMTypeOf(addresses)};
  if (!mask) mask = all_lanes(e, sni_ir_width(type));
  return masked_call(e, "llvm.masked.gather", overloads, NULL, addresses, mask, LLVMConstNull(type),
                     element_bytes(e, type));
}

LLVMValueRef sni_emit_gather(sni_emitter *e, LLVMTypeRef type, LLVMValueRef base,
                             LLVMValueRef offsets, LLVMValueRef mask) {
  return sni_emit_gather_from(e, type, sni_lane_addresses(e, type, base, offsets), mask);
}

void sni_emit_scatter(sni_emitter *e, LLVMValueRef value, LLVMValueRef base, LLVMValueRef offsets,
                      LLVMValueRef mask) {
  LLVMTypeRef type = LLVMTypeOf(value);
  LLVMValueRef addresses = sni_lane_addresses(e, type, base, offsets);
  LLVMTypeRef overloads[2] = {type, LLVMTypeOf(addresses)};
  if (!mask) mask = all_lanes(e, sni_ir_width(type));
  masked_call(e, "llvm.masked.scatter", overloads, value, addresses, mask, NULL,
              element_bytes(e, type));
}

// Offsets of 32 bits where they fit: half the gather instructions.
LLVMValueRef sni_emit_lane_offsets(sni_emitter *e, sni_extent stride, unsigned width) {
  const int64_t most = INT32_MAX / sni_max_group;
  if (stride.param >= 0) {
    LLVMValueRef steps = sni_ir_splat(e, e->params[stride.param], width);
    return LLVMBuildMul(e->builder, steps, sni_ir_iota(e->type_i64, width, 1), "");
  }
  const bool narrow = stride.value > -most && stride.value < most;
  return sni_ir_iota(narrow ? e->type_i32 : e->type_i64, width, stride.value);
}
