// Which branches and loops become native kernels, and what the plugin and the cache have to know of one.
//
// Invariant: equal keys make equal code: the key has all that codegen/llvm/emit_flow.c asks for.
#include "passes/native_loops.h"

#include <string.h>

// Longer iterations may gain from several threads, and lose nothing to being called; LLVM's time grows faster than a function.
static const double most_ns = 4000;
enum { most_insts = 2500 };

// ---- which
typedef struct measure {
  double ns;       // of the body that is looked at
  uint32_t insts;  // of all
  bool known, fits;
} measure;

static double part_ns(measure *m, const sni_plan_command *c, uint32_t part) {
  const uint32_t n = c->n_extents / sni_plan_parts(c);
  double units = 1;
  for (uint32_t i = 0; i < n; i++) {
    const sni_size_ref extent = c->extents[part * n + i];
    if (extent < 0) m->known = false;
    units *= extent > 0 ? (double)((extent - 1) / c->grains[i] + 1) : 0;
  }
  return units * c->ns_per_unit;
}

bool sni_runs_bodies(const sni_plan_command *command) {
  return command->control && ((const sni_control_call *)command->call)->kind != SNI_CONTROL_HOST;
}

// Segments learn sizes between them, and the host's functions are the executor's: neither is part of a kernel.
static void measure_body(measure *m, const sni_compiled *body) {
  double ns = 0;
  if (body->n_segments) {
    m->fits = false;
    return;
  }
  for (uint32_t i = 0; i < body->plan->n_commands; i++) {
    const sni_plan_command *c = &body->plan->commands[i];
    if (c->control && !sni_runs_bodies(c)) m->fits = false;
    if (c->control ||
        sni_copies_in_place(c->copies, c->slots, body->plan->slots, body->plan->in_place))
      continue;
    if (c->kernel) m->insts += c->kernel->n_insts * sni_plan_parts(c);
    for (uint32_t p = 0; p < sni_plan_parts(c); p++) ns += part_ns(m, c, p);
  }
  m->fits = m->fits && ns <= most_ns && m->insts <= most_insts;
  for (uint32_t b = 0; b < body->n_bodies; b++) measure_body(m, body->bodies[b]);
}

static sni_body_size size_of(const measure *m) {
  return !m->fits ? SNI_BODY_LONG : m->known ? SNI_BODY_SHORT : SNI_BODY_UNKNOWN;
}

sni_body_size sni_body_size_of(const sni_compiled *body) {
  measure m = {.known = true, .fits = true};
  measure_body(&m, body);
  return size_of(&m);
}

sni_compiled *sni_body_of(const sni_compiled *compiled, const sni_executable *executable) {
  for (uint32_t b = 0; b < compiled->n_bodies; b++)
    if (&compiled->bodies[b]->executable == executable) return compiled->bodies[b];
  return NULL;
}

sni_body_size sni_control_size_of(const sni_compiled *compiled, const sni_control_call *call) {
  measure m = {.known = true, .fits = true};
  for (uint32_t b = 0; b < call->n_bodies; b++)
    measure_body(&m, sni_body_of(compiled, call->bodies[b]));
  return size_of(&m);
}

// ---- for the plugin
static sn_status create_body(const sni_compiled *body, sni_arena *arena, sni_diag *diag,
                             sni_flow_body *out) {
  const sni_plan *plan = body->plan;
  const sni_tree **kernels = SNI_ARENA_ARRAY(arena, const sni_tree *, plan->n_commands + 1);
  const sni_flow **controls = SNI_ARENA_ARRAY(arena, const sni_flow *, plan->n_commands + 1);
  if (!kernels || !controls) return sni_fail_memory(diag, plan->n_commands, "a loop");
  *out = (sni_flow_body){&body->executable, kernels, controls};
  for (uint32_t i = 0; i < plan->n_commands; i++) {
    sni_flow *inner;
    kernels[i] = plan->commands[i].kernel;
    if (!plan->commands[i].control) continue;
    SNI_TRY(sni_flow_create(body, &plan->commands[i], arena, diag, &inner));
    controls[i] = inner;
  }
  return SN_OK;
}

// Its bodies nest 32 deep at most.
sn_status sni_flow_create(const sni_compiled *compiled, const sni_plan_command *command,
                          sni_arena *arena, sni_diag *diag, sni_flow **out_flow) {
  const sni_control_call *call = command->call;
  sni_flow *flow = SNI_ARENA_NEW(arena, sni_flow);
  sni_flow_body *bodies = SNI_ARENA_ARRAY(arena, sni_flow_body, call->n_bodies);
  if (!flow || !bodies) return sni_fail_memory(diag, sizeof *flow, "a loop");
  for (uint32_t b = 0; b < call->n_bodies; b++)
    SNI_TRY(create_body(sni_body_of(compiled, call->bodies[b]), arena, diag, &bodies[b]));
  *flow = (sni_flow){call, command->params, bodies, sni_native_steps(call)};
  *out_flow = flow;
  return SN_OK;
}

sn_status sni_flow_expand(sni_flow *flow, sni_arena *arena, sni_diag *diag) {
  for (uint32_t b = 0; b < flow->call->n_bodies; b++) {
    const sni_flow_body *body = &flow->bodies[b];
    const sni_tree **kernels = (const sni_tree **)(uintptr_t)body->kernels;
    for (uint32_t i = 0; i < body->executable->n_commands; i++) {
      sni_tree *expanded;
      if (body->controls[i])
        SNI_TRY(sni_flow_expand((sni_flow *)(uintptr_t)body->controls[i], arena, diag));
      if (!kernels[i]) continue;
      SNI_TRY(sni_tree_expand(kernels[i], arena, diag, &expanded));
      kernels[i] = expanded;
    }
  }
  return SN_OK;
}

