// Scalar expansion: a copy of a kernel in which every MATH operation has become CORE ones, the same
// for all backends, which is why they agree to the bit. Runs after the kernel is built and before
// any backend. This file: the builder, for nests and trees (expand_tree.c) alike, and nests.
//
// A straight rewriting: instructions keep their order and stage, value numbers are remapped. A
// constant that the expansion needs is made once per stage, unless an earlier outer stage has it.
// The axes of a value are those of its operands.
#include "codegen/expand/expand.h"

#include "codegen/kernel/fields.h"

#include <string.h>

// ---- builder

// imm.i of a constant; floats by their bits, so that -0.0 and 0.0 differ.
static int64_t constant_bits(const sni_kernel_inst *inst) {
  int64_t bits = inst->imm.i;
  if (inst->dtype == SN_F32 || inst->dtype == SN_F64) memcpy(&bits, &inst->imm.f, sizeof(bits));
  return bits;
}

static sni_value put_tree_inst(sni_expander *x, const sni_kernel_inst *inst) {
  sni_tree_inst out = {
      .op = (uint16_t)inst->op, .dtype = (uint8_t)inst->dtype, .source = (uint8_t)inst->source};
  memcpy(out.operands, inst->operands, sizeof(out.operands));
  if (inst->op == SNI_KOP_CONST) out.imm.words[0] = constant_bits(inst);
  const sni_value value = sni_tree_add_inst(x->tree, out);
  x->status = x->tree->status;
  return value;
}

sni_value sni_put_inst(sni_expander *x, sni_kernel_inst inst) {
  if (x->tree) return put_tree_inst(x, &inst);
  if (!x->status)
    x->status = sni_arena_grow(x->arena, x->diag, (void **)&x->insts, &x->capacity, x->count + 1,
                               sizeof(*x->insts));
  if (x->status) return 0;
  x->insts[x->count] = inst;
  return x->count++;
}

sn_dtype sni_value_dtype(const sni_expander *x, sni_value value) {
  if (x->status) return SN_F32;
  return x->tree ? (sn_dtype)x->tree->insts[value].dtype : x->insts[value].dtype;
}

static uint16_t axes_of(const sni_expander *x, sni_value value) {
  return x->status || x->tree ? 0 : x->insts[value].axes;
}

// The value as a CONST, where it is one.
static bool find_constant(const sni_expander *x, sni_value value, sn_dtype *dtype, int64_t *bits) {
  if (x->status) return false;
  if (x->tree) {
    const sni_tree_inst *inst = &x->tree->insts[value];
    *dtype = (sn_dtype)inst->dtype;
    *bits = inst->imm.words[0];
    return inst->op == SNI_KOP_CONST;
  }
  *dtype = x->insts[value].dtype;
  *bits = constant_bits(&x->insts[value]);
  return x->insts[value].op == SNI_KOP_CONST;
}

bool sni_value_is_constant(const sni_expander *x, sni_value value, int64_t *out_i) {
  sn_dtype dtype;
  return find_constant(x, value, &dtype, out_i) && sni_is_integer(dtype);
}

static void remember_constant(sni_expander *x, sni_value value) {
  if (!x->status)
    x->status = sni_arena_grow(x->arena, x->diag, (void **)&x->constants, &x->constants_capacity,
                               x->n_constants + 1, sizeof(*x->constants));
  if (!x->status) x->constants[x->n_constants++] = value;
}

static sni_value emit_constant(sni_expander *x, sni_kernel_inst constant) {
  for (uint32_t i = 0; i < x->n_constants; i++) {
    sn_dtype dtype;
    int64_t bits;
    if (find_constant(x, x->constants[i], &dtype, &bits) && dtype == constant.dtype &&
        bits == constant_bits(&constant))
      return x->constants[i];
  }
  const sni_value value = sni_put_inst(x, constant);
  remember_constant(x, value);
  return value;
}

sni_value sni_put_f(sni_expander *x, sn_dtype dtype, double value) {
  return emit_constant(x, (sni_kernel_inst){.op = SNI_KOP_CONST, .dtype = dtype, .imm.f = value});
}

sni_value sni_put_i(sni_expander *x, sn_dtype dtype, int64_t value) {
  return emit_constant(x, (sni_kernel_inst){.op = SNI_KOP_CONST, .dtype = dtype, .imm.i = value});
}

sni_value sni_put1(sni_expander *x, sni_kop op, sni_value a) {
  return sni_put_inst(
      x, (sni_kernel_inst){
             .op = op, .dtype = sni_value_dtype(x, a), .axes = axes_of(x, a), .operands = {a}});
}

