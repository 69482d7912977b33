// Lists: commands of kernels alike that wait for nobody between them become one command of several
// parts (docs/adr/006-lists-of-parts.md), at the place of the last of them: the updates of all variables.
//
//   plan   who waits for whom -> for each class of kernels, from the last command on: whoever may run
//          as late as that one, and loses next to nothing in the caches
//   join   after share_kernels.c: those whose kernels have become one, each kernel's at the place of
//          its own last
//
// Invariants: a command joins only if all that wait for it come behind the list, so that nobody else
// moves; results of a list are read by no later command, so that it stands in nobody's way; the
// temporaries alive never exceed what program order needed.
#include "passes/lower/command_graph.h"
#include "passes/lower/cost.h"
#include "passes/lower/group.h"
#include "passes/lower/live_bytes.h"

#include <string.h>

static const uint32_t NONE = UINT32_MAX;

// What a join may cost in the caches, in ns. On one thread a part costs what a command does, 6 ns;
// with several a command saved is a barrier of the pool or a claim, 200 to 1,000 ns.
static const double most_loss_ns = 15;
enum { most_rounds = 16, most_leaders = 8 };  // lists of a class; kernels of what was to be a list

// Memory of the arena: slots that take it over from each other.
typedef struct item {
  uint32_t first, last;  // commands
} item;

typedef struct planner {
  sni_lowering *l;
  sni_arena scratch;
  const int64_t *sizes;
  sni_command_graph graph;
  uint32_t *until;    // per command: the first that waits for it; n_commands
  double *touched;    // n_commands + 1: bytes of the arguments of all commands before
  uint32_t *buffers;  // per command: number of its first buffer in `before`
  uint32_t *before;   // per buffer: the last earlier command that touched it; NONE
  bool *joins;        // per command: may be in a list at all
  item *items;        // per place
  sni_live_bytes live;
  int64_t budget;
  uint32_t *waiting, *left;  // of a class
} planner;

// ---- what is known of the commands

static int64_t bytes_of(const planner *p, uint32_t slot) {
  const sni_size_ref ref = p->l->slots[slot].bytes;
  const int64_t bytes = ref >= 0 ? ref : p->sizes[-(ref + 1)];
  return bytes < INT64_MAX / 4096 ? bytes : INT64_MAX / 4096;
}

static sn_status make_graph(planner *p) {
  sni_lowering *l = p->l;
  sni_plan view = *l->plan;
  view.slots = l->slots;
  view.n_slots = l->n_slots;
  view.commands = l->commands;
  view.n_commands = l->n_commands;
  return sni_command_graph_create(&view, &p->scratch, l->diag, &p->graph);
}

static sn_status make_arrays(planner *p) {
  const size_t n = p->l->n_commands + 1;
  size_t n_buffers = 1;
  for (uint32_t c = 0; c < p->l->n_commands; c++) n_buffers += p->l->commands[c].n_slots;
  p->until = SNI_ARENA_ARRAY(&p->scratch, uint32_t, n);
  p->touched = SNI_ARENA_ARRAY(&p->scratch, double, n);
  p->buffers = SNI_ARENA_ARRAY(&p->scratch, uint32_t, n);
  p->before = SNI_ARENA_ARRAY(&p->scratch, uint32_t, n_buffers);
  p->joins = SNI_ARENA_ARRAY(&p->scratch, bool, n);
  p->items = SNI_ARENA_ARRAY(&p->scratch, item, p->l->n_slots + 1);
  p->waiting = SNI_ARENA_ARRAY(&p->scratch, uint32_t, n);
  p->left = SNI_ARENA_ARRAY(&p->scratch, uint32_t, n);
  const bool ok = p->until && p->touched && p->buffers && p->before && p->joins && p->items &&
                  p->waiting && p->left && sni_live_bytes_init(&p->live, (uint32_t)n, &p->scratch);
  return ok ? SN_OK : sni_fail_memory(p->l->diag, n_buffers * sizeof(uint32_t), "lists");
}

