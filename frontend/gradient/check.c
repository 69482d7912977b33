// sn_check_gradients: the gradients of a callback against central differences of it.
//
// Two functions are made of the callback: the value, a weighted sum over all elements of all its float outputs, so that one number
// checks them all; and the gradients of that. Of each float input one element after the other is moved up and down. Of second order the
// value is the product of the gradients with fixed vectors, and all is as before.
//
// Invariant: the callback sees the shapes and dtypes that it was given, and no other.
#include "frontend/gradient/gradients.h"

#include <sinter/ops.h>

#include <float.h>
#include <math.h>
#include <string.h>

#undef sn_cast
#undef sn_mul
#undef sn_add
#undef sn_constant
#undef sn_sum
#undef sn_read_variable

typedef struct check {
  sn_context *context;
  sn_callback callback;
  void *user;
  int n_inputs, n_outputs;
  sn_tensor *const *inputs;  // tensors; of variables their values
  bool *moved;               // per input: is a float
  int order;
  const sn_gradient_check_options *options;
  sn_gradient_error worst;
  double badness;  // of it: error over what is allowed
} check;

// ---- the value
// A tensor like t of f64 numbers between 0.5 and 1.5, other ones for each salt.
static sn_tensor *weights_like(sn_context *context, sn_tensor *t, int salt) {
  sni_allocator *allocator = &context->family->allocator;
  sn_shape shape = {.rank = t->type.rank};
  int64_t n = 1;
  for (int d = 0; d < shape.rank; d++) n *= shape.dims[d] = sn_dim(t, d);
  const size_t bytes = (size_t)(n + 1) * sizeof(double);
  double *numbers = sni_alloc(allocator, bytes);
  if (!numbers)
    return sni_error_from(context, sni_fail_memory(&context->diag, bytes, "a check"), NULL);
  for (int64_t i = 0; i < n; i++) numbers[i] = 1 + 0.5 * sin(1.7 * (double)i + 0.9 * salt + 0.4);
  sn_tensor *weights = (sn_constant)(context, SN_F64, shape, numbers);
  sni_free(allocator, numbers, bytes);
  return weights;
}

static sn_tensor *weighted_sum(sn_context *context, sn_tensor *sum, sn_tensor *t, int salt) {
  sn_tensor *wide = t->type.dtype == SN_F64 ? t : (sn_cast)(t, SN_F64);
  sn_tensor *term = (sn_sum_opts)((sn_mul)(wide, weights_like(context, t, salt)), NULL);
  return sum ? (sn_add)(sum, term) : term;
}

static sn_status outputs_of(const check *c, sn_context *context, sn_tensor *const *in,
                            sn_tensor **outputs) {
  const sn_status status = c->callback(context, in, outputs, c->user);
  if (status || context->diag.status) return status ? status : context->diag.status;
  for (int i = 0; i < c->n_outputs; i++) {
    if (!outputs[i]) {
      sni_error(context, SN_ERR_CALLBACK, "sn_check_gradients: the callback left output %d unset",
                i);
      return SN_ERR_CALLBACK;
    }
    if (!sni_operand_ok(context, "sn_check_gradients: the callback's output", i, outputs[i]))
      return SN_ERR_CALLBACK;
  }
  return SN_OK;
}

static sn_status first_order_value(const check *c, sn_context *context, sn_tensor *const *in,
                                   sn_tensor **out) {
  sni_allocator *allocator = &context->family->allocator;
  const size_t bytes = (size_t)c->n_outputs * sizeof(sn_tensor *);
  sn_tensor **outputs = sni_alloc_zeroed(allocator, bytes), *sum = NULL;
  if (!outputs) return sni_fail_memory(&context->diag, bytes, "a check");
  sn_status status = outputs_of(c, context, in, outputs);
  for (int i = 0; i < c->n_outputs && !status; i++)
    if (sni_is_float(outputs[i]->type.dtype)) sum = weighted_sum(context, sum, outputs[i], i);
  sni_free(allocator, outputs, bytes);
  if (!status && !sum)
    status = sn_fail(context, SN_ERR_GRADIENT, "sn_check_gradients: no output is a float");
  *out = sum;
  return status ? status : context->diag.status;
}