sni_value sni_put2(sni_expander *x, sni_kop op, sni_value a, sni_value b) {
  const uint16_t axes = (uint16_t)(axes_of(x, a) | axes_of(x, b));
  return sni_put_inst(
      x, (sni_kernel_inst){
             .op = op, .dtype = sni_value_dtype(x, b), .axes = axes, .operands = {a, b}});
}

sni_value sni_put3(sni_expander *x, sni_kop op, sni_value a, sni_value b, sni_value c) {
  const uint16_t axes = (uint16_t)(axes_of(x, a) | axes_of(x, b) | axes_of(x, c));
  return sni_put_inst(
      x, (sni_kernel_inst){
             .op = op, .dtype = sni_value_dtype(x, c), .axes = axes, .operands = {a, b, c}});
}

sni_value sni_put_compare(sni_expander *x, sni_kop op, sni_value a, sni_value b) {
  const uint16_t axes = (uint16_t)(axes_of(x, a) | axes_of(x, b));
  return sni_put_inst(x, (sni_kernel_inst){.op = op,
                                           .dtype = SN_BOOL,
                                           .source = sni_value_dtype(x, a),
                                           .axes = axes,
                                           .operands = {a, b}});
}

sni_value sni_put_convert(sni_expander *x, sni_kop op, sn_dtype dtype, sni_value a) {
  return sni_put_inst(x, (sni_kernel_inst){.op = op,
                                           .dtype = dtype,
                                           .source = sni_value_dtype(x, a),
                                           .axes = axes_of(x, a),
                                           .operands = {a}});
}

sni_value sni_put_horner(sni_expander *x, sni_value v, const double *coefficient, int count) {
  const sn_dtype dtype = sni_value_dtype(x, v);
  sni_value sum = sni_put_f(x, dtype, coefficient[count - 1]);
  for (int i = count - 2; i >= 0; i--)
    sum = sni_put3(x, SNI_KOP_FMA, sum, v, sni_put_f(x, dtype, coefficient[i]));
  return sum;
}

sn_dtype sni_bits_dtype(sn_dtype dtype) {
  return dtype == SN_F32 ? SN_I32 : SN_I64;
}

sni_value sni_put_bits(sni_expander *x, sni_value a) {
  return sni_put_convert(x, SNI_KOP_BITCAST, sni_bits_dtype(sni_value_dtype(x, a)), a);
}

sni_value sni_put_float(sni_expander *x, sn_dtype dtype, sni_value bits) {
  return sni_put_convert(x, SNI_KOP_BITCAST, dtype, bits);
}

sni_value sni_put_sign_bit(sni_expander *x, sni_value a) {
  const sn_dtype bits = sni_bits_dtype(sni_value_dtype(x, a));
  const sni_value sign = sni_put_i(x, bits, bits == SN_I32 ? INT32_MIN : INT64_MIN);
  return sni_put2(x, SNI_KOP_AND, sni_put_bits(x, a), sign);
}

sni_value sni_put_with_sign(sni_expander *x, sni_value a, sni_value sign_bit) {
  const sni_value bits = sni_put2(x, SNI_KOP_OR, sni_put_bits(x, a), sign_bit);
  return sni_put_float(x, sni_value_dtype(x, a), bits);
}

// ---- operations too short for a file of their own

static sni_value expand_sign(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool is_float = dtype == SN_F32 || dtype == SN_F64;
  const sni_value zero = is_float ? sni_put_f(x, dtype, 0) : sni_put_i(x, dtype, 0);
  const sni_value one = is_float ? sni_put_f(x, dtype, 1) : sni_put_i(x, dtype, 1);
  const sni_value minus = is_float ? sni_put_f(x, dtype, -1) : sni_put_i(x, dtype, -1);
  const sni_value rest = is_float ? sni_put2(x, SNI_KOP_ADD, a, zero) : zero;  // NaN, +0
  const sni_value negative = sni_put_compare(x, SNI_KOP_LT, a, zero);
  const sni_value positive = sni_put_compare(x, SNI_KOP_LT, zero, a);
  const sni_value y = sni_put3(x, SNI_KOP_SELECT, negative, minus, rest);
  return sni_put3(x, SNI_KOP_SELECT, positive, one, y);
}

static sni_value expand_rsqrt(sni_expander *x, sni_value a) {
  const sni_value one = sni_put_f(x, sni_value_dtype(x, a), 1);
  return sni_put2(x, SNI_KOP_DIV, one, sni_put1(x, SNI_KOP_SQRT, a));
}

// ---- driver

