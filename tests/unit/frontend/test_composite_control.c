// Branches and loops over structs of tensors, and handles in structs: values in every mode, what bodies must agree on.
#include "struct_modes.h"

typedef struct state {
  sn_tensor *x, *unused, *n;
  int stride;
} state;
typedef struct row {
  sn_tensor *a, *b;
} row;
SN_COMPOSITE(state_type, state, SN_FIELD(state, x), SN_FIELD(state, unused), SN_FIELD(state, n),
             SN_FIELD(state, stride));
SN_COMPOSITE(row_type, row, SN_FIELD(row, a), SN_FIELD(row, b));

static sn_status goes_on(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  *(sn_tensor **)out = sn_less(s->n, 5.0);
  (void)user;
  return sn_pending_error(context);
}
static sn_status advance(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  state *next = out;
  *next = *s;
  next->x = sn_add(s->x, sn_mul(s->x, s->n));
  next->n = sn_add(s->n, (double)s->stride);
  (void)user;
  return sn_pending_error(context);
}
static sn_status accumulate(sn_context *context, const void *carry, const void *x, void *next,
                            void *y, void *user) {
  const state *s = carry;
  const row *r = x;
  state *n = next;
  row *made = y;
  *n = *s;
  n->x = sn_add(s->x, sn_mul(r->a, r->a));
  made->b = n->x;
  (void)user;
  return sn_pending_error(context);
}
static sn_status larger(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  row *r = out;
  r->a = sn_mul(s->x, 2.0);
  (void)user;
  return sn_pending_error(context);
}
static sn_status smaller(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  row *r = out;
  r->a = sn_neg(s->x);
  (void)user;
  return sn_pending_error(context);
}

typedef struct flow {
  sn_tensor *looped, *n, *last, *rows, *branch, *slope;
  sn_tensor *absent[4];
  int stride;
} flow;
SN_COMPOSITE(flow_type, flow, SN_FIELD(flow, looped), SN_FIELD(flow, n), SN_FIELD(flow, last),
             SN_FIELD(flow, rows), SN_FIELD(flow, branch), SN_FIELD(flow, slope),
             SN_FIELD(flow, absent), SN_FIELD(flow, stride));
typedef struct flow_input {
  state s;
  row xs;
} flow_input;
SN_COMPOSITE(flow_input_type, flow_input, SN_NESTED(flow_input, s, state_type),
             SN_NESTED(flow_input, xs, row_type));

static sn_status flows(sn_context *context, const void *in, void *out, void *user) {
  const flow_input *given = in;
  flow *f = out;
  state looped, last;
  row ys, branch;
  (void)user;
  sn_while_struct(context, goes_on, advance, NULL, SN_STRUCT(state_type, &given->s), &looped);
  sn_scan_struct(context, accumulate, NULL, SN_STRUCT(state_type, &given->s),
                 SN_STRUCT(row_type, &given->xs), &row_type, &last, &ys);
  sn_cond_struct(context, sn_greater(given->s.x, 2.0), larger, smaller, NULL,
                 SN_STRUCT(state_type, &last), SN_STRUCT(row_type, &branch));
  *f = (flow){.looped = looped.x,
              .n = looped.n,
              .last = last.x,
              .rows = ys.b,
              .branch = branch.a,
              .absent = {looped.unused, last.unused, ys.a, branch.b},
              .stride = looped.stride + last.stride};
  sn_tensor *all = sn_add(sn_add(looped.x, sn_sum(ys.b)), branch.a);
  sn_gradients(all, &given->s.x, 1, &f->slope);
  return sn_pending_error(context);
}

