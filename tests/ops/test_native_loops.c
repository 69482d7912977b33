// Branches and loops that are one native kernel: the same bits as the loop of the executor, which the interpreter runs, as
// callbacks called one after the other, and as the loop written out; faults in some iteration; and that they are one kernel.
#include "function_harness.h"
#include "runtime/cpu.h"

#include <stdio.h>
#include <stdlib.h>

enum { most = 4, n_steps = 7 };

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, sn_pending_error(c)

static sn_tensor *number(sn_context *c, double value) {
  return sn_scalar_f32(c, (float)value);
}

// ---- Lorenz, of scalars and of an array
static void slope(sn_tensor *const *s, sn_tensor **d) {
  d[0] = sn_mul_scalar(sn_sub(s[1], s[0]), 10);
  d[1] = sn_sub(sn_mul(s[0], sn_add_scalar(sn_neg(s[2]), 28)), s[1]);
  d[2] = sn_sub(sn_mul(s[0], s[1]), sn_mul_scalar(s[2], 8.0 / 3));
}
BODY(scalars_step) {
  sn_tensor *k[3], *middle[3];
  slope(in + 1, k);
  for (int i = 0; i < 3; i++) middle[i] = sn_add(in[1 + i], sn_mul_scalar(k[i], 0.005));
  slope(middle, k);
  for (int i = 0; i < 3; i++) out[i] = sn_add(in[1 + i], sn_mul_scalar(k[i], 0.01));
  END;
}
static sn_tensor *slope_of_array(sn_tensor *x) {
  sn_tensor *s[3], *d[3];
  for (int i = 0; i < 3; i++) s[i] = sn_index(x, 0, i);
  slope(s, d);
  return sn_stack(d, 3, 0);
}
BODY(array_step) {
  sn_tensor *x = in[1];
  sn_tensor *middle = sn_add(x, sn_mul_scalar(slope_of_array(x), 0.005));
  out[0] = sn_add(x, sn_mul_scalar(slope_of_array(middle), 0.01));
  END;
}

// ---- Newton's method for x^3 + a x = 1, with a solve in each step
BODY(newton_step) {
  sn_tensor *a = ((sn_tensor **)user)[0], *unit = ((sn_tensor **)user)[1], *x = in[1];
  sn_tensor *square = sn_square(x);
  sn_tensor *f =
      sn_add_scalar(sn_add(sn_mul(square, x), sn_sum(sn_mul(a, x), .axes = SN_AXES(1))), -1);
  sn_tensor *slopes = sn_add(a, sn_mul(unit, sn_mul_scalar(square, 3)));
  out[0] = sn_sub(x, sn_reshape(sn_solve(slopes, sn_reshape(f, SN_SHAPE(8, 1))), SN_SHAPE(8)));
  END;
}

// ---- what is read and written at indices
BODY(moves) {  // carry f32[64], rows i64[3], i64[3]
  sn_tensor *v = sn_gather(in[0], in[2], .axis = 0);
  out[0] = sn_scatter_add(in[0], in[1], sn_mul_scalar(v, 0.5), .axis = 0);
  out[1] = sn_sum(v);
  END;
}
BODY(one_place) {
  sn_tensor *v = sn_gather(in[0], in[1], .axis = 0);
  out[0] = sn_scatter_add(in[0], in[1], sn_add_scalar(sn_mul_scalar(v, 0.5), 1), .axis = 0);
  END;
}
BODY(same) {
  out[0] = in[0];
  END;
}
BODY(scaled) {
  out[0] = sn_mul_scalar(in[0], 1.25);
  END;
}
static sn_tensor *place_of(sn_context *c, sn_tensor *i) {
  return sn_reshape(sn_floor_mod(sn_mul(i, sn_scalar_i64(c, 5)), sn_scalar_i64(c, 64)),
                    SN_SHAPE(1));
}
BODY(sometimes) {  // the carry is updated in place in a branch
  sn_tensor *p = sn_equal(sn_floor_mod(in[0], sn_scalar_i64(c, 3)), sn_scalar_i64(c, 0));
  sn_cond(c, p, one_place, same, NULL, SN_ARGS(in[1], place_of(c, in[0])), out, 1);
  END;
}
BODY(needed_later) {  // what the branch updates is read after it, so it has to be a copy
  sn_tensor *t[1], *n = sn_cast(sn_floor_mod(in[0], sn_scalar_i64(c, 3)), SN_I32);
  sn_switch_case(c, n, (sn_callback[]){one_place, same, scaled}, 3, NULL,
                 SN_ARGS(in[1], place_of(c, in[0])), t, 1);
  out[0] = sn_add(sn_mul_scalar(in[1], 0.5), sn_mul_scalar(t[0], 0.25));
  END;
}
BODY(both_sides) {  // one value as two operands of the branch
  sn_cond(c, sn_equal(in[0], sn_scalar_i64(c, 4)), one_place, same, NULL,
          SN_ARGS(in[1], place_of(c, in[0]), in[1]), out, 1);
  END;
}

