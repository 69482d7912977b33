// DLPack: tensors handed to and taken from other libraries of the process without a copy. The structures are those of
// dlpack.h (any of its versions from 0.2 to 1.x), which a program includes where it looks into them; here they are names.
#ifndef SINTER_DLPACK_H
#define SINTER_DLPACK_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

struct DLManagedTensor;           // legacy: before DLPack 1.0
struct DLManagedTensorVersioned;  // since 1.0

// The elements of managed, as a tensor of the innermost scope, which takes managed over: its deleter is called once, from
// whichever thread the last user of the memory is on. Memory that is row-major and aligned to its dtype is used where it lies
// and must not change any more; other strides (also 0 and negative) are copied, and the deleter is called at once. bool: each
// byte must be 0 or 1. On the CPU or in pinned host memory alone. NULL and an error pending, or the error tensor: managed is
// still the caller's. Errors: SN_ERR_ARGUMENT (NULL; no memory), SN_ERR_UNSUPPORTED (a device, a dtype or lanes that Sinter has
// not; a major version above 1), SN_ERR_SHAPE (rank or dims), SN_ERR_STATE (in a trace), SN_ERR_MEMORY. No gradient.
SN_API sn_tensor *sn_from_dlpack(sn_context *context, struct DLManagedTensor *managed);
SN_API sn_tensor *sn_from_dlpack_versioned(sn_context *context,
                                           struct DLManagedTensorVersioned *managed);
#define sn_from_dlpack(context, managed) SNI_AT(sn_from_dlpack(context, managed))
#define sn_from_dlpack_versioned(context, managed) \
  SNI_AT(sn_from_dlpack_versioned(context, managed))

// t's elements where they lie, row-major, for whoever calls the deleter of *out_managed, once, from any thread, also when t, its
// scope and its context have ended. Not to be written: other tensors may share them (the versioned form says so: its flag for
// read-only memory is set). A variable's are those of now: later assignments do not change them. Errors: as sn_read; *out_managed
// is NULL then.
SN_API SN_MUST_USE sn_status sn_to_dlpack(sn_tensor *t, struct DLManagedTensor **out_managed);
SN_API SN_MUST_USE sn_status sn_to_dlpack_versioned(sn_tensor *t,
                                                    struct DLManagedTensorVersioned **out_managed);
// The same, naming the caller's line in the message of an error.
SN_API SN_MUST_USE sn_status sn_to_dlpack_at(sn_tensor *t, struct DLManagedTensor **out_managed,
                                             const char *file, int line);
SN_API SN_MUST_USE sn_status sn_to_dlpack_versioned_at(
    sn_tensor *t, struct DLManagedTensorVersioned **out_managed, const char *file, int line);
#define sn_to_dlpack(t, out_managed) sn_to_dlpack_at(t, out_managed, __FILE__, __LINE__)
#define sn_to_dlpack_versioned(t, out_managed) \
  sn_to_dlpack_versioned_at(t, out_managed, __FILE__, __LINE__)

SNI_EXTERN_C_END
#endif