START_TEST(test_control_flow) {
  sn_function *f = sn_struct_function(ctx, flows, &flow_input_type, &flow_type);
  for (int mode = 0; mode < 2; mode++)
    for (int big = 0; big < 2; big++) {
      flow_input in = {.s = {.x = F64(SN_SCALAR, big ? 3 : 1), .n = F64(SN_SCALAR, 1), .stride = 2},
                       .xs = {.a = F64(SN_SHAPE(3), 1, 2, 3)}};
      const double x = big ? 3 : 1, by = big ? 2 : -1;
      flow o;
      const sn_status status =
          modes[mode](f, SN_STRUCT(flow_input_type, &in), SN_STRUCT(flow_type, &o), "", 1);
      ck_assert_msg(!status, "%d: %s", mode, sn_error_message(ctx));
      EXPECT(o.looped, SN_SCALAR, x * 2 * 4);  // n: 1, 3
      EXPECT(o.n, SN_SCALAR, 5);
      EXPECT(o.last, SN_SCALAR, x + 14);
      EXPECT(o.rows, SN_SHAPE(3), x + 1, x + 5, x + 14);
      EXPECT(o.branch, SN_SCALAR, by * (x + 14));
      EXPECT(o.slope, SN_SCALAR, 8 + 3 + by);
      for (int i = 0; i < 4; i++) ck_assert_ptr_null(o.absent[i]);
      ck_assert_int_eq(o.stride, 4);
    }
  ck_assert_uint_eq(traces_of(f), 1);
  sn_function_destroy(f);
}
END_TEST

// Loops of a known length, maps and checkpoints: the static field is there inside, an absent tensor stays absent.
static sn_status count_up(sn_context *context, sn_tensor *number, const void *carry, void *next,
                          void *user) {
  const state *s = carry;
  state *n = next;
  *n = *s;
  n->x = sn_add(s->x, sn_mul(sn_cast(number, SN_F64), (double)s->stride));
  (void)user;
  return sn_pending_error(context);
}
static sn_status scaled_row(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  row *r = out;
  ck_assert(!s->unused && sn_rank(s->x) == 0);
  r->a = sn_mul(sn_add(s->x, s->n), (double)s->stride);
  (void)user;
  return sn_pending_error(context);
}

static sn_status more_flows(sn_context *context, const void *in, void *out, void *user) {
  const flow_input *given = in;
  flow *f = out;
  state counted;
  row mapped, vectorized, one, again;
  const int axes[] = {0, SN_UNBATCHED};
  state rows = {.x = given->xs.a, .n = sn_mul(given->xs.a, 10.0), .stride = 3};
  state shared = {.x = given->xs.a, .n = given->s.n, .stride = 2};
  (void)user;
  sn_fori_struct(context, 1, 4, count_up, NULL, SN_STRUCT(state_type, &given->s), &counted);
  sn_map_struct(context, scaled_row, NULL, SN_STRUCT(state_type, &rows),
                SN_STRUCT(row_type, &mapped));
  sn_vectorized_map_struct(context, scaled_row, NULL, SN_STRUCT(state_type, &rows),
                           SN_STRUCT(row_type, &vectorized), NULL);
  sn_vectorized_map_struct(context, scaled_row, NULL, SN_STRUCT(state_type, &shared),
                           SN_STRUCT(row_type, &again), axes);
  sn_checkpoint_struct(context, scaled_row, NULL, SN_STRUCT(state_type, &given->s),
                       SN_STRUCT(row_type, &one));
  *f = (flow){.looped = counted.x,
              .n = one.a,
              .last = mapped.a,
              .rows = vectorized.a,
              .branch = again.a,
              .absent = {counted.unused, mapped.b, vectorized.b, one.b},
              .stride = counted.stride};
  sn_gradients(sn_mul(one.a, counted.x), &given->s.x, 1, &f->slope);
  return sn_pending_error(context);
}

