// A deterministic automaton that is built while it runs. A state is an ordered set of instructions in front of a byte: those that
// take one, MATCH, and assertions, which are settled when the byte behind them is known. So a match is seen one byte late, in the
// transition: it is flagged there, not in the state. In a search that is not anchored the last item is SEARCH, which begins anew
// behind each byte; a match that is liked more ends it, as it ends all that stand behind it.
#include "frontend/text/regex_program.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH (-1)
#define MATCHED 0x80000000u  // flag of a transition: a match ended in front of the byte
#define DEAD 0x40000000u     // a transition to no state
#define UNKNOWN 0x40000001u
#define SPECIAL 0x40000000u  // least of transitions that are not just a state (times stride)
#define MAX_STATES 4096
#define MAX_POOL ((size_t)1 << 18)

void snt_dfa_init(snt_dfa *dfa, const snt_program *program, bool longest, bool anchored) {
  *dfa = (snt_dfa){.program = program, .longest = longest, .anchored = anchored};
  dfa->stride = program->byte_classes + 1;
}

static void free_closure(struct snt_closure *c) {
  free(c->items);
  free(c->stack);
  free(c->seen);
}

void snt_dfa_deinit(snt_dfa *dfa) {
  free(dfa->next);
  free(dfa->states);
  free(dfa->pool);
  free(dfa->table);
  free_closure(&dfa->now);
  free_closure(&dfa->then);
  snt_dfa_init(dfa, dfa->program, dfa->longest, dfa->anchored);
}

static bool make_closure(struct snt_closure *c, size_t n) {
  c->items = malloc((n + 1) * sizeof(int32_t));
  c->stack = malloc((2 * n + 2) * sizeof(int32_t));
  c->seen = calloc(n, sizeof(uint32_t));
  return c->items && c->stack && c->seen;
}

static void empty_table(snt_dfa *dfa) {
  for (size_t i = 0; i < 2 * (size_t)dfa->max_states; i++) dfa->table[i] = -1;
}

// All states go; UNKNOWN is what the starts are then too.
static void forget(snt_dfa *dfa) {
  dfa->n_states = 0;
  dfa->n_pool = 0;
  empty_table(dfa);
  for (int i = 0; i < 4; i++) dfa->starts[i] = UNKNOWN;
}

static size_t hash_items(const int32_t *items, int32_t n, uint32_t before) {
  uint64_t hash = before + 0x9E3779B97F4A7C15ull;
  for (int32_t i = 0; i < n; i++) {
    hash = (hash ^ (uint32_t)items[i]) * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 29;
  }
  return (size_t)(hash ^ hash >> 32);
}

// Where the table has no state yet that hashes so.
static size_t free_place(const snt_dfa *dfa, size_t hash) {
  const size_t mask = 2 * (size_t)dfa->max_states - 1;
  size_t at = hash & mask;
  while (dfa->table[at] >= 0) at = (at + 1) & mask;
  return at;
}

static bool grow_states(snt_dfa *dfa, int32_t to) {
  const size_t row = (size_t)dfa->stride * sizeof(uint32_t), n = (size_t)to;
  uint32_t *next = realloc(dfa->next, n * row);
  if (next) dfa->next = next;
  snt_dfa_state *states = realloc(dfa->states, n * sizeof(snt_dfa_state));
  if (states) dfa->states = states;
  int32_t *table = next && states ? malloc(2 * n * sizeof(int32_t)) : NULL;
  if (!table) return false;
  free(dfa->table);
  dfa->table = table;
  dfa->max_states = to;
  empty_table(dfa);
  for (int32_t id = 0; id < dfa->n_states; id++) {
    const snt_dfa_state *s = &dfa->states[id];
    dfa->table[free_place(dfa, hash_items(dfa->pool + s->first, s->n, s->before))] = id;
  }
  return true;
}

// Room for a state of so many items; false too where memory lacks: the room that there is does for one state.
static bool make_room(snt_dfa *dfa, size_t items) {
  const size_t n = (size_t)dfa->program->n, most = MAX_POOL > 16 * n ? MAX_POOL : 16 * n;
  if (dfa->n_states == dfa->max_states &&
      (dfa->max_states >= MAX_STATES || !grow_states(dfa, 4 * dfa->max_states)))
    return false;
  if (dfa->n_pool + items <= dfa->max_pool) return true;
  return dfa->n_pool + items <= most && snt_grow((void **)&dfa->pool, &dfa->max_pool,
                                                 dfa->n_pool + items, sizeof(int32_t)) == SN_OK;
}

