// Kernels of one element among kernels of many: [1] beside [300]. A kernel over one element is built
// without anything in its loop but the stores, and its buffers are no rows; so that it can be a part
// of a list it becomes the kernel of the others with an extent of 1, where that computes the same.
//
// Invariant: same operations on the same operands in every store, in the same order of stores, and
// no buffer is both read and written: then it does not matter where in the kernel they stand.
#include "passes/lower/group.h"

enum { most_insts = 256 };  // a kernel that is compared

// What a kernel computes for the first element: instructions whose operands are numbers of this list,
// each once, and the stores.
typedef struct meaning {
  sni_tree_inst values[most_insts], stores[most_insts];
  uint32_t n_values, n_stores;
} meaning;

static bool is_supported(const sni_tree *tree) {
  if (tree->n_insts > most_insts || tree->n_ranges || tree->n_params || tree->faults) return false;
  for (uint32_t b = 0; b < tree->n_buffers; b++) {
    const sni_tree_buffer *buffer = &sni_tree_buffers(tree)[b];
    if (buffer->space != SNI_SPACE_GLOBAL || (buffer->read && buffer->written)) return false;
  }
  for (uint32_t i = 0; i < tree->n_accesses; i++) {
    const sni_tree_access *access = &sni_tree_accesses(tree)[i];
    if (access->index != SNI_NO_VALUE || access->otherwise != SNI_NO_VALUE ||
        access->offset.param >= 0)
      return false;
  }
  return true;
}

static bool depends_on_loops(const sni_tree_inst *inst) {
  return inst->op == SNI_KOP_INDEX || inst->op == SNI_KOP_REDUCE || inst->op == SNI_KOP_CARRY ||
         inst->op == SNI_KOP_YIELD || inst->op == SNI_KOP_PARAM || inst->op == SNI_KOP_CONTRACTION;
}

static bool is_store(const sni_tree_inst *inst) {
  return inst->op == SNI_KOP_STORE || inst->op == SNI_KOP_UPDATE;
}

// Number of the value in the list, to which it is added where it is new.
static uint32_t number_of(meaning *m, const sni_tree_inst *inst) {
  for (uint32_t i = 0; i < m->n_values; i++)
    if (!memcmp(&m->values[i], inst, sizeof *inst)) return i;
  m->values[m->n_values] = *inst;
  return m->n_values++;
}

// Adds what the tree computes; n_values stays below the instructions of both trees. False: it
// depends on more than the first element.
static bool find_meaning(const sni_tree *tree, meaning *m) {
  uint32_t numbers[most_insts];
  m->n_stores = 0;
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    sni_tree_inst inst = sni_tree_insts(tree)[i];
    if (depends_on_loops(&inst)) return false;
    for (int o = 0; o < sni_kop_infos[inst.op].operands; o++)
      inst.operands[o] = numbers[inst.operands[o]];
    if (sni_kop_has_access((sni_kop)inst.op)) {
      const sni_tree_access *access = &sni_tree_accesses(tree)[inst.access];
      inst.access = access->buffer;
      inst.imm.words[0] = access->offset.value;
    }
    if (is_store(&inst))
      m->stores[m->n_stores++] = inst;
    else if (m->n_values < most_insts)
      numbers[i] = number_of(m, &inst);
    else
      return false;
  }
  return true;
}

// What is the same memory in the one kernel may be so in the other.
static bool same_arguments(const sni_tree *general, const sni_tree *scalar) {
  if (general->n_buffers != scalar->n_buffers) return false;
  for (uint32_t i = 0; i < general->n_buffers; i++) {
    const sni_tree_buffer *x = &sni_tree_buffers(general)[i], *y = &sni_tree_buffers(scalar)[i];
    if (x->dtype != y->dtype || x->read != y->read || x->written != y->written) return false;
    if (y->shared && !x->shared) return false;
  }
  return true;
}

bool sni_is_at_one(const sni_tree *general, const sni_tree *scalar) {
  meaning one = {.n_values = 0}, other;
  if (!same_arguments(general, scalar) || !is_supported(general) || !is_supported(scalar) ||
      !find_meaning(general, &one))
    return false;
  other = one;
  return find_meaning(scalar, &other) && other.n_stores == one.n_stores &&
         !memcmp(other.stores, one.stores, one.n_stores * sizeof *one.stores);
}

sn_status sni_make_at_one(const sni_tree *general, sni_arena *arena, sni_diag *diag,
                          sni_tree **out) {
  sni_tree *tree = sni_arena_copy(arena, general, general->bytes);
  if (!tree) return sni_fail_memory(diag, general->bytes, "a kernel");
  for (uint32_t i = 0; i < tree->n_items; i++)
    if (sni_tree_schedule(tree)[i].grid) sni_tree_items(tree)[i].as.loop.extent.value = 1;
  *out = tree;
  return SN_OK;
}
