// Random chains of element-wise ops, broadcasts, transposes and reductions: op by op in eager mode,
// fused on the interpreter, fused on LLVM. The same bits three times; eager mode is left out where
// a float sum or product rounds, since the order is the kernel's.
#include "ops/modes_harness.h"

enum { N_GRAPHS = 300, MAX_CHAIN = 30, MAX_CHAIN_VALUES = MAX_CHAIN * 4 + 8, N_INPUTS = 3 };

typedef struct chain {
  uint64_t state;
  source text;
  sn_shape shape;  // of all values that may be picked
  int n;
  struct {
    int id;  // in the text
    sn_dtype dtype;
    sn_tensor *eager;
  } values[MAX_CHAIN_VALUES];
  int next_id;
  bool rounds;  // a float sum or product: its order, and so its bits, is the kernel's choice
} chain;

static int below(chain *c, int n) {
  c->state = c->state * 6364136223846793005u + 1442695040888963407u;
  return (int)((c->state >> 33) % (uint64_t)n);
}

static sni_type static_type(sn_dtype dtype, const sn_shape *shape) {
  return sni_type_make(dtype, shape->rank, shape->dims);
}

// One node in the text and one eager op. Returns the node's number in the text.
static int emit(chain *c, sni_op op, const int *ids, sn_tensor *const *operands, int n,
                const char *attrs_text, const sni_dim *attrs, int n_attrs, sn_dtype dtype,
                const sn_shape *shape, sn_tensor **out) {
  sni_type declared = static_type(dtype, shape);
  bool declares = op == SNI_OP_CAST || op == SNI_OP_BROADCAST || op == SNI_OP_RESHAPE;
  *out = sni_emit(tiers[0], op, operands, n, attrs, n_attrs, declares ? &declared : NULL);
  ck_assert_msg(!sn_failed(*out), "%s\n%s", sn_error_message(tiers[0]), c->text.text);
  say(&c->text, "  %%%d = %s(", c->next_id, sni_op_infos[op].name);
  for (int i = 0; i < n; i++) say(&c->text, "%s%%%d", i ? ", " : "", ids[i]);
  say(&c->text, ")%s : ", attrs_text);
  say_type(&c->text, dtype, shape, false);
  say(&c->text, "\n");
  return c->next_id++;
}

static void push(chain *c, int id, sn_dtype dtype, sn_tensor *eager) {
  ck_assert_int_lt(c->n, MAX_CHAIN_VALUES);
  c->values[c->n].id = id;
  c->values[c->n].dtype = dtype;
  c->values[c->n++].eager = eager;
}

// A value of the dtype, late ones more often; one is always there.
static int pick(chain *c, sn_dtype dtype) {
  for (int tries = 0;; tries++) {
    int i = below(c, 3) && c->n > 4 ? c->n - 1 - below(c, 4) : below(c, c->n);
    if (c->values[i].dtype == dtype) return i;
    ck_assert_int_lt(tries, 100000);
  }
}

static void push_op(chain *c, sni_op op, const int *picks, int n, sn_dtype dtype) {
  int ids[3];
  sn_tensor *operands[3], *out;
  for (int i = 0; i < n; i++) {
    ids[i] = c->values[picks[i]].id;
    operands[i] = c->values[picks[i]].eager;
  }
  int id = emit(c, op, ids, operands, n, "", NULL, 0, dtype, &c->shape, &out);
  push(c, id, dtype, out);
}

// Constants that tempt simplifications.
static void push_constant(chain *c, sn_dtype dtype) {
  static const double numbers[] = {0, -0.0, 1, -1, 2, 0.5, -3, 8};
  double value = numbers[below(c, 8)];
  if (dtype == SN_I32) value = trunc(value);
  sn_shape scalar = SN_SCALAR;
  sn_tensor *eager = dtype == SN_BOOL  ? sn_scalar_bool(tiers[0], value > 0)
                     : dtype == SN_I32 ? sn_scalar_i32(tiers[0], (int32_t)value)
                                       : sn_scalar_f32(tiers[0], (float)value);
  int id = c->next_id++;
  say(&c->text, "  %%%d = constant ", id);
  if (dtype == SN_BOOL) say(&c->text, "%s", value > 0 ? "true" : "false");
  if (dtype == SN_I32) say(&c->text, "%d", (int)value);
  if (dtype == SN_F32) say(&c->text, "%g", value);
  say(&c->text, " : ");
  say_type(&c->text, dtype, &scalar, false);
  say(&c->text, "\n");
  id = emit(c, SNI_OP_BROADCAST, &id, &eager, 1, "", NULL, 0, dtype, &c->shape, &eager);
  push(c, id, dtype, eager);
}

