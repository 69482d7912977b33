// What the headers promise to C++17 beyond the embedding example: lists of any length, arrays and
// containers as inputs, frames, the caller's line.
#include <sinter/sinter.h>

#include <cstdio>
#include <cstring>
#include <vector>

#define CHECK(condition)                                                                         \
  do {                                                                                           \
    if (!(condition)) {                                                                          \
      std::fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, message(context)); \
      return 1;                                                                                  \
    }                                                                                            \
  } while (0)

static const char *message(sn_context *context) {
  return sn_error_message(context);
}

static sn_status add_all(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  int n = *static_cast<int *>(user);
  out[0] = in[0];
  for (int i = 1; i < n; i++) out[0] = sn_add(out[0], in[i]);
  return sn_pending_error(context);
}

static sn_tensor *dense(sn_tensor *x, sn_tensor *w, const char *file = __builtin_FILE(),
                        int line = __builtin_LINE()) {
  SN_FRAME_AT(sn_context_of(x), "dense", file, line);
  return sn_relu(sn_matmul(x, w));
}

static sn_tensor *with_axes(sn_tensor *x) {
  sn_reduce_options options = {};
#ifdef TOO_MANY_AXES
  options.axes = SN_AXES(0, 1, 2, 3, 4, 5, 6, 7, 8);
#else
  options.axes = SN_AXES(0, -1);
#endif
  return sn_sum(x, options);
}

static int calls(sn_context *context, sn_tensor *x) {
  int n = 70;
  double value = 0;
  sn_function_options options = {};
  options.inputs = n;
  options.outputs = 1;
  options.user = &n;
  sn_function *f = sn_function_create(context, add_all, options);
  sn_tensor *y = nullptr;
#define TEN x, x, x, x, x, x, x, x, x, x
  CHECK(!sn_call(f, SN_ARGS(TEN, TEN, TEN, TEN, TEN, TEN, TEN), &y, 1));
  CHECK(!sn_item(sn_sum(y), &value) && value == 70 * 4);
  std::vector<sn_tensor *> many(static_cast<size_t>(n), x);
  const std::vector<sn_tensor *> constant = many;
  sn_tensor *array[70], *outputs[1];
  for (sn_tensor *&t : array) t = x;
  CHECK(!sn_call(f, SN_ARRAY(many), SN_ARRAY(outputs)));
  CHECK(!sn_call(f, SN_ARRAY(constant), SN_ARRAY(outputs)));
  CHECK(!sn_call_eager(f, SN_ARRAY(array), SN_ARRAY(outputs)));
  CHECK(!sn_item(sn_sum(outputs[0]), &value) && value == 70 * 4);
  CHECK(sn_call(f, SN_ARGS(), &y, 1) == SN_ERR_ARGUMENT);
  CHECK(std::strstr(message(context), "called with 0 and 1"));
  sn_function_destroy(f);
  return 0;
}

// Structs of tensors, with a static field of an enum.
enum class kind : int { plain, squared };
struct layer {
  sn_tensor *w, *b;
  kind what;
};
struct model {
  layer layers[2];
  sn_tensor *extra[2];
  const char *label;
  long long steps;
  double rate;
  bool on;
};
SN_COMPOSITE(layer_type, layer, SN_FIELD(layer, w), SN_FIELD(layer, b), SN_FIELD(layer, what));
SN_COMPOSITE(model_type, model, SN_NESTED(model, layers, layer_type), SN_FIELD(model, extra),
             SN_FIELD(model, label), SN_FIELD(model, steps), SN_FIELD(model, rate),
             SN_FIELD(model, on));
struct pair {
  sn_tensor *a;
};
static void open_pair(const void *handle, sn_tensor **tensors) {
  tensors[0] = static_cast<const pair *>(handle)->a;
}
static void *make_pair(sn_context *, sn_tensor *const *tensors) {
  static pair made;
  made.a = tensors[0];
  return &made;
}
SN_HANDLE_TYPE(pair_type, pair, open_pair, make_pair, "a");
struct holder {
  pair *p;
};
SN_COMPOSITE(holder_type, holder, SN_HANDLE(holder, p, pair_type));
#ifdef NO_SUCH_HANDLE
SN_COMPOSITE(wrong_handle, model, SN_HANDLE(model, extra, pair_type));
#endif
#ifdef NO_SUCH_FIELD
struct opaque {
  float *numbers;
};
SN_COMPOSITE(opaque_type, opaque, SN_FIELD(opaque, numbers));
#endif
#ifdef NO_SUCH_STRUCT
SN_COMPOSITE(wrong_type, model, SN_NESTED(model, extra, layer_type));
#endif