sni_value sni_expand_math(sni_expander *x, sni_kop op, sn_dtype dtype, const sni_value *v) {
  const bool is_float = dtype == SN_F32 || dtype == SN_F64;
  if (op == SNI_KOP_SIGN) return expand_sign(x, v[0]);
  if (op == SNI_KOP_RSQRT) return expand_rsqrt(x, v[0]);
  if (op == SNI_KOP_EXP) return sni_expand_exp(x, v[0]);
  if (op == SNI_KOP_EXPM1) return sni_expand_expm1(x, v[0]);
  if (op == SNI_KOP_LOG) return sni_expand_log(x, v[0]);
  if (op == SNI_KOP_LOG1P) return sni_expand_log1p(x, v[0]);
  if (op == SNI_KOP_SIN) return sni_expand_sin(x, v[0]);
  if (op == SNI_KOP_COS) return sni_expand_cos(x, v[0]);
  if (op == SNI_KOP_TANH) return sni_expand_tanh(x, v[0]);
  if (op == SNI_KOP_SIGMOID) return sni_expand_sigmoid(x, v[0]);
  if (op == SNI_KOP_ERF) return sni_expand_erf(x, v[0]);
  if (op == SNI_KOP_RANDOM) return sni_expand_random(x, v[0], v[1], v[2]);
  if (op == SNI_KOP_POW)
    return is_float ? sni_expand_pow_float(x, v[0], v[1]) : sni_expand_pow_integer(x, v[0], v[1]);
  x->status = sni_fail(x->diag, SN_ERR_INTERNAL, "no expansion of %s", sni_kop_infos[op].name);
  return 0;
}

static sni_value expand_inst(sni_expander *x, const sni_kernel_inst *inst, const sni_value *map) {
  sni_kernel_inst copy = *inst;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    copy.operands[i] = map[inst->operands[i]];
  if (sni_kop_infos[inst->op].math) return sni_expand_math(x, inst->op, inst->dtype, copy.operands);
  if (inst->op == SNI_KOP_CONST && !inst->axes) return emit_constant(x, copy);
  return sni_put_inst(x, copy);
}

static sn_status expand_stages(sni_expander *x, const sni_kernel *k, sni_kernel *out,
                               sni_value *map) {
  uint32_t outer_constants = 0;
  for (uint32_t s = 0; s < k->n_stages; s++) {
    const sni_kernel_stage *stage = &k->stages[s];
    x->n_constants = outer_constants;
    out->stages[s] = (sni_kernel_stage){.inner = stage->inner, .first = x->count};
    for (uint32_t i = stage->first; i < stage->first + stage->count; i++) {
      map[i] = expand_inst(x, &k->insts[i], map);
      if (x->status) return x->status;
    }
    out->stages[s].count = x->count - out->stages[s].first;
    if (!stage->inner) outer_constants = x->n_constants;
  }
  return SN_OK;
}

static sn_status copy_array(sni_arena *arena, sni_diag *diag, const void *data, size_t bytes,
                            void **out) {
  *out = sni_arena_alloc(arena, bytes);
  if (!*out) return sni_fail_memory(diag, bytes, "a kernel");
  if (bytes) memcpy(*out, data, bytes);
  return SN_OK;
}

sn_status sni_kernel_expand(const sni_kernel *kernel, sni_arena *arena, sni_diag *diag,
                            sni_kernel **out_kernel) {
  const sni_kernel *k = kernel;
  sni_kernel *out;
  SNI_TRY(copy_array(arena, diag, k, sizeof(*k), (void **)&out));
  out->name = k->name ? sni_arena_strdup(arena, k->name) : NULL;
  if (k->name && !out->name) return sni_fail_memory(diag, strlen(k->name) + 1, "a kernel");
  SNI_TRY(copy_array(arena, diag, k->buffers, k->n_buffers * sizeof(*k->buffers),
                     (void **)&out->buffers));
  SNI_TRY(copy_array(arena, diag, k->accesses, k->n_accesses * sizeof(*k->accesses),
                     (void **)&out->accesses));
  SNI_TRY(
      copy_array(arena, diag, k->stages, k->n_stages * sizeof(*k->stages), (void **)&out->stages));
  SNI_TRY(copy_array(arena, diag, k->slot_offset, k->n_slots * sizeof(*k->slot_offset),
                     (void **)&out->slot_offset));
  SNI_TRY(copy_array(arena, diag, k->slot_dtype, k->n_slots * sizeof(*k->slot_dtype),
                     (void **)&out->slot_dtype));
  sni_value *map = sni_arena_alloc(arena, k->n_insts * sizeof(*map));
  if (!map) return sni_fail_memory(diag, k->n_insts * sizeof(*map), "a kernel");
  sni_expander x = {.arena = arena, .diag = diag};
  SNI_TRY(expand_stages(&x, k, out, map));
  out->insts = x.insts;
  out->n_insts = x.count;
  for (uint32_t i = 0; i < k->n_accesses; i++)
    if (k->accesses[i].index != SNI_NO_VALUE) out->accesses[i].index = map[k->accesses[i].index];
  *out_kernel = out;
  return SN_OK;
}
