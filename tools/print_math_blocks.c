// Prints C for the interpreter: for each MATH operation whose expansion is plain arithmetic a loop that runs all of it in
// registers, and a table of them. The build runs it; codegen/interp/blocks_math.c is compiled with what it prints.
#include "codegen/expand/expand.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const types[SN_DTYPE_COUNT] = {[SN_BOOL] = "bool",
                                                  [SN_I32] = "int32_t",
                                                  [SN_I64] = "int64_t",
                                                  [SN_F32] = "float",
                                                  [SN_F64] = "double"};
static const char *const names[SN_DTYPE_COUNT] = {
    [SN_BOOL] = "bool", [SN_I32] = "i32", [SN_I64] = "i64", [SN_F32] = "f32", [SN_F64] = "f64"};

static const char *const ids[SNI_KOP_COUNT] = {
#define SNI_X(id, name, operands, level, immediate, flags, dtypes, cost, formula) #id,
    SNI_KOPS(SNI_X)
#undef SNI_X
};

// Compilers make no vectors of erfinv.
static bool is_wanted(sni_kop op) {
  return sni_kop_infos[op].math && op != SNI_KOP_SAR && op != SNI_KOP_ERFINV;
}

static bool is_plain(const sni_tree_inst *inst) {
  return inst->op != SNI_KOP_FOLD_ANGLE && inst->op != SNI_KOP_REM && types[inst->dtype];
}

static void print_constant(const sni_tree_inst *inst) {
  const int64_t i = inst->imm.i;
  const double f = inst->imm.f;
  const char *suffix = inst->dtype == SN_F32 ? "f" : "";
  if (!sni_is_float((sn_dtype)inst->dtype))
    printf("(%s)UINT64_C(%" PRIu64 ")", types[inst->dtype], (uint64_t)i);
  else if (isnan(f))
    printf("__builtin_nan%s(\"\")", suffix);
  else if (isinf(f))
    printf("%s__builtin_inf%s()", f < 0 ? "-" : "", suffix);
  else
    printf("%a%s", f, suffix);
}

static void print_cast(sn_dtype from, sn_dtype to, uint32_t a) {
  if (to == SN_BOOL)
    printf("v%u != 0", a);
  else if (sni_is_float(from) && !sni_is_float(to))
    printf("sni_%s_to_%s(v%u)", names[from], names[to], a);
  else if (from == SN_I64 && to == SN_I32)
    printf("(int32_t)(uint32_t)v%u", a);
  else
    printf("(%s)v%u", types[to], a);
}

static void print_value(const sni_tree_inst *inst) {
  const uint32_t a = inst->operands[0], b = inst->operands[1], c = inst->operands[2];
  const sn_dtype dtype = (sn_dtype)inst->dtype, from = (sn_dtype)inst->source;
  switch (inst->op) {
    case SNI_KOP_CONST:
      print_constant(inst);
      return;
    case SNI_KOP_FMA:
      printf("__builtin_fma%s(v%u, v%u, v%u)", dtype == SN_F32 ? "f" : "", a, b, c);
      return;
    case SNI_KOP_SELECT:
      printf("choose_%s(v%u, v%u, v%u)", names[dtype], a, b, c);
      return;
    case SNI_KOP_EQ:
    case SNI_KOP_LT:
    case SNI_KOP_LE:
      printf("v%u %s v%u", a,
             inst->op == SNI_KOP_EQ   ? "=="
             : inst->op == SNI_KOP_LT ? "<"
                                      : "<=",
             b);
      return;
    case SNI_KOP_BITCAST:
      printf("%s_of_%s(v%u)", names[dtype], names[from], a);
      return;
    case SNI_KOP_CAST:
      print_cast(from, dtype, a);
      return;
    default:
      break;
  }
  if (dtype == SN_BOOL && inst->op == SNI_KOP_NOT)
    printf("!v%u", a);
  else if (dtype == SN_BOOL)
    printf("v%u %s v%u", a, inst->op == SNI_KOP_AND ? "&" : inst->op == SNI_KOP_OR ? "|" : "!=", b);
  else if (sni_kop_infos[inst->op].operands == 1)
    printf("sni_unary_%s(SNI_KOP_%s, v%u)", names[dtype], ids[inst->op], a);
  else
    printf("sni_binary_%s(SNI_KOP_%s, v%u, v%u)", names[dtype], ids[inst->op], a, b);
}

