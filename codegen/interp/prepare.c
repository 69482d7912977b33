// Makes a program for the interpreter from an expanded kernel: analysis, steps, layout, then one
// block of memory that holds it all. Chooses the copy of the vector loops that fits the CPU.
#include "codegen/interp/translate.h"

#include <string.h>

const sni_blocks *sni_interp_blocks(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512) return &sni_interp_blocks_avx512;
  if (avx2) return &sni_interp_blocks_avx2;
#endif
  return &sni_interp_blocks_baseline;
}

static void *allocate(sni_translator *t, size_t count, size_t size) {
  void *items = t->status ? NULL : sni_arena_alloc_zeroed(t->arena, count * size);
  if (!items && !t->status) t->status = sni_fail_memory(t->diag, count * size, "an interpreter");
  return items;
}

// ---- narrow products: with a few columns the vectors would stay empty, so rows and columns change
// places. The number of a unit stays what it was, since all columns are in one piece.

enum { narrow = 4 };

static bool is_narrow(const sni_kernel *k) {
  if (!k->contraction.present) return false;
  const sni_kernel_size m = k->extent[k->n_outer - 2], n = k->extent[k->n_outer - 1];
  return n.param < 0 && n.value <= narrow && n.value <= k->grain[k->n_outer - 1] &&
         (m.param >= 0 || m.value > n.value);
}

static void swap_sizes(sni_kernel_size *a, sni_kernel_size *b) {
  const sni_kernel_size size = *a;
  *a = *b;
  *b = size;
}

static const sni_kernel *turn(sni_translator *t, const sni_kernel *k) {
  const int row = k->n_outer - 2, column = k->n_outer - 1;
  sni_kernel *turned = sni_arena_copy(t->arena, k, sizeof(*k));
  sni_kernel_access *accesses =
      sni_arena_copy(t->arena, k->accesses, k->n_accesses * sizeof(*accesses));
  sni_kernel_inst *insts = sni_arena_copy(t->arena, k->insts, k->n_insts * sizeof(*insts));
  if (!turned || !accesses || !insts) {
    t->status = sni_fail_memory(t->diag, k->n_insts * sizeof(*insts), "an interpreter");
    return k;
  }
  turned->accesses = accesses;
  turned->insts = insts;
  swap_sizes(&turned->extent[row], &turned->extent[column]);
  turned->grain[row] = k->grain[column];
  turned->grain[column] = k->grain[row];
  for (uint32_t i = 0; i < k->n_accesses; i++)
    swap_sizes(&accesses[i].stride[row], &accesses[i].stride[column]);
  for (uint32_t i = 0; i < k->n_insts; i++) {
    if (insts[i].op != SNI_KOP_INDEX || insts[i].imm.axis < row) continue;
    insts[i].imm.axis = insts[i].imm.axis == row ? column : row;
  }
  turned->contraction.lhs = k->contraction.rhs;
  turned->contraction.rhs = k->contraction.lhs;
  swap_sizes(&turned->contraction.lhs_k_stride, &turned->contraction.rhs_k_stride);
  return turned;
}

static sn_status translate(sni_translator *t) {
  if (is_narrow(t->kernel)) t->kernel = turn(t, t->kernel);
  const sni_kernel *k = t->kernel;
  t->vector_axis = sni_kernel_vector_axis(k);
  t->insts = allocate(t, k->n_insts, sizeof(*t->insts));
  t->stages = allocate(t, k->n_stages, sizeof(*t->stages));
  t->accesses = allocate(t, k->n_accesses, sizeof(*t->accesses));
  t->row_slots = allocate(t, k->n_slots, sizeof(*t->row_slots));
  if (t->status) return t->status;
  sni_translate_analyze(t);
  sni_translate_steps(t);
  if (!t->status) sni_translate_layout(t);
  return t->status;
}

static sni_place_kind place_kind(const sni_slot_info *slot) {
  if (slot->home == SNI_HOME_CONSTANT) return SNI_PLACE_CONSTANT;
  return slot->home == SNI_HOME_SIZE ? SNI_PLACE_SIZE : SNI_PLACE_SCRATCH;
}

// ---- one block of memory: arrays one after the other, aligned to 16 bytes

static size_t part(size_t *bytes, size_t count, size_t size) {
  const size_t offset = *bytes;
  *bytes += (count * size + 15) & ~(size_t)15;
  return offset;
}

static void *put(char *block, size_t offset, const void *data, size_t bytes) {
  if (bytes) memcpy(block + offset, data, bytes);
  return block + offset;
}

