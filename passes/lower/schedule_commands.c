// The parallel schedule: phases of tasks (runtime/executable.h), by list scheduling along the
// critical path, as far as memory allows (docs/adr/002-independent-commands-run-side-by-side.md).
//
// A phase starts with the first command, in program order, that is not in an earlier one; ready
// commands are pulled into it, those with the longest way to the end first, until it has enough for
// all threads. Program order goes on at each phase, so its arena is always within reach; live_bytes
// tells, for each place of it, what a pulled command adds until its turn would have come.
#include "passes/lower/schedule_commands.h"

#include "codegen/kernel/contraction.h"
#include "passes/lower/cost.h"
#include "passes/lower/library.h"
#include "passes/lower/live_bytes.h"

#include <string.h>

static const uint32_t NONE = UINT32_MAX;

// In nanoseconds. A command from large_ns on is a task of its own, to be split. Tasks take what
// they can get up to task_ns, then only what nobody else could take. A phase of full_ns hides its
// barrier.
static const double least_split_ns = 3000, large_ns = 8000, task_ns = 4000, full_ns = 100000;
static const double barrier_ns = 1000, least_gain = 0.03, arena_growth = 1.25;
enum { balanced_pieces = 16, most_refused = 8, assumed = 64 };

// Memory of the arena: slots that take it over from each other.
typedef struct item {
  int64_t bytes;
  uint32_t first, last;  // commands, in program order
  uint32_t left;         // buffers of commands that are not scheduled
  uint32_t born_in;      // task; NONE: not yet, or in an earlier phase
  bool born;
} item;

// A binary heap: greater keys first, then lower numbers.
typedef struct heap {
  const double *key;  // NULL: by numbers
  uint32_t *items;
  uint32_t count;
} heap;

typedef struct change {  // of live_bytes
  uint32_t begin, end;
  int64_t bytes;
} change;

typedef struct scheduler {
  sni_plan *plan;
  const int64_t *sizes;
  sni_arena *arena;  // scratch
  sni_diag *diag;
  sni_command_graph graph;
  double *ns, *unit_ns, *level;  // level: of the longest way from a command's start to the end
  bool *large;
  uint32_t *waits;   // edges from commands that are not in earlier phases
  uint32_t *inside;  // edges from the task `inside_of`
  uint32_t *inside_of;
  uint32_t *task_of;
  heap ready, eligible;
  uint32_t *refused;
  item *items;  // by place
  sni_live_bytes live;
  int64_t budget;
  change *changes;
  bool *was_born;  // of the buffers of the command at hand
  uint32_t n_changes, changes_capacity, was_born_capacity;
  // of the phase
  uint32_t anchor, cursor;
  double work_ns, longest_ns;
  // of the task
  uint32_t task;
  double cost_ns;
  int64_t spare;  // bytes that were born and died in it
  // result
  uint32_t *order;
  sni_task *tasks;
  sni_phase *phases;
  uint32_t n_order, n_tasks, n_phases;
} scheduler;

// ---- heaps

static bool goes_first(const heap *h, uint32_t a, uint32_t b) {
  if (h->key && h->key[a] != h->key[b]) return h->key[a] > h->key[b];
  return a < b;
}

static void put(heap *h, uint32_t command) {
  uint32_t at = h->count++;
  for (; at > 0 && goes_first(h, command, h->items[(at - 1) / 2]); at = (at - 1) / 2)
    h->items[at] = h->items[(at - 1) / 2];
  h->items[at] = command;
}

static uint32_t take(heap *h) {
  const uint32_t first = h->items[0], last = h->items[--h->count];
  uint32_t at = 0;
  while (2 * at + 1 < h->count) {
    uint32_t child = 2 * at + 1;
    if (child + 1 < h->count && goes_first(h, h->items[child + 1], h->items[child])) child++;
    if (!goes_first(h, h->items[child], last)) break;
    h->items[at] = h->items[child];
    at = child;
  }
  h->items[at] = last;
  return first;
}

// ---- memory

static item *item_of(scheduler *s, const sni_plan_command *c, uint32_t buffer) {
  const uint32_t place = s->graph.place[c->slots[buffer]];
  return s->plan->slots[place].kind == SNI_SLOT_TEMPORARY ? &s->items[place] : NULL;
}

static void change_live(scheduler *s, uint32_t begin, uint32_t end, int64_t bytes) {
  sni_live_bytes_add(&s->live, begin, end, bytes);
  s->changes[s->n_changes++] = (change){begin, end, bytes};
}

