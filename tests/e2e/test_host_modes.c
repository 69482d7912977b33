// The floating-point modes that the host has set at the point of call change no result: numbers given
// to ops, constants of composed ops, what a compilation computes, text in and out.
#include <sinter/sinter.h>

#include <check.h>
#include <fenv.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum { room = 1 << 16, n_modes = 5 };

typedef struct record {
  unsigned char bytes[room];
  size_t n;
} record;

static void note(record *r, const void *data, size_t bytes) {
  ck_assert_uint_le(r->n + bytes, room);
  memcpy(r->bytes + r->n, data, bytes);
  r->n += bytes;
}

static void note_tensor(record *r, sn_context *c, sn_tensor *t) {
  ck_assert_msg(!sn_failed(t), "%s", sn_error_message(c));
  const size_t bytes = (size_t)sn_size(t) * sn_dtype_size(sn_dtype_of(t));
  const void *data;
  char text[512];
  ck_assert_int_eq(sn_data(t, &data), SN_OK);
  note(r, data, bytes);
  note(r, text, sn_format(t, text, sizeof(text)) < sizeof(text) ? strlen(text) : 0);
}

// x f32[3]: three ordinary numbers.
static sn_status numbers(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *x = in[0];
  int n = 0;
  out[n++] = sn_mul_scalar(x, 0.37);
  out[n++] = sn_add_scalar(x, 1e-9 + 1.0 / 3);
  out[n++] = sn_pow_scalar(sn_abs(x), 0.1);
  out[n++] = sn_add(x, sn_full(c, SN_F32, SN_SHAPE(3), 1.0 / 7));
  out[n++] = sn_pad(x, (const int64_t[]){1}, (const int64_t[]){2}, 1, 0.1);
  out[n++] = sn_mul(sn_scalar_like(x, 1e-40), sn_scalar_like(x, 0.7));
  out[n++] = sn_gelu(x);
  out[n++] = sn_softplus(x);
  out[n++] = sn_huber_loss(x, sn_mul_scalar(x, 0.3), 0.7);
  out[n++] = sn_mean(x);
  out[n++] = sn_range(c, SN_F32, 0.1, 1.0, 0.3);
  out[n++] = sn_range(c, SN_F64, 0, 0.7 * 3, 0.7);
  out[n++] = sn_cast(sn_full(c, SN_I64, SN_SHAPE(2), 9007199254740993.0), SN_F32);
  // Folded by the compiler.
  out[n++] = sn_div(sn_full(c, SN_F32, SN_SHAPE(1), 1), sn_full(c, SN_F32, SN_SHAPE(1), 3));
  out[n++] =
      sn_mul(sn_exp(sn_full(c, SN_F64, SN_SHAPE(1), 0.3)), sn_full(c, SN_F64, SN_SHAPE(1), 1.1));
  sn_gradients(sn_sum(sn_pow_scalar(sn_gelu(sn_abs(x)), 1.7)), in, 1, &out[n++]);
  return sn_pending_error(c);
}
enum { n_outputs = 16 };

static void run_all(record *r, sn_backend backend) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = backend, .seed = 5), SN_OK);
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(3), ((float[]){0.3f, -1.7f, 2.9f}));
  sn_tensor *out[n_outputs];
  sn_function *f = sn_function_create(c, numbers, .inputs = 1, .outputs = n_outputs);
  for (int traced = 0; traced < 2; traced++) {
    const sn_status status =
        traced ? sn_call(f, &x, 1, out, n_outputs) : sn_call_eager(f, &x, 1, out, n_outputs);
    ck_assert_msg(!status, "%s", sn_error_message(c));
    for (int i = 0; i < n_outputs; i++) note_tensor(r, c, out[i]);
  }
  note_tensor(r, c, sn_random_normal(c, SN_F32, SN_SHAPE(50)));
  note_tensor(r, c, sn_random_uniform(c, SN_F64, SN_SHAPE(20)));
  double value;
  ck_assert_int_eq(sn_item(sn_scalar_i64(c, 9007199254740993), &value), SN_OK);
  note(r, &value, sizeof(value));
  const char *text =
      "func @f {\n  %0 = parameter input 0 : f32[2]\n  %1 = constant [0.1, 1e-40] : f32[2]\n"
      "  %2 = mul(%0, %1) : f32[2]\n  return %2\n}\n";
  sn_program *program;
  char *dump;
  ck_assert_msg(!sn_program_from_text(c, text, strlen(text), &program), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_program_dump(c, program, SN_STAGE_GRAPH, &dump), SN_OK);
  note(r, dump, strlen(dump));
  sn_text_free(c, dump);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_context_destroy(c);
}

static void set_mode(int mode) {
  static const int directions[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};
  if (mode < 4) ck_assert_int_eq(fesetround(directions[mode]), 0);
#if defined(__x86_64__)
  if (mode == 4) _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, denormals are zero
#endif
}

START_TEST(modes_change_nothing) {
  static record wanted, given;
  const sn_backend backend = _i >= n_modes ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER;
  run_all(&wanted, backend);
  fenv_t before;
  ck_assert_int_eq(fegetenv(&before), 0);
  set_mode(_i % n_modes);
  const int direction = fegetround();
  run_all(&given, backend);
  ck_assert_int_eq(fegetround(), direction);
  ck_assert_int_eq(fesetenv(&before), 0);
  ck_assert_uint_eq(given.n, wanted.n);
  for (size_t i = 0; i < wanted.n; i++)
    ck_assert_msg(given.bytes[i] == wanted.bytes[i], "byte %zu of %zu", i, wanted.n);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("host modes");
  TCase *cases = tcase_create("modes");
  tcase_add_loop_test(cases, modes_change_nothing, 0, 2 * n_modes);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
