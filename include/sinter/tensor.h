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

// Elements of c64 and c128: as C's float _Complex and double _Complex and C++'s std::complex lie.
typedef struct sn_complex64 {
  float re, im;
} sn_complex64;
typedef struct sn_complex128 {
  double re, im;
} sn_complex128;

// One row per dtype: X(SUFFIX, name, bytes, C type). New ones come last, so that programs built before
// them run on. Values are never stored in files. bool: each
// byte is 0 or 1, in all memory that the library is given or gives; sn_constant alone takes other
// bytes too, as 1. f16 (IEEE binary16) and bf16 (the upper half of an f32) are given as their bits.
// i8 i16 u8 u16 compute in 32 bits and wrap after each op, f16 bf16 in f32 and are rounded after
// each op; c64 is a pair of f32, c128 of f64: ops.h says more.
#define SN_DTYPE_LIST(X)         \
  X(BOOL, "bool", 1, uint8_t)    \
  X(I32, "i32", 4, int32_t)      \
  X(I64, "i64", 8, int64_t)      \
  X(F32, "f32", 4, float)        \
  X(F64, "f64", 8, double)       \
  X(I8, "i8", 1, int8_t)         \
  X(I16, "i16", 2, int16_t)      \
  X(U8, "u8", 1, uint8_t)        \
  X(U16, "u16", 2, uint16_t)     \
  X(U32, "u32", 4, uint32_t)     \
  X(U64, "u64", 8, uint64_t)     \
  X(F16, "f16", 2, uint16_t)     \
  X(BF16, "bf16", 2, uint16_t)   \
  X(C64, "c64", 8, sn_complex64) \
  X(C128, "c128", 16, sn_complex128)

typedef enum sn_dtype {
#define SNI_X(name, text, bytes, ctype) SN_##name,
  SN_DTYPE_LIST(SNI_X)
#undef SNI_X
      SN_DTYPE_COUNT,
  // Elements are byte strings of any length, immutable (string.h). Not in the list, which is of what can be
  // computed with: strings are moved, chosen, compared, kept in variables and passed on by the ops that
  // say so.
  SN_STRING = 31
} sn_dtype;

// Bytes, with or without an ending 0, which is not counted.
typedef struct sn_text {
  const char *data;
  size_t length;
} sn_text;

// Thread-compatible, but sn_keep and sn_release, which are Thread-safe.
typedef struct sn_tensor sn_tensor;

// dims[0 .. rank), each >= 0; rank 0: a scalar.
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
// No errors but one: the error tensor (which lives as long as its context), NULL and dead tensors have
// rank -1, dtype SN_BOOL, size 0. For a traced
// tensor sn_dim and sn_size pin symbolic dims to their traced values; where there is none
// (sn_function_compile with SN_UNKNOWN) they give -1 and the pending error SN_ERR_SHAPE. -1 too when
// the trace has ended.
SN_API int sn_rank(const sn_tensor *t);
SN_API sn_dtype sn_dtype_of(const sn_tensor *t);
SN_API int64_t sn_dim(const sn_tensor *t, int axis);  // axis in [-rank, rank); -1 if out of range
SN_API int64_t sn_size(const sn_tensor *t);           // number of elements
// The dim for a shape that is given to an op: sn_dim's number, or for a symbolic dim of a trace a
// negative value that stands for it, so that SN_SHAPE(sn_symbolic_dim(x, 0), 10) serves every size
// with one compile. It means something in shapes alone (sn_zeros, sn_full, sn_random_uniform,
// sn_reshape, sn_broadcast_to, ...), and in the same trace alone: SN_ERR_SHAPE elsewhere. -1 if
// out of range.
SN_API int64_t sn_symbolic_dim(const sn_tensor *t, int axis);
// A dim that an element says, for shapes that are given to ops: the number itself in eager mode, in a trace a token as
// sn_symbolic_dim's that stands for what size is in each run (docs/adr/023-sizes-known-late.md). What is computed with it
// waits for it, and is compiled once for all sizes. size: i64, one element. Errors: -1, and pending: SN_ERR_DTYPE, SN_ERR_SHAPE (not one
// element; negative: in a run too), those of sn_read.
SN_API int64_t sn_late_dim(sn_tensor *size);
SN_API sn_context *sn_context_of(const sn_tensor *t);  // where it was made; NULL for NULL
SN_API bool sn_failed(const sn_tensor *t);             // the error tensor, or NULL
SN_API bool sn_is_traced(const sn_tensor *t);          // a value of a trace, without elements yet
// Whether what is called in context is traced: it has no elements yet that could be read. Whether it is noted for open tapes, op by op.
// False for NULL.
SN_API bool sn_is_tracing(const sn_context *context);
SN_API bool sn_is_recording(const sn_context *context);
SN_API const char *sn_name(const sn_tensor *t);  // of a variable, else ""; lives as long as t

