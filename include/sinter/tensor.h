// Tensors: n-d arrays with a shape and a dtype. Immutable, but for variables.
#ifndef SINTER_TENSOR_H
#define SINTER_TENSOR_H

#include <sinter/context.h>

#include <stdbool.h>
#ifdef __cplusplus
#include <initializer_list>
#endif

SNI_EXTERN_C_BEGIN

#define SN_MAX_RANK 8

// One row per dtype: X(SUFFIX, name, bytes, C type). Values are never stored in files.
#define SN_DTYPE_LIST(X)      \
  X(BOOL, "bool", 1, uint8_t) \
  X(I32, "i32", 4, int32_t)   \
  X(I64, "i64", 8, int64_t)   \
  X(F32, "f32", 4, float)     \
  X(F64, "f64", 8, double)

typedef enum sn_dtype {
#define SNI_X(name, text, bytes, ctype) SN_##name,
  SN_DTYPE_LIST(SNI_X)
#undef SNI_X
      SN_DTYPE_COUNT
} sn_dtype;

// Thread-compatible, but sn_keep and sn_release, which are Thread-safe.
typedef struct sn_tensor sn_tensor;

typedef struct sn_shape {
  int rank;
  int64_t dims[SN_MAX_RANK];
} sn_shape;

#ifdef __cplusplus
SNI_EXTERN_C_END
template <typename... Dims>
static inline sn_shape sni_make_shape(Dims... dims) {
  static_assert(sizeof...(dims) <= SN_MAX_RANK, "at most SN_MAX_RANK dims");
  return sn_shape{static_cast<int>(sizeof...(dims)), {static_cast<int64_t>(dims)...}};
}
SNI_EXTERN_C_BEGIN
#define SN_SHAPE(...) sni_make_shape(__VA_ARGS__)
#define SN_SCALAR sn_shape()
#else
// SN_SHAPE(2, 3): at most SN_MAX_RANK dims.
#define SN_SHAPE(...) \
  ((sn_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})
#define SN_SCALAR ((sn_shape){0, {0}})
#endif

// Bytes of one element / name ("f32"; static storage); 0 / "?" for a value that is no dtype.
SN_API size_t sn_dtype_size(sn_dtype dtype);
SN_API const char *sn_dtype_name(sn_dtype dtype);

// ---- what a tensor is
// rank is -1 for the error tensor and NULL. For a traced tensor sn_dim and sn_size pin a symbolic
// dim to its traced value; where there is none (sn_function_compile with SN_UNKNOWN) that is the
// pending error SN_ERR_SHAPE.
SN_API int sn_rank(const sn_tensor *t);
SN_API sn_dtype sn_dtype_of(const sn_tensor *t);
SN_API int64_t sn_dim(const sn_tensor *t, int axis);  // axis in [-rank, rank); -1 if out of range
SN_API int64_t sn_size(const sn_tensor *t);           // number of elements
SN_API sn_context *sn_context_of(const sn_tensor *t);
SN_API bool sn_failed(const sn_tensor *t);  // the error tensor, or NULL
SN_API bool sn_is_traced(const sn_tensor *t);
SN_API const char *sn_name(const sn_tensor *t);  // of a variable or named tensor, else ""

// ---- creation: the context comes first, results belong to the innermost scope
// Copies size(shape) elements of dtype from data (row-major). Errors: SN_ERR_ARGUMENT,
// SN_ERR_MEMORY.
SN_API sn_tensor *sn_constant(sn_context *context, sn_dtype dtype, sn_shape shape,
                              const void *data);
SN_API sn_tensor *sn_scalar_f32(sn_context *context, float value);
SN_API sn_tensor *sn_scalar_f64(sn_context *context, double value);
SN_API sn_tensor *sn_scalar_i32(sn_context *context, int32_t value);
SN_API sn_tensor *sn_scalar_i64(sn_context *context, int64_t value);
SN_API sn_tensor *sn_scalar_bool(sn_context *context, bool value);
// A scalar of like's dtype; an integer or bool dtype takes value's truncation.
SN_API sn_tensor *sn_scalar_like(sn_tensor *like, double value);
SN_API sn_tensor *sn_zeros(sn_context *context, sn_dtype dtype, sn_shape shape);
SN_API sn_tensor *sn_ones(sn_context *context, sn_dtype dtype, sn_shape shape);
SN_API sn_tensor *sn_full(sn_context *context, sn_dtype dtype, sn_shape shape, double value);
SN_API sn_tensor *sn_zeros_like(sn_tensor *like);
SN_API sn_tensor *sn_ones_like(sn_tensor *like);
// start, start + step, ...: all values below limit (above, for a negative step), as NumPy's arange.
SN_API sn_tensor *sn_range(sn_context *context, sn_dtype dtype, double start, double limit,
                           double step);
