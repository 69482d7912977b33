// Hostile object code: the loader must refuse it or map it, never read outside the bytes, never
// lose memory. What it maps is not run.
#include "runtime/object_loader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sni_allocator allocator;
  sni_diag diag = {0};
  sni_code *code = NULL;
  sni_allocator_init(&allocator, NULL, (size_t)64 << 20);
  const sn_status status = sni_code_load(&allocator, &diag, data, size, &code);
  if ((status == SN_OK) != (code != NULL)) abort();
  if (code && sni_code_bytes(code) == 0) abort();
  if (code) (void)sni_code_symbol(code, "kernel");
  sni_code_release(code);
  if (allocator.bytes != 0) abort();
  return 0;
}