START_TEST(test_more_control_flow) {
  sn_function *f = sn_struct_function(ctx, more_flows, &flow_input_type, &flow_type);
  for (int mode = 0; mode < 2; mode++) {
    flow_input in = {.s = {.x = F64(SN_SCALAR, 5), .n = F64(SN_SCALAR, 1), .stride = 2},
                     .xs = {.a = F64(SN_SHAPE(3), 1, 2, 3)}};
    flow o;
    const sn_status status =
        modes[mode](f, SN_STRUCT(flow_input_type, &in), SN_STRUCT(flow_type, &o), "", 1);
    ck_assert_msg(!status, "%d: %s", mode, sn_error_message(ctx));
    EXPECT(o.looped, SN_SCALAR, 5 + 2 * (1 + 2 + 3));
    EXPECT(o.n, SN_SCALAR, 12);
    EXPECT(o.last, SN_SHAPE(3), 33, 66, 99);
    EXPECT(o.rows, SN_SHAPE(3), 33, 66, 99);
    EXPECT(o.branch, SN_SHAPE(3), 4, 6, 8);
    EXPECT(o.slope, SN_SCALAR, 2 * 17 + 12);
    for (int i = 0; i < 4; i++) ck_assert_ptr_null(o.absent[i]);
    ck_assert_int_eq(o.stride, 2);
  }
  sn_function_destroy(f);
}
END_TEST

static sn_status another_stride(sn_context *context, sn_tensor *number, const void *carry,
                                void *next, void *user) {
  (void)number, (void)user;
  *(state *)next = *(const state *)carry;
  ((state *)next)->stride++;
  return sn_pending_error(context);
}

START_TEST(test_more_faults) {
  state s = {.x = F64(SN_SCALAR, 5), .n = F64(SN_SCALAR, 1), .stride = 2}, last;
  row r;
  sn_fori_struct(ctx, 0, 3, another_stride, NULL, SN_STRUCT(state_type, &s), &last);
  expect_error(SN_ERR_ARGUMENT, "sn_fori_struct: ");
  sn_fori_struct(ctx, 0, 3, NULL, NULL, SN_STRUCT(state_type, &s), &last);
  expect_error(SN_ERR_ARGUMENT, "sn_fori_struct: a callback, type or last is NULL");
  sn_vectorized_map_struct(ctx, NULL, NULL, SN_STRUCT(state_type, &s), SN_STRUCT(row_type, &r),
                           NULL);
  expect_error(SN_ERR_ARGUMENT, "sn_vectorized_map_struct: a body or out is NULL");
  ck_assert(sn_failed(r.a));
  sn_checkpoint_struct(ctx, scaled_row, NULL, SN_STRUCT(state_type, &s), &row_type, NULL);
  expect_error(SN_ERR_ARGUMENT, "sn_checkpoint_struct: a body or out is NULL");
}
END_TEST

// ---- handles: keys (integers), values, and perhaps weights
typedef struct pairs {
  sn_tensor *keys, *values, *weights;
} pairs;
static pairs *made_pairs[4000];
static int n_made_pairs;

static pairs *new_pairs(sn_tensor *keys, sn_tensor *values, sn_tensor *weights) {
  ck_assert_int_lt(n_made_pairs, 4000);
  pairs *p = made_pairs[n_made_pairs++] = malloc(sizeof(*p));
  *p = (pairs){keys, values, weights};
  return p;
}
static void free_pairs(void) {
  while (n_made_pairs) free(made_pairs[--n_made_pairs]);
}
static void open_pairs(const void *handle, sn_tensor **tensors) {
  memcpy(tensors, handle, sizeof(pairs));
}
static void *make_pairs(sn_context *context, sn_tensor *const *tensors) {
  if (tensors[0] && sn_rank(tensors[0]) != 1) {
    sn_fail(context, SN_ERR_SHAPE, "keys of pairs have rank 1");
    return NULL;
  }
  return tensors[0] && tensors[1] ? new_pairs(tensors[0], tensors[1], tensors[2]) : NULL;
}
SN_HANDLE_TYPE(pairs_type, pairs, open_pairs, make_pairs, "keys", "values", "weights");

