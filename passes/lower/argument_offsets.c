// Offsets in commands instead of in kernels: what all accesses of a kernel to a buffer are beyond its
// beginning becomes a byte offset of the argument, and steps of an unrolled loop, each at its own
// slice, run one kernel. After lowering; kernels say where they are read no more.
//
// Invariant: offsets are multiples of 64 bytes, the alignment of buffers, so that whatever a backend
// derives from an address it may still derive.
#include "passes/lower/argument_offsets.h"

enum { line_bytes = 64 };

// Bytes that every access to the buffer lies beyond its beginning; 0 where some offset is known at
// run time.
static int64_t common_offset(const sni_tree *tree, uint32_t buffer) {
  const int64_t size = (int64_t)sn_dtype_size((sn_dtype)sni_tree_buffers(tree)[buffer].dtype);
  int64_t least = INT64_MAX;
  for (uint32_t i = 0; i < tree->n_accesses; i++) {
    const sni_tree_access *access = &sni_tree_accesses(tree)[i];
    if (access->buffer != buffer) continue;
    if (access->offset.param >= 0 || access->offset.value <= 0) return 0;
    if (access->offset.value < least) least = access->offset.value;
  }
  if (least > INT64_MAX / line_bytes / size) return 0;
  return least * size / line_bytes * line_bytes;
}

static void move(sni_tree *tree, uint32_t buffer, int64_t bytes) {
  const int64_t size = (int64_t)sn_dtype_size((sn_dtype)sni_tree_buffers(tree)[buffer].dtype);
  for (uint32_t i = 0; i < tree->n_accesses; i++)
    if (sni_tree_accesses(tree)[i].buffer == buffer)
      sni_tree_accesses(tree)[i].offset.value -= bytes / size;
}

// Arguments are the kernel's global buffers, which come first.
static sn_status move_of_command(sni_plan_command *c, sni_arena *arena, sni_diag *diag) {
  sni_tree *moved = NULL;
  int64_t *offsets = NULL;
  const uint32_t n_buffers = c->n_slots / sni_plan_parts(c);
  for (uint32_t b = 0; b < n_buffers; b++) {
    const int64_t bytes = common_offset(c->kernel, b);
    if (!bytes) continue;
    sni_assert(sni_tree_buffers(c->kernel)[b].space == SNI_SPACE_GLOBAL);
    if (!moved) {
      moved = sni_arena_copy(arena, c->kernel, c->kernel->bytes);
      offsets = SNI_ARENA_ARRAY(arena, int64_t, c->n_slots);
      if (!moved || !offsets) return sni_fail_memory(diag, c->kernel->bytes, "a kernel");
    }
    for (uint32_t s = b; s < c->n_slots; s += n_buffers) offsets[s] = bytes;
    move(moved, b, bytes);
  }
  if (!moved) return SN_OK;
  c->kernel = moved;
  c->offsets = offsets;
  return SN_OK;
}

sn_status sni_move_offsets(sni_plan *plan, sni_arena *arena, sni_diag *diag) {
  const size_t bytes = plan->n_commands * sizeof *plan->commands;
  sni_plan_command *commands = sni_arena_copy(arena, plan->commands, bytes);
  if (!commands) return sni_fail_memory(diag, bytes, "commands");
  for (uint32_t i = 0; i < plan->n_commands; i++)
    if (commands[i].kernel) SNI_TRY(move_of_command(&commands[i], arena, diag));
  plan->commands = commands;
  return SN_OK;
}
