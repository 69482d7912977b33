// See cuda_text.h. What stands outside loops with lanes runs in all 32 threads alike; its stores are
// thread 0's. Invariant: __syncthreads and shuffles stand outside such loops, where all go one way.
#include "tests/unit/codegen/cuda_text.h"

#include "codegen/kernel/facts.h"
#include "runtime/scalar.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct writer {
  FILE *out;
  const sni_tree *tree;
  const sni_item *items;
  const sni_tree_inst *insts;
  sni_inst_facts *facts;
  sni_item_facts *item_facts;
} writer;

// The 16-bit floats as bits: expansion has written their casts out.
static const char *const types[SN_DTYPE_COUNT] = {[SN_BOOL] = "u8",
                                                  [SN_I8] = "signed char",
                                                  [SN_I16] = "short",
                                                  [SN_I32] = "int",
                                                  [SN_I64] = "k_long",
                                                  [SN_U8] = "k_byte",
                                                  [SN_U16] = "unsigned short",
                                                  [SN_U32] = "unsigned",
                                                  [SN_U64] = "k_ulong",
                                                  [SN_F16] = "unsigned short",
                                                  [SN_BF16] = "unsigned short",
                                                  [SN_F32] = "float",
                                                  [SN_F64] = "double"};

static const char *const signs[SNI_KOP_COUNT] = {
    [SNI_KOP_EQ] = "==", [SNI_KOP_LT] = "<", [SNI_KOP_LE] = "<="};

static void write_body(writer *w, uint32_t begin, uint32_t end);

// ---- numbers and addresses

static void write_extent(const writer *w, sni_extent x) {
  if (x.param >= 0)
    fprintf(w->out, "p[%" PRId64 "]", x.param);
  else
    fprintf(w->out, "(k_long)%" PRIu64 "u", (uint64_t)x.value);
}

// offset + sum of index * stride, as seen from an item.
static void write_form(const writer *w, const sni_extent *stride, sni_extent offset,
                       uint32_t item) {
  write_extent(w, offset);
  const sni_contract_item *c = &w->items[item].as.contract;
  for (uint32_t a = 0; w->items[item].kind == SNI_ITEM_CONTRACT && a < c->n_k; a++) {
    fprintf(w->out, " + k%u * ", a);
    write_extent(w, stride[w->items[item].depth + a]);
  }
  for (uint32_t i = w->items[item].parent; i != SNI_NO_ITEM; i = w->items[i].parent) {
    if (w->items[i].kind != SNI_ITEM_LOOP) continue;
    if (sni_extent_is(stride[w->items[i].depth], 0)) continue;
    fprintf(w->out, " + i%u * ", i);
    write_extent(w, stride[w->items[i].depth]);
  }
}

static void write_element(const writer *w, const sni_tree_access *access, uint32_t item) {
  fprintf(w->out, "b%u[", access->buffer);
  write_form(w, access->stride, access->offset, item);
  if (access->index != SNI_NO_VALUE) fprintf(w->out, " + v%u", access->index);
  fprintf(w->out, "]");
}

static void write_condition(const writer *w, const sni_tree_access *access, uint32_t item) {
  fprintf(w->out, "(true");
  for (uint32_t i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = &sni_tree_ranges(w->tree)[access->first_range + i];
    fprintf(w->out, " && (k_ulong)(");
    write_form(w, range->stride, range->offset, item);
    fprintf(w->out, ") < (k_ulong)k_max((k_long)0, ");
    write_extent(w, range->extent);
    fprintf(w->out, ")");
  }
  fprintf(w->out, ")");
}

static void write_constant(const writer *w, const sni_tree_inst *inst) {
  uint64_t bits;
  memcpy(&bits, &inst->imm, sizeof(bits));
  const bool half = sni_is_half((sn_dtype)inst->dtype);
  if (half) {
    bits = 0;
    sni_scalar_store((sni_scalar){(sn_dtype)inst->dtype, {.f = inst->imm.f}}, &bits, 0);
  }
  fprintf(w->out,
          sni_is_float((sn_dtype)inst->dtype) && !half ? "(%s)k_bits<double>((k_ulong)%" PRIu64 "u)"
                                                       : "(%s)(k_long)%" PRIu64 "u",
          types[inst->dtype], bits);
}

// ---- buffers

static bool touches(const writer *w, uint32_t number, uint32_t buffer) {
  const sni_tree_inst *inst = &w->insts[number];
  uint32_t used[3] = {inst->access}, n = sni_kop_has_access((sni_kop)inst->op);
  if (inst->op == SNI_KOP_CONTRACTION)
    n = (uint32_t)sni_contract_accesses(&w->items[w->facts[number].item].as.contract, used);
  while (n-- > 0)
    if (sni_tree_accesses(w->tree)[used[n]].buffer == buffer) return true;
  return false;
}

