// What the tests of graph/ share: an arena that must give everything back, a graph, and short ways
// to build and to compare.
#ifndef SNI_TESTS_GRAPH_FIXTURE_H
#define SNI_TESTS_GRAPH_FIXTURE_H

#include "graph/graph.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sni_allocator allocator;
static sni_arena arena;
static sni_diag diag;
static sni_graph *graph;

static inline void setup(void) {
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
  ck_assert_int_eq(sni_graph_create(&arena, &diag, "test", NULL, &graph), SN_OK);
}

static inline void teardown(void) {
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}

static inline sni_dim symbol(int64_t hint) {
  sni_dim dim;
  ck_assert_int_eq(sni_dim_new_symbol(graph->dims, hint, &dim), SN_OK);
  return dim;
}

// "2*B+1"
static inline sni_dim dim_of(const char *text) {
  const char *cursor = text;
  sni_dim dim = SNI_DIM_FAILED;
  ck_assert_msg(sni_dim_parse(graph->dims, &cursor, text + strlen(text), &dim) == SN_OK, "%s",
                text);
  ck_assert_msg(!*cursor, "rest of %s: %s", text, cursor);
  return dim;
}

// "f32[B,2*B+1]"; dims as sni_dim_parse reads them.
static inline sni_type type_of(const char *text) {
  sni_type type = {.rank = 0};
  const char *bracket = strchr(text, '['), *cursor = bracket + 1, *end = text + strlen(text) - 1;
  int dtype = 0;
  while (strncmp(sn_dtype_name((sn_dtype)dtype), text, (size_t)(bracket - text)) != 0) dtype++;
  type.dtype = (sn_dtype)dtype;
  while (cursor < end) {
    ck_assert_msg(sni_dim_parse(graph->dims, &cursor, end, &type.dims[type.rank++]) == SN_OK, "%s",
                  text);
    if (cursor < end) cursor++;
  }
  return type;
}

static inline sni_node_id input(const char *type_text) {
  sni_type type = type_of(type_text);
  sni_node_id id;
  ck_assert_msg(sni_graph_add_parameter(graph, &type, SNI_PARAMETER_INPUT, graph->n_parameters,
                                        NULL, &id) == SN_OK,
                "%s", diag.text);
  return id;
}

#define SNI_IDS(...) ((const sni_node_id[]){__VA_ARGS__})
#define SNI_COUNT(...) (int)(sizeof((const sni_node_id[]){__VA_ARGS__}) / sizeof(sni_node_id))
#define SNI_ATTRS(...) \
  (const sni_dim[]){__VA_ARGS__}, (int)(sizeof((const sni_dim[]){__VA_ARGS__}) / sizeof(sni_dim))
#define SNI_NO_ATTRS NULL, 0

static inline void check_type(const sni_type *type, const char *expected) {
  char text[256];
  sni_type_format(graph->dims, type, text, sizeof(text));
  ck_assert_str_eq(text, expected);
}

#endif
