// Objects: what is made of tensors, or holds something of the host's, and is owned as tensors are: by the scope that it
// was made in, and by who keeps it. Ragged tensors (sinter/structures.h) are objects; a library that is written over the public API makes
// its own in the same way:
//
//   struct pair { sn_object object; sn_tensor *parts[2]; };
//   static const sn_object_class pair_class = {sizeof(sn_object_class), "pair", sizeof(pair), 2, offsetof(pair, parts), NULL, false};
//   pair *(pair_of)(sn_tensor *a, sn_tensor *b) {
//     sn_context *c = sn_context_of(a);
//     SN_FRAME(c, "pair_of");
//     return sn_object_create(c, &pair_class, (sn_tensor *const[]){a, b});
//   }
//   sn_tensor *(pair_sum)(pair *p) {
//     sn_context *c = sn_object_context(p);
//     SN_FRAME(c, "pair_sum");
//     if (!sn_object_check(c, p, &pair_class, "p")) return sn_error_tensor(c);
//     return sn_add(p->parts[0], p->parts[1]);
//   }
#ifndef SINTER_OBJECT_H
#define SINTER_OBJECT_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

typedef struct sn_object_class sn_object_class;
// The first field of each object; filled in by the library, only to be read.
typedef struct sn_object {
  const sn_object_class *type;
  sn_tensor *owner;  // what counts its references
} sn_object;

// What is said of all objects of a kind. Immutable; must outlive them: a constant.
struct sn_object_class {
  size_t size;         // sizeof(sn_object_class)
  const char *name;    // of messages: "sn_ragged"
  size_t object_size;  // bytes of one
  // An array of so many sn_tensor * at this offset: held as long as the object lives, not by the caller. NULL: absent.
  int n_tensors;
  size_t tensors_offset;
  // Ends what else the object has; on any thread, once, when the last reference is gone; the tensors are still there. Must not call
  // functions of a context. NULL: nothing.
  void (*destroy)(void *object);
  // It has effects on the host, and is shared by the family of contexts. sn_object_variable is a variable that
  // stands for it: a host call that uses the object has it among its inputs, so that what is compiled holds the object.
  bool is_resource;
};

// A new object, the rest of it zeros; the innermost scope's. tensors: n_tensors of them, or NULL where there are none. After an
// error, which is then pending, the error object: SN_ERR_ARGUMENT (NULL; a class that describes no object), SN_ERR_STATE (a resource
// in a trace), SN_ERR_MEMORY; those of tensors that cannot be used.
SN_API void *sn_object_create(sn_context *context, const sn_object_class *type,
                              sn_tensor *const *tensors);
// The error object of a class in this context: zeros, and the error tensor in the place of each tensor. What a failed function of objects returns;
// every function of objects takes it. NULL without memory at its first use, or without a context.
SN_API void *sn_object_error(sn_context *context, const sn_object_class *type);
// The error tensor of a context, which a failed function of tensors returns. NULL for NULL.
SN_API sn_tensor *sn_error_tensor(sn_context *context);
// For functions that are given an object: whether it is one of this class, alive and of context's family. Else an error is pending
// that calls it `name`: SN_ERR_ARGUMENT (NULL, another class, another family, the error object while no error is pending), SN_ERR_STATE (its scope
// has ended).
SN_API bool sn_object_check(sn_context *context, const void *object, const sn_object_class *type,
                            const char *name);
// Where it was made; NULL for NULL.
SN_API sn_context *sn_object_context(const void *object);
// The error object, or NULL.
SN_API bool sn_object_failed(const void *object);
// Of a resource: the variable that stands for it, i64[], for the inputs of host calls. The error tensor for the error object; else
// NULL.
SN_API sn_tensor *sn_object_variable(const void *object);
// As sn_keep, sn_release and sn_escape of tensors, which take handles of the library too. An object of traced tensors cannot be
// kept: SN_ERR_STATE (pending, and the error object).
SN_API void *sn_object_keep_at(void *object, const char *file, int line);
SN_API void sn_object_release(void *object);
SN_API void *sn_object_escape(void *object);
#define sn_object_keep(object) sn_object_keep_at(object, __FILE__, __LINE__)
// How many hold it: its scope, everybody who keeps it, functions and programs. 0 for NULL and the error object. Thread-safe.
SN_API int sn_object_references(const void *object);
// How many could use a resource at this moment: contexts of its family that are alive, and their runners. A call that waits in it for
// others waits in vain where all of these do. 0 for NULL and the error object. Thread-safe.
SN_API int sn_object_users(const void *object);
// sn_locate of a function that makes objects: SN_OBJECT_AT(pair, pair_of(a, b)) is what a macro of its name is.
SN_API void *sn_object_locate(void *object, const char *file, int line);
#define SN_OBJECT_AT(Struct, expression) \
  ((Struct *)sn_object_locate((expression), __FILE__, __LINE__))