// Held by each thread alone: inside the loop with lanes; or LOCAL and of no such loop's concern.
static bool is_private(const writer *w, uint32_t buffer) {
  const sni_tree_buffer *b = &sni_tree_buffers(w->tree)[buffer];
  if (b->space == SNI_SPACE_GLOBAL) return false;
  if (w->item_facts[b->scope].lanes != SNI_NO_ITEM) return true;
  for (uint32_t i = 0; i < w->tree->n_insts; i++)
    if (touches(w, i, buffer) && w->item_facts[w->facts[i].item].lanes != SNI_NO_ITEM) return false;
  return b->space == SNI_SPACE_LOCAL;
}

static void write_scratch(const writer *w, uint32_t loop) {
  for (uint32_t i = 0; i < w->tree->n_buffers; i++) {
    const sni_tree_buffer *b = &sni_tree_buffers(w->tree)[i];
    if (b->space != SNI_SPACE_GLOBAL && b->scope == loop)
      fprintf(w->out, "%s%s b%u[%" PRId64 "];\n", is_private(w, i) ? "" : "__shared__ ",
              types[b->dtype], i, b->elements ? b->elements : 1);
  }
}

// Whether threads may see what another stores; in place counts, for all of them load before that.
static bool has_traffic(const writer *w) {
  for (uint32_t i = 0; i < w->tree->n_buffers; i++) {
    const sni_tree_buffer *b = &sni_tree_buffers(w->tree)[i];
    if (b->shared || (b->read && b->written)) return true;
  }
  return false;
}

// ---- instructions

static void write_store(const writer *w, const sni_tree_inst *inst, uint32_t item) {
  const sni_tree_access *access = &sni_tree_accesses(w->tree)[inst->access];
  const bool all = w->item_facts[item].lanes != SNI_NO_ITEM || is_private(w, access->buffer);
  const bool waits = !all && has_traffic(w);
  fprintf(w->out, "%sif (%s", waits ? "__syncthreads();\n" : "", all ? "" : "threadIdx.x == 0 && ");
  write_condition(w, access, item);
  fprintf(w->out, ") { auto *to = &");
  write_element(w, access, item);
  if (inst->op == SNI_KOP_UPDATE && inst->imm.combiner != SNI_KOP_COPY)
    fprintf(w->out, "; *to = k_%s(*to, v%u); }\n", sni_kop_infos[inst->imm.combiner].name,
            inst->operands[0]);
  else
    fprintf(w->out, "; *to = v%u; }\n", inst->operands[0]);
  if (waits) fprintf(w->out, "__syncthreads();\n");
}

static uint32_t innermost_loop(const writer *w, uint32_t item) {
  while (w->items[item].kind != SNI_ITEM_LOOP) item = w->items[item].parent;
  return item;
}

// otherwise: a value, or SNI_NO_VALUE: 0.
static void write_read(const writer *w, uint32_t number, uint32_t item, uint32_t otherwise) {
  const sni_tree_access *access = &sni_tree_accesses(w->tree)[number];
  write_condition(w, access, item);
  fprintf(w->out, " ? ");
  write_element(w, access, item);
  if (otherwise == SNI_NO_VALUE)
    fprintf(w->out, " : (%s)0", types[sni_tree_buffers(w->tree)[access->buffer].dtype]);
  else
    fprintf(w->out, " : v%u", otherwise);
}

// What stands before a value in brackets to convert it.
static void write_conversion(const writer *w, sn_dtype from, sn_dtype to) {
  if (sni_is_half(from))
    fprintf(w->out, "k_from_%s", sn_dtype_name(from));
  else if (sni_is_half(to))
    fprintf(w->out, "k_to_%s", sn_dtype_name(to));
  else
    fprintf(w->out, "k_to<%s>::from", types[to]);
}

// A side of a product, in its dtype.
static void write_side(const writer *w, uint32_t number, uint32_t item, sn_dtype dtype) {
  const sni_tree_access *access = &sni_tree_accesses(w->tree)[number];
  const sn_dtype stored = (sn_dtype)sni_tree_buffers(w->tree)[access->buffer].dtype;
  if (sni_dtype_bytes(stored) == sni_dtype_bytes(dtype))
    fprintf(w->out, "(%s)", types[dtype]);
  else
    write_conversion(w, stored, dtype);
  fprintf(w->out, "(");
  write_read(w, number, item, SNI_NO_VALUE);
  fprintf(w->out, ")");
}

