// Random numbers against those that TensorFlow 2.21 and JAX 0.10.2 (jax_threefry_partitionable, 64 bits enabled) give for the
// same seeds and keys: bits, integers, orders and uniform numbers exactly, normal ones within 4 ulp.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static sn_context *c;
static sn_tensor *jax;        // jax.random.key(42)
static sn_tensor *stateless;  // TensorFlow's seed=[1234, -5678]
static sn_tensor *stateful;   // seed=42, seed2=1181241943

static void setup(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  jax = sn_random_key(c, 42);
  stateless = sn_constant(c, SN_I64, SN_SHAPE(2), (int64_t[]){1234, -5678});
  stateful = sn_constant(c, SN_I64, SN_SHAPE(2), (int64_t[]){42, 1181241943});
}
static void teardown(void) {
  sn_context_destroy(c);
}

#define JAX .key = jax
#define STATELESS .key = stateless, .algorithm = SN_RANDOM_PHILOX_TF
#define STATEFUL .key = stateful, .algorithm = SN_RANDOM_PHILOX
#define LIST(type, ...) \
  (const type[]){__VA_ARGS__}, sizeof((const type[]){__VA_ARGS__}) / sizeof(type)

// Distance in numbers of the dtype.
static int64_t ulps(sn_dtype dtype, const void *a, const void *b) {
  if (dtype == SN_F64) {
    int64_t x, y;
    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    return x > y ? x - y : y - x;
  }
  int32_t x, y;
  memcpy(&x, a, 4);
  memcpy(&y, b, 4);
  return x > y ? (int64_t)x - y : (int64_t)y - x;
}

static void expect_floats(sn_tensor *t, const double *wanted, size_t n, int64_t tolerance,
                          int line) {
  const bool wide = sn_dtype_of(t) == SN_F64;
  const void *data;
  if (!wide) t = sn_cast(t, SN_F32);  // 16-bit floats: exactly
  ck_assert_msg(!sn_data(t, &data), "line %d: %s", line, sn_error_message(c));
  ck_assert_int_eq(sn_size(t), (int64_t)n);
  for (size_t i = 0; i < n; i++) {
    const float narrow = (float)wanted[i];
    const void *given = (const char *)data + i * (wide ? 8 : 4);
    const int64_t d =
        ulps(wide ? SN_F64 : SN_F32, given, wide ? (const void *)&wanted[i] : &narrow);
    ck_assert_msg(d <= tolerance, "line %d, element %zu: %lld ulp from %.17g", line, i,
                  (long long)d, wanted[i]);
  }
}
#define EXACT(t, ...) expect_floats(t, LIST(double, __VA_ARGS__), 0, __LINE__)
#define CLOSE(t, ...) expect_floats(t, LIST(double, __VA_ARGS__), 4, __LINE__)

static void expect_integers(sn_tensor *t, const int64_t *wanted, size_t n, int line) {
  const void *data;
  t = sn_cast(t, SN_I64);
  ck_assert_msg(!sn_data(t, &data), "line %d: %s", line, sn_error_message(c));
  ck_assert_int_ge(sn_size(t), (int64_t)n);
  for (size_t i = 0; i < n; i++)
    ck_assert_msg(((const int64_t *)data)[i] == wanted[i], "line %d, element %zu: %lld", line, i,
                  (long long)((const int64_t *)data)[i]);
}
#define INTEGERS(t, ...) expect_integers(t, LIST(int64_t, __VA_ARGS__), __LINE__)
#define U64(t, ...)                                                    \
  expect_integers(t, (const int64_t *)(const uint64_t[]){__VA_ARGS__}, \
                  sizeof((uint64_t[]){__VA_ARGS__}) / 8, __LINE__)

