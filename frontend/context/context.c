// Contexts: creation, destruction, memory and system information. Errors are in errors.c, scopes in
// scope.c.
//
// A context's memory is reference-counted: by the user's handle and by each tensor made in it, so
// that a tensor that outlives sn_context_destroy can still be asked and released. Destroying frees
// all that the context owns and leaves the struct alone, marked; the struct holds the family.
#include "frontend/context/internal.h"
#include "passes/compile.h"

#include <stdatomic.h>
#include <string.h>

#undef sn_context_create

// ---- the list of a family's contexts
static void enlist(sn_context *context) {
  sni_family *family = context->family;
  pthread_mutex_lock(&family->lock);
  context->next = family->contexts;
  if (context->next) context->next->previous = context;
  family->contexts = context;
  // Written once: from then on siblings read it without a lock.
  if (atomic_fetch_add_explicit(&family->n_contexts, 1, memory_order_relaxed) && !family->shared)
    family->shared = true;
  pthread_mutex_unlock(&family->lock);
}

static void delist(sn_context *context) {
  sni_family *family = context->family;
  pthread_mutex_lock(&family->lock);
  if (context->next) context->next->previous = context->previous;
  if (context->previous)
    context->previous->next = context->next;
  else
    family->contexts = context->next;
  atomic_fetch_sub_explicit(&family->n_contexts, 1, memory_order_relaxed);
  pthread_mutex_unlock(&family->lock);
}

// Who speaks for operands that could belong to several siblings: the context that this thread works
// with, a tracing one first.
sn_context *sni_context_of_thread(sni_family *family, sn_context *preferred) {
  sn_context *found = NULL;
  pthread_mutex_lock(&family->lock);
  for (sn_context *c = family->contexts; c; c = c->next) {
    if (!sni_is_mine(c)) continue;
    if (!found || c->trace || (c == preferred && !found->trace)) found = c;
  }
  pthread_mutex_unlock(&family->lock);
  if (found) return found;
  return preferred && !preferred->destroyed ? preferred : NULL;
}

// ---- creation
// False: some option has no meaning.
static bool read_options(const sn_context_options *given, sn_context_options *out_options) {
  *out_options = (sn_context_options){0};
  if (!given) return true;
  if (given->size < offsetof(sn_context_options, memory_limit)) return false;
  size_t known = given->size < sizeof(*given) ? given->size : sizeof(*given);
  memcpy(out_options, given, known);
  if (out_options->threads < 0) return false;
  if (out_options->executor.parallel_for && out_options->executor.concurrency < 1) return false;
  return (unsigned)out_options->backend <= SN_BACKEND_LLVM &&
         (unsigned)out_options->matmul <= SN_MATMUL_LIBRARY;
}

static sn_status close_context(void *owner, bool closed) {
  sn_context *context = owner;
  context->frame.depth += closed ? SNI_CLOSED_DEPTH : -SNI_CLOSED_DEPTH;
  return closed ? SN_OK : context->diag.status;
}

// Takes over one reference to the family, also on failure.
static sn_status create_in(sni_family *family, uint64_t seed, sn_context **out_context) {
  sn_context *context = sni_alloc_zeroed(&family->allocator, sizeof(*context));
  if (!context) {
    sni_family_release(family);
    return SN_ERR_MEMORY;
  }
  context->family = family;
  atomic_init(&context->references, 1);
  context->seed = seed;
  sni_watch_init(&context->watch, context, close_context);
  context->error_tensor = (sn_tensor){.kind = SNI_TENSOR_ERROR,
                                      .live_index = UINT32_MAX,
                                      .context = context,
                                      .family = family,
                                      .type = {.rank = -1}};
  atomic_init(&context->error_tensor.references, 1);
  atomic_init(&context->thread, sni_thread_self());
  sni_tensors_init(context);
  enlist(context);
  sn_status status = sni_anchor_create(context);
  if (!status) status = sni_eager_cache_create(context, &context->eager);
  if (status) {
    sn_context_destroy(context);
    return status;
  }
  *out_context = context;
  return SN_OK;
}

sn_status sni_context_in_family(sni_family *family, sn_context **out_context) {
  *out_context = NULL;
  return create_in(sni_family_keep(family), 0, out_context);
}