static void write_operation(const writer *w, const sni_tree_inst *inst) {
  const uint32_t *v = inst->operands;
  const char *type = types[inst->dtype];
  switch ((int)inst->op) {
    case SNI_KOP_EQ:
    case SNI_KOP_LT:
    case SNI_KOP_LE:
      fprintf(w->out, "v%u %s v%u", v[0], signs[inst->op], v[1]);
      return;
    case SNI_KOP_SELECT:
      fprintf(w->out, "v%u ? v%u : v%u", v[0], v[1], v[2]);
      return;
    case SNI_KOP_CAST:
      write_conversion(w, (sn_dtype)inst->source, (sn_dtype)inst->dtype);
      fprintf(w->out, "(v%u)", v[0]);
      return;
    case SNI_KOP_BITCAST:
      fprintf(w->out, "k_bits<%s>(v%u)", type, v[0]);
      return;
    default:
      fprintf(w->out, "k_%s(v%u", sni_kop_infos[inst->op].name, v[0]);
      for (int i = 1; i < sni_kop_infos[inst->op].operands; i++) fprintf(w->out, ", v%u", v[i]);
      fprintf(w->out, ")");
  }
}

static void write_check(const writer *w, const sni_tree_inst *inst, uint32_t number) {
  fprintf(w->out, "const k_long e%u = ", number);
  write_extent(w, inst->imm.size);
  fprintf(w->out, ";\nif (v%u < 0 || v%u >= e%u) *fault = 1;\nif (e%u <= 0) return;\n",
          inst->operands[0], inst->operands[0], number, number);
  fprintf(w->out, "const k_long v%u = k_max((k_long)0, k_min(e%u - 1, v%u));\n", number, number,
          inst->operands[0]);
}

static void write_inst(const writer *w, uint32_t number, uint32_t item) {
  const sni_tree_inst *inst = &w->insts[number];
  switch ((int)inst->op) {
    case SNI_KOP_STORE:
    case SNI_KOP_UPDATE:
      write_store(w, inst, item);
      return;
    case SNI_KOP_REDUCE:
      fprintf(w->out, "a%u.put(0, i%u, v%u);\n", number, innermost_loop(w, item),
              inst->operands[0]);
      return;
    case SNI_KOP_YIELD:
      fprintf(w->out, "s%u = v%u;\n", inst->operands[1], inst->operands[0]);
      return;
    case SNI_KOP_CHECK_INDEX:
      write_check(w, inst, number);
      return;
    default:
      break;
  }
  fprintf(w->out, "const %s v%u = ", types[inst->dtype], number);
  if (inst->op == SNI_KOP_CONST) {
    write_constant(w, inst);
  } else if (inst->op == SNI_KOP_PARAM) {
    fprintf(w->out, "k_to<%s>::from(", types[inst->dtype]);
    write_extent(w, inst->imm.size);
    fprintf(w->out, ")");
  } else if (inst->op == SNI_KOP_INDEX) {
    fprintf(w->out, "k_to<%s>::from(i%u)", types[inst->dtype], inst->loop);
  } else if (inst->op == SNI_KOP_LOAD) {
    write_read(w, inst->access, item, sni_tree_accesses(w->tree)[inst->access].otherwise);
  } else if (inst->op == SNI_KOP_CARRY) {
    fprintf(w->out, "s%u", number);
  } else {
    write_operation(w, inst);
  }
  fprintf(w->out, ";\n");
}

// ---- loops

// Before a loop: what its body adds to and carries.
static void write_results(const writer *w, uint32_t loop) {
  const sni_loop_item *l = &w->items[loop].as.loop;
  for (uint32_t i = 0; i < w->tree->n_insts; i++) {
    const sni_tree_inst *inst = &w->insts[i];
    if (inst->loop != loop) continue;
    if (inst->op == SNI_KOP_CARRY)
      fprintf(w->out, "%s s%u = v%u;\n", types[inst->dtype], i, inst->operands[0]);
    if (inst->op != SNI_KOP_REDUCE) continue;
    const uint32_t inner = innermost_loop(w, w->facts[i].item);
    const int lanes = sni_tree_schedule(w->tree)[inner].lanes ? 2
                      : l->order == SNI_ORDER_LANES           ? SNI_REDUCE_LANES
                                                              : 1;
    fprintf(w->out, "k_sum<%s, %s_of, %d, %u> a%u;\n", types[inst->dtype],
            sni_kop_infos[inst->imm.combiner].name, lanes, l->chunk, i);
  }
}

