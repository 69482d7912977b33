// Random numbers by runtime/random.c: units are blocks of elements, whatever the shape.
#include "passes/lower/group.h"
#include "passes/lower/library.h"
#include "runtime/random.h"

#include <stdio.h>
#include <string.h>

// One extent of all elements, cut into units of `grain`; grain 0: one unit.
static sn_status plan_elements(sni_lowering *l, const sni_node *node, int64_t grain,
                               sni_plan_command *command) {
  sni_random_call *call = SNI_ARENA_NEW(l->arena, sni_random_call);
  sni_size_ref *params = SNI_ARENA_ARRAY(l->arena, sni_size_ref, 1);
  int64_t *grains = SNI_ARENA_ARRAY(l->arena, int64_t, 1);
  if (!call || !params || !grains) return sni_fail_memory(l->diag, sizeof *call, "a library call");
  *call = (sni_random_call){.dtype = node->type.dtype,
                            .algorithm = (sni_random_algorithm)node->attrs[0],
                            .logarithm = node->n_attrs > 1 && node->attrs[1] != 0};
  SNI_TRY(sni_library_size(l, sni_type_size(l->dims, &node->type), params));
  grains[0] = grain;
  command->call = call;
  command->params = params;
  command->n_params = 1;
  command->extents = params;
  command->grains = grains;
  command->n_extents = grain ? 1 : 0;
  return SN_OK;
}

static sn_status plan_words(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  return plan_elements(l, node, SNI_RANDOM_UNIT, command);
}

static sn_status plan_order(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  return plan_elements(l, node, 0, command);
}

// What a run says of a parameter that is no distribution's.
static sn_status plan_sample(sni_lowering *l, const sni_node *node, const char *expected,
                             sni_plan_command *command) {
  char text[600], of[200];
  sni_type type = *sni_graph_type(l->graph, node->operands[1]);
  sni_size_ref *sizes = SNI_ARENA_ARRAY(l->arena, sni_size_ref, SN_MAX_RANK);
  int n = 0;
  if (!sizes) return sni_fail_memory(l->diag, sizeof *sizes, "a library call");
  SNI_TRY(sni_hide_dims(l, &type, sizes, &n));
  const char *op = node->location.op ? node->location.op : sni_op_infos[node->op].name;
  sni_type_format(NULL, &type, of, sizeof of);
  for (char *c = of; *c; c++)
    if (*c == '?') *c = SNI_FAULT_SIZE;
  snprintf(text, sizeof text, "%.300s: element \2 of %s, expected %s", op, of, expected);
  command->fault = sni_arena_strdup(l->arena, text);
  command->fault_sizes = sizes;
  command->fault_status = SN_ERR_ARGUMENT;
  if (!command->fault) return sni_fail_memory(l->diag, strlen(text), "a library call");
  return plan_elements(l, node, SNI_RANDOM_SAMPLE_UNIT, command);
}

static sn_status plan_gamma(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  return plan_sample(l, node, "a finite number > 0", command);
}
static sn_status plan_poisson(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  return plan_sample(l, node, "a finite number >= 0", command);
}

// ---- costs, in ns
static double unit_of(double element_ns) {
  return element_ns * SNI_RANDOM_UNIT;
}
#define SNI_ROW(op, plan_of, ns)                                                    \
  static double op##_ns(const void *call, const int64_t *params, int vector_bits) { \
    (void)call;                                                                     \
    (void)params;                                                                   \
    (void)vector_bits;                                                              \
    return ns;                                                                      \
  }                                                                                 \
  const sni_library_op sni_library_random_##op = {.name = "random_" #op,            \
                                                  .symbol = "random_" #op,          \
                                                  .plan = plan_of,                  \
                                                  .unit_ns = op##_ns,               \
                                                  .run = sni_random_##op##_run}
SNI_ROW(bits, plan_words, unit_of(0.5));
SNI_ROW(normal, plan_words, unit_of(1.2));
SNI_ROW(truncated_normal, plan_words, unit_of(40));
SNI_ROW(permutation, plan_order, 4 * sni_library_known(params[0]));
SNI_ROW(integers, plan_words, unit_of(2.5));
SNI_ROW(gamma, plan_gamma, 45.0 * SNI_RANDOM_SAMPLE_UNIT);
SNI_ROW(poisson, plan_poisson, 45.0 * SNI_RANDOM_SAMPLE_UNIT);
#undef SNI_ROW
