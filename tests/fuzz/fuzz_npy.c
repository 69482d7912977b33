// Any bytes as a .npy file: refused with a reason, or read whole; what was read is written and read back with the same bits.
#include <sinter/sinter.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sn_context *context;  // one for all inputs

static void check_round(sn_tensor *t, size_t size) {
  size_t length;
  const void *before, *after;
  const size_t bytes = (size_t)sn_size(t) * sn_dtype_size(sn_dtype_of(t));
  if (bytes > size || sn_save_npy_bytes(t, NULL, 0, &length)) __builtin_trap();
  char *file = malloc(length);
  if (!file) return;
  if (sn_save_npy_bytes(t, file, length, &length)) __builtin_trap();
  sn_tensor *again = sn_load_npy_bytes(context, file, length);
  if (sn_data(t, &before) || sn_data(again, &after)) __builtin_trap();
  if (bytes && memcmp(before, after, bytes) != 0) __builtin_trap();
  free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!context && sn_context_create(&context, .threads = 1, .backend = SN_BACKEND_INTERPRETER))
    return 0;
  SN_SCOPE(context);
  sn_tensor *t = sn_load_npy_bytes(context, data, size);
  if (!sn_failed(t))
    check_round(t, size);
  else if (sn_check(context) == SN_OK || !*sn_error_message(context))
    __builtin_trap();
  return 0;
}