// ---- loops in branches in loops
BODY(is_small) {
  out[0] = sn_less(sn_sum(in[0]), number(c, 40));
  END;
}
BODY(grows) {
  out[0] = sn_add_scalar(sn_mul_scalar(in[0], 1.25), 0.1);
  out[1] = sn_add_scalar(in[1], 1);
  END;
}
BODY(until_large) {
  sn_tensor *t[2];
  sn_while_loop(c, is_small, grows, NULL, SN_ARGS(in[0], number(c, 0)), t, 2);
  out[0] = sn_mul_scalar(t[0], 0.03125);
  out[1] = t[1];
  END;
}
BODY(not_now) {
  out[0] = sn_mul_scalar(in[0], 1.5);
  out[1] = number(c, -1);
  END;
}
BODY(nested_step) {
  sn_cond(c, sn_greater(sn_sum(in[0]), sn_sum(in[1])), until_large, not_now, NULL, SN_ARGS(in[0]),
          out, 2);
  END;
}
BODY(swap) {  // (i, a, b) -> (b, a): neither is in place
  out[0] = in[2];
  out[1] = sn_mul_scalar(in[1], 1.5);
  END;
}
BODY(draws) {
  out[0] = sn_add(in[1], sn_random_normal(c, SN_F32, SN_SHAPE(3)));
  END;
}
BODY(softmaxes) {
  out[0] = sn_softmax(sn_matmul(in[0], ((sn_tensor **)user)[0]), 1);
  out[1] = sn_mul(in[1], sn_sum(out[0], .axes = SN_AXES(1)));
  END;
}

