// Parts of variables assigned: slices, elements, rows by their indices; from the variable itself; in loops and branches; one
// after the other. The same elements in every mode as plain C gives, and none of them where an index is out of range.
#include <sinter/sinter.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, (void)out, sn_pending_error(c)

enum { rows = 4, columns = 5 };
static sn_tensor *v;

static sn_tensor *f32(sn_context *c, double x) {
  return sn_scalar_f32(c, (float)x);
}

// ---- in order; what was read before stays
BODY(in_order) {
  sn_tensor *before = sn_at(v, "0");
  sn_assign_at(v, f32(c, 42), "0, 1");
  sn_assign_at(v, sn_at(v, ":, 1"), ":, %d", 2);
  sn_assign_at(v, sn_add(before, in[0]), "-1");
  out[0] = sn_sum(v);
  END;
}
static void in_order_c(float (*a)[columns], float x) {
  float before[columns];
  memcpy(before, a[0], sizeof(before));
  a[0][1] = 42;
  for (int i = 0; i < rows; i++) a[i][2] = a[i][1];
  for (int k = 0; k < columns; k++) a[rows - 1][k] = before[k] + x;
}

// ---- from itself
BODY(reversed) {
  sn_assign(v, sn_at(v, "::-1"));
  sn_assign_at(v, sn_at(v, ":, ::-2"), ":, ::2");
  sn_assign_at(v, sn_mul(sn_at(v, "1:"), in[0]), ":-1");
  out[0] = sn_sum(v);
  END;
}
static void reversed_c(float (*a)[columns], float x) {
  float old[rows][columns];
  memcpy(old, a, sizeof(old));
  for (int i = 0; i < rows; i++) memcpy(a[i], old[rows - 1 - i], sizeof(old[i]));
  memcpy(old, a, sizeof(old));
  for (int i = 0; i < rows; i++)
    for (int k = 0; k < 3; k++) a[i][2 * k] = old[i][columns - 1 - 2 * k];
  for (int i = 0; i < rows - 1; i++)
    for (int k = 0; k < columns; k++) a[i][k] = a[i + 1][k] * x;
}

// ---- rows by number, in a loop
BODY(one_row) {
  sn_tensor *i = sn_reshape(in[0], SN_SHAPE(1)), *j = sn_sub(sn_full_like(i, rows - 1), i);
  sn_assign_scatter(v, i, sn_gather(v, j), SN_SCATTER_ADD);
  sn_assign_at(v, sn_sum(sn_gather(v, i)), "0, 0");
  out[0] = sn_add(in[1], sn_at(v, "2, 3"));
  END;
}
BODY(in_loop) {
  sn_fori_loop(c, 0, rows, one_row, NULL, in, 1, out, 1);
  sn_assign_sub(v, out[0]);
  END;
}
static void in_loop_c(float (*a)[columns], float x) {
  for (int i = 0; i < rows; i++) {
    float sum = 0;
    for (int k = 0; k < columns; k++) a[i][k] += a[rows - 1 - i][k];
    for (int k = 0; k < columns; k++) sum += a[i][k];
    a[0][0] = sum;
    x += a[2][3];
  }
  for (int i = 0; i < rows; i++)
    for (int k = 0; k < columns; k++) a[i][k] -= x;
}

// ---- elements by number, in a scan and a branch in it
BODY(put) {
  sn_tensor *at = sn_reshape(in[0], SN_SHAPE(1, 2));
  sn_assign_scatter_nd(v, at, sn_full(c, SN_F32, SN_SHAPE(1), 7), SN_SCATTER_MUL);
  out[0] = sn_sum(sn_at(v, "1"));
  END;
}
BODY(put_row) {
  sn_assign_at(v, sn_at(v, "0, ::-1"), "2");
  out[0] = sn_sum(sn_at(v, "2"));
  END;
}
BODY(place) {
  sn_tensor *at = in[1], *t;
  sn_tensor *is_low = sn_less(sn_at(at, "1"), sn_full(c, SN_I32, SN_SCALAR, 2));
  sn_cond(c, is_low, put, put_row, NULL, &at, 1, &t, 1);
  out[0] = sn_add(in[0], t);
  END;
}
BODY(in_scan) {
  const int32_t at[5][2] = {{0, 0}, {1, 3}, {3, 1}, {0, 4}, {1, 1}};
  sn_tensor *xs = sn_constant(c, SN_I32, SN_SHAPE(5, 2), at);
  sn_scan(c, place, NULL, in, 1, &xs, 1, out, 1);
  sn_assign_at(v, out[0], "3, 3");
  END;
}
static void in_scan_c(float (*a)[columns], float x) {
  const int at[5][2] = {{0, 0}, {1, 3}, {3, 1}, {0, 4}, {1, 1}};
  for (int i = 0; i < 5; i++) {
    const int row = at[i][1] < 2 ? 1 : 2;
    if (row == 1) a[at[i][0]][at[i][1]] *= 7;
    for (int k = 0; k < columns && row == 2; k++) a[2][k] = a[0][columns - 1 - k];
    for (int k = 0; k < columns; k++) x += a[row][k];
  }
  a[3][3] = x;
}