// ---- creation: the context comes first, results belong to the innermost scope
// Errors of all: SN_ERR_SHAPE (a rank or dim out of range), SN_ERR_DTYPE, SN_ERR_MEMORY; NULL
// without a context. No gradient flows through them.
// Copies size(shape) elements of dtype from data (row-major). Errors: SN_ERR_ARGUMENT (data NULL).
SN_API sn_tensor *sn_constant(sn_context *context, sn_dtype dtype, sn_shape shape,
                              const void *data);
// A scalar (rank 0) of the dtype in the name.
SN_API sn_tensor *sn_scalar_f32(sn_context *context, float value);
SN_API sn_tensor *sn_scalar_f64(sn_context *context, double value);
SN_API sn_tensor *sn_scalar_i32(sn_context *context, int32_t value);
SN_API sn_tensor *sn_scalar_i64(sn_context *context, int64_t value);
SN_API sn_tensor *sn_scalar_bool(sn_context *context, bool value);
SN_API sn_tensor *sn_scalar_c64(sn_context *context, float re, float im);
SN_API sn_tensor *sn_scalar_c128(sn_context *context, double re, double im);
// A scalar of like's dtype and context; an integer or bool dtype takes value's truncation. A double
// has not all integers of 64 bits: sn_scalar_i64, and sn_constant for u64, are exact. Complex: the
// imaginary part is 0, here and in all that takes a double for an element.
SN_API sn_tensor *sn_scalar_like(sn_tensor *like, double value);
// All elements 0, 1 or value. Integers take value truncated and saturated, NaN gives 0; bool:
// |value| >= 1. _like: like's dtype, shape (symbolic dims stay so) and context.
SN_API sn_tensor *sn_zeros(sn_context *context, sn_dtype dtype, sn_shape shape);
SN_API sn_tensor *sn_ones(sn_context *context, sn_dtype dtype, sn_shape shape);
SN_API sn_tensor *sn_full(sn_context *context, sn_dtype dtype, sn_shape shape, double value);
SN_API sn_tensor *sn_zeros_like(sn_tensor *like);
SN_API sn_tensor *sn_ones_like(sn_tensor *like);
SN_API sn_tensor *sn_full_like(sn_tensor *like, double value);
// start, start + step, ...: all values below limit (above, for a negative step), as NumPy's arange;
// rank 1. Floats and complex; integers: start and step must be integers. Errors: SN_ERR_ARGUMENT (that; step 0
// or no finite number of steps).
SN_API sn_tensor *sn_range(sn_context *context, sn_dtype dtype, double start, double limit,
                           double step);
// n numbers from start to stop, both among them (endpoint false: stop is not), at equal distances; rank 1. Floats, computed in
// f64: start + i step, the last one stop. Errors: SN_ERR_ARGUMENT (n < 0; an end that is
// not finite), SN_ERR_DTYPE. Source: numpy.linspace.
SN_API sn_tensor *sn_linspace(sn_context *context, sn_dtype dtype, double start, double stop,
                              int64_t n, bool endpoint);
// 0, 1, ..., n - 1 with n the size of like's axis, symbolic or not; rank 1, in like's context: the
// positions that masks compare. Any number; what does not fit an integer wraps. Errors: SN_ERR_SHAPE (axis), SN_ERR_DTYPE.
SN_API sn_tensor *sn_range_like(sn_tensor *like, int axis, sn_dtype dtype);
// That n, a scalar: to compute with, where sn_dim would fix a symbolic dim. dtype and errors as
// there.
SN_API sn_tensor *sn_axis_size(sn_tensor *like, int axis, sn_dtype dtype);
// Uses the caller's row-major memory without a copy: it must stay unchanged until release(user) is
// called, once, when the last tensor that uses it dies (release may be NULL; not after an error).
// bool: each byte must be 0 or 1. Errors: SN_ERR_ARGUMENT (data NULL or not aligned to dtype; a complex one: to its parts).
SN_API sn_tensor *sn_from_memory(sn_context *context, sn_dtype dtype, sn_shape shape, void *data,
                                 void (*release)(void *user), void *user);
// The same for elements that lie apart: that of index (i, j, ...) at data + i strides[0] + j strides[1] + ..., in
// bytes of any sign, 0 too; one stride per dim. Row-major and aligned memory is used without a copy; any other is copied, and
// release is called at once. Errors: SN_ERR_ARGUMENT (data NULL, strides NULL).
SN_API sn_tensor *sn_from_strided(sn_context *context, sn_dtype dtype, sn_shape shape, void *data,
                                  const int64_t *strides, void (*release)(void *user), void *user);
// Starts the context's random generator (ops/random.h) anew with this seed; in a trace an effect of the function.
SN_API void sn_set_seed(sn_context *context, uint64_t seed);

// ---- reading: boundary functions
// Copies the elements (row-major) to out; bytes must be size * dtype size. Errors: any pending
// error; SN_ERR_STATE for a traced tensor, or in a trace; SN_ERR_ARGUMENT for NULL, the error
// tensor or a wrong byte count.
SN_API SN_MUST_USE sn_status sn_read(const sn_tensor *t, void *out, size_t bytes);
// Copies them to where strides say, one per dim of t, as in sn_from_strided; where elements share a place (a stride
// of 0), one of them stays. Errors as sn_read; SN_ERR_ARGUMENT (n_strides is not t's rank; NULL).
SN_API SN_MUST_USE sn_status sn_read_strided(const sn_tensor *t, void *out, const int64_t *strides,
                                             int n_strides);