// Born at the anchor's place instead of its own: in the room of what the task no longer needs.
static void bear(scheduler *s, item *x) {
  const int64_t spare = s->spare < x->bytes ? s->spare : x->bytes;
  x->born = true;
  x->born_in = s->task;
  if (x->first <= s->anchor) return;
  s->spare -= spare;
  change_live(s, s->anchor, s->anchor + 1, x->bytes - spare);
  change_live(s, s->anchor + 1, x->first, x->bytes);
}

static sn_status touch_items(scheduler *s, uint32_t command) {
  const sni_plan_command *c = &s->plan->commands[command];
  s->n_changes = 0;
  SNI_TRY(sni_arena_grow(s->arena, s->diag, (void **)&s->changes, &s->changes_capacity,
                         3 * c->n_slots + 1, sizeof *s->changes));
  for (uint32_t b = 0; b < c->n_slots;
       b++) {  // results have no room in what dies with this command
    item *x = item_of(s, c, b);
    if (x && !x->born) bear(s, x);
  }
  for (uint32_t b = 0; b < c->n_slots; b++) {
    item *x = item_of(s, c, b);
    if (!x || --x->left) continue;
    change_live(s, s->anchor + 1, x->last + 1, -x->bytes);
    if (x->born_in == s->task) s->spare += x->bytes;
  }
  return SN_OK;
}

static void undo_touch(scheduler *s, uint32_t command, int64_t spare) {
  const sni_plan_command *c = &s->plan->commands[command];
  for (uint32_t i = 0; i < s->n_changes; i++)
    sni_live_bytes_add(&s->live, s->changes[i].begin, s->changes[i].end, -s->changes[i].bytes);
  for (uint32_t b = 0; b < c->n_slots; b++) {
    item *x = item_of(s, c, b);
    if (!x) continue;
    x->left++;
    x->born = s->was_born[b];
    if (!x->born) x->born_in = NONE;
  }
  s->spare = spare;
}

// Moves the command to the anchor's place if that keeps the arena within its budget.
static sn_status try_memory(scheduler *s, uint32_t command, bool *out_fits) {
  const sni_plan_command *c = &s->plan->commands[command];
  const int64_t spare = s->spare;
  SNI_TRY(sni_arena_grow(s->arena, s->diag, (void **)&s->was_born, &s->was_born_capacity,
                         c->n_slots + 1, sizeof *s->was_born));
  for (uint32_t b = 0; b < c->n_slots; b++) {
    const item *x = item_of(s, c, b);
    s->was_born[b] = !x || x->born;
  }
  SNI_TRY(touch_items(s, command));
  *out_fits =
      command == s->anchor || sni_live_bytes_most(&s->live, s->anchor, command + 1) <= s->budget;
  if (!*out_fits) undo_touch(s, command, spare);
  return SN_OK;
}

static sn_status measure_memory(scheduler *s) {
  const sni_plan *plan = s->plan;
  s->items = SNI_ARENA_ARRAY(s->arena, item, plan->n_slots + 1);
  if (!s->items || !sni_live_bytes_init(&s->live, plan->n_commands, s->arena))
    return sni_fail_memory(s->diag, plan->n_commands, "a schedule");
  for (uint32_t i = 0; i < plan->n_slots; i++) s->items[i] = (item){.first = NONE, .born_in = NONE};
  for (uint32_t i = 0; i < plan->n_slots; i++) {
    const sni_size_ref ref = plan->slots[i].bytes;
    const int64_t bytes = ref >= 0 ? ref : s->sizes[-(ref + 1)];
    item *x = &s->items[s->graph.place[i]];
    if (bytes > x->bytes) x->bytes = bytes < INT64_MAX / 4096 ? bytes : INT64_MAX / 4096;
  }
  for (uint32_t c = 0; c < plan->n_commands; c++)
    for (uint32_t b = 0; b < plan->commands[c].n_slots; b++) {
      item *x = item_of(s, &plan->commands[c], b);
      if (!x) continue;
      if (x->first == NONE) x->first = c;
      x->last = c;
      x->left++;
    }
  for (uint32_t i = 0; i < plan->n_slots; i++)
    if (s->items[i].left)
      sni_live_bytes_add(&s->live, s->items[i].first, s->items[i].last + 1, s->items[i].bytes);
  const double most = (double)sni_live_bytes_most(&s->live, 0, plan->n_commands);
  s->budget = (int64_t)(most * arena_growth);
  if (s->budget < SNI_ARENA_FREE_BYTES) s->budget = SNI_ARENA_FREE_BYTES;
  return SN_OK;
}

// ---- tasks

