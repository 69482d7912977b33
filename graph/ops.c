// The table of operations as data, and the search by name. Everything comes from ops.def.
#include "graph/graph.h"

#include <string.h>

// SNI_HAS_VJP(rule) is 0 for the word none, 1 for every other: SNI_VJP_none brings a comma that
// moves 0 to the second place.
#define SNI_VJP_none ~, 0
#define SNI_SECOND(a, b, ...) b
#define SNI_EXPAND_SECOND(...) SNI_SECOND(__VA_ARGS__)
#define SNI_HAS_VJP(rule) SNI_EXPAND_SECOND(SNI_VJP_##rule, 1, 1)

const sni_op_info sni_op_infos[SNI_OP_COUNT] = {
#define SNI_X(id, text, count, class, dtype_set, schema, infer, vjp, vmap, kop, lower, traits, ns, \
              rule)                                                                                \
  [SNI_OP_##id] = {.name = text,                                                                   \
                   .operands = count,                                                              \
                   .op_class = SNI_CLASS_##class,                                                  \
                   .lowering = SNI_LOWERING_##lower,                                               \
                   .flags = SNI_FLAGS_##traits,                                                    \
                   .cost = (float)(ns),                                                            \
                   .dtypes = SNI_DTYPES_##dtype_set,                                               \
                   .attributes = schema,                                                           \
                   .formula = rule,                                                                \
                   .differentiable = SNI_HAS_VJP(vjp)},
    SNI_OPS(SNI_X)
#undef SNI_X
};

sni_op sni_op_by_name(const char *name, size_t length) {
  int i = 0;
  while (i < SNI_OP_COUNT && (strlen(sni_op_infos[i].name) != length ||
                              memcmp(sni_op_infos[i].name, name, length) != 0))
    i++;
  return (sni_op)i;
}
