// Structs of tensors at the boundaries of functions, bodies and gradients.
//
//   leaves.c    the flat list of a description's fields; their names
//   flatten.c   a struct's fields as tensors, and back
//   function.c  functions of structs
//   gradient.c  gradients with respect to structs
//   control.c   branches and loops
#ifndef SNI_FRONTEND_COMPOSITE_H
#define SNI_FRONTEND_COMPOSITE_H

#include "frontend/context/internal.h"

enum {
  sni_most_leaves = 1 << 16,
  sni_most_struct_nesting = 16,
  SNI_LEAF_PATH = 160,  // bytes of a field's name
};

// A field that is nested no further, or one element of an array of such.
typedef struct sni_leaf {
  sn_field_kind kind;
  size_t offset;
} sni_leaf;

typedef struct sni_leaves {
  const sn_composite *type;  // NULL: nothing
  sni_leaf *items;
  int n, n_tensors;
} sni_leaves;

// ---- leaves.c
// *out needs sni_leaves_deinit, also after an error: SN_ERR_ARGUMENT (a type that describes no struct), SN_ERR_MEMORY.
sn_status sni_leaves_init(sni_leaves *out, const sn_composite *type, sni_allocator *allocator,
                          sni_diag *diag);
void sni_leaves_deinit(sni_leaves *leaves, sni_allocator *allocator);
// Whether a field is what it says, and lies in its struct.
bool sni_field_is_sound(const sn_composite *type, const sn_field *field);
// "layers[1].w"
const char *sni_leaf_path(const sni_leaves *leaves, int leaf, char buffer[SNI_LEAF_PATH]);

static inline const void *sni_leaf_in(const sni_leaves *leaves, int leaf, const void *base) {
  return (const char *)base + leaves->items[leaf].offset;
}
static inline sn_tensor **sni_tensor_in(const sni_leaves *leaves, int leaf, void *base) {
  return (sn_tensor **)(void *)((char *)base + leaves->items[leaf].offset);
}
// The tensor of this leaf; NULL: absent, or static.
static inline sn_tensor *sni_leaf_tensor(const sni_leaves *leaves, int leaf, const void *base) {
  if (leaves->items[leaf].kind != SN_FIELD_TENSOR) return NULL;
  return *(sn_tensor *const *)sni_leaf_in(leaves, leaf, base);
}

// ---- flatten.c
// Whether each tensor there is can be used in the context. False: an error that names the field is pending.
bool sni_check_struct(sn_context *context, const sni_leaves *leaves, const void *from);
// A tensor for each leaf: static ones of static values, and one that stands for what is absent. False: an error is pending.
bool sni_flatten_all(sn_context *context, const sni_leaves *leaves, const void *from,
                     sn_tensor **tensors);
// Back again; of results too.
void sni_unflatten_all(const sni_leaves *leaves, sn_tensor *const *tensors, void *to);
// The tensors there are; their number.
int sni_flatten_present(const sni_leaves *leaves, const void *from, sn_tensor **tensors);
// *to = *like with these in the place of its own.
void sni_unflatten_present(const sni_leaves *leaves, const void *like, sn_tensor *const *tensors,
                           void *to);
// Whether static values are the same, and the same tensors are there. False: an error is pending, in the words `was` and `is` ("in init", "in
// the next").
bool sni_same_structure(sn_context *context, const sni_leaves *leaves, const void *like,
                        const void *given, const char *was, const char *is);
// Copies the described fields.
void sni_copy_struct(const sni_leaves *leaves, const void *from, void *to);
// Every tensor becomes the error tensor, every static field 0. Needs no memory; type and out may be NULL.
void sni_fail_struct(sn_context *context, const sn_composite *type, void *out);

#endif