static void commit(scheduler *s, uint32_t command) {
  s->task_of[command] = s->task;
  s->order[s->n_order++] = command;
  s->tasks[s->task].count++;
  s->cost_ns += s->ns[command];
  s->work_ns += s->ns[command];
  const double whole = s->large[command] ? s->unit_ns[command] : s->cost_ns;
  if (whole > s->longest_ns) s->longest_ns = whole;
  for (uint32_t e = s->graph.first[command]; e < s->graph.first[command + 1]; e++) {
    const uint32_t next = s->graph.next[e];
    if (s->inside_of[next] != s->task) s->inside[next] = 0;
    s->inside_of[next] = s->task;
    if (++s->inside[next] == s->waits[next] && !s->large[next]) put(&s->eligible, next);
  }
}

// Adds what waits for nothing but this task and earlier phases. A long task goes on only where
// there is one way: others could run the second.
static sn_status grow(scheduler *s) {
  while (s->eligible.count > 0 && (s->cost_ns < task_ns || s->eligible.count == 1)) {
    const uint32_t next = take(&s->eligible);
    bool fits = false;
    SNI_TRY(try_memory(s, next, &fits));
    if (!fits) break;
    commit(s, next);
  }
  s->eligible.count = 0;
  return SN_OK;
}

static void open_task(scheduler *s) {
  s->task = s->n_tasks++;
  s->tasks[s->task] = (sni_task){s->n_order, 0};
  s->cost_ns = 0;
  s->spare = 0;
  s->eligible.count = 0;
}

// Puts a command whose memory fits into the open task.
static sn_status join(scheduler *s, uint32_t command) {
  commit(s, command);
  return s->large[command] ? SN_OK : grow(s);
}

// A task runs its commands in program order. Insertion: they mostly are.
static void sort_tasks(scheduler *s, uint32_t first_task) {
  for (uint32_t t = first_task; t < s->n_tasks; t++) {
    uint32_t *items = s->order + s->tasks[t].first;
    for (uint32_t i = 1; i < s->tasks[t].count; i++) {
      const uint32_t command = items[i];
      uint32_t j = i;
      for (; j > 0 && items[j - 1] > command; j--) items[j] = items[j - 1];
      items[j] = command;
    }
  }
}

// ---- phases

static bool is_full(const scheduler *s) {
  return s->work_ns >= full_ns && s->work_ns >= balanced_pieces * s->longest_ns;
}

static sn_status fill_phase(scheduler *s) {
  uint32_t n_refused = 0;
  while (!is_full(s) && s->ready.count > 0 && n_refused < most_refused) {
    const uint32_t command = take(&s->ready);
    bool fits = false;
    if (s->task_of[command] != NONE) continue;
    const bool joins = !s->large[command] && !s->large[s->order[s->n_order - 1]] &&
                       s->cost_ns < task_ns && s->ns[command] < task_ns;
    const int64_t spare = s->spare;
    const double cost_ns = s->cost_ns;
    const uint32_t task = s->task;
    if (!joins) open_task(s);
    SNI_TRY(try_memory(s, command, &fits));
    if (fits) {
      SNI_TRY(join(s, command));
      continue;
    }
    if (!joins) {
      s->n_tasks--;
      s->task = task;
      s->cost_ns = cost_ns;
      s->spare = spare;
    }
    s->refused[n_refused++] = command;
  }
  for (uint32_t i = 0; i < n_refused; i++) put(&s->ready, s->refused[i]);
  return SN_OK;
}

static sn_status make_phase(scheduler *s) {
  const uint32_t first_task = s->n_tasks, first = s->n_order;
  bool fits;
  while (s->task_of[s->cursor] != NONE) s->cursor++;
  s->anchor = s->cursor;
  s->work_ns = s->longest_ns = 0;
  open_task(s);
  SNI_TRY(try_memory(s, s->anchor, &fits));
  SNI_TRY(join(s, s->anchor));
  SNI_TRY(fill_phase(s));
  sort_tasks(s, first_task);
  s->phases[s->n_phases++] = (sni_phase){first_task, s->n_tasks - first_task};
  for (uint32_t i = first; i < s->n_order; i++) {
    const uint32_t c = s->order[i];
    for (uint32_t e = s->graph.first[c]; e < s->graph.first[c + 1]; e++)
      if (--s->waits[s->graph.next[e]] == 0 && s->task_of[s->graph.next[e]] == NONE)
        put(&s->ready, s->graph.next[e]);
  }
  return SN_OK;
}

// ---- gain

static double split_ns(double ns, double unit_ns, double threads) {
  const double share = ns / threads;
  return (share > unit_ns ? share : unit_ns) + barrier_ns;
}

