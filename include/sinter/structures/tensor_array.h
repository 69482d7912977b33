// Tensor arrays: elements of one dtype and shape, written one by one and read back. An array is a value, as a tensor is: a write gives a new array and leaves the old one
// as it was, so that a write whose result is dropped has no effect in any mode (the compiler warns). Arrays are made of tensors: loops carry them as fields of structs
// (SN_HANDLE), where the elements are written in place, and gradients go through all of it.
#ifndef SINTER_STRUCTURES_TENSOR_ARRAY_H
#define SINTER_STRUCTURES_TENSOR_ARRAY_H

#include <sinter/sinter.h>

SNI_EXTERN_C_BEGIN

typedef struct sn_tensor_array_options {
  size_t size;                    // sizeof(sn_tensor_array_options); filled in by the macros
  const sn_shape *element_shape;  // NULL: that of what is written first
  bool keep_after_read;           // else a read clears the element in the array that it gives
  bool dynamic;                   // a write beyond the end makes it larger
} sn_tensor_array_options;
// An array of n elements that are not written yet, the innermost scope's. dtype: any. n: >= 0, or a dim of a trace (sn_symbolic_dim, sn_late_dim). The error object
// after an error: SN_ERR_SHAPE, SN_ERR_DTYPE, SN_ERR_MEMORY. Loops need arrays that have their element shape. Source: tf.TensorArray, where docs/structures.md says nothing else.
SN_API sn_tensor_array *sn_tensor_array_create_opts(sn_context *context, sn_dtype dtype, int64_t n,
                                                    const sn_tensor_array_options *options);

// ---- elements. index: an integer, i64[] or i32[], in [0, size). Errors of all: SN_ERR_ARGUMENT (NULL), SN_ERR_DTYPE, SN_ERR_SHAPE (an element of another shape), SN_ERR_INDEX (in a compiled
// function at the call). VJPs are those of sn_scatter_update and sn_gather.
// a with value at index. A dynamic array grows: op by op as far as it is asked to; in a trace as far as there is room, sn_tensor_array_reserve's. VJP: of what a later write replaces
// the gradient is 0.
SN_API SN_MUST_USE sn_tensor_array *sn_tensor_array_write(sn_tensor_array *a, sn_tensor *index,
                                                          sn_tensor *value);
// The element at index. out_after: the array after that, where the element is cleared, unless it keeps what is read; NULL: the read has no effect. Errors also: SN_ERR_STATE (an
// element that has never been written, or has been cleared, naming its index: at the call in a compiled function).
SN_API sn_tensor *sn_tensor_array_read(sn_tensor_array *a, sn_tensor *index,
                                       sn_tensor_array **out_after);
// Elements at indices [m], as [m, ...]; nothing is cleared. Errors: as of sn_tensor_array_read.
SN_API sn_tensor *sn_tensor_array_gather(sn_tensor_array *a, sn_tensor *indices);
// a with values[i] at indices[i]: the last one of an index. values: [m, ...].
SN_API SN_MUST_USE sn_tensor_array *sn_tensor_array_scatter(sn_tensor_array *a, sn_tensor *indices,
                                                            sn_tensor *values);

// ---- all elements. What is not written, or cleared, is 0 or "".
// [size, ...]. Errors: SN_ERR_STATE (no element is written and no shape given).
SN_API sn_tensor *sn_tensor_array_stack(sn_tensor_array *a);
// Along axis 0 of the elements: [size * d0, ...]. Errors also: SN_ERR_SHAPE (scalars).
SN_API sn_tensor *sn_tensor_array_concat(sn_tensor_array *a);
// The array of values' rows: as many as a has elements; a dynamic one becomes as large. Errors also: SN_ERR_SHAPE (another number, or one that is not known to be equal).
SN_API SN_MUST_USE sn_tensor_array *sn_tensor_array_unstack(sn_tensor_array *a, sn_tensor *values);
// The array of a's size whose elements are values' equal parts along axis 0. Errors also: SN_ERR_SHAPE (they are not equal).
SN_API SN_MUST_USE sn_tensor_array *sn_tensor_array_split(sn_tensor_array *a, sn_tensor *values);
// How many elements it has, i64[].
SN_API sn_tensor *sn_tensor_array_size(const sn_tensor_array *a);
// A dynamic array with room for n elements at least, of the same size.
SN_API SN_MUST_USE sn_tensor_array *sn_tensor_array_reserve(sn_tensor_array *a, int64_t n);
// Text as of snprintf: "tensor array of 3 f32[2]".
SN_API size_t sn_tensor_array_format(const sn_tensor_array *a, char *buffer, size_t capacity);

// As a field of a struct: SN_HANDLE(state, outputs, sn_tensor_array_type).
SN_API void sn_tensor_array_open(const void *a, sn_tensor **tensors);
SN_API void *sn_tensor_array_make(sn_context *context, sn_tensor *const *tensors);
SN_HANDLE_TYPE(sn_tensor_array_type, sn_tensor_array, sn_tensor_array_open, sn_tensor_array_make,
               "elements", "states", "length", "clears", "zero");

SNI_EXTERN_C_END
#endif
