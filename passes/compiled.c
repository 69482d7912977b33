// What a compilation has made: how it goes, and what it holds.
#include "passes/code_source.h"

void sni_compiled_destroy(sni_compiled *compiled) {
  if (!compiled) return;
  sni_compiler_setup setup = compiled->compiler->setup;
  for (uint32_t i = 0; i < compiled->n_codes; i++) sni_kernel_code_release(compiled->codes[i]);
  for (uint32_t i = 0; i < compiled->n_bodies; i++) sni_compiled_destroy(compiled->bodies[i]);
  for (uint32_t i = 0; i < compiled->n_segments; i++) sni_compiled_destroy(compiled->segments[i]);
  sni_arena_deinit(&compiled->arena);
  sni_free(setup.allocator, compiled, sizeof(*compiled));
  setup.release(setup.owner);
}

size_t sni_compiled_bytes(const sni_compiled *compiled) {
  size_t bytes = sizeof(*compiled) + compiled->arena.bytes;
  for (uint32_t i = 0; i < compiled->n_bodies; i++)
    bytes += sni_compiled_bytes(compiled->bodies[i]);
  for (uint32_t i = 0; i < compiled->n_segments; i++)
    bytes += sni_compiled_bytes(compiled->segments[i]);
  for (uint32_t i = 0; i < compiled->n_codes; i++) {
    const sni_kernel_code *code = compiled->codes[i];
    if (code) bytes += sizeof(*code) + (code->interp ? sni_interp_bytes(code->interp) : 0);
  }
  return bytes;
}