static void mark_used(const sni_tree_inst *insts, uint32_t result, bool *used) {
  used[result] = true;
  for (uint32_t i = result + 1; i-- > 0;)
    for (int o = 0; used[i] && o < sni_kop_infos[insts[i].op].operands; o++)
      used[insts[i].operands[o]] = true;
}

// Whether the operation has a loop, which is printed.
static bool print_loop(sni_arena *arena, sni_kop op, sn_dtype dtype) {
  static const char *const operands[] = {"a", "b"};
  const int n = sni_kop_infos[op].operands;
  sni_diag diag = {0};
  sni_tree_builder build;
  sni_expander x = {.arena = arena, .diag = &diag, .tree = &build};
  sni_value values[3] = {0};
  sni_tree_begin(&build, arena, &diag, "math");
  for (int i = 0; i < n; i++)
    values[i] =
        sni_tree_add_inst(&build, (sni_tree_inst){.op = SNI_KOP_NONE, .dtype = (uint8_t)dtype});
  const sni_value result = sni_expand_math(&x, op, dtype, values);
  bool *used = sni_arena_alloc_zeroed(arena, build.n_insts + 1);
  if (x.status || build.status || !used) {
    fprintf(stderr, "%s: %s\n", sni_kop_infos[op].name, diag.text);
    exit(1);
  }
  mark_used(build.insts, result, used);
  for (uint32_t i = (uint32_t)n; i < build.n_insts; i++)
    if (used[i] && !is_plain(&build.insts[i])) return false;
  printf(
      "static void %s_%s(void *dst, const void *a, const void *b, const void *c, size_t n) {\n"
      "  %s *const to = dst;\n",
      sni_kop_infos[op].name, names[dtype], types[dtype]);
  for (int i = 0; i < n; i++) printf("  const %s *const x%d = %s;\n", types[dtype], i, operands[i]);
  printf("  (void)b, (void)c;\n  SNI_ELEMENTWISE\n  for (size_t i = 0; i < n; i++) {\n");
  for (uint32_t i = 0; i < build.n_insts; i++) {
    if (!used[i]) continue;
    printf("    const %s v%u = ", types[build.insts[i].dtype], i);
    if (i < (uint32_t)n)
      printf("x%u[i]", i);
    else
      print_value(&build.insts[i]);
    printf(";\n");
  }
  printf("    to[i] = v%u;\n  }\n}\n", result);
  return true;
}

int main(void) {
  static const sn_dtype dtypes[] = {SN_F32, SN_F64};
  static bool has[SNI_KOP_COUNT][SN_DTYPE_COUNT];
  sni_allocator allocator;
  sni_arena arena;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  for (int op = 0; op < SNI_KOP_COUNT; op++)
    for (int d = 0; d < 2 && is_wanted((sni_kop)op); d++)
      has[op][dtypes[d]] = print_loop(&arena, (sni_kop)op, dtypes[d]);
  printf("#define MATH_BLOCKS");
  for (int op = 0; op < SNI_KOP_COUNT; op++)
    for (int d = 0; d < 2; d++)
      if (has[op][dtypes[d]])
        printf(" \\\n  [SNI_KOP_%s][%s] = %s_%s,", ids[op], d ? "SN_F64" : "SN_F32",
               sni_kop_infos[op].name, names[dtypes[d]]);
  printf("\n");
  sni_arena_deinit(&arena);
  return fflush(stdout) != 0;
}
