// A scan in segments of about the square root of its length, in a trace: a scan of the segments, whose body is a scan of one.
// Gradients keep the carries at the beginning of each segment, and those within one while it is walked back
// (passes/gradient/vjp_loops.c), since a step back computes the step anew.
//
// Rows that are left over make a segment of their own, the last one.
#include "frontend/control/loops.h"

#include "frontend/ops/compose.h"

#include <sinter/ops.h>

#include <math.h>
#include <string.h>

typedef struct segments {
  const sni_loop *loop;
  sni_arena *arena;
  int64_t length, each, whole;  // whole: rows of the segments of `each`
} segments;

static sn_status no_memory(const segments *s) {
  return sni_fail_memory(&s->loop->context->diag, sizeof(void *), "a loop");
}

// Rows [first, first + n) of each x.
static sn_status take_rows(const segments *s, int64_t first, int64_t n, sn_tensor **xs) {
  for (int i = 0; i < s->loop->n_xs; i++)
    xs[i] = sni_take(s->loop->context, s->loop->xs[i], 0, first, n);
  return s->loop->context->diag.status;
}

static sn_tensor *with_rows(sn_context *c, sn_tensor *t, const sni_dim *leading, int n, int drops) {
  sni_type type = {.dtype = t->type.dtype, .rank = n};
  if (sn_failed(t)) return t;
  memcpy(type.dims, leading, (size_t)n * sizeof(*leading));
  for (int d = drops; d < t->type.rank; d++) type.dims[type.rank++] = t->type.dims[d];
  return sni_reshape_to(c, t, &type);
}

// The user's body over rows.
static sn_status scan_rows(const segments *s, int64_t length, sn_tensor *const *init,
                           sn_tensor *const *xs, sn_tensor **out) {
  sni_loop inner = *s->loop;
  inner.init = init;
  inner.xs = xs;
  inner.out = out;
  inner.length = length;
  inner.has_length = true;
  return sni_loop_in_trace(&inner);
}

static sn_status scan_segment(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  const segments *s = user;
  const sni_loop *r = s->loop;
  (void)context;
  return scan_rows(s, s->each, in, in + r->n_carries, out);
}

// All segments but the one that is left over.
static sn_status scan_segments(const segments *s, sn_tensor *const *init, sn_tensor **out) {
  const sni_loop *r = s->loop;
  sn_context *c = r->context;
  const sni_dim parts[2] = {s->whole / s->each, s->each}, rows = s->whole;
  sn_tensor **xs = SNI_ARENA_ARRAY(s->arena, sn_tensor *, r->n_xs + 1);
  if (!xs) return no_memory(s);
  SNI_TRY(take_rows(s, 0, s->whole, xs));
  for (int i = 0; i < r->n_xs; i++) {
    if (xs[i]->type.rank == SN_MAX_RANK) return sni_fail_rank(r, i);
    xs[i] = with_rows(c, xs[i], parts, 2, 1);
  }
  sni_loop outer = *r;
  outer.body = scan_segment;
  outer.user = (void *)(uintptr_t)s;
  outer.init = init;
  outer.xs = xs;
  outer.out = out;
  outer.length = parts[0];
  outer.has_length = true;
  SNI_TRY(sni_loop_in_trace(&outer));
  for (int i = r->n_carries; i < r->n_out; i++) out[i] = with_rows(c, out[i], &rows, 1, 2);
  return c->diag.status;
}

static sn_status scan_rest(const segments *s, sn_tensor *const *init, sn_tensor **out) {
  sn_tensor **xs = SNI_ARENA_ARRAY(s->arena, sn_tensor *, s->loop->n_xs + 1);
  if (!xs) return no_memory(s);
  SNI_TRY(take_rows(s, s->whole, s->length - s->whole, xs));
  return scan_rows(s, s->length - s->whole, init, xs, out);
}

static sn_status run(const segments *s) {
  const sni_loop *r = s->loop;
  sn_tensor **first = SNI_ARENA_ARRAY(s->arena, sn_tensor *, 2 * r->n_out + 1),
            **second = first + r->n_out;
  if (!first) return no_memory(s);
  if (s->whole == s->length) return scan_segments(s, r->init, r->out);
  SNI_TRY(r->reverse ? scan_rest(s, r->init, first) : scan_segments(s, r->init, first));
  SNI_TRY(r->reverse ? scan_segments(s, first, second) : scan_rest(s, first, second));
  for (int i = 0; i < r->n_carries; i++) r->out[i] = second[i];
  for (int i = r->n_carries; i < r->n_out; i++)
    r->out[i] = (sn_concat)((sn_tensor *const[]){r->reverse ? second[i] : first[i],
                                                 r->reverse ? first[i] : second[i]},
                            2, 0);
  return r->context->diag.status;
}

static bool known_length(const sni_loop *r, int64_t *out) {
  const sni_dim_table *dims = sni_context_dims(r->context);
  if (r->has_length) return *out = r->length, true;
  for (int i = 1; i < r->n_xs; i++)
    if (!sni_dim_equal(dims, r->xs[0]->type.dims[0], r->xs[i]->type.dims[0])) return false;
  return sni_dim_is_constant(dims, r->xs[0]->type.dims[0], out);
}

sn_status sni_scan_in_segments(const sni_loop *r) {
  enum { shortest = 4 };
  segments s = {.loop = r, .arena = sni_trace_graph(r->context->trace)->arena};
  if (!known_length(r, &s.length) || s.length < shortest) return sni_loop_in_trace(r);
  s.each = (int64_t)sqrt((double)s.length);
  s.whole = s.length / s.each * s.each;
  return run(&s);
}
