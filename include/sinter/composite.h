// Structs of tensors as what functions, branches, loops and gradients are given and give. A struct is described once, in one line
// per field; at each boundary its tensors become a flat list, and its other fields are static: part of a function's signature.
//
//   typedef struct layer { sn_tensor *w, *b; } layer;
//   typedef struct model { layer layers[2]; sn_tensor *scale; int steps; } model;
//   SN_COMPOSITE(layer_type, layer, SN_FIELD(layer, w), SN_FIELD(layer, b));
//   SN_COMPOSITE(model_type, model, SN_NESTED(model, layers, layer_type), SN_FIELD(model, scale), SN_FIELD(model, steps));
//
// What is not described is nobody's concern but the caller's: it is 0 in a callback. A tensor that is NULL is absent, which is part of the
// signature, too. Messages, signatures and retrace reasons name fields: "layers[1].w".
#ifndef SINTER_COMPOSITE_H
#define SINTER_COMPOSITE_H

#include <sinter/control.h>
#include <sinter/gradient.h>

SNI_EXTERN_C_BEGIN

typedef enum sn_field_kind {
  SN_FIELD_TENSOR,
  SN_FIELD_NESTED,  // of another described struct
  // Static values; an enum is an int, long long an i64. Of a text the characters count.
  SN_FIELD_INT,
  SN_FIELD_I64,
  SN_FIELD_F64,
  SN_FIELD_BOOL,
  SN_FIELD_TEXT,
  SN_FIELD_HANDLE,  // a pointer to what is made of tensors
} sn_field_kind;

enum { SN_HANDLE_TENSORS = 12 };
// How a handle (of a ragged tensor, say) is made of tensors and taken apart: they are fields of the struct that it is in. What else it has it
// must get from them. Immutable; made by SN_HANDLE_TYPE.
typedef struct sn_handle_type {
  const char *name;                                       // of the struct behind it
  int n_tensors;                                          // 1 to SN_HANDLE_TENSORS
  const char *const *names;                               // of the tensors
  void (*open)(const void *handle, sn_tensor **tensors);  // fills in n_tensors; NULL: absent
  // A new handle, of the context's present scope; NULL: without these there is none, or an error is pending. Of a gradient what is no float
  // is the handle's own tensor.
  void *(*make)(sn_context *context, sn_tensor *const *tensors);
} sn_handle_type;

typedef struct sn_composite sn_composite;
// A field, or an array of such.
typedef struct sn_field {
  const char *name;
  sn_field_kind kind;
  size_t offset, size;           // bytes; of the whole array
  const sn_composite *type;      // NESTED: of each element
  const sn_handle_type *handle;  // HANDLE
} sn_field;
// Immutable; must outlive what was made with it. Made by SN_COMPOSITE.
struct sn_composite {
  const char *name;  // of the struct
  size_t size;
  const sn_field *fields;
  int n_fields;
};

// type of a struct and a pointer to one, as two arguments; another struct is refused by the compiler.
#define SN_STRUCT(type, pointer) (&(type)), (0 ? (type##_struct *)0 : (pointer))

// The tensors that a struct has, in the order of its description; absent ones are left out. tensors: room for `capacity` of them, or NULL
// to count. Returns their number, -1 after an error, which is then pending: SN_ERR_ARGUMENT (NULL; a type that describes no struct;
// more than capacity).
SN_API int sn_flatten_at(sn_context *context, const sn_composite *type, const void *from,
                         sn_tensor **tensors, int capacity, const char *file, int line);
// *out = *like with these tensors in the place of its own; out may be like. Errors (pending, and returned): SN_ERR_ARGUMENT (another
// number of tensors than like has).
SN_API sn_status sn_unflatten_at(sn_context *context, const sn_composite *type, const void *like,
                                 sn_tensor *const *tensors, int n, void *out, const char *file,
                                 int line);
#define sn_flatten(...) sn_flatten_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_unflatten(...) sn_unflatten_at(__VA_ARGS__, __FILE__, __LINE__)
// sn_keep, sn_release of each tensor of a struct; handles, and what a type that describes no struct has, are left alone. sn_release_struct makes
// them NULL.
SN_API void sn_keep_struct(const sn_composite *type, const void *of);
SN_API void sn_release_struct(const sn_composite *type, void *of);

// The user's code. in: a struct of the caller's with the tensors of this call. out: zeroed; to be filled in with tensors of this context; a
// tensor that stays NULL is absent. Both are valid during the call alone.
typedef sn_status (*sn_struct_callback)(sn_context *context, const void *in, void *out, void *user);