// Forwards: who touched what before, and what lives from where to where.
static sn_status follow_commands(planner *p) {
  const sni_lowering *l = p->l;
  uint32_t *last = SNI_ARENA_ARRAY(&p->scratch, uint32_t, l->n_slots + 1), n = 0;
  if (!last) return sni_fail_memory(l->diag, l->n_slots * sizeof *last, "lists");
  for (uint32_t s = 0; s <= l->n_slots; s++) {
    last[s] = NONE;
    p->items[s].first = NONE;
  }
  for (uint32_t c = 0; c < l->n_commands; c++) {
    const sni_plan_command *command = &l->commands[c];
    p->buffers[c] = n;
    p->touched[c + 1] = p->touched[c];
    for (uint32_t b = 0; b < command->n_slots; b++) {
      p->before[n++] = last[p->graph.place[command->slots[b]]];
      p->touched[c + 1] += (double)bytes_of(p, command->slots[b]);
    }
    for (uint32_t b = 0; b < command->n_slots; b++) {
      const uint32_t place = p->graph.place[command->slots[b]];
      last[place] = c;
      if (p->items[place].first == NONE) p->items[place].first = c;
      p->items[place].last = c;
    }
  }
  return SN_OK;
}

static bool is_temporary(const planner *p, uint32_t place) {
  return p->l->slots[place].kind == SNI_SLOT_TEMPORARY;
}

// A place is as large as the largest of its slots; they take over slots of their own size.
static void measure_memory(planner *p) {
  for (uint32_t s = 0; s < p->l->n_slots; s++) {
    const item *x = &p->items[s];
    if (p->graph.place[s] == s && is_temporary(p, s) && x->first != NONE)
      sni_live_bytes_add(&p->live, x->first, x->last + 1, bytes_of(p, s));
  }
  p->budget = sni_live_bytes_most(&p->live, 0, p->l->n_commands);
  if (p->budget < SNI_ARENA_FREE_BYTES) p->budget = SNI_ARENA_FREE_BYTES;
}

// Backwards: who waits, and whose results nobody reads later. Commands that may fault stay what
// they are: each has its message.
static sn_status find_candidates(planner *p, const uint32_t *class_of) {
  const sni_lowering *l = p->l;
  bool *read = SNI_ARENA_ARRAY(&p->scratch, bool, l->n_slots + 1);
  if (!read) return sni_fail_memory(l->diag, l->n_slots, "lists");
  for (uint32_t c = l->n_commands; c-- > 0;) {
    const sni_plan_command *command = &l->commands[c];
    p->until[c] = l->n_commands;
    for (uint32_t e = p->graph.first[c]; e < p->graph.first[c + 1]; e++)
      if (p->graph.next[e] < p->until[c]) p->until[c] = p->graph.next[e];
    p->joins[c] = class_of[c] != SNI_ALONE && !sni_command_faults(command);
    for (uint32_t b = 0; b < command->n_slots; b++)
      if (sni_command_writes(command, b) && read[p->graph.place[command->slots[b]]])
        p->joins[c] = false;
    for (uint32_t b = 0; b < command->n_slots; b++)
      if (sni_command_reads(command, b)) read[p->graph.place[command->slots[b]]] = true;
  }
  return SN_OK;
}

// ---- joins

// What the command loses when it runs at `at`: what was touched shortly before it may have left the
// caches by then.
static double loss_of(const planner *p, uint32_t command, uint32_t at) {
  const sni_plan_command *c = &p->l->commands[command];
  double ns = 0;
  for (uint32_t b = 0; b < c->n_slots; b++) {
    const uint32_t before = p->before[p->buffers[command] + b];
    if (before == NONE || !sni_command_reads(c, b)) continue;
    const double bytes = (double)bytes_of(p, c->slots[b]);
    ns += sni_bytes_cost(bytes, p->touched[at + 1] - p->touched[before]) -
          sni_bytes_cost(bytes, p->touched[command + 1] - p->touched[before]);
  }
  return ns;
}