static double alone_ns(const scheduler *s, uint32_t c, double threads) {
  const bool splits = s->unit_ns[c] < s->ns[c] && s->ns[c] > least_split_ns;
  return splits ? split_ns(s->ns[c], s->unit_ns[c], threads) : s->ns[c];
}

static double phase_ns(const scheduler *s, const sni_phase *phase, double threads) {
  double serial = 0, all = 0, longest = 0;
  for (uint32_t t = phase->first; t < phase->first + phase->count; t++) {
    const sni_task *task = &s->tasks[t];
    double whole = 0;
    for (uint32_t i = task->first; i < task->first + task->count; i++) {
      const uint32_t c = s->order[i];
      serial += alone_ns(s, c, threads);
      all += s->ns[c];
      whole += s->large[c] ? s->unit_ns[c] : s->ns[c];
    }
    if (whole > longest) longest = whole;
  }
  const double together = split_ns(all, longest, threads);
  const bool alone = phase->count == 1 || all < SNI_LEAST_PHASE_NS || serial < together;
  return alone ? serial : together;
}

static bool pays(const scheduler *s, double threads) {
  double serial = 0, parallel = 0;
  for (uint32_t c = 0; c < s->plan->n_commands; c++) serial += alone_ns(s, c, threads);
  for (uint32_t p = 0; p < s->n_phases; p++) parallel += phase_ns(s, &s->phases[p], threads);
  return parallel < (1 - least_gain) * serial;
}

// ---- costs

static int64_t size_of(const int64_t *sizes, sni_size_ref ref) {
  return ref >= 0 ? ref : sizes[-(ref + 1)];
}

// Of one part.
static double units_of(const sni_plan_command *c, uint32_t part, const int64_t *sizes) {
  const uint32_t n = c->n_extents / sni_plan_parts(c);
  double units = 1;
  for (uint32_t i = 0; i < n; i++) {
    const sni_size_ref ref = c->extents[part * n + i];
    const int64_t extent = size_of(sizes, ref);
    const int64_t known = extent > 0 ? extent : ref < 0 ? assumed : 0;
    units *= known > 0 ? (double)((known - 1) / c->grains[i] + 1) : 0;
  }
  return units;
}

static bool same_numbers(const int64_t *a, const int64_t *b, uint32_t n) {
  return !n || !memcmp(a, b, n * sizeof *a);
}

// The mean over the units of all parts. params: room for those of two parts.
static double mean_unit_ns(const sni_plan_command *c, const int64_t *sizes, int64_t *params,
                           int vector_bits) {
  const uint32_t n_parts = sni_plan_parts(c), n = c->n_params / n_parts;
  double ns = 0, all_units = 0, unit_ns = 0;
  int64_t *before = params + n;
  for (uint32_t part = 0; part < n_parts; part++) {
    for (uint32_t p = 0; p < n; p++) params[p] = size_of(sizes, c->params[part * n + p]);
    const double units = units_of(c, part, sizes);
    const bool known = part > 0 && same_numbers(params, before, n);
    if (n) memcpy(before, params, n * sizeof *params);
    if (!known)
      unit_ns = c->kernel ? sni_tree_cost(c->kernel, params, vector_bits)
                          : c->library->unit_ns(c->call, params, vector_bits);
    ns += units * unit_ns;
    all_units += units;
  }
  return n_parts > 1 && all_units > 0 ? ns / all_units : unit_ns;
}

sn_status sni_estimate_costs(const sni_plan *plan, sni_plan_command *commands, const int64_t *sizes,
                             int vector_bits, sni_arena *arena, sni_diag *diag) {
  int64_t *params = NULL;
  uint32_t capacity = 0;
  for (uint32_t i = 0; i < plan->n_commands; i++) {
    sni_plan_command *c = &commands[i];
    SNI_TRY(sni_arena_grow(arena, diag, (void **)&params, &capacity,
                           2 * (c->n_params / sni_plan_parts(c)) + 1, sizeof *params));
    c->ns_per_unit = mean_unit_ns(c, sizes, params, vector_bits);
  }
  return SN_OK;
}

static double measure_work(scheduler *s) {
  double total = 0;
  for (uint32_t c = 0; c < s->plan->n_commands; c++) {
    const sni_plan_command *command = &s->plan->commands[c];
    double units = 0;
    for (uint32_t part = 0; part < sni_plan_parts(command); part++)
      units += units_of(command, part, s->sizes);
    s->unit_ns[c] = command->ns_per_unit;
    s->ns[c] = s->unit_ns[c] * units;
    const bool shares = command->kernel && sni_tree_has_segments(command->kernel);
    s->large[c] = (units >= 2 || shares) && s->ns[c] >= large_ns;
    total += s->ns[c];
  }
  return total;
}

