// Which commands become one: updates of variables of many shapes are one command and one kernel;
// whoever waits, reads or has no room is left out. The order and the independence of parts are
// proved by the lowering itself (options.verify).
#include "passes/lower/schedule_commands.h"
#include "tests/unit/passes/pass_fixture.h"

#include <stdarg.h>

typedef struct source {
  char text[1 << 17];
  size_t length;
  int n_nodes, n_inputs, n_variables;
  char results[1 << 14];
  size_t results_length;
} source;

static source s;
static sni_plan *plan;

static void begin(void) {
  s = (source){.length = 0};
  s.length = (size_t)snprintf(s.text, sizeof s.text, "func @updates {\n");
}

// Adds a node; gives its number.
static int say(const char *format, ...) SNI_PRINTF(1, 2);
static int say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  s.length += (size_t)snprintf(s.text + s.length, sizeof s.text - s.length, "  %%%d = ", s.n_nodes);
  s.length += (size_t)vsnprintf(s.text + s.length, sizeof s.text - s.length, format, arguments);
  s.length += (size_t)snprintf(s.text + s.length, sizeof s.text - s.length, "\n");
  va_end(arguments);
  ck_assert_uint_lt(s.length, sizeof s.text);
  return s.n_nodes++;
}

static void result(int variable, int node) {
  char *at = s.results + s.results_length;
  const size_t left = sizeof s.results - s.results_length;
  const char *comma = s.results_length ? ", " : "";
  s.results_length += variable < 0
                          ? (size_t)snprintf(at, left, "%s%%%d", comma, node)
                          : (size_t)snprintf(at, left, "%svar %d = %%%d", comma, variable, node);
  ck_assert_uint_lt(s.results_length, sizeof s.results);
}

static void lower_all(void) {
  const sni_lower_options options = {.vector_bits = 512, .streamed_bytes = 8 << 20, .verify = true};
  sni_graph *graph;
  s.length +=
      (size_t)snprintf(s.text + s.length, sizeof s.text - s.length, "  return %s\n}\n", s.results);
  ck_assert_uint_lt(s.length, sizeof s.text);
  check_ok(sni_graph_parse(&arena, &diag, s.text, s.length, &graph));
  check_ok(sni_lower_graph(graph, &options, &arena, &diag, &plan));
}

static int parameter(bool variable, const char *type) {
  if (variable) {
    const int number = s.n_variables++;
    return say("parameter variable %d \"v%d\" : %s", number, number, type);
  }
  const int number = s.n_inputs++;
  return say("parameter input %d \"g%d\" : %s", number, number, type);
}

static int spread(int value, const char *type) {
  return strchr(type, ']')[-1] == '[' ? value : say("broadcast(%%%d) : %s", value, type);
}

// v - rate g
static int descend(int v, int g, int rate, const char *type) {
  const int step = say("mul(%%%d, %%%d) : %s", g, spread(rate, type), type);
  return say("sub(%%%d, %%%d) : %s", v, step, type);
}

static void sgd(const char *const *types, int n) {
  const int rate = say("constant 0.01 : f32[]");
  for (int i = 0; i < n; i++) {
    const int number = s.n_variables, v = parameter(true, types[i]), g = parameter(false, types[i]);
    result(number, descend(v, g, rate, types[i]));
  }
}

// b m + (1 - b) x
static int average(int m, int x, double b, const char *type) {
  const int old = spread(say("constant %.17g : f32[]", b), type);
  const int fresh = spread(say("constant %.17g : f32[]", 1 - b), type);
  const int kept = say("mul(%%%d, %%%d) : %s", m, old, type);
  const int added = say("mul(%%%d, %%%d) : %s", x, fresh, type);
  return say("add(%%%d, %%%d) : %s", kept, added, type);
}

static void adam(const char *type, int rate, int root) {
  const int number = s.n_variables;
  const int v = parameter(true, type), m = parameter(true, type), u = parameter(true, type);
  const int g = parameter(false, type), square = say("mul(%%%d, %%%d) : %s", g, g, type);
  const int first = average(m, g, 0.9, type), second = average(u, square, 0.999, type);
  const int deviation = say("sqrt(%%%d) : %s", second, type);
  const int scale = say("div(%%%d, %%%d) : %s", deviation, spread(root, type), type);
  const int step = say("div(%%%d, %%%d) : %s", first, scale, type);
  result(number, descend(v, step, rate, type));
  result(number + 1, first);
  result(number + 2, second);
}