// ---- programs: in f32[64], i64[7,3], i64[7,3], f32[8,8]
#define VECTOR(n) sn_at(in[0], n)
BODY(scalars) {
  sn_fori_loop(c, 0, n_steps, scalars_step, NULL,
               SN_ARGS(sn_index(in[0], 0, 1), sn_index(in[0], 0, 2), sn_index(in[0], 0, 3)), out,
               3);
  END;
}
BODY(scalars_written_out) {
  sn_tensor *s[4] = {NULL, sn_index(in[0], 0, 1), sn_index(in[0], 0, 2), sn_index(in[0], 0, 3)};
  for (int i = 0; i < n_steps; i++) {
    scalars_step(c, s, out, NULL);
    for (int k = 0; k < 3; k++) s[1 + k] = out[k];
  }
  END;
}
BODY(array) {
  sn_fori_loop(c, 0, n_steps, array_step, NULL, SN_ARGS(VECTOR("1:4")), out, 1);
  END;
}
BODY(array_written_out) {
  sn_tensor *s[2] = {NULL, VECTOR("1:4")};
  for (int i = 0; i < n_steps; i++, s[1] = out[0]) array_step(c, s, out, NULL);
  END;
}
static void newton_parts(sn_context *c, sn_tensor *a, sn_tensor **parts) {
  float unit[64] = {0};
  for (int i = 0; i < 8; i++) unit[9 * i] = 1;
  parts[1] = sn_constant(c, SN_F32, SN_SHAPE(8, 8), unit);
  parts[0] = sn_add(a, sn_mul_scalar(parts[1], 4));
}
BODY(newton) {
  sn_tensor *parts[2];
  newton_parts(c, in[3], parts);
  sn_fori_loop(c, 0, n_steps, newton_step, parts, SN_ARGS(VECTOR("0:8")), out, 1);
  END;
}
BODY(newton_written_out) {
  sn_tensor *parts[2], *s[2] = {NULL, VECTOR("0:8")};
  newton_parts(c, in[3], parts);
  for (int i = 0; i < n_steps; i++, s[1] = out[0]) newton_step(c, s, out, parts);
  END;
}
BODY(scan_moves) {
  sn_scan(c, moves, NULL, SN_ARGS(in[0]), SN_ARGS(in[1], in[2]), out, 2);
  END;
}
BODY(scan_moves_back) {
  sn_scan(c, moves, NULL, SN_ARGS(in[0]), SN_ARGS(in[1], in[2]), out, 2, .reverse = true);
  END;
}
BODY(no_rows) {
  sn_scan(c, moves, NULL, SN_ARGS(in[0]), SN_ARGS(sn_at(in[1], ":0"), sn_at(in[2], ":0")), out, 2);
  END;
}
BODY(in_a_branch) {
  sn_fori_loop(c, 0, n_steps, sometimes, NULL, SN_ARGS(in[0]), out, 1);
  END;
}
BODY(read_after) {
  sn_fori_loop(c, 0, n_steps, needed_later, NULL, SN_ARGS(in[0]), out, 1);
  END;
}
BODY(twice) {
  sn_fori_loop(c, 0, n_steps, both_sides, NULL, SN_ARGS(in[0]), out, 1);
  out[1] = in[0];
  END;
}
BODY(nested) {
  sn_tensor *rows = sn_reshape(VECTOR("0:20"), SN_SHAPE(5, 4));
  sn_scan(c, nested_step, NULL, SN_ARGS(VECTOR("4:8")), SN_ARGS(rows), out, 2);
  END;
}
BODY(never) {
  sn_while_loop(c, is_small, grows, NULL, SN_ARGS(sn_add_scalar(VECTOR("0:4"), 50), number(c, 2)),
                out, 2);
  END;
}
BODY(way_back) {  // through a history
  sn_tensor *t[2], *loss;
  sn_while_loop(c, is_small, grows, NULL, SN_ARGS(sn_square(VECTOR("0:4")), number(c, 0)), t, 2);
  loss = sn_sum(sn_sin(t[0]));
  sn_gradients(loss, in, 1, out, .unconnected = SN_ZEROS);
  out[1] = t[1];
  END;
}
BODY(swapped) {
  sn_fori_loop(c, 0, n_steps, swap, NULL, SN_ARGS(VECTOR("0:5"), VECTOR("5:10")), out, 2);
  END;
}
BODY(wider) {
  out[0] = sn_not(in[1]);
  out[1] = sn_mul_scalar(in[2], 0.75);
  out[2] = sn_add(in[3], sn_cast(in[1], SN_I32));
  out[3] = sn_add(in[4], in[4]);
  END;
}
BODY(dtypes) {
  sn_tensor *x = VECTOR("0:5");
  sn_fori_loop(c, 0, n_steps, wider, NULL,
               SN_ARGS(sn_greater(x, number(c, 0)), sn_cast(x, SN_F64),
                       sn_cast(sn_mul_scalar(x, 9), SN_I32), sn_cast(x, SN_F16)),
               out, 4);
  END;
}
BODY(random_walk) {
  sn_fori_loop(c, 0, n_steps, draws, NULL, SN_ARGS(VECTOR("0:3")), out, 1);
  END;
}
BODY(products) {
  sn_tensor *w = in[3];
  sn_scan(c, softmaxes, &w, SN_ARGS(in[3]), SN_ARGS(sn_reshape(VECTOR("0:24"), SN_SHAPE(3, 8))),
          out, 2);
  END;
}
BODY(one_branch) {
  sn_cond(c, sn_greater(sn_sum(in[0]), number(c, 0)), one_place, same, NULL,
          SN_ARGS(in[0], sn_at(in[1], "0, :1")), out, 1);
  END;
}