static void write_totals(const writer *w, uint32_t loop) {
  for (uint32_t i = 0; i < w->tree->n_insts; i++) {
    const sni_tree_inst *inst = &w->insts[i];
    if (inst->loop != loop || (inst->op != SNI_KOP_REDUCE && inst->op != SNI_KOP_YIELD)) continue;
    fprintf(w->out, "const %s v%u = ", types[inst->dtype], i);
    if (inst->op == SNI_KOP_REDUCE)
      fprintf(w->out, "a%u.finish(n%u);\n", i, loop);
    else
      fprintf(w->out, "s%u;\n", inst->operands[1]);
  }
}

static void close_pieces(const writer *w, uint32_t loop, const char *behind) {
  const uint32_t chunk = w->items[loop].as.loop.chunk;
  for (uint32_t i = 0; chunk && i < w->tree->n_insts; i++)
    if (w->insts[i].op == SNI_KOP_REDUCE && w->insts[i].loop == loop)
      fprintf(w->out, "if (%s <= n%u && (%s) %% %u == 0) a%u.close(0);\n", behind, loop, behind,
              chunk, i);
}

static void write_loop(writer *w, uint32_t i) {
  const sni_loop_item *loop = &w->items[i].as.loop;
  const sni_schedule *schedule = &sni_tree_schedule(w->tree)[i];
  char behind[40];
  write_results(w, i);
  if (!schedule->grid) {
    fprintf(w->out, "const k_long n%u = ", i);
    if (loop->strip != SNI_NO_ITEM) {
      fprintf(w->out, "k_min(");
      write_extent(w, loop->whole);
      fprintf(w->out, " - i%u * ", loop->strip);
      write_extent(w, loop->extent);
      fprintf(w->out, ", ");
    }
    write_extent(w, loop->extent);
    fprintf(w->out, "%s, f%u = 0;\n", loop->strip != SNI_NO_ITEM ? ")" : "", i);
  }
  if (schedule->lanes)
    fprintf(w->out,
            "for (k_long q = f%u; q < n%u; q += 64) {\nfor (int h = 0; h < 64; h += 32) {\n"
            "const k_long i%u = q + h + threadIdx.x;\nif (i%u >= n%u) continue;\n",
            i, i, i, i, i);
  else
    fprintf(w->out, "for (k_long i%u = f%u; i%u < n%u; i%u++) {\n", i, i, i, i, i);
  write_scratch(w, i);
  write_body(w, i + 1, w->items[i].end);
  snprintf(behind, sizeof(behind), schedule->lanes ? "q + 64" : "i%u + 1", i);
  if (schedule->lanes) fprintf(w->out, "}\n");
  close_pieces(w, i, behind);
  fprintf(w->out, "}\n");
  if (schedule->lanes && has_traffic(w)) fprintf(w->out, "__syncthreads();\n");
  write_totals(w, i);
}

// The index along each axis of k, from k0 = k on.
static void write_axes(const writer *w, const sni_contract_item *c) {
  for (uint32_t a = c->n_k; a-- > 1;) {
    fprintf(w->out, "k%u = k0 %% ", a);
    write_extent(w, c->k[a]);
    fprintf(w->out, "; k0 /= ");
    write_extent(w, c->k[a]);
    fprintf(w->out, ";\n");
  }
}

static void write_contract(const writer *w, uint32_t i) {
  const sni_contract_item *c = &w->items[i].as.contract;
  const sn_dtype dtype = (sn_dtype)w->insts[c->inst].dtype;
  fprintf(w->out, "%s v%u = 0;\n{\nk_long k = 0, k0 = 0, k1 = 0, k2 = 0, k3 = 0;\n", types[dtype],
          c->inst);
  if (c->from != SNI_NO_VALUE) fprintf(w->out, "v%u = ", c->inst);
  if (c->from != SNI_NO_VALUE) write_read(w, c->from, i, SNI_NO_VALUE);
  fprintf(w->out, ";\nconst k_long n = ");
  for (uint32_t a = 0; a < c->n_k; a++) {
    if (a) fprintf(w->out, " * ");
    write_extent(w, c->k[a]);
  }
  fprintf(w->out,
          ", step = %u ? %u : k_max(n, (k_long)1);\nfor (k_long begin = 0; begin < n; begin += "
          "step) {\n%s sum = %s begin ? 0 : v%u;\n",
          c->segment, c->segment, types[dtype],
          c->from == SNI_NO_VALUE && sni_is_float(dtype) ? "n == 1 ? -0.0f :" : "", c->inst);
  fprintf(w->out, "for (k = begin; k < n && k < begin + step; k++) {\nk0 = k;\n");
  write_axes(w, c);
  fprintf(w->out, "sum = k_fma(");
  write_side(w, c->lhs, i, dtype);
  fprintf(w->out, ", ");
  write_side(w, c->rhs, i, dtype);
  fprintf(w->out, ", sum);\n}\nv%u = begin ? k_add(v%u, sum) : sum;\n}\n}\n", c->inst, c->inst);
}