// A reduction over the rows or columns, broadcast back.
static void push_reduction(chain *c) {
  static const sni_op ops[] = {SNI_OP_REDUCE_SUM, SNI_OP_REDUCE_MAX, SNI_OP_REDUCE_MIN,
                               SNI_OP_REDUCE_PROD};
  sn_dtype dtype = below(c, 4) ? SN_F32 : SN_I32;
  int from = pick(c, dtype), axis = below(c, 2), id = c->values[from].id;
  sn_tensor *t = c->values[from].eager;
  sni_op op = ops[below(c, 4)];
  sn_shape reduced = SN_SHAPE(c->shape.dims[1 - axis]), kept = c->shape;
  sni_dim attr = axis;
  c->rounds |= dtype == SN_F32 && (op == SNI_OP_REDUCE_SUM || op == SNI_OP_REDUCE_PROD) &&
               c->shape.dims[axis] > 1;
  kept.dims[axis] = 1;
  id = emit(c, op, &id, &t, 1, axis ? " {axes=[1]}" : " {axes=[0]}", &attr, 1, dtype, &reduced, &t);
  id = emit(c, SNI_OP_RESHAPE, &id, &t, 1, "", NULL, 0, dtype, &kept, &t);
  id = emit(c, SNI_OP_BROADCAST, &id, &t, 1, "", NULL, 0, dtype, &c->shape, &t);
  push(c, id, dtype, t);
}

// Rows and columns exchanged; the shape is square in the chains that do so.
static void push_transpose(chain *c) {
  int from = pick(c, SN_F32), id = c->values[from].id;
  sn_tensor *t = c->values[from].eager;
  id = emit(c, SNI_OP_TRANSPOSE, &id, &t, 1, " {perm=[1,0]}", (sni_dim[]){1, 0}, 2, SN_F32,
            &c->shape, &t);
  push(c, id, SN_F32, t);
}

static void push_random_op(chain *c) {
  static const sni_op unary[] = {
      SNI_OP_NEG,   SNI_OP_ABS,     SNI_OP_SIGN,  SNI_OP_SQRT,  SNI_OP_EXP,      SNI_OP_LOG,
      SNI_OP_TANH,  SNI_OP_SIGMOID, SNI_OP_SIN,   SNI_OP_COS,   SNI_OP_ERF,      SNI_OP_EXPM1,
      SNI_OP_ROUND, SNI_OP_RSQRT,   SNI_OP_LOG1P, SNI_OP_FLOOR, SNI_OP_IDENTITY, SNI_OP_CEIL};
  static const sni_op binary[] = {SNI_OP_ADD, SNI_OP_SUB, SNI_OP_MUL, SNI_OP_DIV, SNI_OP_MAX,
                                  SNI_OP_MIN, SNI_OP_REM, SNI_OP_ADD, SNI_OP_MUL, SNI_OP_POW};
  static const sni_op compare[] = {SNI_OP_EQ, SNI_OP_LT, SNI_OP_LE};
  static const sni_op logic[] = {SNI_OP_AND, SNI_OP_OR, SNI_OP_XOR};
  sn_dtype number = below(c, 4) ? SN_F32 : SN_I32;
  switch (below(c, 12)) {
    case 0:
    case 1:
      push_op(c, unary[below(c, 18)], (int[]){pick(c, SN_F32)}, 1, SN_F32);
      break;
    case 2:
    case 3:
    case 4:
      push_op(c, binary[below(c, 10)], (int[]){pick(c, number), pick(c, number)}, 2, number);
      break;
    case 5:
      push_op(c, compare[below(c, 3)], (int[]){pick(c, number), pick(c, number)}, 2, SN_BOOL);
      break;
    case 6:
      push_op(c, SNI_OP_SELECT, (int[]){pick(c, SN_BOOL), pick(c, number), pick(c, number)}, 3,
              number);
      break;
    case 7: {
      sn_dtype from = (sn_dtype[]){SN_BOOL, SN_I32, SN_F32}[below(c, 3)];
      sn_dtype to = (sn_dtype[]){SN_BOOL, SN_I32, SN_F32}[below(c, 3)];
      push_op(c, SNI_OP_CAST, (int[]){pick(c, from)}, 1, to);
      break;
    }
    case 8: {
      sn_dtype dtype = below(c, 2) ? SN_BOOL : SN_I32;
      push_op(c, logic[below(c, 3)], (int[]){pick(c, dtype), pick(c, dtype)}, 2, dtype);
      break;
    }
    case 9:
      push_constant(c, (sn_dtype[]){SN_BOOL, SN_I32, SN_F32, SN_F32}[below(c, 4)]);
      break;
    case 10:
      push_reduction(c);
      break;
    default:
      if (c->shape.dims[0] == c->shape.dims[1]) {
        push_transpose(c);
      } else {
        push_op(c, SNI_OP_NOT, (int[]){pick(c, SN_BOOL)}, 1, SN_BOOL);
      }
  }
}