uint32_t sni_flow_kernels(const sni_flow *flow) {
  uint32_t n = 0;
  for (uint32_t b = 0; b < flow->call->n_bodies; b++)
    for (uint32_t i = 0; i < flow->bodies[b].executable->n_commands; i++)
      n += flow->bodies[b].controls[i] ? sni_flow_kernels(flow->bodies[b].controls[i])
                                       : flow->bodies[b].kernels[i] != NULL;
  return n;
}

// ---- for the cache
typedef struct words {
  sni_arena *arena;
  sni_diag *diag;
  int64_t *at;
  uint32_t n, capacity;
  sn_status status;
} words;

static int64_t *add_words(words *w, uint32_t n) {
  if (!w->status)
    w->status =
        sni_arena_grow(w->arena, w->diag, (void **)&w->at, &w->capacity, w->n + n, sizeof(*w->at));
  if (w->status) return NULL;
  w->n += n;
  return w->at + w->n - n;
}

static void add(words *w, int64_t word) {
  int64_t *at = add_words(w, 1);
  if (at) *at = word;
}

// Of a size that a run decides its place is known alone.
static void add_sizes(words *w, const sni_size_ref *refs, uint32_t n) {
  add(w, n);
  for (uint32_t i = 0; i < n; i++) add(w, refs[i] < 0 ? -1 : refs[i]);
}

static void add_tree(words *w, const sni_tree *tree) {
  const size_t first = offsetof(sni_tree, n_params), bytes = tree->schedule_bytes - first;
  int64_t *at = add_words(w, (uint32_t)(bytes + 7) / 8 + 1);
  if (!at) return;
  at[0] = (int64_t)bytes;
  at[(bytes + 7) / 8] = 0;
  memcpy(at + 1, (const char *)tree + first, bytes);
}

static void add_slots(words *w, const sni_executable *e, const sni_command *c) {
  for (uint32_t i = 0; i < c->n_buffers; i++) {
    uint32_t s = c->slots[i];
    while (e->slots[s].kind == SNI_SLOT_TEMPORARY && e->slots[s].shares >= 0)
      s = (uint32_t)e->slots[s].shares;
    const bool lasts =
        e->slots[s].kind == SNI_SLOT_TEMPORARY || e->slots[s].kind == SNI_SLOT_CONSTANT;
    add(w, e->slots[s].kind);
    add(w, lasts ? 0 : (int64_t)e->slots[s].index);
    add(w, c->offsets ? c->offsets[i] : 0);
  }
}

static void add_flow(words *w, const sni_flow *flow);

static void add_command(words *w, const sni_flow_body *body, uint32_t number) {
  const sni_command *c = &body->executable->commands[number];
  add(w, c->kind == SNI_COMMAND_CONTROL ? 1 : body->kernels[number] ? 2 : 3);
  add(w, sni_command_parts(c));
  add(w, c->n_buffers);
  add(w, c->faults + 2 * c->copies);
  add_slots(w, body->executable, c);
  add_sizes(w, c->params, c->n_params);
  add_sizes(w, c->extents, c->n_extents);
  for (uint32_t i = 0; c->n_extents && i < c->n_extents / sni_command_parts(c); i++)
    add(w, c->grains[i]);
  if (body->kernels[number]) add_tree(w, body->kernels[number]);
  if (body->controls[number]) add_flow(w, body->controls[number]);
}

static uint32_t count_params(const sni_control_call *call) {
  return 1 +
         (call->kind == SNI_CONTROL_COND ? 0 : call->n_carries + call->n_rows + call->n_outputs);
}

static void add_flow(words *w, const sni_flow *flow) {
  const sni_control_call *c = flow->call;
  const uint32_t counts[] = {(uint32_t)c->kind, c->n_bodies,  c->n_carries, c->n_xs,
                             c->n_captures,     c->n_outputs, c->n_rows,    c->n_results,
                             c->first_carry,    c->reverse};
  for (size_t i = 0; i < SNI_COUNT_OF(counts); i++) add(w, counts[i]);
  add_sizes(w, flow->params, count_params(c));
  add(w, c->n_kept);
  for (uint32_t i = 0; i < c->n_kept; i++) {
    add(w, c->kept_captures[i]);
    add(w, c->kept_outputs[i]);
  }
  for (uint32_t b = 0; b < c->n_bodies; b++) {
    const sni_executable *e = flow->bodies[b].executable;
    add(w, e->n_commands);
    for (uint32_t i = 0; i < c->n_carries && b + 1 == c->n_bodies; i++) add(w, e->in_place[i]);
    for (uint32_t i = 0; i < e->n_commands; i++) add_command(w, &flow->bodies[b], i);
  }
}

sn_status sni_flow_key(const sni_flow *flow, sni_arena *arena, sni_diag *diag, sni_tree **out_key) {
  enum { flow_version = 1 << 16 };  // no tree has it
  words w = {.arena = arena, .diag = diag};
  const uint32_t header = (uint32_t)(sizeof(sni_tree) + 7) / 8;
  int64_t *zero = add_words(&w, header);
  if (zero) memset(zero, 0, header * sizeof(*zero));
  add_flow(&w, flow);
  if (w.status) return w.status;
  sni_tree *key = (sni_tree *)(void *)w.at;
  key->version = flow_version;
  key->buffers = header * 8;
  key->bytes = key->semantic_bytes = key->schedule_bytes = w.n * 8;
  *out_key = key;
  return SN_OK;
}
