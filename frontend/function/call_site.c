// Call sites: what one context keeps of one function, so that a call finds its run without a lock.
//
// A call looks at the run that its site used last, then at the one its memo table names, then at
// all runs of the site; none of this takes a lock, as a site belongs to one context. Only then the
// function's own list is searched (specialise.c).
//
// Invariant: a site is never freed before its function; one whose context is gone is free for
// another context.
#include "frontend/function/function.h"

#include <stdatomic.h>
#include <string.h>

// ---- life
sni_call_site *sni_call_site_of(sn_function *function, sn_context *context, sni_diag *diag) {
  sni_call_site *site = atomic_load_explicit(&function->sites, memory_order_acquire);
  for (; site; site = site->next_of_function)
    if (atomic_load_explicit(&site->context, memory_order_relaxed) == context) return site;
  for (site = atomic_load_explicit(&function->sites, memory_order_acquire); site;
       site = site->next_of_function) {
    sn_context *nobody = NULL;
    if (atomic_compare_exchange_strong_explicit(&site->context, &nobody, context,
                                                memory_order_acquire, memory_order_relaxed))
      break;
  }
  bool fresh = !site;
  if (fresh) {
    site = sni_alloc_zeroed(&function->family->allocator, sizeof(*site));
    if (!site) {
      sni_fail_memory(diag, sizeof(*site), "a call site");
      return NULL;
    }
    atomic_init(&site->context, context);
    site->function = function;
  }
  pthread_mutex_lock(&function->family->lock);
  site->next_of_context = context->sites;
  context->sites = site;
  if (fresh) {
    site->next_of_function = atomic_load_explicit(&function->sites, memory_order_relaxed);
    atomic_store_explicit(&function->sites, site, memory_order_release);
  }
  pthread_mutex_unlock(&function->family->lock);
  return site;
}

static void empty_site(sni_call_site *site) {
  for (uint32_t i = 0; i < site->n_runs; i++) sni_run_destroy(site->runs[i]);
  sni_free(&site->function->family->allocator, site->runs,
           site->runs_capacity * sizeof(*site->runs));
  site->runs = NULL;
  site->n_runs = site->runs_capacity = 0;
  site->last = NULL;
  memset(site->memo, 0, sizeof(site->memo));
}

void sni_call_sites_destroy(sn_context *context) {
  sni_family *family = context->family;
  pthread_mutex_lock(&family->lock);
  sni_call_site *site = context->sites;
  context->sites = NULL;
  // Emptied under the lock: the function may be destroyed by a sibling meanwhile.
  while (site) {
    sni_call_site *next = site->next_of_context;
    empty_site(site);
    site->next_of_context = NULL;
    atomic_store_explicit(&site->context, NULL, memory_order_release);
    site = next;
  }
  pthread_mutex_unlock(&family->lock);
}

void sni_call_sites_release(sn_function *function) {
  sni_family *family = function->family;
  sni_call_site *site = atomic_load_explicit(&function->sites, memory_order_acquire);
  pthread_mutex_lock(&family->lock);
  while (site) {
    sni_call_site *next = site->next_of_function;
    sn_context *context = atomic_load_explicit(&site->context, memory_order_relaxed);
    if (context) {
      sni_call_site **at = &context->sites;
      while (*at && *at != site) at = &(*at)->next_of_context;
      if (*at) *at = site->next_of_context;
    }
    empty_site(site);
    sni_free(&family->allocator, site, sizeof(*site));
    site = next;
  }
  pthread_mutex_unlock(&family->lock);
}

// ---- finding a run
static uint32_t memo_of(const sn_function *function, sn_tensor *const *inputs) {
  uint64_t h = 0;
  for (int i = 0; i < function->n_inputs; i++) {
    const sn_tensor *t = inputs[i];
    if (t->is_static) {
      h = sni_hash_mix(h, (uint64_t)t->static_value ^ 0x5555);
    } else if (t->kind == SNI_TENSOR_VARIABLE) {
      h = sni_hash_mix(h, (uintptr_t)t);
    } else {
      h = sni_hash_mix(h, (uint64_t)t->type.dtype * 16 + (uint64_t)t->type.rank);
      for (int d = 0; d < t->type.rank; d++) h = sni_hash_mix(h, (uint64_t)t->type.dims[d]);
    }
  }
  return (uint32_t)(h ^ h >> 32) & (sni_memo_size - 1);
}

// Lets go of the runs whose programs the function has evicted.
static void drop_evicted(sni_call_site *site, uint64_t generation) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < site->n_runs; i++) {
    if (atomic_load_explicit(&site->runs[i]->program->evicted, memory_order_relaxed))
      sni_run_destroy(site->runs[i]);
    else
      site->runs[kept++] = site->runs[i];
  }
  site->n_runs = kept;
  site->last = NULL;
  memset(site->memo, 0, sizeof(site->memo));
  site->generation = generation;
}

static sni_run *now_last(sni_call_site *site, sni_run *run) {
  _Atomic uint64_t *clock = &site->function->clock;
  uint64_t now = atomic_fetch_add_explicit(clock, 1, memory_order_relaxed) + 1;
  atomic_store_explicit(&run->program->used, now, memory_order_relaxed);
  site->last = run;
  return run;
}

static sni_run *find_slowly(sni_call_site *site, sn_tensor *const *inputs) {
  sni_run **memo = &site->memo[memo_of(site->function, inputs)];
  if (*memo && sni_program_matches((*memo)->program, inputs, (*memo)->symbols))
    return now_last(site, *memo);
  for (uint32_t i = 0; i < site->n_runs; i++) {
    sni_run *run = site->runs[i];
    if (!sni_program_matches(run->program, inputs, run->symbols)) continue;
    *memo = run;
    return now_last(site, run);
  }
  return NULL;
}

sni_run *sni_call_site_find(sni_call_site *site, sn_tensor *const *inputs) {
  uint64_t generation = atomic_load_explicit(&site->function->generation, memory_order_acquire);
  if (generation != site->generation) drop_evicted(site, generation);
  sni_run *run = site->last;
  if (!run || !sni_program_matches(run->program, inputs, run->symbols))
    return find_slowly(site, inputs);
  // As now_last does, without writing while nobody else has used the function.
  const uint64_t now = atomic_load_explicit(&site->function->clock, memory_order_relaxed);
  if (atomic_load_explicit(&run->program->used, memory_order_relaxed) != now)
    atomic_store_explicit(&run->program->used, now, memory_order_relaxed);
  return run;
}

sn_status sni_call_site_add(sni_call_site *site, sn_tensor *const *inputs, sni_run *run,
                            sni_diag *diag) {
  sn_status status = sni_vec_reserve(&site->function->family->allocator, diag, (void **)&site->runs,
                                     &site->runs_capacity, site->n_runs + 1, sizeof(*site->runs));
  if (status) {
    sni_run_destroy(run);
    return status;
  }
  site->runs[site->n_runs++] = run;
  site->memo[memo_of(site->function, inputs)] = run;
  now_last(site, run);
  return SN_OK;
}