static const struct {
  const char *name;
  sn_callback run;
  int n_out;
  sn_callback written_out;  // NULL: as callbacks alone
} programs[] = {{"scalars", scalars, 3, scalars_written_out},
                {"array", array, 1, array_written_out},
                {"newton", newton, 1, newton_written_out},
                {"moves", scan_moves, 2, NULL},
                {"moves back", scan_moves_back, 2, NULL},
                {"no rows", no_rows, 2, NULL},
                {"in a branch", in_a_branch, 1, NULL},
                {"read after", read_after, 1, NULL},
                {"twice", twice, 2, NULL},
                {"nested", nested, 2, NULL},
                {"never", never, 2, NULL},
                {"way back", way_back, 2, NULL},
                {"swapped", swapped, 2, NULL},
                {"dtypes", dtypes, 4, NULL},
                {"random walk", random_walk, 1, NULL},
                {"products", products, 2, NULL},
                {"one branch", one_branch, 1, NULL}};
enum { n_programs = sizeof(programs) / sizeof(programs[0]) };

static void inputs_of(sn_context *c, int seed, sn_tensor **in) {
  float x[64], a[64];
  int64_t to[21], from[21];
  for (int i = 0; i < 64; i++) x[i] = (float)((i * 37 + seed * 101) % 211) / 105 - 0.6f;
  for (int i = 0; i < 64; i++) a[i] = (float)((i * 53 + seed * 31) % 97) / 200;
  for (int i = 0; i < 21; i++) to[i] = (i * 11 + seed) % 64, from[i] = (i * 29 + 3 * seed) % 64;
  in[0] = sn_constant(c, SN_F32, SN_SHAPE(64), x);
  in[1] = sn_constant(c, SN_I64, SN_SHAPE(7, 3), to);
  in[2] = sn_constant(c, SN_I64, SN_SHAPE(7, 3), from);
  in[3] = sn_constant(c, SN_F32, SN_SHAPE(8, 8), a);
}

// Whose bits are the program's.
static void expect(sn_context *c, sn_callback run, int n_out, sn_tensor *const *in,
                   sn_tensor *const *expected, bool eager, const char *what) {
  sn_tensor *got[most];
  sn_function *f = sn_function_create(c, run, .inputs = 4, .outputs = n_out);
  sn_set_seed(c, 5);
  ck_assert_msg(!(eager ? sn_call_eager(f, in, 4, got, n_out) : sn_call(f, in, 4, got, n_out)),
                "%s: %s", what, sn_error_message(c));
  for (int i = 0; i < n_out; i++)
    ck_assert_msg(same_bits(got[i], expected[i]), "%s, output %d", what, i);
  sn_function_destroy(f);
}

START_TEST(modes_agree) {
  for (int seed = 0; seed < 3; seed++) {
    sn_context *reference = open_context(SN_BACKEND_INTERPRETER, 1, 5);
    sn_tensor *in[4], *expected[most];
    const int n = programs[_i].n_out;
    inputs_of(reference, seed, in);
    sn_function *f = sn_function_create(reference, programs[_i].run, .inputs = 4, .outputs = n);
    sn_set_seed(reference, 5);
    ck_assert_msg(!sn_call(f, in, 4, expected, n), "%s: %s", programs[_i].name,
                  sn_error_message(reference));
    expect(reference, programs[_i].run, n, in, expected, true, programs[_i].name);
    if (programs[_i].written_out)
      expect(reference, programs[_i].written_out, n, in, expected, false, programs[_i].name);
#if SINTER_HAS_LLVM
    sn_context *c = open_context(SN_BACKEND_LLVM, 2, 5);
    sn_tensor *here[4];
    inputs_of(c, seed, here);
    expect(c, programs[_i].run, n, here, expected, false, programs[_i].name);
    sn_context_destroy(c);
#endif
    sn_function_destroy(f);
    sn_context_destroy(reference);
  }
}
END_TEST

// ---- sizes that a run decides
BODY(row_sums) {
  out[0] = sn_add(sn_mul_scalar(in[0], 0.5), sn_tanh(in[1]));
  out[1] = sn_sum(out[0]);
  END;
}
BODY(open_sizes) {
  sn_scan(c, row_sums, NULL, SN_ARGS(sn_mean(in[0], .axes = SN_AXES(0))), SN_ARGS(in[0]), out, 2);
  END;
}