// The gradients of a value with respect to the inputs that move, in their order. sum: of which order.
static sn_status gradients_of(const check *c, int order, sn_context *context, sn_tensor *const *in,
                              sn_tensor **out);

static sn_status second_order_value(const check *c, sn_context *context, sn_tensor *const *in,
                                    sn_tensor **out) {
  sni_allocator *allocator = &context->family->allocator;
  const size_t bytes = (size_t)c->n_inputs * sizeof(sn_tensor *);
  sn_tensor **slopes = sni_alloc_zeroed(allocator, bytes), *sum = NULL;
  if (!slopes) return sni_fail_memory(&context->diag, bytes, "a check");
  sn_status status = gradients_of(c, 1, context, in, slopes);
  for (int i = 0, k = 0; i < c->n_inputs && !status; i++)
    if (c->moved[i]) sum = weighted_sum(context, sum, slopes[k++], 100 + i);
  sni_free(allocator, slopes, bytes);
  *out = sum;
  return status ? status : context->diag.status;
}

static sn_status value_of(const check *c, int order, sn_context *context, sn_tensor *const *in,
                          sn_tensor **out) {
  return order == 1 ? first_order_value(c, context, in, out)
                    : second_order_value(c, context, in, out);
}

static sn_status gradients_of(const check *c, int order, sn_context *context, sn_tensor *const *in,
                              sn_tensor **out) {
  sn_tensor *value = NULL;
  const sn_gradients_options zeros = {.size = sizeof(zeros), .unconnected = SN_ZEROS};
  SNI_TRY(value_of(c, order, context, in, &value));
  for (int i = 0, k = 0; i < c->n_inputs && !context->diag.status; i++)
    if (c->moved[i]) sn_gradients_opts(value, &in[i], 1, &out[k++], &zeros);
  return context->diag.status;
}

static sn_status value_callback(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  const check *c = user;
  return value_of(c, c->order, context, in, out);
}

static sn_status gradients_callback(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                    void *user) {
  const check *c = user;
  return gradients_of(c, c->order, context, in, out);
}

// ---- differences
static sn_status call(const check *c, sn_function *function, sn_tensor *const *in, sn_tensor **out,
                      int n_out) {
  return c->options->eager ? sn_call_eager_at(function, in, c->n_inputs, out, n_out, NULL, 0)
                           : sn_call_at(function, in, c->n_inputs, out, n_out, NULL, 0);
}