// ---- functions
// A function of structs; owned: sn_function_destroy. in_type, out_type: NULL: nothing. options: as of sn_function_create, but for inputs,
// outputs, specs and input_names, which are 0. Everything said of functions holds: an input per field, static or tensor. NULL after an
// error, which is then pending: SN_ERR_ARGUMENT (a type that describes no struct), SN_ERR_MEMORY.
SN_API sn_function *sn_struct_function_at(sn_context *context, sn_struct_callback callback,
                                          const sn_composite *in_type, const sn_composite *out_type,
                                          const sn_function_options *options, const char *file,
                                          int line);
// As sn_call: sn_call_struct(f, SN_STRUCT(in_type, &in), SN_STRUCT(out_type, &out)). The described fields of out are set, or stay as they are
// after an error. A static field of out has the value that it had in the trace. Errors: as sn_call; SN_ERR_ARGUMENT (types that are not
// the function's).
SN_API SN_MUST_USE sn_status sn_call_struct_at(sn_function *function, const sn_composite *in_type,
                                               const void *in, const sn_composite *out_type,
                                               void *out, const char *file, int line);
// The same in the given sibling context; op by op; op by op in the given sibling context.
SN_API SN_MUST_USE sn_status sn_call_struct_in_at(sn_context *context, sn_function *function,
                                                  const sn_composite *in_type, const void *in,
                                                  const sn_composite *out_type, void *out,
                                                  const char *file, int line);
SN_API SN_MUST_USE sn_status sn_call_struct_eager_at(sn_function *function,
                                                     const sn_composite *in_type, const void *in,
                                                     const sn_composite *out_type, void *out,
                                                     const char *file, int line);
SN_API SN_MUST_USE sn_status sn_call_struct_eager_in_at(sn_context *context, sn_function *function,
                                                        const sn_composite *in_type, const void *in,
                                                        const sn_composite *out_type, void *out,
                                                        const char *file, int line);
// The program that a call with these inputs would run, traced and compiled if there is none. Owned: sn_program_release. Errors: as
// sn_call_struct; SN_ERR_STATE in a trace.
SN_API SN_MUST_USE sn_status sn_function_compile_struct_at(sn_function *function,
                                                           const sn_composite *in_type,
                                                           const void *in, sn_program **out_program,
                                                           const char *file, int line);
#define sn_call_struct(...) sn_call_struct_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_call_struct_in(...) sn_call_struct_in_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_call_struct_eager(...) sn_call_struct_eager_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_call_struct_eager_in(...) sn_call_struct_eager_in_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_function_compile_struct(...) \
  sn_function_compile_struct_at(__VA_ARGS__, __FILE__, __LINE__)

// ---- gradients
// out: a struct as xs, its tensors the gradients d sum(y) / d of those of xs: sn_gradients_struct(y, SN_STRUCT(model_type, &m), &g). What is
// absent in xs or no float is NULL; static fields are copied. Errors, and where it works: as sn_gradients. After an error its tensors are
// the error tensor, other fields 0; so they are of the structs that control flow gives.
SN_API void sn_gradients_struct_at(sn_tensor *y, const sn_composite *type, const void *xs,
                                   void *out, const sn_gradients_options *options, const char *file,
                                   int line);
SN_API void sn_tape_gradient_struct_at(sn_tape *tape, sn_tensor *y, const sn_composite *type,
                                       const void *xs, void *out,
                                       const sn_gradients_options *options, const char *file,
                                       int line);
// sn_tape_watch of each tensor.
SN_API void sn_tape_watch_struct_at(sn_tape *tape, const sn_composite *type, const void *of,
                                    const char *file, int line);
#define sn_tape_watch_struct(...) sn_tape_watch_struct_at(__VA_ARGS__, __FILE__, __LINE__)

// ---- control flow: as the functions of control.h. Static fields and what is absent are the same in each iteration, and in the struct that
// comes out: another one is SN_ERR_ARGUMENT, naming the field; a carried tensor of another dtype or shape is SN_ERR_DTYPE, SN_ERR_SHAPE, but for its sizes in loops whose name ends in _resizing.
// out of a condition: a sn_tensor *, *(sn_tensor **)out = sn_less(s->x, 9).
// sn_cond_struct(c, pred, then_body, else_body, user, SN_STRUCT(in_type, &in), SN_STRUCT(out_type, &out))
SN_API sn_status sn_cond_struct_at(sn_context *context, sn_tensor *pred,
                                   sn_struct_callback then_body, sn_struct_callback else_body,
                                   void *user, const sn_composite *in_type, const void *in,
                                   const sn_composite *out_type, void *out, const char *file,
                                   int line);
