// .npy files (NumPy's format 1.0 to 3.0): little-endian, C order, of Sinter's dtypes.
#ifndef TOOLS_NPY_H
#define TOOLS_NPY_H

#include <sinter/sinter.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct npy_array {
  sn_dtype dtype;
  sn_shape shape;
  void *data;  // row-major; freed with npy_free
  size_t bytes;
} npy_array;

// Reads a file. On failure false, and why in error: "x.npy: big-endian data are not supported".
bool npy_read(const char *path, npy_array *out, char *error, size_t capacity);
// The same from the bytes of a file.
bool npy_parse(const void *bytes, size_t length, npy_array *out, char *error, size_t capacity);
bool npy_write(const char *path, sn_dtype dtype, sn_shape shape, const void *data, char *error,
               size_t capacity);
void npy_free(npy_array *array);

#endif