static double load(const sn_tensor *t, const void *data, int64_t i) {
  return t->type.dtype == SN_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static double store(const sn_tensor *t, void *data, int64_t i, double value) {
  if (t->type.dtype == SN_F64)
    ((double *)data)[i] = value;
  else
    ((float *)data)[i] = (float)value;
  return load(t, data, i);
}

static sn_shape shape_of(const sn_tensor *t) {
  sn_shape shape = {.rank = t->type.rank};
  memcpy(shape.dims, t->type.dims, sizeof(shape.dims));
  return shape;
}

// The value where input `input` is data.
static sn_status value_at(const check *c, sn_function *function, sn_tensor **in, int input,
                          const void *data, double *out) {
  SN_SCOPE(c->context);
  sn_tensor *value = NULL, *own = in[input];
  in[input] = (sn_constant)(c->context, own->type.dtype, shape_of(own), data);
  sn_status status = call(c, function, in, &value, 1);
  in[input] = own;
  if (!status) status = sn_item(value, out);
  return status;
}

static void compare(check *c, int input, int64_t index, double gradient, double difference,
                    double allowed) {
  const double error = fabs(gradient - difference);
  const double badness = isnan(error) || isinf(error) ? INFINITY : error / allowed;
  if (c->worst.input >= 0 && badness <= c->badness) return;
  c->badness = badness;
  c->worst.input = input;
  c->worst.index = index;
  c->worst.order = c->order;
  c->worst.gradient = gradient;
  c->worst.difference = difference;
  c->worst.error = error;
}

static sn_status check_element(check *c, sn_function *function, sn_tensor **in, int input,
                               char *data, int64_t i, double gradient) {
  const sn_tensor *t = c->inputs[input];
  const bool wide = t->type.dtype == SN_F64;
  const sn_gradient_check_options *o = c->options;
  const double x = load(t, data, i), size = fmax(1, fabs(x));
  const double step =
      (o->step > 0 ? o->step : cbrt(wide ? DBL_EPSILON : (double)FLT_EPSILON)) * size;
  const double rtol = o->rtol > 0 ? o->rtol : wide ? 1e-6 : 1e-2;
  const double atol = o->atol > 0 ? o->atol : wide ? 1e-8 : 5e-3;
  double above = 0, below = 0;
  const double up = store(t, data, i, x + step);
  SNI_TRY(value_at(c, function, in, input, data, &above));
  const double down = store(t, data, i, x - step);
  SNI_TRY(value_at(c, function, in, input, data, &below));
  store(t, data, i, x);
  const double difference = (above - below) / (up - down);
  const double scale = fmax(1, fmax(fabs(above), fabs(below)));
  compare(c, input, i, gradient, difference, atol * scale + rtol * fabs(difference));
  return SN_OK;
}

static sn_status check_input(check *c, sn_function *function, sn_tensor **in, int input,
                             const sn_tensor *gradient) {
  sni_allocator *allocator = &c->context->family->allocator;
  const sn_tensor *t = c->inputs[input];
  const size_t bytes = sni_type_bytes(&t->type);
  if (!bytes) return SN_OK;
  char *data = sni_alloc(allocator, 2 * bytes);
  if (!data) {
    sni_error_from(c->context, sni_fail_memory(&c->context->diag, 2 * bytes, "a check"), NULL);
    return sni_finish(c->context);
  }
  char *slopes = data + bytes;
  sn_status status = sn_read(t, data, bytes);
  if (!status) status = sn_read(gradient, slopes, bytes);
  for (int64_t i = 0; i < sni_type_size(NULL, &t->type) && !status; i++)
    status = check_element(c, function, in, input, data, i, load(t, slopes, i));
  sni_free(allocator, data, 2 * bytes);
  return status;
}

static sn_status compare_all(check *c, sn_function *value, sn_function *gradients, sn_tensor **in,
                             sn_tensor **slopes, int n_moved) {
  SNI_TRY(call(c, gradients, in, slopes, n_moved));
  for (int i = 0, k = 0; i < c->n_inputs; i++)
    if (c->moved[i]) SNI_TRY(check_input(c, value, in, i, slopes[k++]));
  return SN_OK;
}

static sn_status check_order(check *c, int order, sn_tensor **in, sn_tensor **slopes, int n_moved) {
  SN_SCOPE(c->context);
  sn_function_options o = {.size = sizeof(o),
                           .name = "sn_check_gradients",
                           .user = c,
                           .inputs = c->n_inputs,
                           .outputs = 1,
                           .static_shapes = true};
  c->order = order;
  sn_function *value = sn_function_create_opts(c->context, value_callback, &o);
  o.outputs = n_moved;
  sn_function *gradients = sn_function_create_opts(c->context, gradients_callback, &o);
  sn_status status = value && gradients ? compare_all(c, value, gradients, in, slopes, n_moved)
                                        : sni_finish(c->context);
  sn_function_destroy(value);
  sn_function_destroy(gradients);
  return status;
}

// ---- the public function
// "[1,2]" of a flat index.
static void describe_index(const sn_tensor *t, int64_t index, char *buffer, size_t capacity) {
  int64_t places[SN_MAX_RANK] = {0};
  size_t length = (size_t)snprintf(buffer, capacity, "[");
  for (int d = t->type.rank; d-- > 0;) {
    places[d] = index % t->type.dims[d];
    index /= t->type.dims[d];
  }
  for (int d = 0; d < t->type.rank; d++)
    length += (size_t)snprintf(buffer + length, capacity - length, "%s%lld", d ? "," : "",
                               (long long)places[d]);
  snprintf(buffer + length, capacity - length, "]");
}

static sn_status judge(const check *c) {
  if (c->worst.input < 0 || c->badness <= 1) return SN_OK;
  char place[SN_MAX_RANK * 24], text[SNI_TENSOR_NAME];
  const sn_tensor *t = c->inputs[c->worst.input];
  describe_index(t, c->worst.index, place, sizeof(place));
  sni_error(c->context, SN_ERR_GRADIENT,
            "sn_check_gradients: the %s with respect to input %d %s at %s is %.10g, and the "
            "difference quotient %.10g",
            c->worst.order == 1 ? "gradient" : "second derivative", c->worst.input,
            sni_describe(t, text), place, c->worst.gradient, c->worst.difference);
  return sni_finish(c->context);
}

// False: an error is pending. Fills in (values of variables) and moved.
static bool take_inputs(check *c, sn_tensor *const *inputs, sn_tensor **in, int *out_moved) {
  char text[SNI_TENSOR_NAME];
  *out_moved = 0;
  for (int i = 0; i < c->n_inputs; i++) {
    sn_tensor *t = inputs[i];
    if (!sni_operand_ok(c->context, "sn_check_gradients", i, t)) return false;
    in[i] = t->kind == SNI_TENSOR_VARIABLE ? (sn_read_variable)(t) : t;
    c->moved[i] = sni_is_inexact(t->type.dtype) && !t->is_static;
    *out_moved += c->moved[i];
    if (!c->moved[i] || t->type.dtype == SN_F64 || t->type.dtype == SN_F32) continue;
    sni_error(c->context, SN_ERR_DTYPE,
              "sn_check_gradients: input %d is %s, expected f64 or f32, or no float at all", i,
              sni_describe(t, text));
    return false;
  }
  if (*out_moved) return true;
  sni_error(c->context, SN_ERR_GRADIENT, "sn_check_gradients: no input is a float");
  return false;
}

static bool check_arguments(sn_context *context, sn_callback callback, sn_tensor *const *inputs,
                            int n_inputs, int n_outputs) {
  if (context->diag.status) return false;
  if (context->trace)
    sni_error(context, SN_ERR_STATE, "sn_check_gradients: not possible in a trace");
  else if (!callback || n_inputs < 1 || !inputs || n_outputs < 1)
    sni_error(context, SN_ERR_ARGUMENT,
              "sn_check_gradients: callback or inputs is NULL, or there are no inputs or outputs "
              "(%d, %d)",
              n_inputs, n_outputs);
  return !context->diag.status;
}

static sn_status check_with(check *c, sn_tensor *const *inputs) {
  sni_allocator *allocator = &c->context->family->allocator;
  const size_t n = (size_t)c->n_inputs, bytes = n * (2 * sizeof(sn_tensor *) + sizeof(bool));
  sn_tensor **in = sni_alloc_zeroed(allocator, bytes);
  int n_moved;
  if (!in) {
    sni_error_from(c->context, sni_fail_memory(&c->context->diag, bytes, "a check"), NULL);
    return sni_finish(c->context);
  }
  c->inputs = in;
  c->moved = (bool *)(in + 2 * n);
  sn_status status = take_inputs(c, inputs, in, &n_moved) ? SN_OK : sni_finish(c->context);
  for (int order = 1; order <= (c->options->second_order ? 2 : 1) && !status; order++)
    status = check_order(c, order, in, in + n, n_moved);
  if (!status) status = judge(c);
  sni_free(allocator, in, bytes);
  return status;
}

sn_status sn_check_gradients_at(sn_context *context, sn_callback callback, sn_tensor *const *inputs,
                                int n_inputs, int n_outputs,
                                const sn_gradient_check_options *options,
                                sn_gradient_error *out_worst, const char *file, int line) {
  SNI_ENTER(context, "sn_check_gradients", context_refused);
  sn_gradient_check_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  check c = {.context = context,
             .callback = callback,
             .user = o.user,
             .n_inputs = n_inputs,
             .n_outputs = n_outputs,
             .options = &o,
             .worst = {.input = -1}};
  if (!check_arguments(context, callback, inputs, n_inputs, n_outputs))
    return sni_located(context, sni_finish(context), file, line);
  const sn_scope scope = sn_scope_guard(context);
  const sn_status status = check_with(&c, inputs);
  sn_scope_end(scope);
  if (out_worst) {
    c.worst.size = out_worst->size;
    memcpy(out_worst, &c.worst, c.worst.size < sizeof(c.worst) ? c.worst.size : sizeof(c.worst));
  }
  return sni_located(context, status, file, line);
}