sn_status sn_context_create_opts(const sn_context_options *options, sn_context **out_context) {
  sn_context_options o;
  if (!out_context) return SN_ERR_ARGUMENT;
  *out_context = NULL;
  if (!read_options(options, &o)) return SN_ERR_ARGUMENT;
  sni_family *family = NULL;
  if (o.share) {
    if (o.share->destroyed) return SN_ERR_ARGUMENT;
    family = sni_family_keep(o.share->family);
  } else {
    SNI_TRY(sni_family_create(&o, &family));
  }
  const sn_status status = create_in(family, o.seed, out_context);
  if (!status) (*out_context)->debug_nonfinite = o.debug_nonfinite;
  return status;
}

// ---- destruction
void sni_context_release(sn_context *context) {
  if (atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1) return;
  sni_family *family = context->family;
  sni_error_objects_free(context);
  sni_free(&family->allocator, context, sizeof(*context));
  sni_family_release(family);
}

// What destroying would pull away from under the calling thread, or from another one.
static bool is_in_use(sn_context *context) {
  if (!sni_claim(context)) return true;
  SNI_ENTERED entered = context;
  if (context->frame.depth == 1 && !context->callbacks) return false;
  sni_error(context, SN_ERR_STATE,
            "sn_context_destroy: not possible in a callback of the context: destroy it after the "
            "call");
  return true;
}

void sn_context_destroy(sn_context *context) {
  if (!context || context->destroyed || is_in_use(context)) return;
  sni_family *family = context->family;
  sni_context_leave(context);
  delist(context);
  sni_anchor_leave(context);
  while (context->n_live) sni_scope_drop_newest(context);
  sn_release(context->random_state);
  sn_release(context->host_order);
  for (int i = 0; i < SNI_SCALAR_CACHE; i++) sn_release(context->scalars[i]);
  if (context->eager) sni_eager_cache_destroy(context, context->eager);
  sni_free(&family->allocator, context->live, context->live_capacity * sizeof(void *));
  sni_free(&family->allocator, context->marks, context->marks_capacity * sizeof(*context->marks));
  context->live = NULL;
  context->marks = NULL;
  context->live_capacity = context->marks_capacity = 0;
  context->eager = NULL;
  context->destroyed = true;
  sni_close_tensors(context);
  sni_context_release(context);
}

// ---- information
void sn_context_memory(const sn_context *context, sn_memory_stats *out_stats) {
  if (!context || !out_stats) return;
  const sni_allocator *allocator = &context->family->allocator;
  sn_memory_stats stats = {
      .size = out_stats->size,
      .bytes = atomic_load_explicit(&allocator->bytes, memory_order_relaxed),
      .peak_bytes = atomic_load_explicit(&allocator->peak_bytes, memory_order_relaxed),
      .cached_bytes = sni_buffer_pool_cached_bytes(context->family->buffers),
      .allocations = atomic_load_explicit(&allocator->allocations, memory_order_relaxed),
  };
  memcpy(out_stats, &stats, stats.size < sizeof(stats) ? stats.size : sizeof(stats));
}

void sn_context_trim(sn_context *context) {
  sn_context *entered = NULL;
  if (sni_enter(context, NULL, &entered)) return;
  if (!context->callbacks) sni_free_tensors(context);
  sni_eager_cache_trim(context);
  sni_compiler_trim(context->family->compiler);
  sni_buffer_pool_trim(context->family->buffers);
  sni_leave(&entered);
}

void sn_context_set_threads(sn_context *context, int threads) {
  SNI_ENTER(context, "sn_context_set_threads", );
  if (threads < 0)
    sni_error(context, SN_ERR_ARGUMENT, "sn_context_set_threads: %d threads, expected 0 or more",
              threads);
  else
    context->thread_limit = threads;
}

void sn_context_system_info(sn_context *context, sn_system_info *out_info) {
  if (!context || !out_info) return;
  sni_family *family = context->family;
  sn_system_info info = {.size = out_info->size,
                         .cpu_name = family->cpu.name,
                         .cpu_features = family->cpu.features,
                         .vector_bits = family->cpu.vector_bits,
                         .threads = sni_thread_pool_concurrency(family->threads)};
  for (int i = 0; i < 3; i++) info.cache_bytes[i] = family->cpu.cache_bytes[i];
  sni_compiler_system_info(family->compiler, &info);
  memcpy(out_info, &info, info.size < sizeof(info) ? info.size : sizeof(info));
}