static void push_inputs(chain *c, sn_view *in) {
  static const sn_dtype dtypes[N_INPUTS] = {SN_F32, SN_BOOL, SN_I32};
  for (int i = 0; i < N_INPUTS; i++) {
    in[i] = new_view(dtypes[i], &c->shape);
    fill_view(&in[i], 3 + below(c, 1 << 20));  // half special values: see set_element
    say(&c->text, "  %%%d = parameter input %d : ", c->next_id, i);
    say_type(&c->text, dtypes[i], &c->shape, false);
    say(&c->text, "\n");
    push(c, c->next_id++, dtypes[i], sn_constant(tiers[0], dtypes[i], c->shape, in[i].data));
  }
}

static void check_chain(uint64_t seed) {
  static const sn_shape shapes[] = {{2, {3, 5}}, {2, {17, 33}}, {2, {8, 8}},
                                    {2, {1, 1}}, {2, {0, 4}},   {2, {1, 67}},
                                    {2, {5, 1}}, {2, {19, 19}}, {2, {64, 40}}};
  static chain c;
  SN_SCOPE(tiers[0]);
  c = (chain){.state = seed * 7919 + 1, .shape = shapes[seed % 9]};
  sn_view in[N_INPUTS], out[3];
  say(&c.text, "func @chain {\n");
  push_inputs(&c, in);
  int length = 5 + below(&c, MAX_CHAIN - 4);
  for (int i = 0; i < length; i++) push_random_op(&c);
  int results[3] = {c.n - 1, pick(&c, SN_F32), N_INPUTS + below(&c, c.n - N_INPUTS)};
  say(&c.text, "  return %%%d, %%%d, %%%d\n}\n", c.values[results[0]].id, c.values[results[1]].id,
      c.values[results[2]].id);
  pair p = compile_pair(&c.text);
  run_pair(&p, in, N_INPUTS, out);
  for (int i = 0; i < 3 && !c.rounds; i++) {
    sn_view eager = new_view(out[i].dtype, &out[i].shape);
    size_t bytes = (size_t)elements_of(&eager.shape) * sn_dtype_size(eager.dtype);
    ck_assert_int_eq(sn_read(c.values[results[i]].eager, eager.data, bytes), SN_OK);
    check_same(&out[i], &eager, "fused against eager", c.text.text);
    free(eager.data);
  }
  free_views(in, N_INPUTS);
  free_views(out, 3);
  release_pair(&p);
}

START_TEST(chains_are_the_same_eager_and_fused) {
  open_tiers();
  for (int i = 0; i < N_GRAPHS / 10; i++) check_chain((uint64_t)(_i + 10 * i));
  close_tiers();
}
END_TEST

// ---- graphs that once went wrong, with their results
typedef struct known {
  const char *text;
  sn_shape shape;
  float in[4], out[4];
} known;

