// Which commands of a plan have to wait for which.
#ifndef SNI_PASSES_COMMAND_GRAPH_H
#define SNI_PASSES_COMMAND_GRAPH_H

#include "passes/lower/lower.h"

// An edge may occur several times, in both counts.
typedef struct sni_command_graph {
  uint32_t n_commands, n_edges;
  const uint32_t
      *first;            // n_commands + 1: successors of c are next[first[c]] to next[first[c + 1]]
  const uint32_t *next;  // greater numbers than their command's
  const uint32_t *waits;  // edges that lead to each command
  // Of each slot: a slot that stands for all that may be the same memory as it by the plan's
  // intent (taken over, updated in place).
  const uint32_t *place;
} sni_command_graph;

// The kernel's buffer that slot number `slot` of the command is an argument for.
static inline const sni_tree_buffer *sni_command_buffer(const sni_plan_command *c, uint32_t slot) {
  return &sni_tree_buffers(c->kernel)[slot % (c->n_slots / sni_plan_parts(c))];
}
static inline bool sni_command_writes(const sni_plan_command *c, uint32_t slot) {
  return c->kernel ? sni_command_buffer(c, slot)->written : slot + c->n_written >= c->n_slots;
}
static inline bool sni_command_reads(const sni_plan_command *c, uint32_t slot) {
  return c->kernel ? sni_command_buffer(c, slot)->read : slot + c->n_written < c->n_slots;
}
static inline bool sni_command_faults(const sni_plan_command *c) {
  return c->kernel ? c->kernel->faults && !c->checked : c->fault || c->control;
}

// Of a plan with slots, commands and in_place; lives in arena.
sn_status sni_command_graph_create(const sni_plan *plan, sni_arena *arena, sni_diag *diag,
                                   sni_command_graph *out_graph);

#endif
