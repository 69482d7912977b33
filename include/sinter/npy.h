// Tensors as .npy files, NumPy's format for one array: versions 1.0, 2.0 and 3.0.
//
// Read: little- and big-endian, C and Fortran order, of the dtypes that Sinter has (bool: bytes other than 0 count as 1). Elements of two
// opaque bytes (V2) are bf16, as np.save writes arrays of ml_dtypes.bfloat16; NumPy reads them back with .view(ml_dtypes.bfloat16).
// Strings: |S (bytes; zeros at the end are none of them, as to NumPy) and U (UTF-32, read as UTF-8); written as |S of the longest one.
// Written: version 1.0, little-endian, C order.
#ifndef SINTER_NPY_H
#define SINTER_NPY_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// The array of a file, as a tensor of the innermost scope. No gradient. Errors, each with the file's name: SN_ERR_FILE (it cannot be
// opened or read, is no .npy file, ends early, has bytes behind its elements; elements that Sinter has not: Python objects, records,
// dates, ...; what is no Unicode text; more than SN_MAX_RANK dims), SN_ERR_ARGUMENT (path NULL), SN_ERR_MEMORY, SN_ERR_STATE (in a trace: load before the call).
SN_API sn_tensor *sn_load_npy(sn_context *context, const char *path);
// The same from the bytes of such a file.
SN_API sn_tensor *sn_load_npy_bytes(sn_context *context, const void *bytes, size_t length);
#define sn_load_npy(context, path) SNI_AT(sn_load_npy(context, path))
#define sn_load_npy_bytes(context, bytes, length) SNI_AT(sn_load_npy_bytes(context, bytes, length))

// Writes t's elements to a file, whole or not at all: they go to a new file beside it, which then takes its place and mode, once they are on the
// disk. Links are followed; what is no regular file (a pipe, a terminal) is written to as it is. Errors: as sn_read; SN_ERR_FILE with the file's name and why; SN_ERR_UNSUPPORTED
// (a string that ends with a 0 byte).
SN_API SN_MUST_USE sn_status sn_save_npy(const sn_tensor *t, const char *path);
// The same to memory of capacity bytes. *out_length: how many the file has, also where out is NULL (nothing is written then) or too
// small (SN_ERR_ARGUMENT).
SN_API SN_MUST_USE sn_status sn_save_npy_bytes(const sn_tensor *t, void *out, size_t capacity,
                                               size_t *out_length);
// The same, naming the caller's line in the message of an error.
SN_API SN_MUST_USE sn_status sn_save_npy_at(const sn_tensor *t, const char *path, const char *file,
                                            int line);
SN_API SN_MUST_USE sn_status sn_save_npy_bytes_at(const sn_tensor *t, void *out, size_t capacity,
                                                  size_t *out_length, const char *file, int line);
#define sn_save_npy(t, path) sn_save_npy_at(t, path, __FILE__, __LINE__)
#define sn_save_npy_bytes(t, out, capacity, out_length) \
  sn_save_npy_bytes_at(t, out, capacity, out_length, __FILE__, __LINE__)

SNI_EXTERN_C_END
#endif
