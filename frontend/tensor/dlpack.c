// DLPack, both ways. Its structures are spelt out here, as they are laid out since version 0.2 and 1.0, so that nothing of
// theirs need be installed, and a program may include whichever dlpack.h it has.
//
// Invariant: a managed tensor has one owner. What comes in is the caller's until nothing can fail any more; what goes out holds
// a buffer and the family, whose allocator it was made with, and nothing else.
#include "frontend/ops/compose.h"

#include <sinter/dlpack.h>

#include <string.h>

enum { device_cpu = 1, device_pinned = 3, device_rocm_pinned = 11 };
enum { code_int, code_uint, code_float, code_handle, code_bfloat, code_complex, code_bool };
enum { flag_read_only = 1 };
enum { major_version = 1, minor_version = 0 };

typedef struct dl_tensor {
  void *data;
  int32_t device_type, device_id;
  int32_t rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;  // strides in elements; NULL: row-major
  uint64_t byte_offset;
} dl_tensor;

typedef struct dl_managed {
  dl_tensor tensor;
  void *manager;
  void (*deleter)(struct dl_managed *self);
} dl_managed;

typedef struct dl_versioned {
  uint32_t major, minor;
  void *manager;
  void (*deleter)(struct dl_versioned *self);
  uint64_t flags;
  dl_tensor tensor;
} dl_versioned;

// ---- dtypes
static uint8_t code_of(sn_dtype dtype) {
  const sni_dtype_info *info = &sni_dtype_infos[dtype];
  switch ((sni_dtype_kind)info->kind) {
    case SNI_KIND_BOOL:
      return code_bool;
    case SNI_KIND_SIGNED:
      return code_int;
    case SNI_KIND_UNSIGNED:
      return code_uint;
    case SNI_KIND_FLOAT:
      return dtype == SN_BF16 ? code_bfloat : code_float;
    case SNI_KIND_COMPLEX:
      return code_complex;
    case SNI_KIND_STRING:
      break;  // refused by all that come here
  }
  return code_handle;
}

static bool dtype_of(const dl_tensor *t, sn_dtype *out_dtype) {
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    *out_dtype = (sn_dtype)d;
    if (code_of(*out_dtype) == t->code && 8 * sn_dtype_size(*out_dtype) == t->bits && t->lanes == 1)
      return true;
  }
  return false;
}

// ---- in
static void delete_managed(void *user) {
  dl_managed *managed = user;
  if (managed->deleter) managed->deleter(managed);
}

static void delete_versioned(void *user) {
  dl_versioned *managed = user;
  if (managed->deleter) managed->deleter(managed);
}

static bool check(sn_context *c, const dl_tensor *t, sni_type *type) {
  sn_dtype dtype;
  if (c->trace) {
    sni_error(c, SN_ERR_STATE, "%s: in a trace: make the tensor an input of the function",
              c->frame.op);
  } else if (t->device_type != device_cpu && t->device_type != device_pinned &&
             t->device_type != device_rocm_pinned) {
    sni_error(c, SN_ERR_UNSUPPORTED, "%s: device %d: expected memory of the host", c->frame.op,
              (int)t->device_type);
  } else if (!dtype_of(t, &dtype)) {
    sni_error(c, SN_ERR_UNSUPPORTED, "%s: no dtype of code %d, %d bits and %d lanes", c->frame.op,
              t->code, t->bits, t->lanes);
  } else if (t->rank < 0 || t->rank > SN_MAX_RANK || (t->rank && !t->shape)) {
    sni_error(c, SN_ERR_SHAPE, "%s: %d dims: at most %d are possible", c->frame.op, (int)t->rank,
              SN_MAX_RANK);
  } else {
    sn_shape shape = {.rank = t->rank};
    for (int i = 0; i < t->rank; i++) shape.dims[i] = t->shape[i];
    if (!sni_shape_type(c, dtype, &shape, type)) return false;
    if (t->data || !sni_type_bytes(type)) return true;
    sni_error(c, SN_ERR_ARGUMENT, "%s: the tensor has no memory", c->frame.op);
  }
  return false;
}

static sn_tensor *take(sn_context *c, const dl_tensor *t, void (*release)(void *), void *managed) {
  sni_type type;
  int64_t strides[SN_MAX_RANK];
  if (!check(c, t, &type)) return &c->error_tensor;
  const size_t bytes = sni_type_bytes(&type);
  for (int i = 0; t->strides && i < type.rank; i++)
    strides[i] = sni_wrap_mul(t->strides[i], (int64_t)sn_dtype_size(type.dtype));
  return sni_over_memory(c, &type, bytes ? (char *)t->data + t->byte_offset : NULL,
                         t->strides ? strides : NULL, release, managed);
}