typedef struct table {
  pairs *p[2];
  sn_tensor *x;
} table;
typedef struct lookup {
  table slopes;
  pairs *looped, *branch;
  sn_tensor *y;
} lookup;
SN_COMPOSITE(table_type, table, SN_HANDLE(table, p, pairs_type), SN_FIELD(table, x));
SN_COMPOSITE(lookup_type, lookup, SN_NESTED(lookup, slopes, table_type),
             SN_HANDLE(lookup, looped, pairs_type), SN_HANDLE(lookup, branch, pairs_type),
             SN_FIELD(lookup, y));

static sn_status short_enough(sn_context *context, const void *in, void *out, void *user) {
  const table *t = in;
  *(sn_tensor **)out = sn_less(sn_max(t->p[0]->values), 100.0);
  (void)user;
  return sn_pending_error(context);
}
static sn_status doubled_pairs(sn_context *context, const void *in, void *out, void *user) {
  const table *t = in;
  table *next = out;
  *next = *t;
  next->p[0] = new_pairs(t->p[0]->keys, sn_add(t->p[0]->values, t->p[0]->values), NULL);
  (void)user;
  return sn_pending_error(context);
}
static sn_status first_pairs(sn_context *context, const void *in, void *out, void *user) {
  *(table *)out = *(const table *)in;
  (void)user;
  return sn_pending_error(context);
}

static sn_status look_up(sn_context *context, const void *in, void *out, void *user) {
  const table *t = in;
  lookup *l = out;
  table last, branch;
  (void)user;
  ck_assert(t->p[0] && !t->p[0]->weights && !t->p[1]);
  sn_tensor *found = sn_gather(t->p[0]->values, t->p[0]->keys);
  l->y = sn_sum(sn_mul(found, t->x));
  sn_gradients_struct(l->y, SN_STRUCT(table_type, t), &l->slopes);
  sn_while_struct(context, short_enough, doubled_pairs, NULL, SN_STRUCT(table_type, t), &last);
  sn_cond_struct(context, sn_greater(l->y, 0.0), first_pairs, doubled_pairs, NULL,
                 SN_STRUCT(table_type, &last), SN_STRUCT(table_type, &branch));
  l->looped = last.p[0];
  l->branch = branch.p[0];
  return sn_pending_error(context);
}

START_TEST(test_handles) {
  sn_function *f = sn_struct_function(ctx, look_up, &table_type, &lookup_type, .name = "look_up");
  table t = {.x = F64(SN_SHAPE(3), 1, 2, 3)};
  t.p[0] = new_pairs(I32(SN_SHAPE(3), 2, 0, 2), F64(SN_SHAPE(3), 5, 6, 7), NULL);
  for (int mode = 0; mode < 2; mode++)
    for (int round = 0; round < 2; round++) {
      lookup l;
      ck_assert_msg(!modes[mode](f, SN_STRUCT(table_type, &t), SN_STRUCT(lookup_type, &l), "", 1),
                    "%s", sn_error_message(ctx));
      EXPECT(l.y, SN_SCALAR, 7 + 10 + 21);
      EXPECT(l.slopes.p[0]->values, SN_SHAPE(3), 2, 0, 4);
      EXPECT(l.slopes.p[0]->keys, SN_SHAPE(3), 2, 0, 2);  // its own
      ck_assert(!l.slopes.p[0]->weights && !l.slopes.p[1]);
      EXPECT(l.slopes.x, SN_SHAPE(3), 7, 5, 7);
      EXPECT(l.looped->values, SN_SHAPE(3), 80, 96, 112);
      EXPECT(l.branch->values, SN_SHAPE(3), 80, 96, 112);
    }
  ck_assert_uint_eq(traces_of(f), 1);
  sn_program *program;
  ck_assert_int_eq(sn_function_compile_struct(f, SN_STRUCT(table_type, &t), &program), SN_OK);
  ck_assert_ptr_nonnull(strstr(sn_program_signature(program),
                               "look_up(p[0].keys: i32[3], p[0].values: f64[3], p[0].weights: "
                               "absent, p[1].keys: absent"));
  sn_program_release(program);
  t.p[0]->values = sn_cast(t.p[0]->values, SN_F32);
  lookup l;
  ck_assert_int_ne(sn_call_struct(f, SN_STRUCT(table_type, &t), SN_STRUCT(lookup_type, &l)), SN_OK);
  t.p[0]->values = sn_add(t.x, t.p[0]->values);
  ck_assert_int_ne(sn_check(ctx), SN_OK);
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(table_type, &t), SN_STRUCT(lookup_type, &l)),
                   SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "field \"p[0].values\""));
  t.p[0]->values = t.x;
  t.p[0]->keys = I32(SN_SHAPE(1, 1), 0);  // what make refuses
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(table_type, &t), SN_STRUCT(lookup_type, &l)),
                   SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "keys of pairs have rank 1"));
  sn_function_destroy(f);
  free_pairs();
}
END_TEST

