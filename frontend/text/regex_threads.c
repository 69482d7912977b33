// Runs all threads of a program side by side, byte by byte: as many steps as text times program, whatever the expression
// (K. Thompson 1968; captures after R. Pike). Threads stand in the order of liking, and of those that reach an instruction only
// the first lives on.
#include "frontend/text/regex_program.h"

#include <stdlib.h>
#include <string.h>

// What is still to be visited: an instruction, or (slot >= 0) a slot that gets its value back.
struct snt_visit {
  int32_t pc, slot;
  size_t value;
};

void snt_threads_init(snt_threads *t, const snt_program *program) {
  memset(t, 0, sizeof(*t));
  t->program = program;
}

static void free_list(struct snt_thread_list *list) {
  free(list->items);
  free(list->place);
  free(list->saves);
}

void snt_threads_deinit(snt_threads *t) {
  free_list(&t->now);
  free_list(&t->then);
  free(t->stack);
  free(t->saves);
  snt_threads_init(t, t->program);
}

static bool make_list(struct snt_thread_list *list, size_t n) {
  list->items = malloc(n * sizeof(int32_t));
  list->place = calloc(n, sizeof(int32_t));
  return list->items && list->place;
}

static sn_status allocate(snt_threads *t, int slots) {
  const size_t n = (size_t)t->program->n;
  if (t->stack && t->slots == slots) return SN_OK;
  snt_threads_deinit(t);
  t->slots = slots;
  t->stack = malloc((2 * n + 2) * sizeof(struct snt_visit));
  t->saves = malloc((size_t)slots * sizeof(size_t));
  if (make_list(&t->now, n) && make_list(&t->then, n) && t->stack && t->saves) return SN_OK;
  snt_threads_deinit(t);
  return SN_ERR_MEMORY;
}

// Whether the set has an instruction that was visited already; if not it has it from now on.
static bool enter(struct snt_thread_list *list, int32_t pc) {
  const int32_t place = list->place[pc];
  if (place < list->n && list->items[place] == pc) return false;
  list->place[pc] = list->n;
  list->items[list->n++] = pc;
  return true;
}

static sn_status store(snt_threads *t, struct snt_thread_list *list) {
  const size_t at = (size_t)list->n - 1, slots = (size_t)t->slots;
  sn_status status =
      snt_grow((void **)&list->saves, &list->capacity, at + 1, slots * sizeof(size_t));
  if (!status) memcpy(list->saves + at * slots, t->saves, slots * sizeof(size_t));
  return status;
}

// Adds the threads that pc leads to in front of the byte at `at`; t->saves are theirs.
static sn_status add(snt_threads *t, struct snt_thread_list *list, int32_t pc, size_t at,
                     unsigned held) {
  const snt_instruction *code = t->program->code;
  sn_status status = SN_OK;
  size_t depth = 0;
  t->stack[depth++] = (struct snt_visit){pc, -1, 0};
  while (!status && depth) {
    const struct snt_visit visit = t->stack[--depth];
    if (visit.slot >= 0) {
      t->saves[visit.slot] = visit.value;
      continue;
    }
    pc = visit.pc;
    if (!enter(list, pc)) continue;
    t->steps++;
    const snt_instruction *i = &code[pc];
    switch ((snt_opcode)i->op) {
      case SNT_OP_SPLIT:
        t->stack[depth++] = (struct snt_visit){pc + i->y, -1, 0};
        t->stack[depth++] = (struct snt_visit){pc + i->x, -1, 0};
        break;
      case SNT_OP_JUMP:
        t->stack[depth++] = (struct snt_visit){pc + i->x, -1, 0};
        break;
      case SNT_OP_SAVE:
        if (i->x < t->slots) {
          t->stack[depth++] = (struct snt_visit){0, i->x, t->saves[i->x]};
          t->saves[i->x] = at;
        }
        t->stack[depth++] = (struct snt_visit){pc + 1, -1, 0};
        break;
      case SNT_OP_ASSERT:
        if ((unsigned)i->x & held) t->stack[depth++] = (struct snt_visit){pc + 1, -1, 0};
        break;
      case SNT_OP_FAIL:
        break;
      case SNT_OP_BYTE:
      case SNT_OP_CLASS:
      case SNT_OP_MATCH:
        status = store(t, list);
    }
  }
  return status;
}

static int byte_at(sn_text text, size_t at) {
  return at < text.length ? (uint8_t)text.data[at] : -1;
}

static unsigned held_at(const snt_threads *t, sn_text text, size_t at) {
  if (!t->program->asserts) return 0;
  return snt_assertions(at ? (uint8_t)text.data[at - 1] : -1, byte_at(text, at));
}

static sn_status begin_thread(snt_threads *t, sn_text text, size_t at) {
  for (int i = 0; i < t->slots; i++) t->saves[i] = SNT_NO_SPAN;
  t->saves[0] = at;
  return add(t, &t->now, 0, at, held_at(t, text, at));
}

static void write_spans(const size_t *saves, size_t end, snt_span *spans, int n) {
  for (int i = 0; i < n; i++) spans[i] = (snt_span){saves[2 * i], saves[2 * i + 1]};
  spans[0].end = end;
  for (int i = 0; i < n; i++)
    if (spans[i].end == SNT_NO_SPAN) spans[i].begin = SNT_NO_SPAN;
}

// All threads take the byte at `at`; one that matches in front of it ends those that are liked less.
static sn_status step(snt_threads *t, sn_text text, size_t at, size_t to, bool whole,
                      snt_span *spans, int n, bool *found) {
  const size_t slots = (size_t)t->slots;
  const unsigned held = at < to ? held_at(t, text, at + 1) : 0;
  sn_status status = SN_OK;
  t->then.n = 0;
  for (int32_t i = 0; !status && i < t->now.n; i++) {
    const int32_t pc = t->now.items[i];
    const snt_instruction *code = &t->program->code[pc];
    const size_t first = (size_t)i * slots;  // of what it saves, if it is one that does
    t->steps++;
    if (code->op == SNT_OP_MATCH) {
      if (whole && at != to) continue;
      write_spans(t->now.saves + first, at, spans, n);
      *found = true;
      break;
    }
    if (at == to || !snt_takes_byte(code)) continue;
    const int32_t next = snt_follow(t->program, pc, (uint8_t)text.data[at]);
    if (next < 0) continue;
    memcpy(t->saves, t->now.saves + first, slots * sizeof(size_t));
    status = add(t, &t->then, next, at + 1, held);
  }
  return status;
}

sn_status snt_threads_run(snt_threads *t, sn_text text, size_t from, size_t to, bool anchored,
                          bool whole, snt_span *spans, int n, bool *found) {
  *found = false;
  sn_status status = allocate(t, 2 * n);
  if (status) return status;
  t->now.n = 0;
  for (size_t at = from; !status; at++) {
    if (!*found && (!anchored || at == from)) status = begin_thread(t, text, at);
    if (status || (t->now.n == 0 && (*found || anchored))) break;
    status = step(t, text, at, to, whole, spans, n, found);
    const struct snt_thread_list swap = t->now;
    t->now = t->then;
    t->then = swap;
    if (at == to) break;
  }
  return status;
}