static const known known_graphs[] = {
    // a copy of a broadcast reads what it views along the view's own axes
    {"func @f {\n  %0 = parameter input 0 : f32[2,2]\n  %1 = reduce_sum(%0) {axes=[0]} : f32[2]\n"
     "  %2 = broadcast(%1) : f32[2,2]\n  return %2\n}\n",
     {2, {2, 2}},
     {1, 2, 3, 4},
     {4, 6, 4, 6}},
    // a reduction of a value that does not vary along the reduced axis
    {"func @f {\n  %0 = parameter input 0 : f32[2,2]\n  %1 = reduce_sum(%0) {axes=[0]} : f32[2]\n"
     "  %2 = sqrt(%1) : f32[2]\n  %3 = broadcast(%2) : f32[2,2]\n"
     "  %4 = reduce_max(%3) {axes=[0]} : f32[2]\n  %5 = broadcast(%4) : f32[2,2]\n"
     "  return %5\n}\n",
     {2, {2, 2}},
     {1, 1, 3, 8},
     {2, 3, 2, 3}},
    // a sum of one -0.0 is 0.0
    {"func @f {\n  %0 = parameter input 0 : f32[4,1]\n  %1 = reduce_sum(%0) {axes=[1]} : f32[4]\n"
     "  return %1\n}\n",
     {2, {4, 1}},
     {-0.0f, 0, 1, -1},
     {0, 0, 1, -1}},
    // a value that a later stage of the kernel keeps is stored by an earlier one
    {"func @f {\n  %0 = parameter input 0 : f32[2,2]\n  %1 = round(%0) : f32[2,2]\n"
     "  %2 = reduce_min(%1) {axes=[1]} : f32[2]\n  %3 = reshape(%2) : f32[2,1]\n"
     "  %4 = broadcast(%3) : f32[2,2]\n  %5 = sin(%1) : f32[2,2]\n  %6 = add(%4, %5) : f32[2,2]\n"
     "  %7 = reduce_min(%6) {axes=[1]} : f32[2]\n  %8 = reshape(%7) : f32[2,1]\n"
     "  %9 = broadcast(%8) : f32[2,2]\n  %10 = max(%6, %9) : f32[2,2]\n"
     "  return %5, %10, %6\n}\n",
     {2, {2, 2}},
     {0, 0, 0, 0},
     {0, 0, 0, 0}},
};

START_TEST(a_known_graph_has_its_results) {
  const known *k = &known_graphs[_i];
  source s = {.length = 0};
  sn_view in = new_view(SN_F32, &k->shape), out[3];
  open_tiers();
  say(&s, "%s", k->text);
  memcpy(in.data, k->in, sizeof(k->in));
  pair p = compile_pair(&s);
  int n = run_pair(&p, &in, 1, out);
  ck_assert_mem_eq(out[0].data, k->out, sizeof(k->out));
  release_pair(&p);
  free_views(&in, 1);
  free_views(out, n);
  close_tiers();
}
END_TEST

static sn_view eager_view(sn_tensor *t, const sn_shape *shape) {
  sn_view view = new_view(SN_F32, shape);
  size_t bytes = (size_t)elements_of(shape) * sizeof(float);
  ck_assert_msg(sn_read(t, view.data, bytes) == SN_OK, "%s", sn_error_message(tiers[0]));
  return view;
}