static const char *const shapes[] = {
    "f32[784,300]", "f32[300]",     "f32[300,100]", "f32[100]",  "f32[100,10]", "f32[10]",
    "f32[2,3,4]",   "f32[64,64,3]", "f32[7]",       "f32[1,9]",  "f32[511]",    "f32[512]",
    "f32[513]",     "f32[5,1]",     "f32[4096]",    "f32[4097]", "f32[2]",      "f32[3]",
    "f32[100000]",  "f32[8,8]",     "f32[16]",      "f32[17]",   "f32[31,33]",  "f32[768,2304]",
    "f32[2304]",    "f32[768]",     "f32[1000]",    "f32[12]",   "f32[40,50]",  "f32[6,6,6]",
    "f32[1024]",    "f32[63]"};
enum { n_shapes = sizeof shapes / sizeof shapes[0] };
_Static_assert(n_shapes == 32, "as many as the name of the test says");

START_TEST(sgd_over_32_shapes_is_one_command) {
  begin();
  sgd(shapes, n_shapes);
  lower_all();
  ck_assert_uint_eq(plan->n_commands, 1);
  ck_assert_uint_eq(plan->commands[0].n_parts, 32);
  ck_assert_uint_eq(plan->commands[0].n_slots, 3 * 32);
  ck_assert_uint_eq(plan->commands[0].n_params, 32);
}
END_TEST

// Of one element too, whatever the rank: their kernels have no loop to speak of.
START_TEST(single_elements_join) {
  static const char *const types[] = {"f32[8,30]", "f32[30]", "f32[30,1]",
                                      "f32[1]",    "f32[]",   "f32[1,1]"};
  begin();
  if (_i == 0) sgd(types, 6);
  const int rate = say("constant 0.001 : f32[]"), root = say("constant 0.9 : f32[]");
  if (_i == 1)
    for (int i = 0; i < 6; i++) adam(types[i], rate, root);
  lower_all();
  ck_assert_uint_eq(plan->n_commands, 1);
  ck_assert_uint_eq(plan->commands[0].n_parts, 6);
}
END_TEST

// Kernels of one element that differ in an operation or an operand are others.
START_TEST(other_single_elements_stay) {
  begin();
  const int v = parameter(true, "f32[9]"), g = parameter(false, "f32[9]");
  const int w = parameter(true, "f32[1]"), h = parameter(false, "f32[1]");
  result(0, say("sub(%%%d, %%%d) : f32[9]", v, g));
  result(1, _i == 0 ? say("mul(%%%d, %%%d) : f32[1]", w, h)
                    : say("sub(%%%d, %%%d) : f32[1]", w, say("add(%%%d, %%%d) : f32[1]", h, h)));
  lower_all();
  ck_assert_uint_eq(plan->n_commands, 2);
}
END_TEST

START_TEST(adam_is_one_command) {
  static const int counts[] = {4, 5, 9, n_shapes};
  begin();
  const int rate = say("constant 0.001 : f32[]"), root = say("constant 0.9 : f32[]");
  for (int i = 0; i < counts[_i]; i++) adam(shapes[i], rate, root);
  lower_all();
  ck_assert_uint_eq(plan->n_commands, 1);
  ck_assert_uint_eq(plan->commands[0].n_parts, (uint32_t)counts[_i]);
}
END_TEST

// Of two and three short ones each keeps its straight code; long ones join, and so do equal ones.
START_TEST(few_join_where_nothing_is_lost) {
  static const char *const types[][3] = {{"f32[30]", "f32[17]", "f32[9]"},
                                         {"f32[3000]", "f32[513]", "f32[99,99]"},
                                         {"f32[8,4]", "f32[32]", "f32[4,2,4]"},
                                         {"f32[20]", "f32[9]", "f32[4,5]"}};
  static const uint32_t commands[] = {3, 1, 1, 2};
  begin();
  sgd(types[_i], 3);
  lower_all();
  ck_assert_uint_eq(plan->n_commands, commands[_i]);
}
END_TEST

