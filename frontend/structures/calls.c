// Calls of host functions with one result.
#include "frontend/structures/calls.h"

#include <stdarg.h>
#include <stdio.h>

sn_tensor *sns_run(sn_context *c, const sns_call *call, sn_tensor *const *in, int n) {
  static const char *const names[] = {"a", "b", "c", "d"};
  enum { count = sizeof(names) / sizeof(*names) };
  const sn_spec spec = {call->dtype, call->shape};
  sn_attr attrs[count];
  for (int i = 0; i < count; i++) attrs[i] = sn_attr_i64(names[i], call->numbers[i]);
  sn_tensor *out = NULL;
  (void)sn_host_call(c, call->callback, in, n, &out, 1, .name = call->name, .specs = &spec,
                     .pure = true, .vjp = call->vjp, .attrs = attrs, .n_attrs = count);
  return out ? out : sn_error_tensor(c);
}

int64_t sns_number(const sn_host_args *args, int i) {
  return args->attrs[i].integer;
}

int64_t sns_view_size(const sn_view *view) {
  int64_t n = 1;
  for (int d = 0; d < view->shape.rank; d++) n *= view->shape.dims[d];
  return n;
}

sn_status sns_refuse(const sn_host_args *args, sn_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(args->message, args->message_size, format, arguments);
  va_end(arguments);
  return status;
}

int64_t sns_dim_of(sn_tensor *size) {
  return sn_late_dim(size);
}

sn_tensor *sns_wide(sn_tensor *t) {
  return sn_failed(t) || sn_dtype_of(t) == SN_I64 ? t : sn_cast(t, SN_I64);
}

sn_tensor *sns_rows_of(sn_tensor *like) {
  return sn_range_like(like, 0, SN_I64);
}

sn_tensor *sns_last(sn_tensor *t) {
  return sn_index(t, 0, -1);
}

sn_shape sns_shape_of(const sn_tensor *t) {
  sn_shape shape = {.rank = sn_rank(t) < 0 ? 0 : sn_rank(t)};
  for (int i = 0; i < shape.rank; i++) shape.dims[i] = sn_symbolic_dim(t, i);
  return shape;
}

sn_tensor *sns_own(sn_tensor *t) {
  return sn_reshape(t, sns_shape_of(t));
}