// Lets what the command uses live until `at`. False: there is no room, nothing has changed.
static bool extend(planner *p, uint32_t command, uint32_t at) {
  const sni_plan_command *c = &p->l->commands[command];
  uint32_t b = 0;
  bool fits = true;
  for (; b < c->n_slots && fits; b++) {
    const uint32_t place = p->graph.place[c->slots[b]];
    const item *x = &p->items[place];
    if (!is_temporary(p, place) || x->last >= at) continue;
    sni_live_bytes_add(&p->live, x->last + 1, at + 1, bytes_of(p, place));
    fits = sni_live_bytes_most(&p->live, x->last + 1, at + 1) <= p->budget;
    if (!fits) break;
  }
  for (uint32_t k = 0; k < c->n_slots; k++) {
    const uint32_t place = p->graph.place[c->slots[k]];
    item *x = &p->items[place];
    if (!is_temporary(p, place) || x->last >= at) continue;
    if (fits)
      x->last = at;
    else if (k <= b)
      sni_live_bytes_add(&p->live, x->last + 1, at + 1, -bytes_of(p, place));
  }
  return fits;
}

static bool fits(planner *p, uint32_t command, uint32_t last) {
  const sni_plan_command *a = &p->l->commands[command], *b = &p->l->commands[last];
  return p->until[command] > last && a->copies == b->copies && a->checked == b->checked &&
         loss_of(p, command, last) < most_loss_ns && extend(p, command, last);
}

// Lists of a class: the last of those that wait, with all that can run as late. waiting: numbers
// upwards.
static void join_class(planner *p, uint32_t n_waiting) {
  for (int round = 0; round < most_rounds && n_waiting > 1; round++) {
    const uint32_t last = p->waiting[n_waiting - 1];
    uint32_t n_left = 0;
    for (uint32_t i = 0; i + 1 < n_waiting; i++) {
      const uint32_t c = p->waiting[i];
      if (fits(p, c, last))
        p->l->list_of[c] = p->l->list_of[last] = last;
      else
        p->left[n_left++] = c;
    }
    memcpy(p->waiting, p->left, n_left * sizeof *p->left);
    n_waiting = n_left;
  }
}

static sn_status join_classes(planner *p, const uint32_t *class_of, uint32_t n_classes) {
  const uint32_t n = p->l->n_commands;
  uint32_t *first = SNI_ARENA_ARRAY(&p->scratch, uint32_t, n_classes + 2);
  uint32_t *members = SNI_ARENA_ARRAY(&p->scratch, uint32_t, n + 1);
  if (!first || !members) return sni_fail_memory(p->l->diag, n * sizeof *members, "lists");
  for (uint32_t c = 0; c < n; c++)
    if (p->joins[c]) first[class_of[c] + 2]++;
  for (uint32_t k = 2; k < n_classes + 2; k++) first[k] += first[k - 1];
  for (uint32_t c = 0; c < n; c++)
    if (p->joins[c]) members[first[class_of[c] + 1]++] = c;
  for (uint32_t k = 0; k < n_classes; k++) {
    const uint32_t count = first[k + 1] - first[k];
    if (count < 2) continue;
    memcpy(p->waiting, members + first[k], count * sizeof *members);
    join_class(p, count);
  }
  return SN_OK;
}

static bool any_alike(const sni_lowering *l, const uint32_t *class_of, uint32_t n_classes,
                      bool *seen) {
  bool alike = false;
  memset(seen, 0, n_classes * sizeof *seen);
  for (uint32_t c = 0; c < l->n_commands; c++) {
    if (class_of[c] == SNI_ALONE) continue;
    alike |= seen[class_of[c]];
    seen[class_of[c]] = true;
  }
  return alike;
}

