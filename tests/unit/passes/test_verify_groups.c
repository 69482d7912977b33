// The check of fusion itself: it accepts what fusion makes and refuses every kind of group that
// would compute something else. Groups are made by fusion and then spoilt.
#include "passes/lower/group.h"

#include <check.h>
#include <string.h>

static sni_allocator allocator;
static sni_arena arena;
static sni_diag diag;
static sni_lower_options options;
static sni_lowering l;

static void setup(void) {
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
}

static void teardown(void) {
  sni_arena_deinit(&arena);
}

static void fuse(const char *text) {
  sni_graph *graph;
  sn_status status = sni_graph_parse(&arena, &diag, text, strlen(text), &graph);
  ck_assert_msg(!status, "%s", diag.text);
  l = (sni_lowering){.graph = graph,
                     .options = &options,
                     .arena = &arena,
                     .scratch = &arena,
                     .diag = &diag,
                     .budget = sni_budget_usual(),
                     .dims = graph->dims,
                     .nodes = SNI_ARENA_ARRAY(&arena, sni_fusion_node, graph->n_nodes)};
  ck_assert_ptr_nonnull(l.nodes);
  for (uint32_t i = 0; i < graph->n_nodes; i++) l.nodes[i].group = l.nodes[i].slot = -1;
  ck_assert_int_eq(sni_fuse_groups(&l), SN_OK);
  ck_assert_msg(sni_verify_groups(&l) == SN_OK, "%s", diag.text);
}

static void check_refused(const char *why) {
  ck_assert_int_eq(sni_verify_groups(&l), SN_ERR_INTERNAL);
  ck_assert_msg(strstr(diag.text, why) != NULL, "%s", diag.text);
  sni_diag_clear(&diag);
}

static void swap_axes(sni_node_id id, int a, int b) {
  int8_t *axis = l.nodes[id].selection.axis, first = axis[a];
  axis[a] = axis[b];
  axis[b] = first;
}

static const char softmax[] =
    "func @f {\n"
    "  %0 = parameter input 0 : f32[8,8]\n"
    "  %1 = exp(%0) : f32[8,8]\n"
    "  %2 = reduce_sum(%1) {axes=[1]} : f32[8]\n"
    "  %3 = reshape(%2) : f32[8,1]\n"
    "  %4 = broadcast(%3) : f32[8,8]\n"
    "  %5 = div(%1, %4) : f32[8,8]\n"
    "  return %5\n"
    "}\n";

START_TEST(axes_of_equal_extent_are_told_apart) {
  fuse(softmax);
  ck_assert_int_eq(l.nodes[1].group, l.nodes[5].group);
  ck_assert_int_eq(l.nodes[2].group, l.nodes[5].group);
  swap_axes(1, 0, 1);  // exp made at [j, i], read at [i, j]
  check_refused("read at other axes than it lies on");
  swap_axes(1, 0, 1);
  swap_axes(2, 0, 1);  // the sum over the outer axis
  check_refused("reduces other axes than the inner ones");
  swap_axes(2, 0, 1);
  l.groups[l.nodes[2].group].inner = 1;
  check_refused("reduces other axes than the inner ones");
}
END_TEST

START_TEST(sums_over_different_axes_do_not_share_a_kernel) {
  fuse(
      "func @f {\n"
      "  %0 = parameter input 0 : f32[8,8]\n"
      "  %1 = reduce_sum(%0) {axes=[0]} : f32[8]\n"
      "  %2 = broadcast(%1) : f32[8,8]\n"
      "  %3 = mul(%2, %0) : f32[8,8]\n"
      "  %4 = reduce_sum(%3) {axes=[1]} : f32[8]\n"
      "  return %4\n"
      "}\n");
  ck_assert_int_ne(l.nodes[1].group, l.nodes[4].group);
  // The diagonal: %1 made along the axes of %4's kernel, whose inner axis both then reduce.
  sni_group *group = &l.groups[l.nodes[4].group];
  sni_node_id members[] = {4, 3, 1};
  group->members = members;
  group->n_members = 3;
  l.groups[l.nodes[1].group].n_members = 0;
  l.nodes[1].group = l.nodes[4].group;
  l.nodes[1].materialised = false;
  l.nodes[1].selection = l.nodes[4].selection;
  swap_axes(1, 0, 1);
  check_refused("read at other axes than it lies on");
}
END_TEST

START_TEST(members_cover_the_axes_that_they_should) {
  fuse(softmax);
  l.nodes[1].selection.axis[1] = l.nodes[1].selection.axis[0];
  check_refused("two dims on one axis");
  l.nodes[1].selection.axis[1] = -1;
  check_refused("a dim without an axis");
  l.nodes[1].selection.axis[1] = SNI_MAX_AXES - 1;
  check_refused("a dim without an axis");
  l.nodes[1].selection.axis[1] = 1;
  l.groups[l.nodes[1].group].extent[1] = 9;
  check_refused("a dim on an axis of another extent");
  l.groups[l.nodes[1].group].extent[1] = 8;
  l.groups[l.nodes[1].group].n_axes = 3;
  check_refused("covers neither all axes nor the outer ones");
}
END_TEST

START_TEST(what_has_no_buffer_is_not_read_elsewhere) {
  fuse(
      "func @f {\n"
      "  %0 = parameter input 0 : f32[8,8]\n"
      "  %1 = exp(%0) : f32[8,8]\n"
      "  %2 = matmul(%1, %0) {ta=0, tb=0} : f32[8,8]\n"
      "  %3 = neg(%2) : f32[8,8]\n"
      "  %4 = transpose(%2) {perm=[1,0]} : f32[8,8]\n"
      "  %5 = tanh(%4) : f32[8,8]\n"
      "  return %3, %5\n"
      "}\n");
  ck_assert(l.nodes[1].materialised && l.nodes[2].materialised);
  l.nodes[1].materialised = false;
  check_refused("is read as a whole and has no buffer");
  l.nodes[1].materialised = true;
  l.nodes[2].materialised = false;
  check_refused("belongs to another kernel and has no buffer");
  l.nodes[2].materialised = true;
  l.nodes[1].group = l.nodes[2].group;
  check_refused("is read as a whole by the kernel that makes it");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("verify_groups");
  TCase *tests = tcase_create("verify_groups");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, axes_of_equal_extent_are_told_apart);
  tcase_add_test(tests, sums_over_different_axes_do_not_share_a_kernel);
  tcase_add_test(tests, members_cover_the_axes_that_they_should);
  tcase_add_test(tests, what_has_no_buffer_is_not_read_elsewhere);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