// ---- until it is large
BODY(is_small) {
  out[0] = sn_less(sn_at(v, "0, 0"), f32(c, 100));
  END;
}
BODY(doubled) {
  sn_assign_at(v, sn_mul_scalar(sn_at(v, "0"), 2), "0");
  sn_assign_at(v, sn_at(v, "0, 1:3"), "1, :2");
  out[0] = sn_add(in[0], f32(c, 1));
  END;
}
BODY(in_while) {
  sn_assign_at(v, f32(c, 3), "0, 0");
  sn_while_loop(c, is_small, doubled, NULL, in, 1, out, 1);
  sn_assign_at(v, out[0], "3, 4");
  END;
}
static void in_while_c(float (*a)[columns], float x) {
  a[0][0] = 3;
  while (a[0][0] < 100) {
    x += 1;
    for (int k = 0; k < columns; k++) a[0][k] *= 2;
    a[1][0] = a[0][1];
    a[1][1] = a[0][2];
  }
  a[3][4] = x;
}

static const struct {
  const char *name;
  sn_callback body;
  void (*in_c)(float (*a)[columns], float x);
} programs[] = {{"in order", in_order, in_order_c},
                {"reversed", reversed, reversed_c},
                {"in loop", in_loop, in_loop_c},
                {"in scan", in_scan, in_scan_c},
                {"in while", in_while, in_while_c}};
enum { n_programs = sizeof(programs) / sizeof(programs[0]) };

typedef enum mode { DIRECT, EAGER, INTERPRETER, COMPILED, n_modes } mode;

static sn_context *open_context(mode how) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .threads = 1, .plugin_path = SINTER_PLUGIN_PATH,
                        .backend = how == COMPILED ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER),
      SN_OK);
  return c;
}

static void fill(float (*a)[columns]) {
  for (int i = 0; i < rows; i++)
    for (int k = 0; k < columns; k++) a[i][k] = (float)(((i * columns + k) * 7) % 11) - 4;
}

