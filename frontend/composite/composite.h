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

// A field that is nested no further, or one element of an array of such, or a tensor of a handle.
typedef struct sni_leaf {
  sn_field_kind kind;
  size_t offset;
  const sn_handle_type *handle;
  int part;  // of a handle's tensors; they follow one another
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
static inline bool sni_is_tensor_leaf(const sni_leaves *leaves, int leaf) {
  const sn_field_kind kind = leaves->items[leaf].kind;
  return kind == SN_FIELD_TENSOR || kind == SN_FIELD_HANDLE;
}
// The tensor of this leaf; NULL: absent, or static.
sn_tensor *sni_leaf_tensor(const sni_leaves *leaves, int leaf, const void *base);

// Puts tensors into a struct, leaf by leaf in their order: of a handle's the last one makes it.
typedef struct sni_struct_writer {
  sn_context *context;
  const sni_leaves *leaves;
  void *to;
  sn_tensor *parts[SN_HANDLE_TENSORS];
} sni_struct_writer;
void sni_write_tensor(sni_struct_writer *writer, int leaf, sn_tensor *t);

// ---- flatten.c
// Whether each tensor there is can be used in the context. False: an error that names the field is pending.
bool sni_check_struct(sn_context *context, const sni_leaves *leaves, const void *from);
// A tensor for each leaf: static ones of static values, and one that stands for what is absent. False: an error is pending.
bool sni_flatten_all(sn_context *context, const sni_leaves *leaves, const void *from,
                     sn_tensor **tensors);
// Back again; of results too.
void sni_unflatten_all(sn_context *context, const sni_leaves *leaves, sn_tensor *const *tensors,
                       void *to);
// The tensors there are; their number.
int sni_flatten_present(const sni_leaves *leaves, const void *from, sn_tensor **tensors);
// *to = *like with these in the place of its own.
void sni_unflatten_present(sn_context *context, const sni_leaves *leaves, const void *like,
                           sn_tensor *const *tensors, void *to);
// Whether static values are the same, and the same tensors are there. types: per leaf, where like's tensors are gone: of rank -1 it had none;
// NULL: they are there. False: an error is pending, in the words `was` and `is` ("in init", "in the next").
bool sni_same_structure(sn_context *context, const sni_leaves *leaves, const void *like,
                        const sni_type *types, const void *given, const char *was, const char *is);
// Copies the described fields.
void sni_copy_struct(const sni_leaves *leaves, const void *from, void *to);
// Every tensor becomes the error tensor, every static field 0. Needs no memory; type and out may be NULL.
void sni_fail_struct(sn_context *context, const sn_composite *type, void *out);

#endif