// ---- JAX
START_TEST(keys_of_jax) {
  INTEGERS(jax, 0, 42);
  INTEGERS(sn_random_key(c, 0x123456789abcdef), 19088743, 2309737967);
  INTEGERS(sn_random_split(jax, 3), 1832780943, 270669613, 64467757, 2916123636, 2465931498,
           255383827);
  INTEGERS(sn_random_fold_in(jax, sn_scalar_i32(c, 7)), 2547012911, 1371500959);
  INTEGERS(sn_random_fold_in(jax, sn_scalar_i64(c, 0xdeadbeef)), 1644914347, 3512592124);
  INTEGERS(sn_random_fold_in(jax, sn_scalar_i32(c, (int32_t)0xdeadbeef)), 1644914347, 3512592124);
  ck_assert_int_eq(sn_dtype_of(sn_random_split(jax, 0)), SN_U32);
}
END_TEST

START_TEST(bits_of_jax) {
  INTEGERS(sn_random_bits(c, SN_U8, SN_SHAPE(6), JAX), 162, 217, 249, 215, 21, 216);
  INTEGERS(sn_random_bits(c, SN_U16, SN_SHAPE(6), JAX), 5026, 12505, 63993, 49623, 29461, 20184);
  INTEGERS(sn_random_bits(c, SN_U32, SN_SHAPE(2, 3), JAX), 2098992034, 2919706841, 2646866425,
           2409546199, 1935504149, 2516274904);
  U64(sn_random_bits(c, SN_U64, SN_SHAPE(6), JAX), 7871734211187709741u, 276886910877598708u,
      10591095138341673235u, 13462782411356743825u, 12687676868490354166u, 11878554724538143822u);
  INTEGERS(sn_random_bits(c, SN_I8, SN_SHAPE(3), JAX), 162 - 256, 217 - 256, 249 - 256);
}
END_TEST

START_TEST(uniform_numbers_of_jax) {
  EXACT(sn_random_uniform(c, SN_F16, SN_SHAPE(6), JAX), 0x1.38p-4, 0x1.86p-3, 0x1.f38p-1,
        0x1.838p-1, 0x1.ccp-2, 0x1.3bp-2);
  EXACT(sn_random_uniform(c, SN_BF16, SN_SHAPE(6), JAX), 0x1.44p-1, 0x1.bp-1, 0x1.fp-1, 0x1.acp-1,
        0x1.4p-4, 0x1.bp-1);
  EXACT(sn_random_uniform(c, SN_F32, SN_SHAPE(6), JAX), 0x1.f47048p-2, 0x1.5c0e6p-1, 0x1.3b87fp-1,
        0x1.1f3d8p-1, 0x1.cd75c8p-2, 0x1.2bf69cp-1);
  EXACT(sn_random_uniform(c, SN_F64, SN_SHAPE(6), JAX), 0x1.b4f8123c40884p-2, 0x1.ebd996d6e84p-7,
        0x1.25f641d41e71ap-1, 0x1.75aad28c6a974p-1, 0x1.60275dc7869dap-1, 0x1.49b2352c6244ap-1);
}
END_TEST