// The factors of the step are numbers of a command of their own, before the list.
START_TEST(adam_of_a_step_is_two_commands) {
  begin();
  const int one = say("constant 1 : f32[]");
  const int steps = parameter(true, "f32[]"), t = say("add(%%%d, %%%d) : f32[]", steps, one);
  const int power = say("pow(%%%d, %%%d) : f32[]", say("constant 0.9 : f32[]"), t);
  const int rate = say("div(%%%d, %%%d) : f32[]", say("constant 0.001 : f32[]"),
                       say("sub(%%%d, %%%d) : f32[]", one, power));
  const int root = say("sqrt(%%%d) : f32[]", say("sub(%%%d, %%%d) : f32[]", one, power));
  result(0, t);
  for (int i = 0; i < n_shapes; i++) adam(shapes[i], rate, root);
  lower_all();
  ck_assert_uint_eq(plan->n_commands, 2);
  ck_assert_uint_eq(plan->commands[1].n_parts, n_shapes);
}
END_TEST

START_TEST(symbolic_sizes_join) {
  static const char *const types[] = {"f32[A,3]", "f32[A]", "f32[B,A,2]", "f32[B]", "f32[2,B]"};
  begin();
  const int rate = say("constant 0.01 : f32[]");
  for (int i = 0; i < 5; i++)
    result(-1, descend(parameter(false, types[i]), parameter(false, types[i]), rate, types[i]));
  lower_all();
  ck_assert_uint_eq(plan->n_commands, 1);
  ck_assert_uint_eq(plan->commands[0].n_parts, 5);
}
END_TEST

// Each variable's new value goes into the next: nobody may join anybody, but the last that nobody
// reads.
START_TEST(who_needs_another_does_not_join_it) {
  begin();
  const char *type = "f32[64,64]";
  int g = parameter(false, type);
  for (int i = 0; i < 8; i++) {
    const int v = parameter(true, type);
    const int turned = say("transpose(%%%d) {perm=[1,0]} : %s", g, type);
    g = say("sub(%%%d, %%%d) : %s", v, turned, type);
    result(i, g);
  }
  lower_all();
  for (uint32_t c = 0; c < plan->n_commands; c++) ck_assert_uint_le(plan->commands[c].n_parts, 1);
}
END_TEST

// Products that update a variable as they are, and another one turned, which takes them from memory.
static void updates_of_products(int size) {
  char type[64];
  snprintf(type, sizeof type, "f32[%d,%d]", size, size);
  begin();
  const int x = parameter(false, type);
  for (int i = 0; i < 8; i++) {
    const int v = parameter(true, type), u = parameter(true, type), w = parameter(false, type);
    const int g = say("matmul(%%%d, %%%d) {ta=0, tb=0} : %s", x, w, type);
    const int turned = say("transpose(%%%d) {perm=[1,0]} : %s", g, type);
    result(2 * i, say("sub(%%%d, %%%d) : %s", v, g, type));
    result(2 * i + 1, say("sub(%%%d, %%%d) : %s", u, turned, type));
  }
  lower_all();
}

static int64_t most_alive(void) {
  int64_t most = 0;
  for (uint32_t c = 0; c < plan->n_commands; c++) {
    int64_t bytes = 0;
    for (uint32_t i = 0; i < plan->n_slots; i++) {
      const sni_slot *slot = &plan->slots[i];
      if (slot->kind == SNI_SLOT_TEMPORARY && slot->first_command <= c && c <= slot->last_command)
        bytes += slot->bytes;
    }
    if (bytes > most) most = bytes;
  }
  return most;
}

START_TEST(lists_wait_only_where_there_is_room) {
  updates_of_products(16);
  ck_assert_uint_eq(plan->n_commands, 10);
  ck_assert_uint_eq(plan->commands[8].n_parts, 8);
  ck_assert_uint_eq(plan->commands[9].n_parts, 8);
  updates_of_products(512);
  ck_assert_uint_eq(plan->n_commands, 24);
  ck_assert_int_le(most_alive(), 512 * 512 * 4);
}
END_TEST