static sn_status plan_lists(planner *p, const uint32_t *class_of, uint32_t n_classes) {
  bool *seen = SNI_ARENA_ARRAY(&p->scratch, bool, n_classes + 1);
  if (!seen) return sni_fail_memory(p->l->diag, n_classes, "lists");
  if (!any_alike(p->l, class_of, n_classes, seen)) return SN_OK;
  SNI_TRY(sni_hint_sizes(p->l, &p->scratch, &p->sizes));
  SNI_TRY(make_graph(p));
  SNI_TRY(make_arrays(p));
  SNI_TRY(follow_commands(p));
  measure_memory(p);
  SNI_TRY(find_candidates(p, class_of));
  return join_classes(p, class_of, n_classes);
}

sn_status sni_plan_lists(sni_lowering *l, const uint32_t *class_of, uint32_t n_classes) {
  planner p = {.l = l};
  l->list_of = SNI_ARENA_ARRAY(l->arena, uint32_t, l->n_commands + 1);
  if (!l->list_of) return sni_fail_memory(l->diag, l->n_commands * sizeof *l->list_of, "lists");
  for (uint32_t c = 0; c < l->n_commands; c++) l->list_of[c] = SNI_ALONE;
  sni_arena_init(&p.scratch, l->arena->allocator);
  const sn_status status = plan_lists(&p, class_of, n_classes);
  sni_arena_deinit(&p.scratch);
  return status;
}

// ---- one command for a list

typedef struct part_counts {
  uint32_t parts, slots, params, extents;
} part_counts;

// Of what was to be a list each kernel has one of its own, at its last command: who could wait for
// the last of all can wait for that.
static sn_status split_lists(planner *p) {
  sni_lowering *l = p->l;
  uint32_t *next = SNI_ARENA_ARRAY(&p->scratch, uint32_t, l->n_commands);  // leader of the list
  if (!next) return sni_fail_memory(l->diag, l->n_commands * sizeof *next, "lists");
  for (uint32_t c = 0; c < l->n_commands; c++) next[c] = NONE;
  for (uint32_t c = l->n_commands; c-- > 0;) {
    const uint32_t last = l->list_of[c];
    if (last == SNI_ALONE || last == c) continue;
    uint32_t leader = last, n_leaders = 1;
    while (!sni_same_kernel(l, c, leader) && next[leader] != NONE) {
      leader = next[leader];
      n_leaders++;
    }
    const bool found = sni_same_kernel(l, c, leader);
    if (!found && n_leaders < most_leaders) next[leader] = c;
    l->list_of[c] = found ? leader : n_leaders < most_leaders ? c : SNI_ALONE;
  }
  return SN_OK;
}

static sn_status make_list(sni_lowering *l, const part_counts *all, sni_plan_command *list) {
  uint32_t *slots = SNI_ARENA_ARRAY(l->arena, uint32_t, all->slots + 1);
  sni_size_ref *params = SNI_ARENA_ARRAY(l->arena, sni_size_ref, all->params + 1);
  sni_size_ref *extents = SNI_ARENA_ARRAY(l->arena, sni_size_ref, all->extents + 1);
  if (!slots || !params || !extents)
    return sni_fail_memory(l->diag, all->params * sizeof *params, "a list");
  list->slots = slots;
  list->params = params;
  list->extents = extents;
  list->n_slots = list->n_params = list->n_extents = list->n_parts = 0;
  return SN_OK;
}

// The list's arrays are as long as all of its parts need, and ours.
static void add_part(sni_plan_command *list, const sni_plan_command *part) {
  uint32_t *slots = (uint32_t *)(uintptr_t)list->slots;
  sni_size_ref *params = (sni_size_ref *)(uintptr_t)list->params;
  sni_size_ref *extents = (sni_size_ref *)(uintptr_t)list->extents;
  sni_assert(!part->offsets);
  memcpy(slots + list->n_slots, part->slots, part->n_slots * sizeof *slots);
  if (part->n_params)
    memcpy(params + list->n_params, part->params, part->n_params * sizeof *params);
  memcpy(extents + list->n_extents, part->extents, part->n_extents * sizeof *extents);
  list->n_slots += part->n_slots;
  list->n_params += part->n_params;
  list->n_extents += part->n_extents;
  list->n_parts++;
}