static sn_status pack(const sni_translator *t, sni_allocator *allocator, sni_interp_code **out) {
  const sni_kernel *k = t->kernel;
  uint32_t n_places = 0;
  for (uint32_t i = 0; i < t->n_slots; i++) n_places += t->slots[i].home != SNI_HOME_NONE;
  size_t bytes = 0;
  part(&bytes, 1, sizeof(sni_nest_code));
  const size_t stages = part(&bytes, k->n_stages, sizeof(*t->stages));
  const size_t steps = part(&bytes, t->n_steps, sizeof(*t->steps));
  const size_t reductions = part(&bytes, t->n_reductions, sizeof(*t->reductions));
  const size_t order = part(&bytes, t->n_access_order, sizeof(*t->access_order));
  const size_t accesses = part(&bytes, k->n_accesses, sizeof(*t->accesses));
  const size_t places = part(&bytes, n_places, sizeof(sni_place));
  const size_t sources = part(&bytes, t->n_sizes, sizeof(*t->sizes));
  const size_t sizes = part(&bytes, t->n_sizes, sizeof(int64_t));
  const size_t checks = part(&bytes, t->n_checks, sizeof(*t->checks));
  const size_t constants = part(&bytes, t->n_constants, sizeof(*t->constants));
  const size_t row_slots = part(&bytes, k->n_slots, sizeof(*t->row_slots));
  char *block = sni_alloc_zeroed(allocator, bytes);
  if (!block) return sni_fail_memory(t->diag, bytes, "an interpreter");
  sni_nest_code *code = (sni_nest_code *)(void *)block;
  *code = (sni_nest_code){
      .head = {bytes, t->scratch_bytes},
      .blocks = t->blocks,
      .n_outer = k->n_outer,
      .n_inner = k->n_inner,
      .n_axes = k->n_outer + k->n_inner,
      .vector_axis = t->vector_axis,
      .vector_inner = k->vector_inner,
      .dynamic = t->dynamic,
      .streams = t->streams,
      .block = t->block,
      .n_stages = k->n_stages,
      .n_accesses = k->n_accesses,
      .n_places = n_places,
      .n_sizes = t->n_sizes,
      .n_checks = t->n_checks,
      .contraction = t->contraction,
      .stages = put(block, stages, t->stages, k->n_stages * sizeof(*t->stages)),
      .steps = put(block, steps, t->steps, t->n_steps * sizeof(*t->steps)),
      .reductions = put(block, reductions, t->reductions, t->n_reductions * sizeof(*t->reductions)),
      .access_order =
          put(block, order, t->access_order, t->n_access_order * sizeof(*t->access_order)),
      .accesses = put(block, accesses, t->accesses, k->n_accesses * sizeof(*t->accesses)),
      .size_sources = put(block, sources, t->sizes, t->n_sizes * sizeof(*t->sizes)),
      .checks = put(block, checks, t->checks, t->n_checks * sizeof(*t->checks)),
      .constants = put(block, constants, t->constants, t->n_constants * sizeof(*t->constants)),
      .row_slots = put(block, row_slots, t->row_slots, k->n_slots * sizeof(*t->row_slots)),
      .slot_table = t->slot_table,
      .address_table = t->address_table,
      .size_table = t->size_table,
  };
  memcpy(code->grain, k->grain, sizeof(code->grain));
  int64_t *values = (int64_t *)(void *)(block + sizes);
  for (uint32_t i = 0; i < t->n_sizes; i++) values[i] = t->sizes[i].value;
  code->sizes = values;
  sni_place *place = (sni_place *)(void *)(block + places);
  code->places = place;
  for (uint32_t i = 0; i < t->n_slots; i++)
    if (t->slots[i].home != SNI_HOME_NONE)
      *place++ = (sni_place){place_kind(&t->slots[i]), i, t->slots[i].offset};
  *out = &code->head;
  return SN_OK;
}

sn_status sni_interp_prepare_with(const sni_kernel *expanded, const sni_blocks *blocks,
                                  sni_allocator *allocator, sni_diag *diag,
                                  sni_interp_code **out_code) {
  sni_arena arena;
  sni_arena_init(&arena, allocator);
  sni_translator t = {.kernel = expanded, .blocks = blocks, .arena = &arena, .diag = diag};
  sn_status status = translate(&t);
  if (!status) status = pack(&t, allocator, out_code);
  sni_arena_deinit(&arena);
  return status;
}

sn_status sni_interp_prepare(const sni_kernel *expanded, sni_allocator *allocator, sni_diag *diag,
                             sni_interp_code **out_code) {
  return sni_interp_prepare_with(expanded, sni_interp_blocks(), allocator, diag, out_code);
}

void sni_interp_release(sni_interp_code *code, sni_allocator *allocator) {
  if (code) sni_free(allocator, code, code->bytes);
}

size_t sni_interp_bytes(const sni_interp_code *code) {
  return code->bytes;
}

size_t sni_interp_scratch_bytes(const sni_interp_code *code) {
  return code->scratch_bytes;
}
