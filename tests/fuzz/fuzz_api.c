// Calls of the public API, each drawn from the input: two bytes choose the function, one the mode.
#include "api_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  const int function = (data[0] | data[1] << 8) % n_api_calls;
  (void)run_api(function, data[2] % 3, data[2], data + 3, size - 3);
  return 0;
}