// Uses the caller's row-major memory without a copy: it must stay unchanged until release(user) is
// called, once, when the last tensor that uses it dies (release may be NULL). Unaligned data are an
// error.
SN_API sn_tensor *sn_from_memory(sn_context *context, sn_dtype dtype, sn_shape shape, void *data,
                                 void (*release)(void *user), void *user);
// Uniform in [0, 1) / standard normal, f32 or f64, from the context's counter-based generator
// (Philox 4x32-10, Salmon et al. 2011): the state advances per call in every mode, also inside a
// compiled function.
SN_API sn_tensor *sn_random_uniform(sn_context *context, sn_dtype dtype, sn_shape shape);
SN_API sn_tensor *sn_random_normal(sn_context *context, sn_dtype dtype, sn_shape shape);
SN_API void sn_set_seed(sn_context *context, uint64_t seed);

// ---- reading: boundary functions
// Copies the elements (row-major) to out; bytes must be size * dtype size. Errors: any pending
// error; SN_ERR_STATE for a traced tensor; SN_ERR_ARGUMENT for a wrong byte count.
SN_API SN_MUST_USE sn_status sn_read(const sn_tensor *t, void *out, size_t bytes);
// The value of a one-element tensor, converted to double. Errors as sn_read; SN_ERR_SHAPE if size
// is not 1.
SN_API SN_MUST_USE sn_status sn_item(const sn_tensor *t, double *out_value);
// The elements where they lie, valid while the tensor lives and is not assigned. Errors as sn_read.
SN_API SN_MUST_USE sn_status sn_data(const sn_tensor *t, const void **out_data);
// Formats the value as NumPy would, at most capacity bytes with the ending 0; returns the length it
// would have.
SN_API size_t sn_format(const sn_tensor *t, char *buffer, size_t capacity);

// ---- ownership
// One more reference: the tensor outlives its scope until sn_release. Returns t. The error tensor
// and NULL are accepted; keeping a traced tensor is an error (it cannot outlive its trace).
SN_API sn_tensor *sn_keep(sn_tensor *t);
SN_API void sn_release(sn_tensor *t);
// Moves a result to the scope around the innermost one. Returns t.
SN_API sn_tensor *sn_escape(sn_tensor *t);

// ---- call sites
// Labels the op that made t, or the pending error, with the caller's line. The macros of ops.h call
// it.
SN_API sn_tensor *sn_locate(sn_tensor *t, const char *file, int line);
#define SNI_AT(expression) sn_locate((expression), __FILE__, __LINE__)
// As sn_read, sn_item and sn_data, naming the caller's line in the message.
SN_API SN_MUST_USE sn_status sn_read_at(const sn_tensor *t, void *out, size_t bytes,
                                        const char *file, int line);
SN_API SN_MUST_USE sn_status sn_item_at(const sn_tensor *t, double *out_value, const char *file,
                                        int line);
SN_API SN_MUST_USE sn_status sn_data_at(const sn_tensor *t, const void **out_data, const char *file,
                                        int line);
#define sn_read(t, out, bytes) sn_read_at(t, out, bytes, __FILE__, __LINE__)
#define sn_item(t, out_value) sn_item_at(t, out_value, __FILE__, __LINE__)
#define sn_data(t, out_data) sn_data_at(t, out_data, __FILE__, __LINE__)

#define sn_constant(...) SNI_AT(sn_constant(__VA_ARGS__))
#define sn_scalar_like(like, value) SNI_AT(sn_scalar_like(like, value))
#define sn_zeros(...) SNI_AT(sn_zeros(__VA_ARGS__))
#define sn_ones(...) SNI_AT(sn_ones(__VA_ARGS__))
#define sn_full(...) SNI_AT(sn_full(__VA_ARGS__))
#define sn_zeros_like(like) SNI_AT(sn_zeros_like(like))
#define sn_ones_like(like) SNI_AT(sn_ones_like(like))
#define sn_range(context, dtype, start, limit, step) \
  SNI_AT(sn_range(context, dtype, start, limit, step))
#define sn_from_memory(...) SNI_AT(sn_from_memory(__VA_ARGS__))
#define sn_random_uniform(...) SNI_AT(sn_random_uniform(__VA_ARGS__))
#define sn_random_normal(...) SNI_AT(sn_random_normal(__VA_ARGS__))
#define sn_keep(t) SNI_AT(sn_keep(t))

SNI_EXTERN_C_END
#endif
