// Allocation number N fails, for every N, while a function of structs makes its variable, is traced with loops and gradients of several
// targets, compiled, run, traced again for another size and static value, walked, and its gradients are checked: SN_ERR_MEMORY, nothing
// leaks, and the next call is right.
#include "oom/failing.h"

#include <sinter/sinter.h>

#include <string.h>

typedef struct parameters {
  sn_tensor *w, *absent;
  int power;
  const char *label;
} parameters;
typedef struct reply {
  parameters slopes;
  sn_tensor *y;
  double rate;
} reply;
SN_COMPOSITE(parameters_type, parameters, SN_FIELD(parameters, w), SN_FIELD(parameters, absent),
             SN_FIELD(parameters, power), SN_FIELD(parameters, label));
SN_COMPOSITE(reply_type, reply, SN_NESTED(reply, slopes, parameters_type), SN_FIELD(reply, y),
             SN_FIELD(reply, rate));

typedef struct life {
  sn_context *context;
  sn_tensor *bias;
  sn_function *function;
} life;

static sn_status make_bias(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  life *l = user;
  (void)in, (void)out;
  sn_tensor *made = sn_variable(sn_add(sn_scalar_f64(c, 1), 1.0), .name = "bias");
  if (!sn_failed(made)) l->bias = made;
  return sn_pending_error(c);
}

static sn_status advance(sn_context *c, const void *carry, const void *x, void *next, void *y,
                         void *user) {
  const parameters *p = carry, *row = x;
  parameters *n = next, *made = y;
  (void)user;
  *n = *p;
  n->w = sn_add(sn_mul(p->w, 0.5), row->w);
  made->w = sn_square(n->w);
  return sn_pending_error(c);
}

static sn_status respond(sn_context *c, const void *in, void *out, void *user) {
  const parameters *p = in;
  reply *r = out;
  life *l = user;
  parameters start = *p, last, rows;
  if (!l->bias) sn_init(c, make_bias, l);
  if (sn_pending_error(c)) return sn_pending_error(c);
  start.w = sn_sum(p->w, .axes = SN_AXES(0));
  sn_scan_struct(c, advance, NULL, SN_STRUCT(parameters_type, &start),
                 SN_STRUCT(parameters_type, p), &parameters_type, &last, &rows);
  r->y = sn_add(sn_pow(last.w, (double)p->power), l->bias);
  sn_tensor *slope[1];
  sn_gradients_of(SN_ARGS(r->y, sn_sum(rows.w)), &p->w, 1, slope);
  sn_gradients_struct(sn_sum(rows.w), SN_STRUCT(parameters_type, p), &r->slopes);
  r->slopes.absent = slope[0];
  r->rate = 0.25;
  return sn_pending_error(c);
}

static sn_status call(life *l, int64_t rows, int power) {
  SN_SCOPE(l->context);
  const double numbers[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  reply r;
  parameters p = {.w = sn_constant(l->context, SN_F64, SN_SHAPE(rows, 2), numbers),
                  .power = power,
                  .label = "text"};
  sn_status status = sn_check(l->context);
  if (!status)
    status = sn_call_struct(l->function, SN_STRUCT(parameters_type, &p), SN_STRUCT(reply_type, &r));
  if (status) return status;
  ck_assert(r.y && r.slopes.w && r.slopes.absent && r.rate == 0.25 && r.slopes.power == power);
  sn_program *program;
  status = sn_function_compile_struct(l->function, SN_STRUCT(parameters_type, &p), &program);
  if (status) return status;
  ck_assert_int_gt(sn_graph_size(sn_program_graph(program)), 5);
  ck_assert_ptr_nonnull(strstr(sn_program_signature(program), "label: static \"text\""));
  sn_program_release(program);
  return SN_OK;
}

static sn_status cube(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mul(sn_square(in[0]), in[0]);
  return sn_pending_error(c);
}

static sn_status check(life *l) {
  SN_SCOPE(l->context);
  sn_tensor *x = sn_scalar_f64(l->context, 2);
  const sn_status status = sn_check(l->context);
  return status ? status
                : sn_check_gradients(l->context, cube, &x, 1, 1, NULL, .second_order = true);
}

static sn_status use(life *l) {
  sn_status status = call(l, 2, 2);
  if (!status) status = call(l, 3, 2);
  if (!status) status = call(l, 3, 3);
  return status ? status : check(l);
}

static sn_status live(failing *f, life *l) {
  sn_status status = sn_context_create(&l->context, .allocator = {reallocate, f}, .threads = 1,
                                       .backend = SN_BACKEND_INTERPRETER);
  if (status) return status;
  l->function = sn_struct_function(l->context, respond, &parameters_type, &reply_type, .user = l);
  if ((status = sn_check(l->context))) return status;
  return use(l);
}

static bool fail_at(long n) {
  failing f = {.countdown = n};
  life l = {0};
  const sn_status status = live(&f, &l);
  check_life(&f, status, l.context, n);
  f.countdown = -1;
  if (l.function) ck_assert_msg(!use(&l), "allocation %ld: %s", n, sn_error_message(l.context));
  sn_function_destroy(l.function);
  sn_release(l.bias);
  sn_context_destroy(l.context);
  check_freed(&f, n);
  return f.failed;
}

// Shared out over four tests, which run side by side.
START_TEST(every_allocation) {
  if (!_i) ck_assert(!fail_at(-1));
  long n = _i;
  while (fail_at(n)) n += 4;
  ck_assert_int_gt(n, 200);
}
END_TEST

int main(void) {
  return run_ways("functions", every_allocation, 4);
}
