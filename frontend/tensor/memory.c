// The caller's memory, in and out, with any strides. Row-major elements are used where they lie; what
// lies apart is copied, because kernels know contiguous tensors alone.
//
// In a trace such memory stays by reference: the trace captures the tensor.
#include "frontend/ops/compose.h"
#include "runtime/strided.h"

#include <string.h>

// ---- in
static bool usable_in_place(const sni_type *type, const void *data, const int64_t *strides) {
  return (uintptr_t)data % sn_dtype_size(sni_part_dtype(type->dtype)) == 0 &&
         (!strides ||
          sni_is_row_major(type->rank, type->dims, sn_dtype_size(type->dtype), strides));
}

static void gather(const sni_type *type, void *to, const void *from, const int64_t *strides) {
  int64_t packed[SN_MAX_RANK];
  const size_t size = sn_dtype_size(type->dtype);
  sni_row_major(type->rank, type->dims, size, packed);
  sni_copy_strided(to, packed, from, strides ? strides : packed, type->rank, type->dims, size);
}

sn_tensor *sni_over_memory(sn_context *c, const sni_type *type, void *data, const int64_t *strides,
                           void (*release)(void *user), void *user) {
  const size_t bytes = sni_type_bytes(type);
  const bool in_place = usable_in_place(type, data, strides);
  sni_buffer *buffer = in_place ? sni_buffer_wrap(c->family->buffers, data, bytes, NULL, user)
                                : sni_buffer_create(c->family->buffers, bytes);
  if (!buffer) return sni_error_from(c, sni_fail_memory(&c->diag, bytes, "a tensor"), NULL);
  if (!in_place) {
    gather(type, sni_buffer_host(buffer), data, strides);
    data = sni_buffer_host(buffer);
  }
  sn_tensor *y = sni_tensor_from_buffer(c, type, buffer, data);
  if (!y) return &c->error_tensor;
  if (in_place)
    buffer->release = release;  // from here on: a tensor that could not be made releases nothing
  else if (release)
    release(user);
  return y;
}

static bool has_memory(sn_context *c, const sni_type *type, const void *data) {
  if (data || !sni_type_bytes(type)) return true;
  sni_error(c, SN_ERR_ARGUMENT, "%s: data is NULL", c->frame.op);
  return false;
}

sn_tensor *(sn_from_memory)(sn_context *context, sn_dtype dtype, sn_shape shape, void *data,
                            void (*release)(void *user), void *user) {
  sni_type type;
  SNI_ENTER(context, "sn_from_memory", sni_refused(context, context_refused));
  if (!sni_expect_numbers(context, dtype, "sn_strings_from_offsets takes their bytes") ||
      !sni_known_shape_type(context, dtype, &shape, &type))
    return &context->error_tensor;
  if (!has_memory(context, &type, data)) return &context->error_tensor;
  if (!usable_in_place(&type, data, NULL))
    return sni_error(context, SN_ERR_ARGUMENT,
                     "sn_from_memory: data at %p is not aligned for %s (%zu bytes)", data,
                     sn_dtype_name(dtype), sn_dtype_size(sni_part_dtype(dtype)));
  return sni_over_memory(context, &type, data, NULL, release, user);
}

sn_tensor *(sn_from_strided)(sn_context *context, sn_dtype dtype, sn_shape shape, void *data,
                             const int64_t *strides, void (*release)(void *user), void *user) {
  sni_type type;
  SNI_ENTER(context, "sn_from_strided", sni_refused(context, context_refused));
  if (!sni_expect_numbers(context, dtype, "sn_strings_from_offsets takes their bytes") ||
      !sni_known_shape_type(context, dtype, &shape, &type))
    return &context->error_tensor;
  if (!has_memory(context, &type, data)) return &context->error_tensor;
  if (!strides && type.rank)
    return sni_error(context, SN_ERR_ARGUMENT, "sn_from_strided: strides is NULL");
  return sni_over_memory(context, &type, data, strides, release, user);
}

// ---- out
static sn_status scatter(sn_context *c, const sn_tensor *t, void *out, const int64_t *strides,
                         int n_strides) {
  char text[SNI_TENSOR_NAME];
  const sni_type *type = &t->type;
  const size_t size = sn_dtype_size(type->dtype);
  if (n_strides != type->rank)
    sni_error(c, SN_ERR_ARGUMENT, "sn_read_strided: %s takes %d strides, given %d",
              sni_describe(t, text), type->rank, n_strides);
  else if ((!strides && n_strides) || (!out && sni_type_bytes(type)))
    sni_error(c, SN_ERR_ARGUMENT, "sn_read_strided: %s is NULL", out ? "strides" : "out");
  if (c->diag.status) return c->diag.status;
  int64_t packed[SN_MAX_RANK];
  sni_buffer *buffer;
  char *data;
  sni_tensor_snapshot((sn_tensor *)(uintptr_t)t, &buffer, &data);
  sni_row_major(type->rank, type->dims, size, packed);
  sni_copy_strided(out, strides, data, packed, type->rank, type->dims, size);
  sni_buffer_release(buffer);
  return SN_OK;
}

sn_status sn_read_strided_at(const sn_tensor *t, void *out, const int64_t *strides, int n_strides,
                             const char *file, int line) {
  bool ready;
  sn_status refused;
  SNI_ENTERED c = sni_begin_read_numbers("sn_read_strided", t, file, line, &ready, &refused);
  if (!c) return refused;
  if (ready && scatter(c, t, out, strides, n_strides)) sni_locate_error(c, file, line);
  return sni_finish(c);
}

sn_status(sn_read_strided)(const sn_tensor *t, void *out, const int64_t *strides, int n_strides) {
  return sn_read_strided_at(t, out, strides, n_strides, NULL, 0);
}
