// What the lowering decides: how many commands, what has a buffer, what is updated in place. Graphs
// are given as text.
#include "graph/graph.h"
#include "passes/lower/library.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sni_allocator allocator;
static sni_arena arena;
static sni_diag diag;
static sni_graph *graph;
static sni_plan *plan;

static void *host_reallocate(void *user, void *ptr, size_t old_size, size_t new_size,
                             size_t align) {
  (void)user, (void)old_size, (void)align;
  if (new_size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, new_size);
}

static void setup(void) {
  sn_allocator host = {host_reallocate, NULL};
  sni_allocator_init(&allocator, &host, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
}

static void teardown(void) {
  sni_arena_deinit(&arena);
}

static void lower_with(const char *text, bool blas) {
  sni_lower_options options = {
      .blas = blas, .vector_bits = 512, .streamed_bytes = 8 << 20, .verify = true};
  sn_status status = sni_graph_parse(&arena, &diag, text, strlen(text), &graph);
  ck_assert_msg(status == SN_OK, "%s", diag.text);
  status = sni_lower_graph(graph, &options, &arena, &diag, &plan);
  ck_assert_msg(status == SN_OK, "%s", diag.text);
  for (uint32_t i = 0; i < plan->n_commands; i++)
    if (plan->commands[i].kernel)
      ck_assert_msg(sni_tree_verify(plan->commands[i].kernel, plan->commands[i].kernel->bytes,
                                    &diag) == SN_OK,
                    "%s", diag.text);
}

static void lower(const char *text) {
  lower_with(text, false);
}

static int count_insts(const sni_tree *kernel, sni_kop op) {
  int n = 0;
  for (uint32_t i = 0; i < kernel->n_insts; i++) n += sni_tree_insts(kernel)[i].op == op;
  return n;
}

static int count_loops(const sni_tree *kernel, sni_loop_kind kind) {
  int n = 0;
  for (uint32_t i = 0; i < kernel->n_items; i++)
    n += sni_tree_items(kernel)[i].kind == SNI_ITEM_LOOP &&
         sni_tree_items(kernel)[i].as.loop.kind == kind;
  return n;
}

// Whether the loops of that kind have lanes, all of them.
static bool has_lanes(const sni_tree *kernel, sni_loop_kind kind) {
  for (uint32_t i = 0; i < kernel->n_items; i++)
    if (sni_tree_items(kernel)[i].kind == SNI_ITEM_LOOP &&
        sni_tree_items(kernel)[i].as.loop.kind == kind && !sni_tree_schedule(kernel)[i].lanes)
      return false;
  return true;
}

static const char softmax_cross_entropy[] =
    "func @softmax {\n"
    "  %0 = parameter input 0 : f32[32,10]\n"
    "  %1 = parameter input 1 : i32[32]\n"
    "  %2 = reduce_max(%0) {axes=[1]} : f32[32]\n"
    "  %3 = reshape(%2) : f32[32,1]\n"
    "  %4 = broadcast(%3) : f32[32,10]\n"
    "  %5 = sub(%0, %4) : f32[32,10]\n"
    "  %6 = exp(%5) : f32[32,10]\n"
    "  %7 = reduce_sum(%6) {axes=[1]} : f32[32]\n"
    "  %8 = log(%7) : f32[32]\n"
    "  %9 = reshape(%8) : f32[32,1]\n"
    "  %10 = broadcast(%9) : f32[32,10]\n"
    "  %11 = sub(%5, %10) : f32[32,10]\n"
    "  %12 = iota() {axis=1} : i32[32,10]\n"
    "  %13 = reshape(%1) : i32[32,1]\n"
    "  %14 = broadcast(%13) : i32[32,10]\n"
    "  %15 = eq(%12, %14) : bool[32,10]\n"
    "  %16 = constant 0 : f32[]\n"
    "  %17 = broadcast(%16) : f32[32,10]\n"
    "  %18 = select(%15, %11, %17) : f32[32,10]\n"
    "  %19 = reduce_sum(%18) {axes=[1]} : f32[32]\n"
    "  %20 = reduce_sum(%19) {axes=[0]} : f32[]\n"
    "  %21 = exp(%11) : f32[32,10]\n"
    "  %22 = cast(%15) : f32[32,10]\n"
    "  %23 = sub(%21, %22) : f32[32,10]\n"
    "  %24 = reduce_sum(%23) {axes=[0]} : f32[10]\n"
    "  return %20, %23, %24\n"
    "}\n";

// Row losses and the gradient come from one nest; the mean of the rows and the column sums are one
// command each.
START_TEST(softmax_and_its_gradient_are_one_kernel) {
  lower(softmax_cross_entropy);
  ck_assert_uint_eq(plan->n_commands, 3);
  const sni_tree *rows = plan->commands[0].kernel;
  ck_assert_int_eq(count_loops(rows, SNI_LOOP_REDUCE), 3);
  ck_assert_int_eq(count_insts(rows, SNI_KOP_REDUCE), 3);
  ck_assert_uint_eq(plan->n_temporaries, 1);  // the row losses
  ck_assert(!has_lanes(plan->commands[2].kernel, SNI_LOOP_REDUCE));
}
END_TEST

START_TEST(bias_and_relu_are_a_matmul_epilogue) {
  lower(
      "func @dense {\n"
      "  %0 = parameter input 0 : f32[32,784]\n"
      "  %1 = parameter input 1 : f32[784,300]\n"
      "  %2 = parameter input 2 : f32[300]\n"
      "  %3 = matmul(%0, %1) {ta=0, tb=0} : f32[32,300]\n"
      "  %4 = broadcast(%2) : f32[32,300]\n"
      "  %5 = add(%3, %4) : f32[32,300]\n"
      "  %6 = constant 0 : f32[]\n"
      "  %7 = broadcast(%6) : f32[32,300]\n"
      "  %8 = max(%7, %5) : f32[32,300]\n"
      "  return %8\n"
      "}\n");
  ck_assert_uint_eq(plan->n_commands, 1);
  ck_assert_int_eq(count_insts(plan->commands[0].kernel, SNI_KOP_CONTRACTION), 1);
  ck_assert_int_eq(count_insts(plan->commands[0].kernel, SNI_KOP_MAX), 1);
  ck_assert_uint_eq(plan->n_temporaries, 0);
}
END_TEST

START_TEST(weight_update_happens_in_place_inside_the_gradient) {
  lower(
      "func @update {\n"
      "  %0 = parameter input 0 : f32[32,784]\n"
      "  %1 = parameter input 1 : f32[32,300]\n"
      "  %2 = parameter variable 0 : f32[784,300]\n"
      "  %3 = matmul(%0, %1) {ta=1, tb=0} : f32[784,300]\n"
      "  %4 = constant 0.5 : f32[]\n"
      "  %5 = broadcast(%4) : f32[784,300]\n"
      "  %6 = mul(%3, %5) : f32[784,300]\n"
      "  %7 = sub(%2, %6) : f32[784,300]\n"
      "  return var 0 = %7\n"
      "}\n");
  ck_assert_uint_eq(plan->n_commands, 1);
  ck_assert(plan->in_place[0]);
  ck_assert_uint_eq(plan->n_temporaries, 0);
  int shared = 0;
  for (uint32_t b = 0; b < plan->commands[0].kernel->n_buffers; b++)
    shared += sni_tree_buffers(plan->commands[0].kernel)[b].shared;
  ck_assert_int_eq(shared, 2);
}
END_TEST

// The reader of the old value comes first although it was written later.
START_TEST(readers_of_the_old_value_come_before_the_update) {
  lower(
      "func @order {\n"
      "  %0 = parameter variable 0 : f32[8]\n"
      "  %1 = parameter input 0 : f32[8]\n"
      "  %2 = add(%0, %1) : f32[8]\n"
      "  %3 = reduce_max(%0) {axes=[0]} : f32[]\n"
      "  return %3, var 0 = %2\n"
      "}\n");
  ck_assert(plan->in_place[0]);
  const sni_plan_command *last = &plan->commands[plan->n_commands - 1];
  bool writes = false;
  for (uint32_t b = 0; b < last->n_slots; b++)
    writes |= plan->slots[last->slots[b]].kind == SNI_SLOT_NEW_VARIABLE;
  ck_assert(writes);
}
END_TEST

// Each new value needs the other old one at other places: neither can be overwritten first.
START_TEST(swapped_variables_are_not_updated_in_place) {
  lower(
      "func @swap {\n"
      "  %0 = parameter variable 0 : f32[8]\n"
      "  %1 = parameter variable 1 : f32[8]\n"
      "  return var 0 = %1, var 1 = %0\n"
      "}\n");
  ck_assert(!plan->in_place[0] || !plan->in_place[1]);
}
END_TEST

// Copies too wait for those who read what they overwrite, although they come first in the list.
START_TEST(a_delay_line_moves_in_place) {
  lower(
      "func @delay {\n"
      "  %0 = parameter input 0 : f32[8]\n"
      "  %1 = parameter variable 0 : f32[8]\n"
      "  %2 = parameter variable 1 : f32[8]\n"
      "  return %2, var 0 = %0, var 1 = %1\n"
      "}\n");
  ck_assert_uint_eq(plan->n_commands, 3);
  ck_assert(plan->in_place[0] && plan->in_place[1]);
  for (uint32_t c = 0; c < plan->n_commands; c++)  // the oldest value goes first
    for (uint32_t b = 0; b < plan->commands[c].n_slots; b++) {
      const sni_slot *slot = &plan->slots[plan->commands[c].slots[b]];
      if (slot->kind == SNI_SLOT_VARIABLE) ck_assert_uint_eq(slot->index, 1 - c);
      if (slot->kind == SNI_SLOT_NEW_VARIABLE) ck_assert_uint_eq(slot->index, 2 - c);
    }
}
END_TEST

START_TEST(a_reversed_variable_is_not_updated_in_place) {
  lower(
      "func @reverse {\n"
      "  %0 = parameter variable 0 : f32[8]\n"
      "  %1 = slice(%0) {start=[7], step=[-1]} : f32[8]\n"
      "  %2 = neg(%1) : f32[8]\n"
      "  return var 0 = %2\n"
      "}\n");
  ck_assert(!plan->in_place[0]);
}
END_TEST

START_TEST(layer_norm_is_one_kernel_for_any_batch) {
  lower(
      "func @norm {\n"
      "  %0 = parameter input 0 : f32[B,768]\n"
      "  %1 = reduce_sum(%0) {axes=[1]} : f32[B]\n"
      "  %2 = reshape(%1) : f32[B,1]\n"
      "  %3 = broadcast(%2) : f32[B,768]\n"
      "  %4 = sub(%0, %3) : f32[B,768]\n"
      "  %5 = mul(%4, %4) : f32[B,768]\n"
      "  %6 = reduce_sum(%5) {axes=[1]} : f32[B]\n"
      "  %7 = rsqrt(%6) : f32[B]\n"
      "  %8 = reshape(%7) : f32[B,1]\n"
      "  %9 = broadcast(%8) : f32[B,768]\n"
      "  %10 = mul(%4, %9) : f32[B,768]\n"
      "  return %10\n"
      "}\n");
  ck_assert_uint_eq(plan->n_commands, 1);
  ck_assert_uint_eq(plan->n_symbols, 1);
  ck_assert_uint_eq(plan->n_temporaries, 0);
}
END_TEST

// exp feeds a matmul and, through it, the sum: one kernel for exp and the add would wait for
// itself.
START_TEST(fusion_does_not_make_cycles) {
  lower(
      "func @cycle {\n"
      "  %0 = parameter input 0 : f32[4,4]\n"
      "  %1 = exp(%0) : f32[4,4]\n"
      "  %2 = matmul(%1, %0) {ta=0, tb=0} : f32[4,4]\n"
      "  %3 = tanh(%2) : f32[4,4]\n"
      "  %4 = matmul(%3, %0) {ta=0, tb=0} : f32[4,4]\n"
      "  %5 = add(%1, %4) : f32[4,4]\n"
      "  return %5\n"
      "}\n");
  ck_assert_uint_eq(plan->n_commands, 3);
  ck_assert_int_eq(count_insts(plan->commands[0].kernel, SNI_KOP_EXP), 1);
}
END_TEST

START_TEST(cheap_values_are_recomputed_and_dear_ones_shared) {
  lower(
      "func @share {\n"
      "  %0 = parameter input 0 : f32[64,64]\n"
      "  %1 = neg(%0) : f32[64,64]\n"
      "  %2 = reduce_sum(%1) {axes=[0]} : f32[64]\n"
      "  %3 = reduce_sum(%1) {axes=[1]} : f32[64]\n"
      "  return %2, %3\n"
      "}\n");
  ck_assert_uint_eq(plan->n_commands, 2);
  ck_assert_uint_eq(plan->n_temporaries, 0);
  teardown();
  setup();
  lower(
      "func @share {\n"
      "  %0 = parameter input 0 : f32[64,64]\n"
      "  %1 = exp(%0) : f32[64,64]\n"
      "  %2 = reduce_sum(%1) {axes=[0]} : f32[64]\n"
      "  %3 = reduce_sum(%1) {axes=[1]} : f32[64]\n"
      "  return %2, %3\n"
      "}\n");
  int exps = 0;
  for (uint32_t i = 0; i < plan->n_commands; i++)
    exps += count_insts(plan->commands[i].kernel, SNI_KOP_EXP);
  ck_assert_int_eq(exps, 1);
}
END_TEST

START_TEST(merging_reshapes_read_memory_as_it_lies) {
  lower(
      "func @merge {\n"
      "  %0 = parameter input 0 : f32[4,6]\n"
      "  %1 = transpose(%0) {perm=[1,0]} : f32[6,4]\n"
      "  %2 = reshape(%1) : f32[24]\n"
      "  %3 = neg(%2) : f32[24]\n"
      "  return %3\n"
      "}\n");
  // the transposed copy, then the negation over 24 elements
  ck_assert_uint_eq(plan->n_commands, 2);
  ck_assert_int_eq(count_loops(plan->commands[1].kernel, SNI_LOOP_PARALLEL), 1);
}
END_TEST

START_TEST(large_matmuls_go_to_the_library_when_there_is_one) {
  static const char text[] =
      "func @large {\n"
      "  %0 = parameter input 0 : f32[1024,1024]\n"
      "  %1 = matmul(%0, %0) {ta=0, tb=1} : f32[1024,1024]\n"
      "  return %1\n"
      "}\n";
  lower_with(text, true);
  ck_assert_uint_eq(plan->n_commands, 1);
  ck_assert_ptr_null(plan->commands[0].kernel);
  const sni_blas_gemm *call = plan->commands[0].call;
  ck_assert_ptr_eq(plan->commands[0].library, &sni_library_gemm);
  ck_assert(call->transpose_b && !call->transpose_a);
  ck_assert_double_gt(plan->commands[0].ns_per_unit, 1e6);
  lower_with(text, false);
  ck_assert_ptr_nonnull(plan->commands[0].kernel);
  static const char *const kept[][3] = {
      {"f32[1024,767]", "f32[767,1024]", "f32[1024,1024]"},
      {"i32[1024,1024]", "i32[1024,1024]", "i32[1024,1024]"},
      {"f32[B,1024]", "f32[1024,1024]", "f32[B,1024]"},
      {"f32[2,1024,1024]", "f32[2,1024,1024]", "f32[2,1024,1024]"}};
  for (size_t i = 0; i < SNI_COUNT_OF(kept); i++) {
    char other[256];
    snprintf(other, sizeof other,
             "func @other {\n  %%0 = parameter input 0 : %s\n  %%1 = parameter input 1 : %s\n"
             "  %%2 = matmul(%%0, %%1) {ta=0, tb=0} : %s\n  return %%2\n}\n",
             kept[i][0], kept[i][1], kept[i][2]);
    lower_with(other, true);
    ck_assert_ptr_nonnull(plan->commands[0].kernel);
  }
}
END_TEST

START_TEST(temporaries_take_over_dying_ones) {
  lower(
      "func @chain {\n"
      "  %0 = parameter input 0 : f32[16,16]\n"
      "  %1 = matmul(%0, %0) {ta=0, tb=0} : f32[16,16]\n"
      "  %2 = reduce_max(%1) {axes=[0]} : f32[16]\n"
      "  %3 = broadcast(%2) : f32[16,16]\n"
      "  %4 = sub(%1, %3) : f32[16,16]\n"
      "  %5 = matmul(%4, %0) {ta=0, tb=0} : f32[16,16]\n"
      "  return %5\n"
      "}\n");
  bool shares = false;
  for (uint32_t s = 0; s < plan->n_slots; s++) shares |= plan->slots[s].shares >= 0;
  ck_assert(shares);
}
END_TEST

START_TEST(running_out_of_memory_is_a_status) {
  sn_status status = SN_ERR_MEMORY;
  for (size_t limit = 1000; status == SN_ERR_MEMORY && limit < 1 << 22; limit += 997) {
    sni_allocator small;
    sn_allocator host = {host_reallocate, NULL};
    sni_arena scratch;
    sni_diag local = {0};
    sni_allocator_init(&small, &host, limit);
    sni_arena_init(&scratch, &small);
    sni_graph *g = NULL;
    sni_plan *p = NULL;
    sni_lower_options options = {.vector_bits = 256};
    status =
        sni_graph_parse(&scratch, &local, softmax_cross_entropy, strlen(softmax_cross_entropy), &g);
    if (!status) status = sni_lower_graph(g, &options, &scratch, &local, &p);
    sni_arena_deinit(&scratch);
    ck_assert_uint_eq(small.bytes, 0);
  }
  ck_assert_int_eq(status, SN_OK);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lower");
  TCase *tests = tcase_create("lower");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, softmax_and_its_gradient_are_one_kernel);
  tcase_add_test(tests, bias_and_relu_are_a_matmul_epilogue);
  tcase_add_test(tests, weight_update_happens_in_place_inside_the_gradient);
  tcase_add_test(tests, readers_of_the_old_value_come_before_the_update);
  tcase_add_test(tests, swapped_variables_are_not_updated_in_place);
  tcase_add_test(tests, a_delay_line_moves_in_place);
  tcase_add_test(tests, a_reversed_variable_is_not_updated_in_place);
  tcase_add_test(tests, layer_norm_is_one_kernel_for_any_batch);
  tcase_add_test(tests, fusion_does_not_make_cycles);
  tcase_add_test(tests, cheap_values_are_recomputed_and_dear_ones_shared);
  tcase_add_test(tests, merging_reshapes_read_memory_as_it_lies);
  tcase_add_test(tests, large_matmuls_go_to_the_library_when_there_is_one);
  tcase_add_test(tests, temporaries_take_over_dying_ones);
  tcase_add_test(tests, running_out_of_memory_is_a_status);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