static sn_tensor *matrix(sn_context *c, int64_t rows, int64_t columns) {
  float *x = malloc(sizeof(float) * (size_t)(rows * columns + 1));
  ck_assert_ptr_nonnull(x);
  for (int64_t i = 0; i < rows * columns; i++) x[i] = (float)(i * 13 % 101) / 50 - 1;
  sn_tensor *t = sn_constant(c, SN_F32, SN_SHAPE(rows, columns), x);
  free(x);
  return t;
}

START_TEST(sizes_of_a_run) {  // the last ones are so long that the executor runs them
  static const int64_t sizes[][2] = {{3, 5}, {7, 1}, {1, 33}, {0, 4}, {5, 70000}, {4, 9}};
  sn_spec spec = {SN_F32, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)};
#if SINTER_HAS_LLVM
  sn_context *c = open_context(SN_BACKEND_LLVM, 2, 1);
#else
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 2, 1);
#endif
  sn_function *f = sn_function_create(c, open_sizes, .inputs = 1, .outputs = 2, .specs = &spec);
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    SN_SCOPE(c);
    sn_tensor *x = matrix(c, sizes[i][0], sizes[i][1]), *got[2], *expected[2];
    call_both(c, f, &x, 1, got, expected, 2);
    for (int k = 0; k < 2; k++)
      ck_assert_msg(same_bits(got[k], expected[k]), "[%lld, %lld], output %d",
                    (long long)sizes[i][0], (long long)sizes[i][1], k);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- faults: user is a variable
BODY(take_row) {
  out[0] = sn_add(in[0], sn_sum(sn_gather(((sn_tensor **)user)[0], in[1], .axis = 0)));
  END;
}
BODY(take_in_branch) {
  sn_tensor *row = in[1];
  sn_cond(c, sn_greater(in[0], number(c, -1000)), take_row, same, user, SN_ARGS(in[0], row), out,
          1);
  END;
}
BODY(take_rows) {
  sn_tensor *v = *(sn_tensor **)user, *table = sn_mul_scalar(v, 2);
  sn_scan(c, take_row, &table, SN_ARGS(number(c, 0)), SN_ARGS(in[0]), out, 1);
  sn_assign(v, sn_add(v, out[0]));
  END;
}
BODY(take_rows_in_branches) {
  sn_tensor *v = *(sn_tensor **)user, *table = sn_mul_scalar(v, 2);
  sn_scan(c, take_in_branch, &table, SN_ARGS(number(c, 0)), SN_ARGS(in[0]), out, 1);
  sn_assign(v, sn_add(v, out[0]));
  END;
}

static sn_tensor *indices(sn_context *c, int64_t bad, int at) {
  int64_t i[6] = {0, 1, 2, 3, 1, 2};
  if (at >= 0) i[at] = bad;
  return sn_constant(c, SN_I64, SN_SHAPE(6, 1), i);
}

// Calls with an index of no row in iteration `at`: the message is the text, the variable as it was.
static void call_fault(sn_context *c, sn_function *f, sn_tensor *v, int at, char *text,
                       size_t room) {
  SN_SCOPE(c);
  sn_tensor *x = indices(c, at % 2 ? 4 : -9, at), *y;
  float before[4], after[4];
  ck_assert_int_eq(sn_read(v, before, sizeof(before)), SN_OK);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_INDEX);
  snprintf(text, room, "%s", sn_error_message(c));
  ck_assert_int_eq(sn_check(c), SN_OK);
  ck_assert_int_eq(sn_read(v, after, sizeof(after)), SN_OK);
  ck_assert_mem_eq(before, after, sizeof(before));
  x = indices(c, 0, -1);
  ck_assert_msg(!sn_call(f, &x, 1, &y, 1), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read(v, after, sizeof(after)), SN_OK);
  ck_assert_mem_ne(before, after, sizeof(before));
}