// A handle lives as long as the scope of the body that has made it: the next iteration must not look at that of the one before.
static sn_status rows_of_pairs(sn_context *context, const void *carry, const void *x, void *next,
                               void *y, void *user) {
  pairs **latest = user;
  const row *r = x;
  if (*latest) memset(*latest, 0x5a, sizeof(**latest));
  *(row *)next = *(const row *)carry;
  *(pairs **)y = *latest = new_pairs(r->a, sn_mul(r->a, r->a), NULL);
  return sn_pending_error(context);
}

typedef struct only_pairs {
  pairs *p;
} only_pairs;

static void *make_rows(sn_context *context, sn_tensor *const *tensors) {
  (void)context;
  return new_pairs(tensors[0], tensors[1], tensors[2]);
}

START_TEST(test_handles_of_iterations) {
  static const char *const names[] = {"keys", "values", "weights"};
  const sn_handle_type type = {"pairs", 3, names, open_pairs, make_rows};
  const sn_field field = {"p", SN_FIELD_HANDLE, 0, sizeof(pairs *), NULL, &type};
  const sn_composite made = {"only_pairs", sizeof(only_pairs), &field, 1};
  pairs *latest = NULL;
  row carry = {.a = F64(SN_SCALAR, 1)}, xs = {.a = F64(SN_SHAPE(3), 1, 2, 3)}, last;
  only_pairs ys;
  const sn_status status =
      sn_scan_struct_at(ctx, rows_of_pairs, &latest, &row_type, &carry, &row_type, &xs, &made,
                        &last, &ys, NULL, __FILE__, __LINE__);
  ck_assert_msg(!status, "%s", sn_error_message(ctx));
  EXPECT(ys.p->values, SN_SHAPE(3), 1, 4, 9);
  ck_assert_ptr_null(ys.p->weights);
  free_pairs();
}
END_TEST

// ---- what goes wrong
typedef enum fault {
  OTHER_STATIC,
  OTHER_PRESENCE,
  OTHER_SHAPE,
  OTHER_DTYPE,
  BRANCH_PRESENCE,
  BRANCH_SHAPE,
  N_FAULTS
} fault;

static sn_status faulty_step(sn_context *context, const void *in, void *out, void *user) {
  state *next = out;
  *next = *(const state *)in;
  switch (*(const fault *)user) {
    case OTHER_STATIC:
      next->stride++;
      break;
    case OTHER_PRESENCE:
      next->unused = next->x;
      break;
    case OTHER_SHAPE:
      next->x = sn_reshape(next->x, SN_SHAPE(1));
      break;
    default:
      next->x = sn_cast(next->x, SN_F32);
      break;
  }
  return sn_pending_error(context);
}
static sn_status faulty_branch(sn_context *context, const void *in, void *out, void *user) {
  row *r = out;
  r->a = ((const state *)in)->x;
  if (*(const fault *)user == BRANCH_PRESENCE)
    r->b = r->a;
  else
    r->a = sn_reshape(r->a, SN_SHAPE(1));
  return sn_pending_error(context);
}
static sn_status fail_in_flow(sn_context *context, const void *in, void *out, void *user) {
  const state *s = in;
  state *last = out;
  row r;
  if (*(fault *)user < BRANCH_PRESENCE)
    sn_while_struct(context, goes_on, faulty_step, user, SN_STRUCT(state_type, s), last);
  else
    sn_cond_struct(context, sn_less(s->x, 1.0), smaller, faulty_branch, user,
                   SN_STRUCT(state_type, s), SN_STRUCT(row_type, &r));
  return sn_pending_error(context);
}

