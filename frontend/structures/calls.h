// Calls of host functions whose results' types are said where they are called: dims may be tokens (sn_symbolic_dim, sn_late_dim).
#ifndef SINTER_STRUCTURES_CALLS_H
#define SINTER_STRUCTURES_CALLS_H

#include <sinter/structures.h>

typedef struct sns_call {
  const char *name;
  sn_host_callback callback;
  sn_dtype dtype;
  sn_shape shape;
  sn_callback vjp;     // NULL: no gradient
  int64_t numbers[4];  // the call's own: sns_number
} sns_call;
// The result of a pure call with one result. in: of any context of the family; the error tensor after a failure.
sn_tensor *sns_run(sn_context *c, const sns_call *call, sn_tensor *const *in, int n);
#define SNS_RUN(c, in, n, ...) sns_run(c, &(const sns_call){__VA_ARGS__}, in, n)

// In a callback: the call's own number i; elements of i64 views; sizes.
int64_t sns_number(const sn_host_args *args, int i);
static inline int64_t *sns_i64(const sn_view *view) {
  return (int64_t *)view->data;
}
int64_t sns_view_size(const sn_view *view);
// A failure with words.
sn_status sns_refuse(const sn_host_args *args, sn_status status, const char *format, ...)
    SNI_PRINTF(3, 4);

// The one element of an i64 tensor as a dim.
int64_t sns_dim_of(sn_tensor *size);
// i64 of any integers.
sn_tensor *sns_wide(sn_tensor *t);
// 0 .. n - 1, i64, as long as like's axis 0.
sn_tensor *sns_rows_of(sn_tensor *like);
sn_tensor *sns_last(sn_tensor *t);  // the last element of a vector, a scalar
// The same elements as a tensor of the present scope: what an object holds dies with it.
sn_tensor *sns_own(sn_tensor *t);
// The shape of t with dims as tokens.
sn_shape sns_shape_of(const sn_tensor *t);

#endif