START_TEST(distributions_of_jax) {
  CLOSE(sn_random_normal(c, SN_F32, SN_SHAPE(6), JAX), -0x1.cfbe2ap-6, 0x1.de57dp-2, 0x1.2eccc2p-2,
        0x1.3a7648p-3, -0x1.fc09d6p-4, 0x1.bc4234p-3);
  CLOSE(sn_random_normal(c, SN_F64, SN_SHAPE(6), JAX), -0x1.7a4a26c962159p-3, -0x1.15bccfaa7ba3ap+1,
        0x1.7ed8110b5046p-3, 0x1.397ad84a04356p-1, 0x1.f5603e3665211p-2, 0x1.79dc43b3389fbp-2);
  CLOSE(sn_random_exponential(c, SN_F32, SN_SHAPE(6), JAX), 0x1.577564p-1, 0x1.23887p+0,
        0x1.ea6762p-1, 0x1.a58698p-1, 0x1.32b166p-1, 0x1.c35c88p-1);
  CLOSE(sn_random_exponential(c, SN_F64, SN_SHAPE(3), JAX), 0x1.1cdfb42ad6bbdp-1,
        0x1.ef94239785787p-7, 0x1.b51244a07debep-1);
  // Near 0 it is a small difference of large numbers, which XLA rounds once less: 4 ulp of 1.
  sn_tensor *z = sn_random_truncated_normal(c, SN_F32, SN_SHAPE(6), JAX);
  CLOSE(sn_add_scalar(z, 3), 3 - 0x1.baa368p-6, 3 + 0x1.c70bc4p-2, 3 + 0x1.20a462p-2,
        3 + 0x1.2c0c6ap-3, 3 - 0x1.e4cfdep-4, 3 + 0x1.a7bf1cp-3);
  CLOSE(sn_random_truncated_normal(c, SN_F64, SN_SHAPE(6), JAX), -0x1.68e4cb3103609p-3,
        -0x1.c920f3acdc931p+0, 0x1.6d3bef1725575p-3, 0x1.2971f2e725911p-1, 0x1.dccadbbb98e5ap-2,
        0x1.67ec3df4d62adp-2);
}
END_TEST

START_TEST(integers_of_jax) {
  INTEGERS(sn_random_integers(c, SN_I32, SN_SHAPE(8), -5, 100, JAX), 94, 49, 76, -1, 84, 19, 12,
           67);
  INTEGERS(sn_random_integers(c, SN_I32, SN_SHAPE(8), -5, 99, JAX, .endpoint = true), 94, 49, 76,
           -1, 84, 19, 12, 67);
  INTEGERS(sn_random_integers(c, SN_I64, SN_SHAPE(6), -5, 1000000000000, JAX), 463982253477,
           604929009943, 848939357151, 550033836784, 100431569943, 686663979521);
  INTEGERS(sn_random_integers(c, SN_U8, SN_SHAPE(8), 3, 200, JAX), 107, 88, 158, 60, 90, 52, 86,
           35);
  INTEGERS(sn_random_integers(c, SN_I16, SN_SHAPE(8), -300, 3000, JAX), -156, 2814, 171, 1369, 1409,
           1719, 2777, 807);
  INTEGERS(sn_random_integers(c, SN_U64, SN_SHAPE(4), 0, 1000000000000000, JAX), 679464050701877,
           242604979476158, 727848944880791, 106550063542319);
  INTEGERS(sn_random_integers(c, SN_I32, SN_SHAPE(4), INT32_MIN, INT32_MAX, JAX, .endpoint = true),
           977810628, 1236381714, -1367112521, -1019495231);
  INTEGERS(sn_random_integers(c, SN_U8, SN_SHAPE(4), 0, 256, JAX), 196, 18, 183, 193);
  INTEGERS(sn_random_integers(c, SN_I8, SN_SHAPE(4), -128, 128, JAX), 68, -110, 55, 65);
}
END_TEST

START_TEST(choices_of_jax) {
  const float logits[] = {0, 1, 2, -1, 3, 0, 0, 0};
  sn_tensor *rows = sn_tile(sn_constant(c, SN_F32, SN_SHAPE(2, 4), logits), (int64_t[]){4, 1}, 2);
  INTEGERS(sn_random_permutation(c, 10, JAX), 7, 4, 2, 5, 3, 6, 8, 9, 0, 1);
  INTEGERS(sn_random_permutation(c, 2000, JAX), 1474, 815, 539, 874, 1693, 84, 995, 1191, 1713,
           508);
  INTEGERS(sn_random_bernoulli(sn_full(c, SN_F64, SN_SHAPE(12), .3), JAX), 0, 1, 0, 0, 0, 0, 0, 0,
           1, 1, 1, 1);
  INTEGERS(sn_random_bernoulli(sn_full(c, SN_F32, SN_SHAPE(12), .3), JAX), 0, 0, 0, 0, 0, 0, 1, 0,
           0, 0, 0, 0);
  INTEGERS(sn_random_categorical(rows, JAX), 2, 0, 1, 0, 1, 0, 1, 0);
  INTEGERS(sn_random_categorical(sn_index(rows, 0, 0), JAX, .samples = 10), 2, 1, 1, 1, 1, 2, 1, 1,
           2, 2);
}
END_TEST