// last: a struct as init; it may be the same one. sn_while_struct(c, condition, body, user, SN_STRUCT(state_type, &s), &s)
SN_API sn_status sn_while_struct_at(sn_context *context, sn_struct_callback condition,
                                    sn_struct_callback body, void *user, const sn_composite *type,
                                    const void *init, void *last, bool sizes_change,
                                    const char *file, int line);
// (next, y) = the body of (carry, x), for each row x of the tensors of xs: next, y: zeroed, to be filled in. ys: the rows y stacked.
// x_type, y_type NULL: there are none. sn_scan_struct(c, body, user, SN_STRUCT(state_type, &s), SN_STRUCT(x_type, &xs), &y_type, &s, &ys)
typedef sn_status (*sn_scan_struct_body)(sn_context *context, const void *carry, const void *x,
                                         void *next, void *y, void *user);
SN_API sn_status sn_scan_struct_at(sn_context *context, sn_scan_struct_body body, void *user,
                                   const sn_composite *type, const void *init,
                                   const sn_composite *x_type, const void *xs,
                                   const sn_composite *y_type, void *last, void *ys,
                                   const sn_scan_options *options, const char *file, int line);
// The body of a loop of a known number of iterations: number: i64[], from first to end - 1.
typedef sn_status (*sn_fori_struct_body)(sn_context *context, sn_tensor *number, const void *carry,
                                         void *next, void *user);
SN_API sn_status sn_fori_struct_at(sn_context *context, int64_t first, int64_t end,
                                   sn_fori_struct_body body, void *user, const sn_composite *type,
                                   const void *init, void *last, bool sizes_change,
                                   const char *file, int line);
// For each row along axis 0 of the tensors of in, one after the other: the rows that body makes, stacked.
SN_API sn_status sn_map_struct_at(sn_context *context, sn_struct_callback body, void *user,
                                  const sn_composite *in_type, const void *in,
                                  const sn_composite *out_type, void *out, const char *file,
                                  int line);
// The same for all of them at once (vectorize.h). in_axes: one per tensor that there is, in the order of the fields.
SN_API sn_status sn_vectorized_map_struct_at(sn_context *context, sn_struct_callback body,
                                             void *user, const sn_composite *in_type,
                                             const void *in, const sn_composite *out_type,
                                             void *out, const int *in_axes, const char *file,
                                             int line);
// sn_checkpoint of a function of structs.
SN_API sn_status sn_checkpoint_struct_at(sn_context *context, sn_struct_callback forward,
                                         void *user, const sn_composite *in_type, const void *in,
                                         const sn_composite *out_type, void *out, const char *file,
                                         int line);
#define sn_fori_struct(...) sn_fori_struct_at(__VA_ARGS__, false, __FILE__, __LINE__)
#define sn_while_struct(...) sn_while_struct_at(__VA_ARGS__, false, __FILE__, __LINE__)
// As sn_while_loop_resizing.
#define sn_fori_struct_resizing(...) sn_fori_struct_at(__VA_ARGS__, true, __FILE__, __LINE__)
#define sn_while_struct_resizing(...) sn_while_struct_at(__VA_ARGS__, true, __FILE__, __LINE__)
#define sn_map_struct(...) sn_map_struct_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_vectorized_map_struct(...) sn_vectorized_map_struct_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_checkpoint_struct(...) sn_checkpoint_struct_at(__VA_ARGS__, __FILE__, __LINE__)
#define sn_cond_struct(...) sn_cond_struct_at(__VA_ARGS__, __FILE__, __LINE__)

SNI_EXTERN_C_END