static sn_status apply(sn_context *context, const void *in, void *out, void *) {
  const model *m = static_cast<const model *>(in);
  layer *result = static_cast<layer *>(out);
  result->w = sn_mul(m->layers[0].w, m->layers[1].w);
  if (m->layers[1].what == kind::squared) result->w = sn_square(result->w);
  result->what = m->layers[0].what;
  return sn_pending_error(context);
}

static int structs(sn_context *context, sn_tensor *x) {
  model m = {};
  layer y = {}, slopes = {};
  double value = 0;
  m.layers[0].w = m.layers[1].w = sn_add(x, 1);
  m.layers[1].what = kind::squared;
  m.label = "text";
  sn_function *f = sn_struct_function(context, apply, &model_type, &layer_type);
  CHECK(!sn_call_struct(f, SN_STRUCT(model_type, &m), SN_STRUCT(layer_type, &y)));
  CHECK(!sn_item(sn_max(y.w), &value) && value == 16 && !y.b && y.what == kind::plain);
  sn_function_destroy(f);
  sn_tape *tape = sn_tape_begin(context);
  sn_tape_watch_struct(tape, SN_STRUCT(layer_type, &m.layers[0]));
  sn_tensor *z = sn_square(m.layers[0].w);
  sn_tape_gradient_struct(tape, z, SN_STRUCT(layer_type, &m.layers[0]), &slopes);
  sn_tape_end(tape);
  CHECK(!sn_item(sn_max(slopes.w), &value) && value == 4 && !slopes.b);
  pair held = {x};
  const holder h = {&held};
  CHECK(sn_flatten(context, SN_STRUCT(holder_type, &h), nullptr, 0) == 1);
#ifdef WRONG_STRUCT
  CHECK(!sn_call_struct(f, SN_STRUCT(model_type, &y), SN_STRUCT(layer_type, &y)));
#endif
  return 0;
}

// Numbers as operands, of any type, 0 too, which is no null pointer there.
static int numbers(sn_context *context, sn_tensor *x) {
  const int64_t wide = 3;
  const struct {
    sn_tensor *t;
    double wanted;
  } rows[] = {{sn_sub(x, 0), 1},
              {sn_sub(3, x), 2},
              {sn_mul(x, 2.5f), 2.5},
              {sn_add(wide, x), 4},
              {sn_less(x, 2u), 1},
              {sn_less(2, x), 0},
              {sn_pow(2, x), 2},
              {sn_where(sn_less(x, 0), x, 7), 7},
              {sn_where(sn_greater(x, 0), 5, x), 5}};
  for (const auto &row : rows) {
    double value = 0;
    CHECK(!sn_item(sn_cast(sn_max(sn_cast(row.t, SN_F64)), SN_F64), &value) && value == row.wanted);
  }
  sn_tensor *(*function)(sn_tensor *, sn_tensor *) = sn_sub;
  CHECK(!sn_failed(function(x, x)));
  CHECK(sn_failed(sn_sub(x, nullptr)) && sn_check(context) == SN_ERR_ARGUMENT);
  return 0;
}

int main() {
  sn_context *context = nullptr;
  sn_context_options options = {};
  options.threads = 1;
  options.backend = SN_BACKEND_INTERPRETER;
  if (sn_context_create(&context, options)) return 1;
  sn_tensor *x = sn_ones(context, SN_F32, SN_SHAPE(2, 2));
  double value = 0;
  CHECK(!sn_item(with_axes(x), &value) && value == 4);
  if (calls(context, x) || numbers(context, x) || structs(context, x)) return 1;
  char place[64];
  std::snprintf(place, sizeof(place), "main.cpp:%d)", __LINE__ + 1);
  sn_tensor *bad = dense(x, sn_ones(context, SN_F32, SN_SHAPE(3, 3)));
  CHECK(sn_failed(bad) && sn_check(context) == SN_ERR_SHAPE);
  CHECK(std::strstr(message(context), "dense: sn_matmul: ") == message(context));
  CHECK(std::strstr(message(context), place));
  sn_context_destroy(context);
  return 0;
}