// ---- TensorFlow, stateless
START_TEST(words_of_tensorflow) {
  INTEGERS(sn_random_bits(c, SN_U32, SN_SHAPE(6), STATELESS), 3998743492, 936593879, 4090936895,
           3464181140, 43432934, 932434051);
  U64(sn_random_bits(c, SN_U64, SN_SHAPE(4), STATELESS), 4022640083937524676u,
      14878544707810934335u, 4004773754765229030u, 1225850908837441843u);
  INTEGERS(sn_random_integers(c, SN_I32, SN_SHAPE(7), -5, 100, STATELESS), 32, 69, 75, 30, 99, 26,
           17);
  INTEGERS(sn_random_integers(c, SN_I64, SN_SHAPE(5), -5, 1000000000000, STATELESS), 83917411471,
           707736541610, 754745205160, 908831312588, 439970128878);
  EXACT(sn_random_uniform(c, SN_F16, SN_SHAPE(7), STATELESS), 0x1.e2p-1, 0x1.d7p-2, 0x1.1f8p-1,
        0x1.94p-2, 0x1.f3p-1, 0x1.06p-3, 0x1.33p-2);
  EXACT(sn_random_uniform(c, SN_BF16, SN_SHAPE(7), STATELESS), 0x1.1p-1, 0x1.5cp-1, 0x1.f8p-2,
        0x1.4p-3, 0x1.98p-1, 0x1.8p-6, 0x1.98p-2);
  EXACT(sn_random_uniform(c, SN_F32, SN_SHAPE(7), STATELESS), 0x1.5fef1p-1, 0x1.4d275cp-1,
        0x1.5af8fcp-1, 0x1.ecd65p-1, 0x1.6bbe6p-3, 0x1.3d083p-3, 0x1.61c4ccp-1);
  EXACT(sn_random_uniform(c, SN_F64, SN_SHAPE(7), STATELESS), 0x1.fef10df4d275cp-2,
        0x1.af8ff39ecd65p-2, 0x1.aef98de4f420cp-2, 0x1.0e266220631dp-1, 0x1.bf7a5fb48287ap-1,
        0x1.d496892f4dde4p-1, 0x1.24ce55d1b586p-4);
}
END_TEST

START_TEST(normal_numbers_of_tensorflow) {
  CLOSE(sn_random_normal(c, SN_F32, SN_SHAPE(7), STATELESS), -0x1.67cb1cp-1, -0x1.0306b4p-1,
        -0x1.a4f17p-3, 0x1.b7387ep-1, 0x1.894d48p+0, 0x1.0c020cp+0, 0x1.0ab53cp-3);
  CLOSE(sn_random_normal(c, SN_F64, SN_SHAPE(7), STATELESS), 0x1.1e06d7e6416b1p-1,
        -0x1.09d6e360f6f34p+0, -0x1.d1852de5df404p-3, -0x1.4bbb8cf1f05b1p+0, -0x1.0df172c218aebp-2,
        0x1.c9d5494f772cdp-2, 0x1.84ebe43987575p+0);
  EXACT(sn_random_normal(c, SN_F16, SN_SHAPE(7), STATELESS), -0x1.67cp-1, -0x1.03p-1, -0x1.a5p-3,
        0x1.b74p-1, 0x1.894p+0, 0x1.0cp+0, 0x1.0acp-3);
  CLOSE(sn_random_truncated_normal(c, SN_F32, SN_SHAPE(11), STATELESS), -0x1.67cb1cp-1,
        -0x1.0306b4p-1, -0x1.a4f17p-3, 0x1.b7387ep-1, 0x1.1c6ac4p-4, -0x1.0de246p-1, -0x1.2a162ep-2,
        0x1.12b8ecp-2, 0x1.9aef14p-1, 0x1.751eaep-1, 0x1.d12b1ep-1);
  CLOSE(sn_random_truncated_normal(c, SN_F64, SN_SHAPE(11), STATELESS), 0x1.1e06d7e6416b1p-1,
        -0x1.09d6e360f6f34p+0, 0x1.60b21b497a158p-2, 0x1.1f8058bea6172p-1, 0x1.9cdd4af3a917cp-3,
        -0x1.11664400749fbp-2, 0x1.f8db96a9ec5dp+0, 0x1.07052cdb4bc3p-1, 0x1.322ebb6d0aa03p+0,
        0x1.bc2ff1f8749b2p-2, -0x1.02cc1d84530b6p+0);
}
END_TEST

