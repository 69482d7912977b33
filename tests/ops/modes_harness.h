// Runs a textual graph on the interpreter and on LLVM: the operands' values, the comparison of
// results to the bit, growing text.
#ifndef TESTS_OPS_MODES_HARNESS_H
#define TESTS_OPS_MODES_HARNESS_H

#include "frontend/context/internal.h"
#include "runtime/scalar.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VIEWS = 24 };

static sn_context *tiers[2];  // interpreter, LLVM
static int n_tiers;

static inline void open_tiers(void) {
  n_tiers = SINTER_HAS_LLVM ? 2 : 1;
  for (int i = 0; i < n_tiers; i++)
    ck_assert_int_eq(sn_context_create(&tiers[i], .threads = 1, .plugin_path = SINTER_PLUGIN_PATH,
                                       .backend = i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER),
                     SN_OK);
}

static inline void close_tiers(void) {
  for (int i = 0; i < n_tiers; i++) sn_context_destroy(tiers[i]);
}

// ---- text
typedef struct source {
  char text[1 << 14];
  size_t length;
} source;

static inline void say(source *s, const char *format, ...) SNI_PRINTF(2, 3);
static inline void say(source *s, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(s->text + s->length, sizeof(s->text) - s->length, format, arguments);
  va_end(arguments);
  ck_assert_int_ge(n, 0);
  s->length += (size_t)n;
  ck_assert_uint_lt(s->length, sizeof(s->text));
}

static inline void say_type(source *s, sn_dtype dtype, const sn_shape *shape, bool symbolic) {
  say(s, "%s[", sn_dtype_name(dtype));
  for (int d = 0; d < shape->rank; d++) {
    if (d) say(s, ",");
    if (symbolic && shape->dims[d] != 1) {
      say(s, "%c", 'A' + d);
    } else {
      say(s, "%lld", (long long)shape->dims[d]);
    }
  }
  say(s, "]");
}

// ---- values
static const double float_values[] = {
    0.0,      -0.0,   1,         -1,    0.5,  -2.5,  3.5,    NAN,      INFINITY, -INFINITY,
    1e-40,    -1e-40, FLT_MIN,   -3,    1e-8, -1e-5, 88.5,   -103.9,   709.5,    FLT_MAX,
    -FLT_MAX, 7,      1.5707964, 2.0e9, -3e9, 1e10,  1e-320, 0.999999, -0.75,    0x1p31};
static const int64_t integer_values[] = {0,         1,         -1,        2,     -2,
                                         3,         7,         -8,        31,    32,
                                         33,        63,        64,        65,    INT32_MIN,
                                         INT32_MAX, 5,         10,        100,   -77,
                                         12,        255,       256,       257,   INT32_MIN + 1,
                                         1 << 30,   INT64_MIN, INT64_MAX, 46341, -46341};
enum { N_VALUES = sizeof(float_values) / sizeof(float_values[0]) };
_Static_assert(N_VALUES == sizeof(integer_values) / sizeof(integer_values[0]), "as many of each");