static sn_status allocate(snt_dfa *dfa) {
  const size_t n = (size_t)dfa->program->n;
  const bool made = make_closure(&dfa->now, n) && make_closure(&dfa->then, n) &&
                    !snt_grow((void **)&dfa->pool, &dfa->max_pool, n + 1, sizeof(int32_t)) &&
                    grow_states(dfa, 16);
  if (!made) {
    snt_dfa_deinit(dfa);
    return SN_ERR_MEMORY;
  }
  forget(dfa);
  return SN_OK;
}

static void clear(struct snt_closure *c, size_t n) {
  c->n = 0;
  if (++c->generation) return;
  memset(c->seen, 0, n * sizeof(uint32_t));
  c->generation = 1;
}

// Adds what is reached from pc without taking a byte, in the order of liking. `held`: assertions known to hold or not to hold;
// with `settle` all are known, otherwise they stay in the set.
static void add(snt_dfa *dfa, struct snt_closure *c, int32_t pc, bool settle, unsigned held) {
  const snt_instruction *code = dfa->program->code;
  int32_t depth = 0;
  c->stack[depth++] = pc;
  while (depth) {
    pc = c->stack[--depth];
    if (c->seen[pc] == c->generation) continue;
    c->seen[pc] = c->generation;
    dfa->steps++;
    const snt_instruction *i = &code[pc];
    switch ((snt_opcode)i->op) {
      case SNT_OP_SPLIT:
        c->stack[depth++] = pc + i->y;
        c->stack[depth++] = pc + i->x;
        break;
      case SNT_OP_JUMP:
        c->stack[depth++] = pc + i->x;
        break;
      case SNT_OP_SAVE:
        c->stack[depth++] = pc + 1;
        break;
      case SNT_OP_ASSERT:
        if (!settle)
          c->items[c->n++] = pc;
        else if ((unsigned)i->x & held)
          c->stack[depth++] = pc + 1;
        break;
      case SNT_OP_FAIL:
        break;
      case SNT_OP_BYTE:
      case SNT_OP_CLASS:
      case SNT_OP_MATCH:
        c->items[c->n++] = pc;
    }
  }
}

// What stands behind a match that is sure is never liked.
static void cut(const snt_dfa *dfa, struct snt_closure *c) {
  if (dfa->longest) return;
  for (int32_t i = 0; i < c->n; i++)
    if (c->items[i] >= 0 && dfa->program->code[c->items[i]].op == SNT_OP_MATCH) c->n = i + 1;
}

static bool has_assertion(const snt_dfa *dfa, const int32_t *items, int32_t n) {
  for (int32_t i = 0; dfa->program->asserts && i < n; i++)
    if (items[i] >= 0 && dfa->program->code[items[i]].op == SNT_OP_ASSERT) return true;
  return false;
}

static bool same_state(const snt_dfa *dfa, const snt_dfa_state *s, const int32_t *items, int32_t n,
                       uint32_t before) {
  return s->n == n && s->before == before &&
         memcmp(dfa->pool + s->first, items, (size_t)n * sizeof(int32_t)) == 0;
}

// The state with the items of a closure, times stride; it is made where it is new. UNKNOWN: there is no room.
static uint32_t find_state(snt_dfa *dfa, const struct snt_closure *c, uint32_t before) {
  if (c->n == 0) return DEAD;
  if (!has_assertion(dfa, c->items, c->n)) before = 0;
  const size_t hash = hash_items(c->items, c->n, before), mask = 2 * (size_t)dfa->max_states - 1;
  for (size_t at = hash & mask; dfa->table[at] >= 0; at = (at + 1) & mask) {
    const int32_t id = dfa->table[at];
    if (same_state(dfa, &dfa->states[id], c->items, c->n, before))
      return (uint32_t)(id * dfa->stride);
  }
  if (!make_room(dfa, (size_t)c->n)) return UNKNOWN;
  const int32_t id = dfa->n_states++;
  dfa->table[free_place(dfa, hash)] = id;
  dfa->states[id] = (snt_dfa_state){(int32_t)dfa->n_pool, c->n, before};
  memcpy(dfa->pool + dfa->n_pool, c->items, (size_t)c->n * sizeof(int32_t));
  dfa->n_pool += (size_t)c->n;
  for (int k = 0; k < dfa->stride; k++) dfa->next[id * dfa->stride + k] = UNKNOWN;
  return (uint32_t)(id * dfa->stride);
}

static uint32_t find_state_anew(snt_dfa *dfa, const struct snt_closure *c, uint32_t before) {
  uint32_t state = find_state(dfa, c, before);
  if (state != UNKNOWN) return state;
  forget(dfa);
  return find_state(dfa, c, before);
}

// What is remembered of the byte in front of a state: 0 none, 1 a word's, 2 a line feed, 3 another.
static uint32_t kind_of(int byte) {
  return byte < 0 ? 0 : snt_is_word(byte) ? 1 : byte == '\n' ? 2 : 3;
}

static int byte_of(uint32_t kind) {
  static const int bytes[] = {-1, 'a', '\n', ' '};
  return bytes[kind];
}