static void faults_of(sn_backend backend, sn_callback run, char texts[6][400]) {
  sn_context *c = open_context(backend, 1, 1);
  const float values[4] = {1, 2, 3, 4};
  sn_tensor *v = sn_variable(sn_constant(c, SN_F32, SN_SHAPE(4), values));
  sn_function *f = sn_function_create(c, run, .user = &v, .inputs = 1, .outputs = 1);
  for (int at = 0; at < 6; at++) call_fault(c, f, v, at, texts[at], sizeof(texts[at]));
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(c);
}

START_TEST(faults_in_an_iteration) {
  const sn_callback run[] = {take_rows, take_rows_in_branches};
  char expected[6][400];
  faults_of(SN_BACKEND_INTERPRETER, run[_i], expected);
  ck_assert_ptr_nonnull(strstr(expected[3], "gather"));
  ck_assert_ptr_nonnull(strstr(expected[3], "test_native_loops.c"));
#if SINTER_HAS_LLVM
  char got[6][400];
  faults_of(SN_BACKEND_LLVM, run[_i], got);
  for (int at = 0; at < 6; at++) ck_assert_str_eq(got[at], expected[at]);
#endif
}
END_TEST

// ---- ends
BODY(goes_on) {
  out[0] = sn_or(sn_less(in[1], number(c, 5)), sn_equal(in[0], ((sn_tensor **)user)[0]));
  END;
}
BODY(counts_on) {
  out[0] = in[0];
  out[1] = sn_add_scalar(in[1], 1);
  END;
}
BODY(endless_in_one) {
  sn_tensor *t[2];
  sn_while_loop(c, goes_on, counts_on, user, SN_ARGS(in[0], in[1]), t, 2);
  out[0] = t[1];
  END;
}
BODY(endless) {  // in iteration 2, where x is not negative
  sn_tensor *bad =
      sn_where(sn_less(in[0], number(c, 0)), sn_scalar_i64(c, -1), sn_scalar_i64(c, 2));
  sn_fori_loop(c, 0, n_steps, endless_in_one, &bad, SN_ARGS(in[0]), out, 1);
  END;
}

static bool goes_on_to_iteration_2(void *user, const sn_progress *progress) {
  const sn_progress *outer = progress->outer;
  if (!outer) return true;  // between two of its whiles
  ck_assert_str_eq(progress->name, "sn_while_loop");
  ck_assert_int_eq(progress->length, -1);
  ck_assert_int_eq(outer->length, n_steps);
  ck_assert_ptr_null(outer->outer);
  *(int64_t *)user = outer->iteration;
  return outer->iteration < 2;
}