// Gives each command its number in the new order: of a list that of its last.
static void number_commands(sni_lowering *l, part_counts *counts, uint32_t *new_number) {
  for (uint32_t c = 0; c < l->n_commands; c++) {
    if (l->list_of[c] == SNI_ALONE) continue;
    part_counts *all = &counts[l->list_of[c]];
    all->parts++;
    all->slots += l->commands[c].n_slots;
    all->params += l->commands[c].n_params;
    all->extents += l->commands[c].n_extents;
  }
  uint32_t n = 0;
  for (uint32_t c = 0; c < l->n_commands; c++)
    if (l->list_of[c] == SNI_ALONE || l->list_of[c] == c) new_number[c] = n++;
  for (uint32_t c = 0; c < l->n_commands; c++)
    if (l->list_of[c] != SNI_ALONE) new_number[c] = new_number[l->list_of[c]];
}

static sn_status prove_order(planner *p, const uint32_t *new_number) {
  SNI_TRY(make_graph(p));
  for (uint32_t c = 0; c < p->l->n_commands; c++)
    for (uint32_t e = p->graph.first[c]; e < p->graph.first[c + 1]; e++)
      if (new_number[p->graph.next[e]] <= new_number[c])
        return sni_fail(p->l->diag, SN_ERR_INTERNAL, "lists: command %u does not wait for %u",
                        p->graph.next[e], c);
  return SN_OK;
}

// For people: groups in the order in which their commands run now.
static sn_status order_groups(sni_lowering *l, const uint32_t *new_number) {
  const uint32_t n = l->plan->n_groups;
  sni_plan_group *groups =
      sni_arena_copy(l->arena, l->plan->groups, n * sizeof *l->plan->groups + 1);
  if (!groups) return sni_fail_memory(l->diag, n * sizeof *groups, "a plan");
  for (uint32_t i = 0; i < n; i++) {
    sni_plan_group group = groups[i];
    uint32_t at = i;
    if (group.n_commands) group.first_command = new_number[group.first_command];
    for (; at > 0 && groups[at - 1].first_command > group.first_command; at--)
      groups[at] = groups[at - 1];
    groups[at] = group;
  }
  l->plan->groups = groups;
  return SN_OK;
}

static sn_status join_commands(planner *p, bool verify) {
  sni_lowering *l = p->l;
  const uint32_t n = l->n_commands;
  part_counts *counts = SNI_ARENA_ARRAY(&p->scratch, part_counts, n);
  uint32_t *new_number = SNI_ARENA_ARRAY(&p->scratch, uint32_t, n);
  sni_plan_command *commands = SNI_ARENA_ARRAY(l->arena, sni_plan_command, n);
  if (!counts || !new_number || !commands)
    return sni_fail_memory(l->diag, n * sizeof *commands, "lists");
  SNI_TRY(split_lists(p));
  number_commands(l, counts, new_number);
  if (verify) SNI_TRY(prove_order(p, new_number));
  for (uint32_t c = 0; c < n; c++) {
    if (l->list_of[c] == SNI_ALONE || l->list_of[c] == c) commands[new_number[c]] = l->commands[c];
    if (l->list_of[c] == c) SNI_TRY(make_list(l, &counts[c], &commands[new_number[c]]));
  }
  for (uint32_t c = 0; c < n; c++)
    if (l->list_of[c] != SNI_ALONE) add_part(&commands[new_number[c]], &l->commands[c]);
  SNI_TRY(order_groups(l, new_number));
  l->n_commands = new_number[n - 1] + 1;
  l->commands_capacity = n;
  l->commands = commands;
  sni_measure_lifetimes(l);
  return SN_OK;
}

sn_status sni_join_commands(sni_lowering *l, bool verify) {
  planner p = {.l = l};
  bool any = false;
  for (uint32_t c = 0; l->list_of && c < l->n_commands; c++) any |= l->list_of[c] != SNI_ALONE;
  if (!any) return SN_OK;
  sni_arena_init(&p.scratch, l->arena->allocator);
  const sn_status status = join_commands(&p, verify);
  sni_arena_deinit(&p.scratch);
  return status;
}
