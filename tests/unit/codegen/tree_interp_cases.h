// What the tests of the interpreter on trees written by hand share.
#ifndef SNI_TESTS_TREE_INTERP_CASES_H
#define SNI_TESTS_TREE_INTERP_CASES_H

#include "tests/unit/codegen/tree_interp_harness.h"

enum { n_buffers = 8, n_params = 4 };

typedef struct tree_case {
  const char *text;
  size_t elements[n_buffers];  // of the GLOBAL buffers
  int64_t params[n_params];
} tree_case;

static sni_allocator allocator;
static sni_arena arena;
static sni_diag diag;

static SNI_UNUSED void setup(void) {
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
}
static SNI_UNUSED void teardown(void) {
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}

static SNI_UNUSED random_tree make(const tree_case *c, bool wild) {
  random_tree r = {.wild = wild};
  memcpy(r.params, c->params, sizeof(c->params));
  memcpy(r.elements, c->elements, sizeof(c->elements));
  for (int i = 0; i < random_buffers; i++) r.same_as[i] = -1;
  sni_arena_reset(&arena);
  ck_assert_msg(sni_tree_parse(&arena, &diag, c->text, strlen(c->text), &r.tree) == SN_OK, "%s\n%s",
                diag.text, c->text);
  return r;
}

static SNI_UNUSED void check_cases(const tree_case *cases, size_t count, bool wild) {
  for (size_t i = 0; i < count; i++) {
    const random_tree r = make(&cases[i], wild);
    tree_check_interp(&r, i, &arena, "case");
  }
}

// The same tree with parameter 0 from a list.
static SNI_UNUSED void check_sizes(const char *text, const size_t *elements, const int64_t *sizes,
                                   size_t count) {
  for (size_t i = 0; i < count; i++) {
    tree_case c = {.text = text, .params = {sizes[i], 3, 5, 7}};
    memcpy(c.elements, elements, sizeof(c.elements));
    check_cases(&c, 1, false);
    check_cases(&c, 1, true);
  }
}
#define SIZES(...) (const int64_t[]){__VA_ARGS__}, SNI_COUNT_OF(((const int64_t[]){__VA_ARGS__}))
#define ELEMENTS(...)         \
  (const size_t[n_buffers]) { \
    __VA_ARGS__               \
  }

#endif