// A gather may find an index out of range: it keeps its own message.
START_TEST(faults_keep_their_commands) {
  begin();
  const int table = parameter(false, "f32[50,8]");
  for (int i = 0; i < 5; i++) {
    const int index = parameter(false, "i32[6]");
    result(-1, say("gather(%%%d, %%%d) : f32[6,8]", table, index));
  }
  lower_all();
  ck_assert_uint_eq(plan->n_commands, 5);
}
END_TEST

// Updates between which old values are read, of other variables of the same shapes: random, proved
// by the lowering, and no variable is written before its readers have run.
START_TEST(random_updates_are_proved) {
  enum { n_variables = 12 };
  static const char *const types[] = {"f32[24]", "f32[4,6]", "f32[6,4]"};
  uint64_t state = (uint64_t)_i * 77 + 5;
  int values[3][2 * n_variables + 4], counts[3] = {0};
  begin();
  const int rate = say("constant 0.5 : f32[]");
  for (int i = 0; i < n_variables + 3; i++) {
    const int t = i % 3;
    values[t][counts[t]++] = parameter(i < n_variables, types[t]);
  }
  for (int i = 0; i < n_variables; i++) {
    const int t = i % 3, own = values[t][i / 3];
    int other = values[t][random_below(&state, counts[t])];
    if (random_below(&state, 3) == 0)
      other = say("reshape(%%%d) : %s", values[0][random_below(&state, counts[0])], types[t]);
    const int fresh = descend(own, other, rate, types[t]);
    result(i, fresh);
    if (random_below(&state, 3) == 0) values[t][counts[t]++] = fresh;
    if (random_below(&state, 5) == 0) result(-1, fresh);
  }
  lower_all();
  uint32_t written[n_variables];
  for (uint32_t v = 0; v < n_variables; v++) written[v] = UINT32_MAX;
  for (uint32_t i = 0; i < plan->n_slots; i++)
    if (plan->slots[i].kind == SNI_SLOT_NEW_VARIABLE)
      written[plan->slots[i].index] = plan->slots[i].first_command;
  for (uint32_t i = 0; i < plan->n_slots; i++)
    if (plan->slots[i].kind == SNI_SLOT_VARIABLE && plan->in_place[plan->slots[i].index])
      ck_assert_uint_le(plan->slots[i].last_command, written[plan->slots[i].index]);
}
END_TEST

// The proof notices what no list may be.
START_TEST(wrong_lists_are_refused) {
  static const char *const types[] = {"f32[600]", "f32[600]", "f32[600]"};
  uint32_t slots[9];
  begin();
  sgd(types, 3);
  lower_all();
  ck_assert_uint_eq(plan->commands[0].n_slots, 9);
  memcpy(slots, plan->commands[0].slots, sizeof slots);
  sni_plan_command wrong = plan->commands[0];
  wrong.slots = slots;
  sni_plan changed = *plan;
  changed.commands = &wrong;
  check_ok(sni_verify_lists(&changed, &arena, &diag));
  slots[3 * 1 + _i % 3] = slots[2];  // part 1 reads or writes what part 0 writes
  ck_assert_int_eq(sni_verify_lists(&changed, &arena, &diag), SN_ERR_INTERNAL);
  ck_assert_ptr_nonnull(strstr(diag.text, "share memory"));
  sni_diag_clear(&diag);
  wrong.n_parts = 2;
  ck_assert_int_eq(sni_verify_lists(&changed, &arena, &diag), SN_ERR_INTERNAL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("join_commands");
  TCase *cases = tcase_create("lists");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, sgd_over_32_shapes_is_one_command);
  tcase_add_loop_test(cases, single_elements_join, 0, 2);
  tcase_add_loop_test(cases, other_single_elements_stay, 0, 2);
  tcase_add_loop_test(cases, adam_is_one_command, 0, 4);
  tcase_add_loop_test(cases, few_join_where_nothing_is_lost, 0, 4);
  tcase_add_test(cases, adam_of_a_step_is_two_commands);
  tcase_add_test(cases, symbolic_sizes_join);
  tcase_add_test(cases, who_needs_another_does_not_join_it);
  tcase_add_test(cases, lists_wait_only_where_there_is_room);
  tcase_add_test(cases, faults_keep_their_commands);
  tcase_add_loop_test(cases, wrong_lists_are_refused, 0, 3);
  tcase_add_loop_test(cases, random_updates_are_proved, 0, 200);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
