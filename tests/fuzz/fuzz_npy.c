// Any bytes as a .npy file: refused with a reason, or read whole.
#include "tools/npy.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  npy_array array;
  char error[128] = "";
  if (!npy_parse(data, size, &array, error, sizeof(error))) {
    if (!error[0] || array.data) __builtin_trap();
    return 0;
  }
  size_t bytes = sn_dtype_size(array.dtype);
  for (int i = 0; i < array.shape.rank; i++) bytes *= (size_t)array.shape.dims[i];
  if (bytes != array.bytes || bytes > size) __builtin_trap();
  npy_free(&array);
  return 0;
}