static void write_body(writer *w, uint32_t begin, uint32_t end) {
  for (uint32_t i = begin; i < end; i = w->items[i].end) {
    const sni_item *item = &w->items[i];
    if (item->kind == SNI_ITEM_LOOP) write_loop(w, i);
    if (item->kind == SNI_ITEM_CONTRACT) write_contract(w, i);
    for (uint32_t k = 0; item->kind == SNI_ITEM_BLOCK && k < item->as.block.count; k++)
      write_inst(w, item->as.block.first + k, i);
    if (item->kind != SNI_ITEM_IF) continue;
    fprintf(w->out, "if (v%u) {\n", item->as.condition);
    write_body(w, i + 1, item->end);
    fprintf(w->out, "}\n");
  }
}

// ---- kernels: a root each, a block per unit

static void write_pieces(const writer *w, uint32_t loop) {
  fprintf(w->out, "((");
  write_extent(w, w->items[loop].as.loop.extent);
  const int64_t grain = sni_tree_schedule(w->tree)[loop].grain;
  fprintf(w->out, " + %" PRId64 ") / %" PRId64 ")", grain - 1, grain);
}

static void write_kernel(writer *w, const char *name, uint32_t root) {
  const sni_tree *tree = w->tree;
  fprintf(w->out,
          "__global__ void %s_%u(void *const *buffers, const k_long *p, k_long *fault) {\n"
          "(void)p, (void)fault;\nk_long unit = K_BLOCK;\n",
          name, root);
  for (uint32_t b = 0; b < tree->n_buffers; b++)
    if (sni_tree_buffers(tree)[b].space == SNI_SPACE_GLOBAL)
      fprintf(w->out, "%s *b%u = (%s *)buffers[%u];\n", types[sni_tree_buffers(tree)[b].dtype], b,
              types[sni_tree_buffers(tree)[b].dtype], b);
  for (uint32_t i = w->items[root].end; i-- > root;) {
    const int64_t grain = sni_tree_schedule(tree)[i].grain;
    if (!sni_tree_schedule(tree)[i].grid) continue;
    fprintf(w->out, "const k_long f%u = unit %% ", i);
    write_pieces(w, i);
    fprintf(w->out, " * %" PRId64 ", n%u = k_min(f%u + %" PRId64 ", ", grain, i, i, grain);
    write_extent(w, w->items[i].as.loop.extent);
    fprintf(w->out, ");\nunit /= ");
    write_pieces(w, i);
    fprintf(w->out, ";\n");
  }
  for (uint32_t i = 0; i < root; i = w->items[i].end)
    if (w->items[i].kind == SNI_ITEM_BLOCK) write_body(w, i, w->items[i].end);
  write_loop(w, root);
  fprintf(w->out, "}\n");
}

bool cuda_text_write(FILE *out, const sni_tree *tree, const char *name) {
  writer w = {out,
              tree,
              sni_tree_items(tree),
              sni_tree_insts(tree),
              calloc(tree->n_insts + 1u, sizeof(sni_inst_facts)),
              calloc(tree->n_items + 1u, sizeof(sni_item_facts))};
  const bool ok = w.facts && w.item_facts;
  if (ok) sni_tree_find_facts(tree, w.facts, w.item_facts);
  for (uint32_t i = 0; ok && i < tree->n_items; i = w.items[i].end)
    if (w.items[i].kind == SNI_ITEM_LOOP) write_kernel(&w, name, i);
  fprintf(out, "extern \"C\" void %s(void *const *buffers, const k_long *p, k_long *fault) {\n",
          name);
  for (uint32_t i = 0; ok && i < tree->n_items; i = w.items[i].end) {
    if (w.items[i].kind != SNI_ITEM_LOOP) continue;
    fprintf(out, "K_LAUNCH(%s_%u, (k_long)1", name, i);
    for (uint32_t g = i; g < w.items[i].end; g++) {
      if (!sni_tree_schedule(tree)[g].grid) continue;
      fprintf(out, " * k_max((k_long)0, ");
      write_pieces(&w, g);
      fprintf(out, ")");
    }
    fprintf(out, ");\n");
  }
  fprintf(out, "}\n");
  free(w.facts);
  free(w.item_facts);
  return ok;
}