START_TEST(parts_are_as_in_c) {
  const mode how = (mode)(_i % n_modes);
  const int number = _i / n_modes;
  float expected[rows][columns], got[rows][columns];
  sn_context *c = open_context(how);
  fill(expected);
  v = sn_variable(sn_constant(c, SN_F32, SN_SHAPE(rows, columns), expected), .name = "v");
  sn_function *f = sn_function_create(c, programs[number].body, .inputs = 1, .outputs = 1);
  for (int call = 0; call < 3; call++) {
    SN_SCOPE(c);
    sn_tensor *x = f32(c, 0.5 * call), *y;
    const sn_status status = how == DIRECT  ? programs[number].body(c, &x, &y, NULL)
                             : how == EAGER ? sn_call_eager(f, &x, 1, &y, 1)
                                            : sn_call(f, &x, 1, &y, 1);
    ck_assert_msg(!status, "%s: %s", programs[number].name, sn_error_message(c));
    programs[number].in_c(expected, 0.5f * (float)call);
    ck_assert_int_eq(sn_read(v, got, sizeof(got)), SN_OK);
    for (int i = 0; i < rows; i++)
      for (int k = 0; k < columns; k++)
        ck_assert_msg(
            got[i][k] == expected[i][k], "%s, mode %d, call %d, element %d, %d: %g, expected %g",
            programs[number].name, how, call, i, k, (double)got[i][k], (double)expected[i][k]);
  }
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

// ---- an index out of range, at any place of the loop, changes nothing
BODY(add_row) {
  sn_assign_at(v, sn_add_scalar(sn_at(v, "0, 0"), 1), "0, 0");
  sn_assign_scatter(v, sn_reshape(in[1], SN_SHAPE(1)), sn_full(c, SN_F32, SN_SHAPE(1, columns), 2),
                    SN_SCATTER_ADD);
  out[0] = sn_add(in[0], sn_at(v, "0, 0"));
  END;
}
BODY(add_rows) {
  sn_assign_at(v, f32(c, 1), "0");
  sn_scan(c, add_row, NULL, SN_ARGS(f32(c, 0)), in, 1, out, 1);
  sn_assign_at(v, out[0], "1");
  END;
}

START_TEST(a_fault_changes_nothing) {
  const mode how = (mode)(1 + _i);
  float before[rows][columns], after[rows][columns];
  sn_context *c = open_context(how);
  fill(before);
  v = sn_variable(sn_constant(c, SN_F32, SN_SHAPE(rows, columns), before), .name = "v");
  sn_function *f = sn_function_create(c, add_rows, .inputs = 1, .outputs = 1);
  for (int bad = 0; bad < 6; bad++) {
    SN_SCOPE(c);
    int32_t at[6] = {0, 3, 2, 1, 1, 2};
    sn_tensor *good = sn_constant(c, SN_I32, SN_SHAPE(6), at), *y, *x;
    at[bad] = rows;
    x = sn_constant(c, SN_I32, SN_SHAPE(6), at);
    ck_assert_int_eq(sn_read(v, before, sizeof(before)), SN_OK);
    ck_assert_int_eq(how == EAGER ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1),
                     SN_ERR_INDEX);
    ck_assert_ptr_nonnull(strstr(sn_error_message(c), "sn_assign_scatter: "));
    ck_assert_int_eq(sn_read(v, after, sizeof(after)), SN_OK);
    ck_assert_mem_eq(before, after, sizeof(before));
    ck_assert_msg(!(how == EAGER ? sn_call_eager(f, &good, 1, &y, 1) : sn_call(f, &good, 1, &y, 1)),
                  "%s", sn_error_message(c));
    ck_assert_int_eq(sn_read(v, after, sizeof(after)), SN_OK);
    ck_assert(after[0][0] == 9 && after[3][0] == before[3][0] + 2);
  }
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

// ---- gradients: of the result, which is that of sn_set_at; the variable itself is a leaf
BODY(slopes) {
  sn_tensor *x = in[0], *y = sn_assign_at(v, sn_square(x), ":, 1"), *sources[2] = {x, v};
  out[2] = sn_sum(sn_mul(y, y));
  sn_gradients(out[2], sources, 2, out);
  END;
}

START_TEST(parts_have_gradients) {
  const mode how = (mode)(1 + _i);
  float a[rows][columns], x[rows] = {1, -2, 0.5f, 3}, dx[rows], dv[rows][columns];
  sn_context *c = open_context(how);
  fill(a);
  v = sn_variable(sn_constant(c, SN_F32, SN_SHAPE(rows, columns), a));
  sn_function *f = sn_function_create(c, slopes, .inputs = 1, .outputs = 3);
  sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(rows), x), *out[3];
  ck_assert_msg(!(how == EAGER ? sn_call_eager(f, &in, 1, out, 3) : sn_call(f, &in, 1, out, 3)),
                "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read(out[0], dx, sizeof(dx)), SN_OK);
  ck_assert_int_eq(sn_read(out[1], dv, sizeof(dv)), SN_OK);
  for (int i = 0; i < rows; i++) {
    ck_assert_float_eq(dx[i], 4 * x[i] * x[i] * x[i]);
    for (int k = 0; k < columns; k++) ck_assert_float_eq(dv[i][k], k == 1 ? 0 : 2 * a[i][k]);
  }
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("assign_parts");
  TCase *tests = tcase_create("assign_parts");
  tcase_add_loop_test(tests, parts_are_as_in_c, 0, n_programs * n_modes);
  tcase_add_loop_test(tests, a_fault_changes_nothing, 0, n_modes - 1);
  tcase_add_loop_test(tests, parts_have_gradients, 0, n_modes - 1);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
