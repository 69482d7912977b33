// What the tests of passes/ share: an arena that must give everything back, graphs from text, and
// random inputs.
#ifndef SNI_TESTS_PASSES_FIXTURE_H
#define SNI_TESTS_PASSES_FIXTURE_H

#include "passes/graph/passes.h"
#include "tests/unit/passes/reference.h"

#include <stdio.h>

static sni_allocator allocator;
static sni_arena arena;
static sni_diag diag;

static inline void setup(void) {
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
}

static inline void teardown(void) {
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}

static inline void check_ok(sn_status status) {
  ck_assert_msg(status == SN_OK, "%s", diag.text);
}

// Parses "func { <body> }".
static inline sni_graph *graph_of(const char *body) {
  char text[4096];
  sni_graph *graph;
  snprintf(text, sizeof(text), "func @test {\n%s\n}\n", body);
  sn_status status = sni_graph_parse(&arena, &diag, text, strlen(text), &graph);
  ck_assert_msg(status == SN_OK, "%s in\n%s", diag.text, text);
  return graph;
}

static inline void check_text(const sni_graph *graph, const char *expected_body) {
  char *text, expected[4096];
  check_ok(sni_graph_print(graph, &allocator, &text));
  snprintf(expected, sizeof(expected), "func @test {\n%s\n}\n", expected_body);
  ck_assert_str_eq(text, expected);
  sni_free(&allocator, text, strlen(text) + 1);
}

// xorshift64*
static inline uint64_t random_bits(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545F4914F6CDD1Dull;
}
static inline double random_between(uint64_t *state, double low, double high) {
  return low + (high - low) * (double)(random_bits(state) >> 11) * 0x1p-53;
}
static inline int random_below(uint64_t *state, int n) {
  return (int)((random_bits(state) >> 33) % (uint64_t)n);
}

#endif
