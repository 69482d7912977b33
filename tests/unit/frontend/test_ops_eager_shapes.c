// Ops that change shapes, in eager mode.
#include "ops_eager.h"

// ---- shape
START_TEST(reshapes) {
  sn_tensor *t = I32(SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_reshape(t, SN_SHAPE(3, 2)), SN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_reshape(t, SN_SHAPE(-1)), SN_SHAPE(6), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_reshape(t, SN_SHAPE(1, -1, 2)), SN_SHAPE(1, 3, 2), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_reshape(I32(SN_SHAPE(1, 1), 7), SN_SCALAR), SN_SCALAR, 7);
  EXPECT(sn_expand_dims(t, 0), SN_SHAPE(1, 2, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_expand_dims(t, -1), SN_SHAPE(2, 3, 1), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_expand_dims(t, 1), SN_SHAPE(2, 1, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_squeeze(sn_expand_dims(t, 1), 1), SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_squeeze(sn_expand_dims(t, 2), -1), SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_transpose(t), SN_SHAPE(3, 2), 1, 4, 2, 5, 3, 6);
  EXPECT(sn_transpose(I32(SN_SCALAR, 3)), SN_SCALAR, 3);
  sn_tensor *cube = sn_reshape(sn_range(ctx, SN_I32, 0, 8, 1), SN_SHAPE(2, 2, 2));
  EXPECT(sn_permute(cube, ((int[]){1, 2, 0}), 3), SN_SHAPE(2, 2, 2), 0, 4, 1, 5, 2, 6, 3, 7);
  EXPECT(sn_permute(cube, ((int[]){0, 1, 2}), 3), SN_SHAPE(2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7);
  EXPECT(sn_reshape(sn_zeros(ctx, SN_F32, SN_SHAPE(0, 3)), SN_SHAPE(3, 0)), SN_SHAPE(3, 0), 0);
}
END_TEST

START_TEST(broadcasts_and_joins) {
  sn_tensor *t = I32(SN_SHAPE(2, 1), 1, 2);
  EXPECT(sn_broadcast_to(t, SN_SHAPE(2, 3)), SN_SHAPE(2, 3), 1, 1, 1, 2, 2, 2);
  EXPECT(sn_broadcast_to(I32(SN_SCALAR, 4), SN_SHAPE(2, 2)), SN_SHAPE(2, 2), 4, 4, 4, 4);
  EXPECT(sn_broadcast_to(t, SN_SHAPE(2, 1)), SN_SHAPE(2, 1), 1, 2);
  EXPECT(sn_broadcast_to(t, SN_SHAPE(2, 0)), SN_SHAPE(2, 0), 0);
  EXPECT(sn_broadcast_like(t, sn_zeros(ctx, SN_F32, SN_SHAPE(2, 2, 2))), SN_SHAPE(2, 2, 2), 1, 1, 2,
         2, 1, 1, 2, 2);
  sn_tensor *a = I32(SN_SHAPE(1, 2), 1, 2), *b = I32(SN_SHAPE(2, 2), 3, 4, 5, 6);
  EXPECT(sn_concat(((sn_tensor *[]){a, b, a}), 3, 0), SN_SHAPE(4, 2), 1, 2, 3, 4, 5, 6, 1, 2);
  EXPECT(sn_concat(((sn_tensor *[]){b, t}), 2, -1), SN_SHAPE(2, 3), 3, 4, 1, 5, 6, 2);
  EXPECT(sn_concat(&b, 1, 0), SN_SHAPE(2, 2), 3, 4, 5, 6);
  sn_tensor *u = F32(SN_SHAPE(2), 1, 2), *w = F32(SN_SHAPE(2), 3, 4);
  EXPECT(sn_stack(((sn_tensor *[]){u, w}), 2, 0), SN_SHAPE(2, 2), 1, 2, 3, 4);
  EXPECT(sn_stack(((sn_tensor *[]){u, w}), 2, -1), SN_SHAPE(2, 2), 1, 3, 2, 4);
  sn_tensor *many[40];
  for (int i = 0; i < 40; i++) many[i] = sn_scalar_i32(ctx, i);
  double given[40];
  read_doubles(sn_stack(many, 40, 0), given, 40);
  for (int i = 0; i < 40; i++) ck_assert_double_eq(given[i], i);
}
END_TEST

START_TEST(pads) {
  sn_tensor *t = F32(SN_SHAPE(2, 2), 1, 2, 3, 4);
  EXPECT(sn_pad(t, ((int64_t[]){1, 0}), ((int64_t[]){0, 2}), 2, 9), SN_SHAPE(3, 4), 9, 9, 9, 9, 1,
         2, 9, 9, 3, 4, 9, 9);
  EXPECT(sn_pad(t, NULL, NULL, 0, 9), SN_SHAPE(2, 2), 1, 2, 3, 4);
  EXPECT(sn_pad(sn_zeros(ctx, SN_I32, SN_SHAPE(0)), ((int64_t[]){1}), ((int64_t[]){1}), 1, 5),
         SN_SHAPE(2), 5, 5);
}
END_TEST

// All slices of an axis of n elements against a loop as Python defines them.
static int python_slice(int64_t n, sn_range_spec r, int64_t *out) {
  int64_t step = r.step ? r.step : 1, start, stop;
  if (step > 0) {
    start = r.start == SN_END ? n
            : r.start < 0     ? (r.start + n < 0 ? 0 : r.start + n)
            : r.start > n     ? n
                              : r.start;
    stop = r.stop == SN_END ? n
           : r.stop < 0     ? (r.stop + n < 0 ? 0 : r.stop + n)
           : r.stop > n     ? n
                            : r.stop;
    if (!r.step && !r.start && !r.stop) stop = n;
  } else {
    start = r.start == SN_END ? n - 1
            : r.start < 0     ? (r.start + n < -1 ? -1 : r.start + n)
            : r.start > n - 1 ? n - 1
                              : r.start;
    stop = r.stop == SN_END ? -1
           : r.stop < 0     ? (r.stop + n < -1 ? -1 : r.stop + n)
           : r.stop > n - 1 ? n - 1
                            : r.stop;
  }
  int count_out = 0;
  for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) out[count_out++] = i;
  return count_out;
}

START_TEST(slices_are_pythons) {
  const int64_t bounds[] = {-9, -6, -5, -4, -1, 0, 1, 2, 4, 5, 6, 9, SN_END};
  const int64_t step_values[] = {1, 2, 3, 7, -1, -2, -3, -7};
  const int64_t lengths[] = {5, 1, 0};
  for (int l = 0; l < 3; l++) {
    SN_SCOPE(ctx);
    int64_t n = lengths[l], picked[16];
    sn_tensor *t = sn_reshape(sn_range(ctx, SN_I32, 0, (double)(2 * n), 1), SN_SHAPE(2, n));
    for (int a = 0; a < 13; a++)
      for (int b = 0; b < 13; b++)
        for (int s = 0; s < 8; s++) {
          SN_SCOPE(ctx);
          sn_range_spec r = {bounds[a], bounds[b], step_values[s]};
          int size = python_slice(n, r, picked);
          double wanted[32];
          for (int i = 0; i < 2 * size; i++) {
            int64_t row_of = i / size;
            wanted[i] = (double)(row_of * n + picked[i % size]);
          }
          sn_range_spec ranges[2] = {SN_ALL, r};
          expect_values("slice", sn_slice(t, ranges, 2), SN_SHAPE(2, size), wanted, 0);
        }
  }
}
END_TEST

START_TEST(slices_and_indices) {
  sn_tensor *t = sn_reshape(sn_range(ctx, SN_I32, 0, 24, 1), SN_SHAPE(2, 3, 4));
  EXPECT(sn_slice(t, ((sn_range_spec[]){SN_RANGE(1, SN_END, 1)}), 1), SN_SHAPE(1, 3, 4), 12, 13, 14,
         15, 16, 17, 18, 19, 20, 21, 22, 23);
  EXPECT(sn_slice(t, ((sn_range_spec[]){SN_RANGE(0, 1, 1), SN_RANGE(1, 3, 1)}), 2),
         SN_SHAPE(1, 2, 4), 4, 5, 6, 7, 8, 9, 10, 11);
  EXPECT(sn_slice(t, ((sn_range_spec[]){SN_ALL, SN_RANGE(1, 2, 1), SN_RANGE(3, 0, -2)}), 3),
         SN_SHAPE(2, 1, 2), 7, 5, 19, 17);
  EXPECT(sn_index(t, 0, 1), SN_SHAPE(3, 4), 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
  EXPECT(sn_index(t, 1, -1), SN_SHAPE(2, 4), 8, 9, 10, 11, 20, 21, 22, 23);
  EXPECT(sn_index(sn_index(sn_index(t, -1, 2), 0, 1), 0, 0), SN_SCALAR, 14);
  EXPECT(sn_neg(sn_index(t, 2, 3)), SN_SHAPE(2, 3), -3, -7, -11, -15, -19, -23);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("ops_eager_shapes");
  tcase_add_checked_fixture(c, setup_seeded, teardown);
  tcase_set_timeout(c, 120);
  tcase_add_test(c, reshapes);
  tcase_add_test(c, broadcasts_and_joins);
  tcase_add_test(c, pads);
  tcase_add_test(c, slices_are_pythons);
  tcase_add_test(c, slices_and_indices);
  return run_cases("ops_eager_shapes", &c, 1);
}