static uint32_t start_state(snt_dfa *dfa, int before) {
  const uint32_t kind = kind_of(before);
  uint32_t *start = &dfa->starts[kind];
  if (*start != UNKNOWN) return *start;
  clear(&dfa->then, (size_t)dfa->program->n);
  add(dfa, &dfa->then, 0, false, 0);
  if (!dfa->anchored) dfa->then.items[dfa->then.n++] = SEARCH;
  cut(dfa, &dfa->then);
  const uint32_t state = find_state_anew(dfa, &dfa->then, kind);
  *start = state;
  return state;
}

// The items of a state with its assertions settled.
static void settle(snt_dfa *dfa, snt_dfa_state s, unsigned held) {
  clear(&dfa->now, (size_t)dfa->program->n);
  const bool asserts = has_assertion(dfa, dfa->pool + s.first, s.n);
  for (int32_t i = 0; i < s.n; i++) {
    const int32_t pc = dfa->pool[s.first + i];
    if (asserts && pc != SEARCH)
      add(dfa, &dfa->now, pc, true, held);
    else
      dfa->now.items[dfa->now.n++] = pc;
  }
}

// The transition of a state with a byte, or with the end (-1), which it writes down unless all states were forgotten.
static uint32_t advance(snt_dfa *dfa, uint32_t state, int byte) {
  const snt_program *program = dfa->program;
  const snt_dfa_state s = dfa->states[state / (uint32_t)dfa->stride];
  const int class = byte < 0 ? dfa->stride - 1 : program->byte_class[byte];
  bool matched = false;
  settle(dfa, s, snt_assertions(byte_of(s.before), byte));
  clear(&dfa->then, (size_t)program->n);
  for (int32_t i = 0; i < dfa->now.n; i++) {
    const int32_t pc = dfa->now.items[i];
    dfa->steps++;
    if (pc == SEARCH) {
      if (byte >= 0) add(dfa, &dfa->then, 0, false, 0);
      dfa->then.items[dfa->then.n++] = SEARCH;
    } else if (program->code[pc].op == SNT_OP_MATCH) {
      matched = true;
      if (!dfa->longest) break;
    } else if (byte >= 0) {
      const int32_t to = snt_follow(program, pc, (uint8_t)byte);
      if (to >= 0) add(dfa, &dfa->then, to, false, 0);
    }
  }
  cut(dfa, &dfa->then);
  const int32_t before = dfa->n_states;
  uint32_t next = byte < 0 ? DEAD : find_state_anew(dfa, &dfa->then, kind_of(byte));
  if (matched) next |= MATCHED;
  if (dfa->n_states >= before) dfa->next[state + (uint32_t) class] = next;
  return next;
}

// The transition that is written down, or a new one.
static uint32_t follow(snt_dfa *dfa, uint32_t state, int byte) {
  const int class = byte < 0 ? dfa->stride - 1 : dfa->program->byte_class[byte];
  const uint32_t next = dfa->next[state + (uint32_t) class];
  return next == UNKNOWN ? advance(dfa, state, byte) : next;
}

static int byte_at(sn_text text, size_t at) {
  return at < text.length ? (uint8_t)text.data[at] : -1;
}

sn_status snt_dfa_forward(snt_dfa *dfa, sn_text text, size_t from, bool any, size_t *end) {
  *end = SNT_NO_SPAN;
  if (!dfa->table && allocate(dfa)) return SN_ERR_MEMORY;
  const uint8_t *bytes = (const uint8_t *)text.data, *classes = dfa->program->byte_class;
  uint32_t state = start_state(dfa, from ? bytes[from - 1] : -1);
  size_t at = from;
  for (; state != DEAD; at++) {
    uint32_t next = UNKNOWN;
    while (at < text.length && (next = dfa->next[state + classes[bytes[at]]]) < SPECIAL) {
      state = next;
      at++;
    }
    next = follow(dfa, state, byte_at(text, at));
    if (next & MATCHED) {
      *end = at;
      if (any) break;
    }
    state = next & ~MATCHED;
  }
  dfa->steps += at - from;
  return SN_OK;
}

sn_status snt_dfa_backward(snt_dfa *dfa, sn_text text, size_t from, size_t least, size_t *begin) {
  *begin = SNT_NO_SPAN;
  if (!dfa->table && allocate(dfa)) return SN_ERR_MEMORY;
  uint32_t state = start_state(dfa, byte_at(text, from));
  for (size_t at = from; state != DEAD; at--) {
    const uint32_t next = follow(dfa, state, at ? (uint8_t)text.data[at - 1] : -1);
    dfa->steps++;
    if (next & MATCHED) *begin = at;
    if (at == least) break;
    state = next & ~MATCHED;
  }
  return SN_OK;
}