// ---- descriptions
// SN_HANDLE_TYPE(pairs_type, pairs, open_pairs, make_pairs, "keys", "values")
#define SN_HANDLE_TYPE(type, Struct, open, make, ...)      \
  typedef Struct type##_struct;                            \
  static const char *const type##_names[] = {__VA_ARGS__}; \
  SNI_UNUSED static const sn_handle_type type = {          \
      #Struct, (int)(sizeof(type##_names) / sizeof(type##_names[0])), type##_names, open, make}
// SN_COMPOSITE(layer_type, layer, SN_FIELD(layer, w), SN_FIELD(layer, b)): declares layer_type, of this file or block.
#define SN_COMPOSITE(type, Struct, ...)                  \
  typedef Struct type##_struct;                          \
  static const sn_field type##_fields[] = {__VA_ARGS__}; \
  SNI_UNUSED static const sn_composite type = {          \
      #Struct, sizeof(Struct), type##_fields,            \
      (int)(sizeof(type##_fields) / sizeof(type##_fields[0]))}
#ifdef __GNUC__
#define SNI_UNUSED __attribute__((unused))
#else
#define SNI_UNUSED
#endif

#ifdef __cplusplus
template <typename T, bool is_enum = __is_enum(T)>
struct sni_field_of;  // no such field can be described
template <typename T>
struct sni_field_of<T, true> {
  static constexpr sn_field_kind kind = SN_FIELD_INT;
  static_assert(sizeof(T) == sizeof(int), "an enum of another size than int");
};
template <typename T, size_t n>
struct sni_field_of<T[n], false> : sni_field_of<T> {};
#define SNI_FIELD_OF(T, k)                   \
  template <>                                \
  struct sni_field_of<T, false> {            \
    static constexpr sn_field_kind kind = k; \
  };
SNI_FIELD_OF(sn_tensor *, SN_FIELD_TENSOR)
SNI_FIELD_OF(int, SN_FIELD_INT)
SNI_FIELD_OF(unsigned, SN_FIELD_INT)
SNI_FIELD_OF(long, SN_FIELD_I64)
SNI_FIELD_OF(long long, SN_FIELD_I64)
SNI_FIELD_OF(double, SN_FIELD_F64)
SNI_FIELD_OF(bool, SN_FIELD_BOOL)
SNI_FIELD_OF(const char *, SN_FIELD_TEXT)
#undef SNI_FIELD_OF
template <typename T, typename S>
struct sni_is_nested {
  static constexpr bool value = false;
};
template <typename T>
struct sni_is_nested<T, T> {
  static constexpr bool value = true;
};
template <typename T, size_t n>
struct sni_is_nested<T[n], T> {
  static constexpr bool value = true;
};
template <bool is_handle>
static constexpr sn_field_kind sni_handle_kind() {
  static_assert(is_handle, "the field is no pointer to this struct, and no array of such");
  return SN_FIELD_HANDLE;
}
template <bool is_nested>
static constexpr sn_field_kind sni_nested_kind() {
  static_assert(is_nested, "the field is no struct of this type, and no array of such");
  return SN_FIELD_NESTED;
}
// clang-format off
#define SN_FIELD(Struct, field)                                                  \
  {#field, sni_field_of<decltype(Struct::field)>::kind, offsetof(Struct, field), \
   sizeof(Struct::field), nullptr, nullptr}
#define SN_NESTED(Struct, field, type)                                                      \
  {#field, sni_nested_kind<sni_is_nested<decltype(Struct::field), type##_struct>::value>(), \
   offsetof(Struct, field), sizeof(Struct::field), &(type), nullptr}
#define SN_HANDLE(Struct, field, type)                                                        \
  {#field, sni_handle_kind<sni_is_nested<decltype(Struct::field), type##_struct *>::value>(), \
   offsetof(Struct, field), sizeof(Struct::field), nullptr, &(type)}
#else
// clang-format off
// A tensor, a static value, or an array of such. A pointer to tensors is no array: the compiler refuses it.
#define SN_FIELD(Struct, field)                                                                  \
  {#field, SNI_FIELD_KIND(&((Struct *)0)->field, ((Struct *)0)->field), offsetof(Struct, field), \
   sizeof(((Struct *)0)->field), NULL, NULL}
// A struct that type describes, or an array of such.
#define SN_NESTED(Struct, field, type)                                                  \
  {#field, SNI_NESTED_KIND(&((Struct *)0)->field, ((Struct *)0)->field, type##_struct), \
   offsetof(Struct, field), sizeof(((Struct *)0)->field), &(type), NULL}
// A pointer to what a handle type is of, or an array of such.
#define SN_HANDLE(Struct, field, type)                                                   \
  {#field,                                                                               \
   _Generic(((Struct *)0)->field, type##_struct *: SN_FIELD_HANDLE,                      \
            type##_struct **: SN_FIELD_HANDLE),                                          \
   offsetof(Struct, field), sizeof(((Struct *)0)->field), NULL, &(type)}
#define SNI_FIELD_KIND(address, value)                                                           \
  (sn_field_kind)(_Generic((value), sn_tensor *: SN_FIELD_TENSOR, sn_tensor **: SN_FIELD_TENSOR, \
                          int: SN_FIELD_INT, int *: SN_FIELD_INT,                                \
                          unsigned: SN_FIELD_INT, unsigned *: SN_FIELD_INT,                      \
                          long: SN_FIELD_I64, long *: SN_FIELD_I64,                              \
                          long long: SN_FIELD_I64, long long *: SN_FIELD_I64,                    \
                          double: SN_FIELD_F64, double *: SN_FIELD_F64,                          \
                          bool: SN_FIELD_BOOL, bool *: SN_FIELD_BOOL,                            \
                          const char *: SN_FIELD_TEXT, const char **: SN_FIELD_TEXT) +           \
                  SNI_NO_POINTER(_Generic((address), sn_tensor ***: 1, int **: 1,                \
                                          unsigned **: 1, long **: 1, long long **: 1,           \
                                          double **: 1, bool **: 1, const char ***: 1,           \
                                          default: 0)))
#define SNI_NESTED_KIND(address, value, Struct)                                           \
  (sn_field_kind)(_Generic((value), Struct: SN_FIELD_NESTED, Struct *: SN_FIELD_NESTED) + \
                  SNI_NO_POINTER(_Generic((address), Struct **: 1, default: 0)))
// 0, or no program.
#define SNI_NO_POINTER(is_pointer) (0 * (int)sizeof(char[(is_pointer) ? -1 : 1]))
#endif
// clang-format on

#ifdef __cplusplus
static inline sn_function *sn_struct_function(sn_context *context, sn_struct_callback callback,
                                              const sn_composite *in_type,
                                              const sn_composite *out_type,
                                              sn_function_options options = sn_function_options(),
                                              SNI_CALLER) {
  options.size = sizeof(options);
  return sn_struct_function_at(context, callback, in_type, out_type, &options, file, line);
}
static inline void sn_gradients_struct(sn_tensor *y, const sn_composite *type, const void *xs,
                                       void *out,
                                       sn_gradients_options options = sn_gradients_options(),
                                       SNI_CALLER) {
  options.size = sizeof(options);
  sn_gradients_struct_at(y, type, xs, out, &options, file, line);
}
static inline void sn_tape_gradient_struct(sn_tape *tape, sn_tensor *y, const sn_composite *type,
                                           const void *xs, void *out,
                                           sn_gradients_options options = sn_gradients_options(),
                                           SNI_CALLER) {
  options.size = sizeof(options);
  sn_tape_gradient_struct_at(tape, y, type, xs, out, &options, file, line);
}
static inline sn_status sn_scan_struct(sn_context *context, sn_scan_struct_body body, void *user,
                                       const sn_composite *type, const void *init,
                                       const sn_composite *x_type, const void *xs,
                                       const sn_composite *y_type, void *last, void *ys,
                                       sn_scan_options options = sn_scan_options(), SNI_CALLER) {
  options.size = sizeof(options);
  return sn_scan_struct_at(context, body, user, type, init, x_type, xs, y_type, last, ys, &options,
                           file, line);
}
#else
// sn_struct_function(context, callback, &in_type, &out_type, .user = &config)
#define sn_struct_function(...) \
  SNI_STRUCT_FUNCTION(__VA_ARGS__, .size = sizeof(sn_function_options))
#define SNI_STRUCT_FUNCTION(context, callback, in_type, out_type, ...)                             \
  sn_struct_function_at(context, callback, in_type, out_type, &(sn_function_options){__VA_ARGS__}, \
                        __FILE__, __LINE__)
#define sn_gradients_struct(...) \
  SNI_GRADIENTS_STRUCT(__VA_ARGS__, .size = sizeof(sn_gradients_options))
#define SNI_GRADIENTS_STRUCT(y, type, xs, out, ...) \
  sn_gradients_struct_at(y, type, xs, out, &(sn_gradients_options){__VA_ARGS__}, __FILE__, __LINE__)
#define sn_tape_gradient_struct(...) \
  SNI_TAPE_GRADIENT_STRUCT(__VA_ARGS__, .size = sizeof(sn_gradients_options))
#define SNI_TAPE_GRADIENT_STRUCT(tape, y, type, xs, out, ...)                              \
  sn_tape_gradient_struct_at(tape, y, type, xs, out, &(sn_gradients_options){__VA_ARGS__}, \
                             __FILE__, __LINE__)
#define sn_scan_struct(...) SNI_SCAN_STRUCT(__VA_ARGS__, .size = sizeof(sn_scan_options))
#define SNI_SCAN_STRUCT(context, body, user, type, init, x_type, xs, y_type, last, ys, ...) \
  sn_scan_struct_at(context, body, user, type, init, x_type, xs, y_type, last, ys,          \
                    &(sn_scan_options){__VA_ARGS__}, __FILE__, __LINE__)
#endif

#endif