sn_tensor *(sn_from_dlpack)(sn_context *context, struct DLManagedTensor *managed) {
  SNI_ENTER(context, "sn_from_dlpack", sni_refused(context, context_refused));
  if (!managed) return sni_error(context, SN_ERR_ARGUMENT, "sn_from_dlpack: managed is NULL");
  dl_managed *m = (dl_managed *)managed;
  return take(context, &m->tensor, delete_managed, m);
}

sn_tensor *(sn_from_dlpack_versioned)(sn_context *context,
                                      struct DLManagedTensorVersioned *managed) {
  SNI_ENTER(context, "sn_from_dlpack_versioned", sni_refused(context, context_refused));
  if (!managed)
    return sni_error(context, SN_ERR_ARGUMENT, "sn_from_dlpack_versioned: managed is NULL");
  dl_versioned *m = (dl_versioned *)managed;
  if (m->major > major_version)
    return sni_error(context, SN_ERR_UNSUPPORTED, "%s: version %u.%u: expected at most %d.x",
                     context->frame.op, (unsigned)m->major, (unsigned)m->minor, major_version);
  return take(context, &m->tensor, delete_versioned, m);
}

// ---- out
// Both forms in one block, with what they hold.
typedef struct exported {
  dl_managed legacy;
  dl_versioned versioned;
  sni_family *family;
  sni_buffer *buffer;
  int64_t shape[SN_MAX_RANK], strides[SN_MAX_RANK];
} exported;

static void drop(exported *e) {
  sni_family *family = e->family;
  sni_buffer_release(e->buffer);
  sni_free(&family->allocator, e, sizeof(*e));
  sni_family_release(family);
}

static void drop_legacy(dl_managed *self) {
  drop(self->manager);
}

static void drop_versioned(dl_versioned *self) {
  drop(self->manager);
}

static exported *export_tensor(sn_context *c, sn_tensor *t) {
  exported *e = sni_alloc(&c->family->allocator, sizeof(*e));
  if (!e) {
    sni_error_from(c, sni_fail_memory(&c->diag, sizeof(*e), "a DLPack tensor"), NULL);
    return NULL;
  }
  memset(e, 0, sizeof(*e));
  char *data;
  sni_tensor_snapshot(t, &e->buffer, &data);
  e->family = sni_family_keep(c->family);
  const sni_type *type = &t->type;
  int64_t step = 1;
  for (int i = type->rank - 1; i >= 0; i--) {
    e->shape[i] = type->dims[i];
    e->strides[i] = step;
    step *= type->dims[i];
  }
  const dl_tensor out = {.data = data,
                         .device_type = device_cpu,
                         .rank = type->rank,
                         .code = code_of(type->dtype),
                         .bits = (uint8_t)(8 * sn_dtype_size(type->dtype)),
                         .lanes = 1,
                         .shape = e->shape,
                         .strides = e->strides};
  e->legacy = (dl_managed){out, e, drop_legacy};
  e->versioned =
      (dl_versioned){major_version, minor_version, e, drop_versioned, flag_read_only, out};
  return e;
}

static sn_status give(const char *name, sn_tensor *t, void **out, bool versioned, const char *file,
                      int line) {
  bool ready;
  sn_status refused;
  if (out) *out = NULL;
  SNI_ENTERED c = sni_begin_read_numbers(name, t, file, line, &ready, &refused);
  if (!c) return refused;
  if (ready && !out) {
    sni_error(c, SN_ERR_ARGUMENT, "%s: out_managed is NULL", name);
  } else if (ready) {
    exported *e = export_tensor(c, t);
    if (e) *out = versioned ? (void *)&e->versioned : (void *)&e->legacy;
  }
  sni_locate_error(c, file, line);
  return sni_finish(c);
}

sn_status sn_to_dlpack_at(sn_tensor *t, struct DLManagedTensor **out_managed, const char *file,
                          int line) {
  return give("sn_to_dlpack", t, (void **)out_managed, false, file, line);
}

sn_status sn_to_dlpack_versioned_at(sn_tensor *t, struct DLManagedTensorVersioned **out_managed,
                                    const char *file, int line) {
  return give("sn_to_dlpack_versioned", t, (void **)out_managed, true, file, line);
}

sn_status(sn_to_dlpack)(sn_tensor *t, struct DLManagedTensor **out_managed) {
  return sn_to_dlpack_at(t, out_managed, NULL, 0);
}

sn_status(sn_to_dlpack_versioned)(sn_tensor *t, struct DLManagedTensorVersioned **out_managed) {
  return sn_to_dlpack_versioned_at(t, out_managed, NULL, 0);
}
