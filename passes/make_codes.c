// Code for kernels: all that LLVM is to compile go to the plugin in one request; what it refuses runs on the interpreter, and
// the reason is kept for system_info. A native loop is a request of its own, and in the cache beside them.
#include "passes/compile_job.h"
#include "passes/native_loops.h"

#include <stdio.h>

typedef sni_compile_job job;
typedef sni_wanted_kernel wanted_kernel;

// Has the plugin make an object of the request; *out_object is NULL where it refuses. Errors: SN_ERR_MEMORY.
static sn_status make_object(job *j, const sni_llvm_request *request, sni_object **out_object) {
  sni_llvm_result result = {0};
  *out_object = NULL;
  const int failed = sni_plugin_compile(&j->compiler->plugin, request, &result);
  sni_code *code = NULL;
  sni_diag why = {0};
  if (failed)
    sni_compiler_note_refusal(j->compiler, result.error);
  else if (sni_code_load(j->allocator, &why, result.data, result.bytes, &code))
    sni_compiler_note_refusal(j->compiler, why.text);
  j->api->release(&result);
  if (why.status == SN_ERR_MEMORY) return sni_fail(j->diag, SN_ERR_MEMORY, "%s", why.text);
  if (!code) return SN_OK;
  *out_object = sni_object_create(j->allocator, code);
  if (*out_object) return SN_OK;
  sni_code_release(code);
  return sni_fail_memory(j->diag, sizeof(**out_object), "native code");
}

// Asks the plugin for these kernels and makes their codes. Errors: SN_ERR_MEMORY; a refusal is no
// error: *out_refused.
static sn_status compile_native(job *j, wanted_kernel *const *missing, uint32_t count,
                                bool *out_refused) {
  *out_refused = true;
  const sni_tree **kernels = SNI_ARENA_ARRAY(&j->scratch, const sni_tree *, count);
  const char **symbols = SNI_ARENA_ARRAY(&j->scratch, const char *, count);
  char *names = sni_arena_alloc(&j->scratch, (size_t)count * 16);
  if (!kernels || !symbols || !names) return sni_fail_memory(j->diag, count * 16, "kernel names");
  for (uint32_t i = 0; i < count; i++) {
    kernels[i] = missing[i]->expanded;
    snprintf(names + 16 * i, 16, "sni_k%u", i);
    symbols[i] = names + 16 * i;
  }
  sni_llvm_request request =
      sni_compiler_request(j->compiler, kernels, symbols, (int)count, SNI_LLVM_OBJECT);
  sni_object *object;
  SNI_TRY(make_object(j, &request, &object));
  if (!object) return SN_OK;
  sn_status status = SN_OK;
  const size_t share = sni_code_bytes(object->code) / count;
  for (uint32_t i = 0; i < count && !status; i++) {
    void *function = sni_code_symbol(object->code, symbols[i]);
    if (function)
      status = sni_kernel_code_native(j->allocator, j->diag, missing[i]->expanded,
                                      j->compiler->setup.cpu->vector_bits, object, function, share,
                                      &missing[i]->code);
    else
      sni_compiler_note_refusal(j->compiler, "the plugin's object lacks a kernel");
  }
  sni_object_release(object);
  *out_refused = false;
  return status;
}

sn_status sni_make_codes(job *j, wanted_kernel *const *missing, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    sni_tree *expanded;
    SNI_TRY(sni_tree_expand_but(missing[i]->kernel, j->api ? NULL : sni_interp_keeps, &j->scratch,
                                j->diag, &expanded));
    missing[i]->expanded = expanded;
  }
  if (j->api) {
    bool refused;
    SNI_TRY(compile_native(j, missing, count, &refused));
    for (uint32_t i = 0; refused && count > 1 && i < count; i++) {
      bool alone;
      SNI_TRY(compile_native(j, &missing[i], 1, &alone));
    }
  }
  for (uint32_t i = 0; i < count; i++)
    if (!missing[i]->code)
      SNI_TRY(sni_kernel_code_interpret(j->allocator, j->diag, missing[i]->expanded,
                                        &missing[i]->code));
  return SN_OK;
}

// ---- loops
static sn_status compile_loop(job *j, sni_flow *flow, const sni_tree *key,
                              sni_kernel_code **out_code) {
  sni_object *object;
  SNI_TRY(sni_flow_expand(flow, &j->scratch, j->diag));
  sni_llvm_request request = sni_compiler_request(j->compiler, NULL, NULL, 0, SNI_LLVM_OBJECT);
  request.flow = flow;
  request.flow_symbol = "sni_loop";
  SNI_TRY(make_object(j, &request, &object));
  if (!object) return SN_OK;
  sn_status status = SN_OK;
  void *function = sni_code_symbol(object->code, request.flow_symbol);
  if (function)
    status = sni_kernel_code_native(j->allocator, j->diag, key, j->compiler->setup.cpu->vector_bits,
                                    object, function, sni_code_bytes(object->code), out_code);
  else
    sni_compiler_note_refusal(j->compiler, "the plugin's object lacks a loop");
  sni_object_release(object);
  return status;
}

sn_status sni_make_loop_code(job *j, sni_flow *flow, sni_kernel_code **out_code) {
  sni_kernel_cache *cache = &j->compiler->cache;
  sni_tree *key;
  SNI_TRY(sni_flow_key(flow, &j->scratch, j->diag, &key));
  const uint64_t hash = sni_kernel_cache_hash(key, true);
  *out_code = sni_kernel_cache_find(cache, key, hash, true);
  if (*out_code) return SN_OK;
  SNI_TRY(compile_loop(j, flow, key, out_code));
  if (*out_code) sni_kernel_cache_add(cache, key, hash, true, out_code);
  return SN_OK;
}
