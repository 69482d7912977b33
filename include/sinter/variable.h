// Variables: tensors that can be assigned. Used by ops like any tensor; the use reads the value
// then.
#ifndef SINTER_VARIABLE_H
#define SINTER_VARIABLE_H

#include <sinter/ops/index.h>
#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

typedef struct sn_variable_options {
  size_t size;
  const char *name;  // copied; NULL: "variable"
  bool frozen;       // not trainable: an open tape does not watch it
} sn_variable_options;

// Creates a variable holding a copy of initial's value, with its dtype and shape for good. Returns
// an owned reference: sn_release it. options NULL: the defaults. Errors: SN_ERR_STATE inside a
// trace; SN_ERR_MEMORY.
SN_API sn_tensor *sn_variable_opts(sn_tensor *initial, const sn_variable_options *options);
// False for the error tensor, NULL and, for sn_is_trainable, frozen variables.
SN_API bool sn_is_variable(const sn_tensor *t);
SN_API bool sn_is_trainable(const sn_tensor *t);

// variable = value; variable += value; variable -= value. value: the variable's dtype (+= and -=:
// a number); its shape for sn_assign, broadcastable to it for the other two. Returns the new
// value (scope-owned). While an error is pending nothing is assigned. In a trace: an effect of the
// function, in order. Errors: SN_ERR_DTYPE, SN_ERR_SHAPE, SN_ERR_ARGUMENT (no variable). VJP: the
// result's is that of value, or of sn_add or sn_sub; a later read of the variable has none.
SN_API sn_tensor *sn_assign(sn_tensor *variable, sn_tensor *value);
SN_API sn_tensor *sn_assign_add(sn_tensor *variable, sn_tensor *value);
SN_API sn_tensor *sn_assign_sub(sn_tensor *variable, sn_tensor *value);
// variable[...] = value, with the text between the brackets as in sn_at: sn_assign_at(v, x, "0, %d", i) assigns one
// element, sn_assign_at(v, x, ":, ::2") every other column. value: the variable's dtype, broadcastable to what is
// assigned, and may be computed from the variable. Returns its whole new value (scope-owned); a compiled function
// writes the elements in place. Errors: as sn_assign, sn_set_at. VJP: as sn_set_at.
SN_API sn_tensor *sn_assign_at(sn_tensor *variable, sn_tensor *value, const char *format, ...)
    SNI_PRINTF(3, 4);
// Rows of the variable by their indices (_nd: slices by indices along its first axes) combined with updates: sn_scatter_add
// and its like (sn_tensor_scatter_nd). mode: what is done, an sn_scatter_mode. Returns its whole new value
// (scope-owned). Errors: as sn_assign; as those; an index out of range (SN_ERR_INDEX) changes nothing. VJP: as those.
// Source: tf.Variable.scatter_update, scatter_nd_add and their like.
SN_API sn_tensor *sn_assign_scatter(sn_tensor *variable, sn_tensor *indices, sn_tensor *updates,
                                    sn_scatter_mode mode);
SN_API sn_tensor *sn_assign_scatter_nd(sn_tensor *variable, sn_tensor *indices, sn_tensor *updates,
                                       sn_scatter_mode mode);
// The variable's value now, as a tensor (scope-owned) that later assignments do not change. Errors:
// SN_ERR_ARGUMENT (no variable). VJP: dy to the variable.
SN_API sn_tensor *sn_read_variable(sn_tensor *variable);

#define sn_assign(variable, value) SNI_AT(sn_assign(variable, value))
#define sn_assign_add(variable, value) SNI_AT(sn_assign_add(variable, value))
#define sn_assign_sub(variable, value) SNI_AT(sn_assign_sub(variable, value))
#define sn_assign_at(...) SNI_AT(sn_assign_at(__VA_ARGS__))
#define sn_assign_scatter(variable, indices, updates, mode) \
  SNI_AT(sn_assign_scatter(variable, indices, updates, mode))
#define sn_assign_scatter_nd(variable, indices, updates, mode) \
  SNI_AT(sn_assign_scatter_nd(variable, indices, updates, mode))
#define sn_read_variable(variable) SNI_AT(sn_read_variable(variable))
SNI_EXTERN_C_END

#ifdef __cplusplus
static inline sn_tensor *sn_variable(sn_tensor *initial,
                                     sn_variable_options options = sn_variable_options(),
                                     SNI_CALLER) {
  options.size = sizeof(options);
  return sn_locate(sn_variable_opts(initial, &options), file, line);
}
#else
// sn_variable(initial, .name = "w")
#define sn_variable(...) SNI_VARIABLE(__VA_ARGS__, .size = sizeof(sn_variable_options))
#define SNI_VARIABLE(initial, ...) \
  SNI_AT(sn_variable_opts(initial, &(sn_variable_options){__VA_ARGS__}))
#endif
#endif