// ---- all of it

static sn_status make_arrays(scheduler *s) {
  const size_t n = s->plan->n_commands + 1;
  s->ns = SNI_ARENA_ARRAY(s->arena, double, n);
  s->unit_ns = SNI_ARENA_ARRAY(s->arena, double, n);
  s->level = SNI_ARENA_ARRAY(s->arena, double, n);
  s->large = SNI_ARENA_ARRAY(s->arena, bool, n);
  s->inside = SNI_ARENA_ARRAY(s->arena, uint32_t, n);
  s->inside_of = SNI_ARENA_ARRAY(s->arena, uint32_t, n);
  s->task_of = SNI_ARENA_ARRAY(s->arena, uint32_t, n);
  s->ready.items = SNI_ARENA_ARRAY(s->arena, uint32_t, n);
  s->eligible.items = SNI_ARENA_ARRAY(s->arena, uint32_t, n);
  s->refused = SNI_ARENA_ARRAY(s->arena, uint32_t, most_refused);
  s->order = SNI_ARENA_ARRAY(s->arena, uint32_t, n);
  s->tasks = SNI_ARENA_ARRAY(s->arena, sni_task, n);
  s->phases = SNI_ARENA_ARRAY(s->arena, sni_phase, n);
  const bool ok = s->ns && s->unit_ns && s->level && s->large && s->inside && s->inside_of &&
                  s->task_of && s->ready.items && s->eligible.items && s->refused && s->order &&
                  s->tasks && s->phases;
  return ok ? SN_OK : sni_fail_memory(s->diag, n * sizeof(double), "a schedule");
}

static void start(scheduler *s) {
  const uint32_t n = s->plan->n_commands;
  for (uint32_t c = n; c-- > 0;) {
    double after = 0;
    for (uint32_t e = s->graph.first[c]; e < s->graph.first[c + 1]; e++)
      if (s->level[s->graph.next[e]] > after) after = s->level[s->graph.next[e]];
    s->level[c] = after + s->ns[c];
    s->task_of[c] = s->inside_of[c] = NONE;
  }
  s->ready.key = s->level;
  for (uint32_t c = 0; c < n; c++)
    if (s->waits[c] == 0) put(&s->ready, c);
}

static sn_status keep_schedule(const scheduler *s, sni_arena *arena) {
  sni_plan *plan = s->plan;
  plan->order = sni_arena_copy(arena, s->order, s->n_order * sizeof *s->order);
  plan->tasks = sni_arena_copy(arena, s->tasks, s->n_tasks * sizeof *s->tasks);
  plan->phases = sni_arena_copy(arena, s->phases, s->n_phases * sizeof *s->phases);
  if (!plan->order || !plan->tasks || !plan->phases)
    return sni_fail_memory(s->diag, s->n_order * sizeof *s->order, "a schedule");
  plan->n_tasks = s->n_tasks;
  plan->n_phases = s->n_phases;
  return SN_OK;
}

static sn_status schedule(scheduler *s, sni_arena *arena) {
  SNI_TRY(make_arrays(s));
  if (measure_work(s) < SNI_LEAST_PHASE_NS) return SN_OK;
  SNI_TRY(sni_command_graph_create(s->plan, s->arena, s->diag, &s->graph));
  s->waits = sni_arena_copy(s->arena, s->graph.waits, s->plan->n_commands * sizeof *s->waits);
  if (!s->waits) return sni_fail_memory(s->diag, s->plan->n_commands, "a schedule");
  SNI_TRY(measure_memory(s));
  start(s);
  while (s->n_order < s->plan->n_commands) SNI_TRY(make_phase(s));
  if (s->n_phases == s->n_tasks || !(pays(s, 2) || pays(s, 16))) return SN_OK;
  return keep_schedule(s, arena);
}

sn_status sni_schedule_commands(sni_plan *plan, const int64_t *sizes, sni_arena *arena,
                                sni_diag *diag) {
  sni_arena scratch;
  plan->n_tasks = plan->n_phases = 0;
  if (plan->n_commands < 2) return SN_OK;
  for (uint32_t c = 0; c < plan->n_commands; c++)
    if (plan->commands[c].control) return SN_OK;  // its bodies have the pool for themselves
  sni_arena_init(&scratch, arena->allocator);
  scheduler s = {.plan = plan, .sizes = sizes, .arena = &scratch, .diag = diag};
  const sn_status status = schedule(&s, arena);
  sni_arena_deinit(&scratch);
  return status;
}