#define SNI_OBJECT_AT(Struct, expression) SN_OBJECT_AT(Struct, expression)
// The same of a handle below that must be used: the compiler warns where it is not.
#define SNI_USED_OBJECT_AT(Struct, expression) \
  sni_used_##Struct(sn_object_locate((expression), __FILE__, __LINE__))

SNI_EXTERN_C_END

// ---- handles of the library's own: sn_keep, sn_release, sn_escape, sn_failed and sn_context_of take them as they take tensors; others are
// given to sn_object_keep and its like.
#define SNI_HANDLE_LIST(X) X(sn_ragged) X(sn_sparse) X(sn_tensor_array) X(sn_queue) X(sn_table)
#define SNI_X(Struct) typedef struct Struct Struct;
SNI_HANDLE_LIST(SNI_X)
#undef SNI_X

static inline sn_tensor *sni_keep(sn_tensor *t, const char *file, int line) {
  return sn_locate((sn_keep)(t), file, line);
}
#define SNI_X(Struct)                                                                   \
  static inline Struct *sni_keep_##Struct(Struct *object, const char *file, int line) { \
    return (Struct *)sn_object_keep_at(object, file, line);                             \
  }                                                                                     \
  static inline Struct *sni_escape_##Struct(Struct *object) {                           \
    return (Struct *)sn_object_escape(object);                                          \
  }                                                                                     \
  SN_MUST_USE static inline Struct *sni_used_##Struct(void *object) {                   \
    return (Struct *)object;                                                            \
  }
SNI_HANDLE_LIST(SNI_X)
#undef SNI_X

#ifdef __cplusplus
#define SNI_X(Struct)                                                          \
  static inline Struct *sni_keep(Struct *object, const char *file, int line) { \
    return sni_keep_##Struct(object, file, line);                              \
  }                                                                            \
  static inline void sn_release(Struct *object) {                              \
    sn_object_release(object);                                                 \
  }                                                                            \
  static inline Struct *sn_escape(Struct *object) {                            \
    return sni_escape_##Struct(object);                                        \
  }                                                                            \
  static inline bool sn_failed(const Struct *object) {                         \
    return sn_object_failed(object);                                           \
  }                                                                            \
  static inline sn_context *sn_context_of(const Struct *object) {              \
    return sn_object_context(object);                                          \
  }
SNI_HANDLE_LIST(SNI_X)
#undef SNI_X
#define sn_keep(t) sni_keep(t, __FILE__, __LINE__)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
// clang-format off
#define SNI_KEEP(Struct) Struct *: sni_keep_##Struct,
#define SNI_RELEASE(Struct) Struct *: sn_object_release,
#define SNI_ESCAPE(Struct) Struct *: sni_escape_##Struct,
#define SNI_FAILED(Struct) Struct *: sn_object_failed, const Struct *: sn_object_failed,
#define SNI_CONTEXT_OF(Struct) Struct *: sn_object_context, const Struct *: sn_object_context,
#define sn_keep(t) _Generic((t), SNI_HANDLE_LIST(SNI_KEEP) default: sni_keep)((t), __FILE__, __LINE__)
#define sn_release(t) _Generic((t), SNI_HANDLE_LIST(SNI_RELEASE) default: (sn_release))(t)
#define sn_escape(t) _Generic((t), SNI_HANDLE_LIST(SNI_ESCAPE) default: (sn_escape))(t)
#define sn_failed(t) _Generic((t), SNI_HANDLE_LIST(SNI_FAILED) default: (sn_failed))(t)
#define sn_context_of(t) _Generic((t), SNI_HANDLE_LIST(SNI_CONTEXT_OF) default: (sn_context_of))(t)
// clang-format on
#else
#define sn_keep(t) sni_keep(t, __FILE__, __LINE__)
#endif

#endif