static inline uint32_t hash_of(uint64_t a, uint64_t b) {
  uint64_t h = (a + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u + b * 0x94d049bb133111ebu;
  h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9u;
  return (uint32_t)(h >> 32);
}

// Element i of operand k. The first N_VALUES^2 elements of the first two operands are all pairs of
// the special values; later ones are ordinary.
static inline void set_element(void *data, sn_dtype dtype, int64_t i, int k) {
  uint32_t h = hash_of((uint64_t)i, (uint64_t)k);
  int64_t pick = k == 0 ? i % N_VALUES : k == 1 ? i / N_VALUES % N_VALUES : h % N_VALUES;
  bool special = i < N_VALUES * N_VALUES || h % 8 == 0;
  double f = special ? float_values[pick] : ((double)(h >> 8) / (1 << 21) - 4);
  int64_t n = special ? integer_values[pick] : (int64_t)(h >> 8) % 200 - 100;
  sni_scalar value = {dtype, {.i = dtype == SN_BOOL ? (int64_t)(h & 1) : n}};
  if (sni_is_inexact(dtype)) value.f = f;
  if (sni_is_complex(dtype)) {
    const uint32_t other = hash_of(h, 5);
    value.im = other % 3 ? (double)(other >> 8) / (1 << 21) - 4 : float_values[other % N_VALUES];
  }
  sni_scalar_store(value, data, i);
}

static inline int64_t elements_of(const sn_shape *shape) {
  int64_t n = 1;
  for (int d = 0; d < shape->rank; d++) n *= shape->dims[d];
  return n;
}

static inline sn_view new_view(sn_dtype dtype, const sn_shape *shape) {
  size_t bytes = (size_t)elements_of(shape) * sn_dtype_size(dtype);
  sn_view view = {aligned_alloc(64, (bytes + 127) & ~(size_t)63), dtype, *shape};
  ck_assert_ptr_nonnull(view.data);
  memset(view.data, 0xa5, bytes);
  return view;
}

static inline void fill_view(sn_view *view, int k) {
  int64_t n = elements_of(&view->shape);
  for (int64_t i = 0; i < n; i++) set_element(view->data, view->dtype, i, k);
}

// Which elements differ to the bit, where any NaN is any NaN. -1: none.
static inline int64_t first_difference(const sn_view *a, const sn_view *b) {
  const sn_dtype part = sni_part_dtype(a->dtype);
  size_t size = sn_dtype_size(part), parts = sn_dtype_size(a->dtype) / size;
  int64_t n = elements_of(&a->shape) * (int64_t)parts;
  const char *x = a->data, *y = b->data;
  for (int64_t i = 0; i < n; i++, x += size, y += size) {
    if (memcmp(x, y, size) == 0) continue;
    if (sni_is_float(part) && isnan(sni_scalar_load(part, a->data, i).f) &&
        isnan(sni_scalar_load(part, b->data, i).f))
      continue;
    return i / (int64_t)parts;
  }
  return -1;
}

static inline void check_same(const sn_view *given, const sn_view *expected, const char *what,
                              const char *text) {
  int64_t at = first_difference(given, expected);
  if (at < 0) return;
  size_t size = sn_dtype_size(given->dtype);
  unsigned long long bits[2][2] = {{0, 0}, {0, 0}};
  memcpy(bits[0], (const char *)given->data + (size_t)at * size, size);
  memcpy(bits[1], (const char *)expected->data + (size_t)at * size, size);
  ck_abort_msg("%s: element %lld is 0x%llx 0x%llx, expected 0x%llx 0x%llx\n%s", what, (long long)at,
               bits[0][0], bits[0][1], bits[1][0], bits[1][1], text);
}

// ---- programs of both tiers
typedef struct pair {
  const char *text;
  sn_program *program[2];
  sn_runner *runner[2];
} pair;

static inline pair compile_pair(const source *s) {
  pair p = {.text = s->text};
  for (int i = 0; i < n_tiers; i++) {
    sn_status status = sn_program_from_text(tiers[i], s->text, s->length, &p.program[i]);
    ck_assert_msg(status == SN_OK, "tier %d: %s\n%s", i, sn_error_message(tiers[i]), s->text);
    ck_assert_int_eq(sn_runner_create(tiers[i], p.program[i], 1, &p.runner[i]), SN_OK);
  }
  return p;
}

static inline void release_pair(pair *p) {
  for (int i = 0; i < n_tiers; i++) {
    sn_runner_destroy(p->runner[i]);
    sn_program_release(p->program[i]);
  }
}

// Runs on both and compares; out receives the interpreter's results (to be freed).
static inline int run_pair(const pair *p, const sn_view *in, int n_in, sn_view *out) {
  sn_spec specs[MAX_VIEWS], spec;
  int n_out = sn_program_outputs(p->program[0]);
  ck_assert_int_le(n_out, MAX_VIEWS);
  ck_assert_int_eq(sn_program_inputs(p->program[0]), n_in);
  for (int i = 0; i < n_in; i++) specs[i] = (sn_spec){in[i].dtype, in[i].shape};
  for (int tier = 0; tier < n_tiers; tier++) {
    sn_view views[MAX_VIEWS];
    for (int i = 0; i < n_out; i++) {
      sn_status status =
          sn_program_output_spec(tiers[tier], p->program[tier], specs, n_in, i, &spec);
      ck_assert_msg(status == SN_OK, "%s\n%s", sn_error_message(tiers[tier]), p->text);
      views[i] = new_view(spec.dtype, &spec.shape);
    }
    sn_status status = sn_run(p->runner[tier], in, views);
    ck_assert_msg(status == SN_OK, "tier %d: %s\n%s", tier, sn_runner_error(p->runner[tier]),
                  p->text);
    for (int i = 0; i < n_out; i++) {
      if (tier == 0) {
        out[i] = views[i];
      } else {
        check_same(&views[i], &out[i], "LLVM against the interpreter", p->text);
        free(views[i].data);
      }
    }
  }
  return n_out;
}

static inline void free_views(sn_view *views, int n) {
  for (int i = 0; i < n; i++) {
    free(views[i].data);
    views[i].data = NULL;
  }
}

#endif