// The value of a one-element tensor, converted to double (integers of more than 53 bits are rounded:
// sn_read is exact). Errors as sn_read; SN_ERR_SHAPE if size
// is not 1; SN_ERR_DTYPE for a complex one (sn_read gives both parts).
SN_API SN_MUST_USE sn_status sn_item(const sn_tensor *t, double *out_value);
// The elements where they lie (row-major), not to be written; valid while the tensor lives and is
// not assigned. Errors as sn_read.
SN_API SN_MUST_USE sn_status sn_data(const sn_tensor *t, const void **out_data);
// Formats the value as NumPy would, at most capacity bytes with the ending 0; returns the length it
// would have (without the 0). Any tensor: the error tensor, NULL and traced tensors are described.
SN_API size_t sn_format(const sn_tensor *t, char *buffer, size_t capacity);

// ---- ownership
// One more reference: the tensor outlives its scope until sn_release. Returns t. The error tensor
// and NULL are accepted; keeping a traced tensor is an error (it cannot outlive its trace).
SN_API sn_tensor *sn_keep(sn_tensor *t);
// One reference less; the last one frees t. NULL is accepted. For what the caller owns: variables, and
// what was kept. A result that its scope alone holds is the scope's: releasing it does nothing, as
// does releasing what is dead already (a warning in the log says so).
SN_API void sn_release(sn_tensor *t);
// Moves a result of the innermost scope to the scope around it. Returns t, any tensor or NULL.
SN_API sn_tensor *sn_escape(sn_tensor *t);

// ---- call sites
// Labels the op that made t, or the pending error, with the caller's line; file must stay valid (a
// literal). Returns t. The macros of ops.h call it.
SN_API sn_tensor *sn_locate(sn_tensor *t, const char *file, int line);
// For the macros of composed functions of your own: sn_frame_begin has an example.
#define SN_AT(expression) sn_locate((expression), __FILE__, __LINE__)
#define SNI_AT(expression) SN_AT(expression)
// As those above, naming the caller's line in the message.
SN_API SN_MUST_USE sn_status sn_read_at(const sn_tensor *t, void *out, size_t bytes,
                                        const char *file, int line);
SN_API SN_MUST_USE sn_status sn_item_at(const sn_tensor *t, double *out_value, const char *file,
                                        int line);
SN_API SN_MUST_USE sn_status sn_data_at(const sn_tensor *t, const void **out_data, const char *file,
                                        int line);
SN_API SN_MUST_USE sn_status sn_read_strided_at(const sn_tensor *t, void *out,
                                                const int64_t *strides, int n_strides,
                                                const char *file, int line);
// As sn_dim and sn_size, likewise.
SN_API int64_t sn_dim_at(const sn_tensor *t, int axis, const char *file, int line);
SN_API int64_t sn_size_at(const sn_tensor *t, const char *file, int line);
#define sn_dim(t, axis) sn_dim_at(t, axis, __FILE__, __LINE__)
#define sn_size(t) sn_size_at(t, __FILE__, __LINE__)
#define sn_read(t, out, bytes) sn_read_at(t, out, bytes, __FILE__, __LINE__)
#define sn_read_strided(...) sn_read_strided_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_item(t, out_value) sn_item_at(t, out_value, __FILE__, __LINE__)
#define sn_data(t, out_data) sn_data_at(t, out_data, __FILE__, __LINE__)

#define sn_constant(...) SNI_AT(sn_constant(__VA_ARGS__))
#define sn_scalar_like(like, value) SNI_AT(sn_scalar_like(like, value))
#define sn_zeros(...) SNI_AT(sn_zeros(__VA_ARGS__))
#define sn_ones(...) SNI_AT(sn_ones(__VA_ARGS__))
#define sn_full(...) SNI_AT(sn_full(__VA_ARGS__))
#define sn_zeros_like(like) SNI_AT(sn_zeros_like(like))
#define sn_ones_like(like) SNI_AT(sn_ones_like(like))
#define sn_full_like(like, value) SNI_AT(sn_full_like(like, value))
#define sn_range_like(like, axis, dtype) SNI_AT(sn_range_like(like, axis, dtype))
#define sn_axis_size(like, axis, dtype) SNI_AT(sn_axis_size(like, axis, dtype))
#define sn_range(context, dtype, start, limit, step) \
  SNI_AT(sn_range(context, dtype, start, limit, step))
#define sn_linspace(context, dtype, start, stop, n, endpoint) \
  SNI_AT(sn_linspace(context, dtype, start, stop, n, endpoint))
#define sn_from_memory(...) SNI_AT(sn_from_memory(__VA_ARGS__))
#define sn_from_strided(...) SNI_AT(sn_from_strided(__VA_ARGS__))

SNI_EXTERN_C_END
#include <sinter/object.h>

#endif
