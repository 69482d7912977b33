// Ragged tensors: rows of different lengths, of any depth. The elements of all rows stand one after the other in a tensor, the flat values;
// row i of a level is [splits[i], splits[i + 1]) of what is below it.
#ifndef SINTER_STRUCTURES_RAGGED_H
#define SINTER_STRUCTURES_RAGGED_H

#include <sinter/sinter.h>

SNI_EXTERN_C_BEGIN

// A sn_ragged is an object (object.h): the innermost scope's; sn_keep, sn_release, sn_escape. After an error it is the error object.

// Rows of values along its axis 0: row_splits: i32 or i64 [rows + 1], from 0 to values' size there, never falling. Errors: SN_ERR_SHAPE (values of
// rank 0, row_splits not of rank 1, or empty), SN_ERR_DTYPE (of row_splits), SN_ERR_INDEX (naming the row; in a compiled function an error of the call).
SN_API sn_ragged *sn_ragged_from_row_splits(sn_tensor *values, sn_tensor *row_splits);
// What it is made of. level 0: the outermost rows. Errors: SN_ERR_ARGUMENT (no such level).
SN_API sn_tensor *sn_ragged_flat_values(const sn_ragged *r);
SN_API sn_tensor *sn_ragged_row_splits(const sn_ragged *r, int level);
// How many levels of rows there are; 0 after an error.
SN_API int sn_ragged_rank(const sn_ragged *r);

// As a field of a struct that functions, branches and loops are given: SN_HANDLE(batch, words, sn_ragged_type). Its gradient is the ragged
// tensor of its values' gradients.
SN_API void sn_ragged_open(const void *r, sn_tensor **tensors);
SN_API void *sn_ragged_make(sn_context *context, sn_tensor *const *tensors);
SN_HANDLE_TYPE(sn_ragged_type, sn_ragged, sn_ragged_open, sn_ragged_make, "values", "splits0",
               "splits1", "splits2", "splits3", "splits4", "splits5", "splits6");

SNI_EXTERN_C_END
#endif