START_TEST(test_faults_in_bodies) {
  static const char *const texts[N_FAULTS] = {
      "sn_while_struct: field \"stride\" is 2 behind the body, but 1 in init",
      "sn_while_struct: field \"unused\" is a tensor behind the body, but absent in init",
      "sn_while_struct: field \"x\" is f64[1], but the body was given f64[]",
      "sn_while_struct: field \"x\" is f32[], but the body was given f64[]",
      "sn_cond_struct: field \"b\" is absent in a body, but a tensor in another body",
      "sn_cond_struct: field \"a\" is f64[], but another body makes it f64[1]",
  };
  fault user = (fault)_i;
  state s = {.x = F64(SN_SCALAR, 1), .n = F64(SN_SCALAR, 1), .stride = 1}, out;
  sn_function *f = sn_struct_function(ctx, fail_in_flow, &state_type, &state_type, .user = &user);
  for (int mode = 0; mode < (user < BRANCH_PRESENCE ? 2 : 1); mode++) {
    const sn_status status =
        modes[mode](f, SN_STRUCT(state_type, &s), SN_STRUCT(state_type, &out), __FILE__, __LINE__);
    ck_assert_int_ne(status, SN_OK);
    ck_assert_msg(strstr(sn_error_message(ctx), texts[_i]) != NULL, "mode %d: \"%s\" lacks \"%s\"",
                  mode, sn_error_message(ctx), texts[_i]);
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "test_composite_control.c:"));
  }
  sn_function_destroy(f);
}
END_TEST

static void use_everything(void) {
  SN_SCOPE(ctx);
  flow o;
  sn_function *f;
  flow_input in = {.s = {.x = sn_scalar_f64(ctx, 3), .n = sn_scalar_f64(ctx, 1), .stride = 2},
                   .xs = {.a = sn_zeros(ctx, SN_F64, SN_SHAPE(3))}};
  f = sn_struct_function(ctx, flows, &flow_input_type, &flow_type);
  if (f) (void)!sn_call_struct(f, SN_STRUCT(flow_input_type, &in), SN_STRUCT(flow_type, &o));
  sn_function_destroy(f);
  (void)!sn_check(ctx);
}

// Each allocation fails once: a status, no leak, and the context goes on.
START_TEST(test_without_memory) {
  use_everything();
  atomic_store(&memory.calls, 0);
  use_everything();
  const int64_t calls = memory.calls;
  atomic_store(&memory.fail_count, 1);
  for (int64_t n = _i; n < calls; n += 40) {
    atomic_store(&memory.calls, 0);
    atomic_store(&memory.fail_from, n);
    use_everything();
    atomic_store(&memory.fail_from, -1);
  }
  use_everything();
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("composite_control");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 200);
  tcase_add_test(tests, test_control_flow);
  tcase_add_test(tests, test_more_control_flow);
  tcase_add_test(tests, test_more_faults);
  tcase_add_test(tests, test_handles);
  tcase_add_test(tests, test_handles_of_iterations);
  tcase_add_loop_test(tests, test_faults_in_bodies, 0, N_FAULTS);
  tcase_add_loop_test(tests, test_without_memory, 0, 4);
  return run_cases("composite_control", &tests, 1);
}