// ---- TensorFlow, stateful
START_TEST(stateful_ops_of_tensorflow) {
  EXACT(sn_random_uniform(c, SN_F32, SN_SHAPE(2, 2, 2), STATEFUL), 0x1.7b949p-1, 0x1.41d0dp-1,
        0.017384648323059082, 0x1.5f616p-2, 0x1.05724cp-1, 0x1.82d1f8p-2, 0x1.2be48p-4,
        0.021370291709899902);
  EXACT(sn_random_uniform(c, SN_F64, SN_SHAPE(3), STATEFUL), 0x1.dca4902a0e868p-1,
        0x1.1cd4ead5f616p-3, 0x1.5c9324305a3fp-4);
  CLOSE(sn_random_normal(c, SN_F32, SN_SHAPE(7), STATEFUL), -0x1.1e4202p-1, -0x1.11c7p-1,
        0x1.2fbf8ep+1, -0x1.929576p+0, 0x1.9c6b3ap-1, -0x1.aaf1ecp-1, 0x1.39757cp-2);
  CLOSE(sn_random_normal(c, SN_F64, SN_SHAPE(3), STATEFUL), 0x1.290c89e991b82p-2,
        0x1.f14e44d53fcdcp-3, -0x1.238493a5df31ep+0);
  CLOSE(sn_random_truncated_normal(c, SN_F32, SN_SHAPE(11), STATEFUL), -0x1.1e4202p-1, -0x1.11c7p-1,
        -0x1.929576p+0, 0x1.9c6b3ap-1, -0x1.0eb79ap-8, 0x1.614cacp-3, 0x1.2b58aap-2, 0x1.ca33cep-2,
        -0x1.a41934p-3, 0x1.11d2f8p+0, -0x1.a0a928p+0);
  stateful = sn_constant(c, SN_I32, SN_SHAPE(2), (int32_t[]){42, 7});
  INTEGERS(sn_random_integers(c, SN_I32, SN_SHAPE(8), -5, 100, STATEFUL), 26, 93, 19, 93, 52, 8, 52,
           19);
}
END_TEST

// The context's generator is such a stream: set where an op of TensorFlow begins, it goes on where that goes on.
START_TEST(the_generator_continues_a_stream) {
  sn_random_state state;
  sn_random_set_state(c, (sn_random_state){.key = 42, .stream = 478163327});
  sn_tensor *u = sn_random_uniform(c, SN_F32, SN_SHAPE(4));
  float values[4];
  ck_assert_int_eq(sn_read(u, values, sizeof values), SN_OK);
  const double wanted[] = {.66456211, .44100678, .35288250, .46448255};
  for (int i = 0; i < 4; i++) ck_assert_double_eq_tol((double)values[i], wanted[i], 1e-8);
  sn_set_seed(c, 42);
  INTEGERS(sn_random_permutation(c, 11610), 5483, 4314, 9159, 9907, 5793, 10910, 1656, 5751, 3163,
           1544);
  ck_assert_int_eq(sn_random_get_state(c, &state), SN_OK);
  ck_assert_uint_eq(state.counter, (11609 + 3) / 4);
  INTEGERS(sn_random_permutation(c, 11610), 4882, 2307, 3755, 2796);
  sn_random_set_state(c, state);
  INTEGERS(sn_random_permutation(c, 10), 2, 1, 3, 0, 5, 9, 4, 8, 7, 6);
}
END_TEST