// One kernel reads the joined operand for the last time and makes two results of its size: they
// cannot both have its memory.
START_TEST(two_results_do_not_share_the_memory_of_one_operand) {
  static const sn_shape half = {2, {4, 8}}, whole = {2, {8, 8}};
  source s = {.length = 0};
  open_tiers();
  say(&s,
      "func @f {\n  %%0 = parameter input 0 : f32[4,8]\n  %%1 = parameter input 1 : f32[4,8]\n"
      "  %%2 = parameter input 2 : f32[8,8]\n  %%3 = concat(%%0, %%1) {axis=0} : f32[8,8]\n"
      "  %%4 = sin(%%3) : f32[8,8]\n  %%5 = exp(%%4) : f32[8,8]\n  %%6 = tanh(%%4) : f32[8,8]\n"
      "  %%7 = matmul(%%5, %%2) {ta=0, tb=0} : f32[8,8]\n"
      "  %%8 = matmul(%%6, %%2) {ta=0, tb=0} : f32[8,8]\n  return %%7, %%8\n}\n");
  sn_view in[3] = {new_view(SN_F32, &half), new_view(SN_F32, &half), new_view(SN_F32, &whole)};
  sn_tensor *operands[3];
  for (int i = 0; i < 3; i++) {
    for (int64_t k = 0; k < elements_of(&in[i].shape); k++)
      ((float *)in[i].data)[k] = (float)(hash_of((uint64_t)k, (uint64_t)i) >> 8) * 0x1p-22f - 2;
    operands[i] = sn_constant(tiers[0], SN_F32, in[i].shape, in[i].data);
  }
  sn_tensor *sine = sn_sin(sn_concat(operands, 2, 0));
  sn_view eager[2] = {eager_view(sn_matmul(sn_exp(sine), operands[2]), &whole),
                      eager_view(sn_matmul(sn_tanh(sine), operands[2]), &whole)};
  sn_view out[2];
  pair p = compile_pair(&s);
  ck_assert_int_eq(run_pair(&p, in, 3, out), 2);
  for (int i = 0; i < 2; i++) check_same(&out[i], &eager[i], "fused against eager", s.text);
  release_pair(&p);
  free_views(in, 3);
  free_views(out, 2);
  free_views(eager, 2);
  close_tiers();
}
END_TEST

// Rows of two axes, one of which an operand repeats over: the exponentials go through row scratch.
// Both tiers give the same bits, and those of the formula but for rounding.
START_TEST(a_row_of_two_axes_is_divided_by_its_sum) {
  static const sn_shape x_shape = {3, {5, 3, 7}}, y_shape = {3, {5, 3, 1}};
  enum { rows = 5, row = 21, repeated = 7 };
  source s = {.length = 0};
  open_tiers();
  say(&s,
      "func @f {\n  %%0 = parameter input 0 : f32[5,3,7]\n  %%1 = parameter input 1 : f32[5,3,1]\n"
      "  %%2 = broadcast(%%1) : f32[5,3,7]\n  %%3 = add(%%0, %%2) : f32[5,3,7]\n"
      "  %%4 = exp(%%3) : f32[5,3,7]\n  %%5 = reduce_sum(%%4) {axes=[1,2]} : f32[5]\n"
      "  %%6 = reshape(%%5) : f32[5,1,1]\n  %%7 = broadcast(%%6) : f32[5,3,7]\n"
      "  %%8 = div(%%4, %%7) : f32[5,3,7]\n  return %%8\n}\n");
  sn_view in[2] = {new_view(SN_F32, &x_shape), new_view(SN_F32, &y_shape)}, out[1];
  float *x = in[0].data, *y = in[1].data;
  for (int i = 0; i < rows * row; i++) x[i] = (float)hash_of((uint64_t)i, 0) * 0x1p-30f - 2;
  for (int i = 0; i < rows * row / repeated; i++) y[i] = (float)(i % 4) - 1.5f;
  pair p = compile_pair(&s);
  ck_assert_int_eq(run_pair(&p, in, 2, out), 1);
  for (int r = 0; r < rows; r++) {
    double sum = 0;
    for (int i = r * row; i < (r + 1) * row; i++) sum += exp((double)(x[i] + y[i / repeated]));
    for (int i = r * row; i < (r + 1) * row; i++) {
      const double expected = exp((double)(x[i] + y[i / repeated])) / sum;
      ck_assert_double_eq_tol(((const float *)out[0].data)[i], expected, 1e-6 * expected);
    }
  }
  release_pair(&p);
  free_views(in, 2);
  free_views(out, 1);
  close_tiers();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ops_chains");
  TCase *tests = tcase_create("ops_chains");
  tcase_set_timeout(tests, 240);
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, chains_are_the_same_eager_and_fused, 0, 10);
  tcase_add_loop_test(tests, a_known_graph_has_its_results, 0,
                      sizeof(known_graphs) / sizeof(known_graphs[0]));
  tcase_add_test(tests, two_results_do_not_share_the_memory_of_one_operand);
  tcase_add_test(tests, a_row_of_two_axes_is_divided_by_its_sum);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
