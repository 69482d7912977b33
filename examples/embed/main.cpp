// The header in C++17: the same functions, options as structs, scopes by RAII.
#include <sinter/sinter.h>

#include <cmath>
#include <cstdio>
#include <vector>

static sn_status newton_step(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *) {
  // One step of Newton's method for x^2 = 2, with the derivative from the library.
  sn_tensor *f = sn_add_scalar(sn_square(in[0]), -2), *slope;
  sn_gradients(f, in, 1, &slope);
  out[0] = sn_sub(in[0], sn_div(f, slope));
  return sn_pending_error(context);
}

static bool solve(sn_context *context, sn_function *function, std::vector<double> &x) {
  for (int i = 0; i < 8; i++) {
    SN_SCOPE(context);
    sn_tensor *in = sn_constant(context, SN_F64, SN_SHAPE((int64_t)x.size()), x.data()), *y;
    if (sn_call(function, SN_ARGS(in), &y, 1)) return false;
    if (sn_read(y, x.data(), x.size() * sizeof(double))) return false;
  }
  SN_SCOPE(context);
  sn_tensor *roots = sn_constant(context, SN_F64, SN_SHAPE((int64_t)x.size()), x.data());
  sn_reduce_options all = {};
  all.axes = SN_AXES(0);
  double mean = 0;
  if (sn_item(sn_mean(roots, all), &mean)) return false;
  std::printf("Sinter %s in C++: sqrt(2) = %.15f\n", sn_version(), mean);
  return std::fabs(mean - std::sqrt(2.0)) < 1e-12;
}

int main() {
  sn_context *context = nullptr;
  sn_context_options options = {};
  options.threads = 1;
  if (sn_context_create(&context, options)) return 1;
  sn_function_options shape = {};
  shape.inputs = shape.outputs = 1;
  shape.name = "newton_step";
  sn_function *function = sn_function_create(context, newton_step, shape);
  std::vector<double> x = {1, 1.5, 2, 10};
  bool ok = solve(context, function, x);
  if (*sn_error_message(context)) std::fprintf(stderr, "%s\n", sn_error_message(context));
  sn_function_destroy(function);
  sn_context_destroy(context);
  return ok ? 0 : 1;
}