// he_normal and glorot_uniform of Keras, whose initializers are stateless ops of (seed, 0).
START_TEST(initializers_of_keras) {
  sn_tensor *seed = sn_constant(c, SN_I64, SN_SHAPE(2), (int64_t[]){686579304, 0});
  sn_tensor *z = sn_random_truncated_normal(c, SN_F32, SN_SHAPE(8, 30), .key = seed,
                                            .algorithm = SN_RANDOM_PHILOX_TF);
  const double wanted[] = {-.26817304, -.16403890, -.25157639, .77409935, -.56480980, .56714141};
  float given[240], glorot[30];
  ck_assert_int_eq(
      sn_read(sn_mul_scalar(z, sqrt(2.0 / 8) / 0.87962566103423978), given, sizeof given), SN_OK);
  for (int i = 0; i < 6; i++) ck_assert_double_eq_tol((double)given[i], wanted[i], 2e-7);
  ck_assert_double_eq_tol((double)given[239], .16461553, 2e-7);
  seed = sn_constant(c, SN_I64, SN_SHAPE(2), (int64_t[]){119540832, 0});
  sn_tensor *u =
      sn_random_uniform(c, SN_F32, SN_SHAPE(30, 1), .key = seed, .algorithm = SN_RANDOM_PHILOX_TF);
  const double limit = sqrt(6.0 / 31), first[] = {.42160100, -.01582217, .23413491, .21369952};
  u = sn_sub_scalar(sn_mul_scalar(u, 2 * limit), limit);
  ck_assert_int_eq(sn_read(u, glorot, sizeof glorot), SN_OK);
  for (int i = 0; i < 4; i++) ck_assert_double_eq_tol((double)glorot[i], first[i], 6e-8);
}
END_TEST

// ---- long ones, by their sums and ends
START_TEST(long_draws_of_tensorflow) {
  double sum;
  stateful = sn_constant(c, SN_I64, SN_SHAPE(2), (int64_t[]){42, 3});
  sn_tensor *z = sn_random_truncated_normal(c, SN_F32, SN_SHAPE(5000), STATEFUL);
  sn_range_spec end[] = {SN_RANGE(-3, SN_END, 1)};
  ck_assert_int_eq(sn_item(sn_sum(sn_cast(z, SN_F64)), &sum), SN_OK);
  ck_assert_double_eq_tol(sum, 53.83741403571912, 1e-4);
  CLOSE(sn_slice(z, end, 1), 0x1.ff816ap-2, -0x1.f296bap+0, -0x1.944b02p-1);
  z = sn_random_normal(c, SN_F32, SN_SHAPE(5001), STATEFUL);
  ck_assert_int_eq(sn_item(sn_sum(sn_cast(z, SN_F64)), &sum), SN_OK);
  ck_assert_double_eq_tol(sum, -33.711279656679835, 1e-4);
  CLOSE(sn_slice(z, end, 1), -0x1.332ffp-2, -0x1.4cac0ap-1, 0x1.99631ep+0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("random");
  TCase *tests = tcase_create("random");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, keys_of_jax);
  tcase_add_test(tests, bits_of_jax);
  tcase_add_test(tests, uniform_numbers_of_jax);
  tcase_add_test(tests, distributions_of_jax);
  tcase_add_test(tests, integers_of_jax);
  tcase_add_test(tests, choices_of_jax);
  tcase_add_test(tests, words_of_tensorflow);
  tcase_add_test(tests, normal_numbers_of_tensorflow);
  tcase_add_test(tests, stateful_ops_of_tensorflow);
  tcase_add_test(tests, the_generator_continues_a_stream);
  tcase_add_test(tests, initializers_of_keras);
  tcase_add_test(tests, long_draws_of_tensorflow);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
