// Headers of .npy files: a magic string, a version, the length of what follows, a Python dict literal.
// Source: numpy/lib/format.py, versions 1.0 (16-bit length), 2.0 and 3.0 (32-bit length).
#ifndef SNI_RUNTIME_NPY_H
#define SNI_RUNTIME_NPY_H

#include "runtime/dtype.h"

enum {
  SNI_NPY_PREFIX = 12,            // no file is shorter
  SNI_NPY_MOST_HEADER = 1 << 20,  // bytes; NumPy itself reads 10,000
  SNI_NPY_WRITTEN = 320,          // room for what sni_npy_write_header writes
};

typedef struct sni_npy {
  sn_dtype dtype;
  size_t element;  // bytes of one in the file
  bool unicode;    // of strings: UTF-32, else bytes; both filled up with zeros
  bool big_endian, fortran_order;
  sn_shape shape;
  size_t bytes;  // of the elements
} sni_npy;

// Why a file was refused.
typedef struct sni_npy_reason {
  char text[160];
} sni_npy_reason;

// Where the dict begins and ends, from the first SNI_NPY_PREFIX bytes of a file.
bool sni_npy_find_header(const void *prefix, size_t *out_begin, size_t *out_end,
                         sni_npy_reason *why);
// The dict's text. Nothing of it is believed: dims are numbers of 63 bits, so is the product.
bool sni_npy_read_header(const char *text, size_t length, sni_npy *out, sni_npy_reason *why);
// The bytes before row-major elements; returns how many, a multiple of 64. width: of strings: bytes of an element.
size_t sni_npy_write_header(sn_dtype dtype, size_t width, const sn_shape *shape, char *out);

#endif