START_TEST(ends_in_an_iteration) {
  sn_context *c = open_context(_i ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER, 1, 1);
  sn_function *f = sn_function_create(c, endless, .inputs = 1, .outputs = 1);
  sn_tensor *well = number(c, -3), *bad = number(c, 3), *y;
  int64_t outer = -1;
  char *text = kernel_text(c, f, &(sn_spec){SN_F32, {0}}, 1);
  ck_assert_int_eq(count(text, "one native kernel"), _i);
  sn_text_free(c, text);
  for (int turn = 0; turn < 2; turn++) {
    ck_assert_msg(!sn_call(f, &well, 1, &y, 1), "%s", sn_error_message(c));
    if (turn)
      sn_set_deadline(c, 0.1);
    else
      sn_set_progress(c, goes_on_to_iteration_2, &outer, 0);
    ck_assert_int_eq(sn_call(f, &bad, 1, &y, 1), turn ? SN_ERR_DEADLINE : SN_ERR_CANCELLED);
    sn_set_deadline(c, SN_NO_DEADLINE);
    sn_set_progress(c, NULL, NULL, 0);
    ck_assert_msg(strstr(sn_error_message(c), " of sn_while_loop, in iteration 2 of "), "%s",
                  sn_error_message(c));
    ck_assert_int_eq(sn_check(c), SN_OK);
  }
  ck_assert_int_eq(outer, 2);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- bodies that are the same but for what they keep
BODY(ones) {
  (void)in;
  out[0] = sn_full(c, SN_F32, SN_SHAPE(64), 1);
  END;
}
BODY(sums) {
  out[0] = sn_broadcast_to(sn_sum(in[0]), SN_SHAPE(64));
  END;
}
BODY(alike) {
  sn_tensor *p = sn_greater(sn_index(in[0], 0, 0), number(c, 0));
  sn_cond(c, p, scaled, ones, NULL, SN_ARGS(sn_mul_scalar(in[0], 2)), &out[0], 1);
  sn_cond(c, p, sums, ones, NULL, SN_ARGS(sn_add_scalar(out[0], 1)), &out[1], 1);
  END;
}

START_TEST(what_is_kept_counts) {
  sn_context *c = open_context(_i / 2 ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER, 1, 1);
  sn_function *f = sn_function_create(c, alike, .inputs = 1, .outputs = 2);
  const bool yes = _i % 2;
  float x[64], got[64], sum = 0;
  for (int i = 0; i < 64; i++) x[i] = (float)(yes ? i + 1 : -i - 1);
  sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(64), x), *y[2];
  ck_assert_msg(!sn_call(f, &in, 1, y, 2), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read(y[0], got, sizeof(got)), SN_OK);
  for (int i = 0; i < 64; i++) {
    ck_assert_float_eq(got[i], yes ? x[i] * 2.5F : 1);
    sum += x[i] * 2.5F + 1;
  }
  ck_assert_int_eq(sn_read(y[1], got, sizeof(got)), SN_OK);
  for (int i = 0; i < 64; i++) ck_assert_float_eq(got[i], yes ? sum : 1);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- what they become
#if SINTER_HAS_LLVM
BODY(wide_step) {
  out[0] = sn_tanh(sn_matmul(in[1], ((sn_tensor **)user)[0]));
  END;
}
BODY(wide) {
  sn_tensor *w = in[0];
  sn_fori_loop(c, 0, 3, wide_step, &w, SN_ARGS(in[0]), out, 1);
  END;
}

START_TEST(short_ones_are_one_kernel) {
  sn_context *c = open_context(SN_BACKEND_LLVM, 1, 1);
  const sn_spec specs[4] = {{SN_F32, SN_SHAPE(64)},
                            {SN_I64, SN_SHAPE(7, 3)},
                            {SN_I64, SN_SHAPE(7, 3)},
                            {SN_F32, SN_SHAPE(8, 8)}};
  const int n = programs[_i].n_out;
  sn_function *f = sn_function_create(c, programs[_i].run, .inputs = 4, .outputs = n);
  char *text = kernel_text(c, f, specs, 4);
  const int loops = count(text, ": scan") + count(text, ": while") + count(text, ": rescan") +
                    count(text, ": cond");
  // A loop of no iterations is none; products ask for fma, which not every CPU has.
  const bool is_loop = strcmp(programs[_i].name, "no rows") != 0;
  const bool is_native =
      is_loop && (sni_cpu_isa() != SNI_ISA_BASELINE || strcmp(programs[_i].name, "products"));
  ck_assert_msg((loops > 0) == is_loop && (count(text, "one native kernel") > 0) == is_native,
                "%s:\n%s", programs[_i].name, text);
  sn_text_free(c, text);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

START_TEST(long_ones_are_not) {
  sn_context *c = open_context(SN_BACKEND_LLVM, 1, 1);
  const sn_spec spec = {SN_F32, SN_SHAPE(256, 256)};
  sn_function *f = sn_function_create(c, wide, .inputs = 1, .outputs = 1);
  char *text = kernel_text(c, f, &spec, 1);
  ck_assert_int_eq(count(text, "one native kernel"), 0);
  sn_text_free(c, text);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST
#endif

int main(void) {
  Suite *suite = suite_create("native loops");
  TCase *cases = tcase_create("native loops");
  tcase_add_loop_test(cases, modes_agree, 0, n_programs);
  tcase_add_test(cases, sizes_of_a_run);
  tcase_add_loop_test(cases, faults_in_an_iteration, 0, 2);
  tcase_add_loop_test(cases, ends_in_an_iteration, 0, 1 + SINTER_HAS_LLVM);
  tcase_add_loop_test(cases, what_is_kept_counts, 0, 4);
#if SINTER_HAS_LLVM
  tcase_add_loop_test(cases, short_ones_are_one_kernel, 0, n_programs);
  tcase_add_test(cases, long_ones_are_not);
#endif
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
