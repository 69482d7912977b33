// Signatures: what of its inputs a function is specialised for, and how a call finds its
// specialisation.
//
// A call looks at the run that its site used last, then at the one its memo table names, then at
// all runs of the site; none of this takes a lock, as a site belongs to one context. Only then the
// function's own list is searched (specialise.c). Signatures that agree in all but dims form a
// group; a dim that has had two values is symbolic in the group's next traces, unless a trace has
// used it as a number.
#include "frontend/function/function.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

// ---- static inputs
sn_tensor *sn_static(sn_context *context, int64_t value) {
  if (!sni_begin_in(context, "sn_static")) return NULL;
  sni_type type = sni_type_make(SN_I64, 0, NULL);
  sn_tensor *t = sni_tensor_new(context, &type);
  if (!t) return &context->error_tensor;
  memcpy(t->data, &value, sizeof(value));
  t->is_static = true;
  t->static_value = value;
  return t;
}

int64_t sn_static_value(sn_tensor *t) {
  if (t && t->is_static) return t->static_value;
  if (t && !t->context->destroyed) {
    char text[SNI_TENSOR_NAME];
    sni_error(t->context, SN_ERR_ARGUMENT, "sn_static_value: %s is no static input",
              sni_describe(t, text));
  }
  return 0;
}

// ---- call sites
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

// ---- keys
void sni_key_of(const sn_tensor *t, sni_input_key *out_key) {
  *out_key = (sni_input_key){.kind = SNI_INPUT_TENSOR, .type = t->type};
  for (int d = 0; d < SN_MAX_RANK; d++) out_key->symbol[d] = -1;
  if (t->kind == SNI_TENSOR_VARIABLE) {
    out_key->kind = SNI_INPUT_VARIABLE;
    out_key->variable = t;
  } else if (t->is_static) {
    out_key->kind = SNI_INPUT_STATIC;
    out_key->value = t->static_value;
  }
}

void sni_describe_input(const sn_function *function, int i, char *buffer, size_t capacity) {
  if (function->input_names)
    snprintf(buffer, capacity, "input %d \"%s\"", i, function->input_names[i]);
  else
    snprintf(buffer, capacity, "input %d", i);
}

// "f32[?,28,28]"
static void describe_spec(const sn_spec *spec, char *buffer, size_t capacity) {
  size_t length = (size_t)snprintf(buffer, capacity, "%s[", sn_dtype_name(spec->dtype));
  for (int d = 0; d < spec->shape.rank && length < capacity; d++) {
    const char *comma = d ? "," : "";
    if (spec->shape.dims[d] == SN_UNKNOWN)
      length += (size_t)snprintf(buffer + length, capacity - length, "%s?", comma);
    else
      length += (size_t)snprintf(buffer + length, capacity - length, "%s%lld", comma,
                                 (long long)spec->shape.dims[d]);
  }
  if (length < capacity) snprintf(buffer + length, capacity - length, "]");
}

// A key's type with "?" for unknown (negative) dims.
static void describe_type(const sni_type *type, char *buffer, size_t capacity) {
  sn_spec spec = {type->dtype, {.rank = type->rank}};
  for (int d = 0; d < type->rank; d++)
    spec.shape.dims[d] = type->dims[d] < 0 ? SN_UNKNOWN : type->dims[d];
  describe_spec(&spec, buffer, capacity);
}

sn_status sni_check_spec(const sn_function *function, int i, const sni_type *type, sni_diag *diag) {
  const sn_spec *spec = &function->specs[i];
  bool dtype = spec->dtype == type->dtype, shape = spec->shape.rank == type->rank;
  for (int d = 0; d < type->rank && shape; d++)
    shape = spec->shape.dims[d] == SN_UNKNOWN || spec->shape.dims[d] == type->dims[d];
  if (dtype && shape) return SN_OK;
  char input[SNI_TENSOR_NAME * 2], given[SNI_TENSOR_NAME * 2], expected[SNI_TENSOR_NAME * 2];
  sni_describe_input(function, i, input, sizeof(input));
  describe_type(type, given, sizeof(given));
  describe_spec(spec, expected, sizeof(expected));
  return sni_fail(diag, dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE,
                  "%s of function \"%s\" is %s, expected %s", input, function->name, given,
                  expected);
}

// ---- groups
static bool same_class(const sni_input_key *a, const sni_input_key *b, int n) {
  for (int i = 0; i < n; i++) {
    if (a[i].kind != b[i].kind || a[i].type.dtype != b[i].type.dtype ||
        a[i].type.rank != b[i].type.rank || a[i].value != b[i].value ||
        a[i].variable != b[i].variable)
      return false;
  }
  return true;
}

size_t sni_group_bytes(int n) {
  return (size_t)n * (sizeof(sni_input_key) + sizeof(sni_type) + 2);
}

static sni_shape_group *least_used(sn_function *function) {
  sni_shape_group *oldest = &function->groups[0];
  for (uint32_t i = 1; i < function->n_groups; i++)
    if (function->groups[i].used < oldest->used) oldest = &function->groups[i];
  return oldest;
}

sn_status sni_group_of(sn_function *function, const sni_input_key *keys, sni_diag *diag,
                       sni_shape_group **out_group, bool *out_fresh) {
  int n = function->n_inputs;
  uint64_t now = atomic_fetch_add_explicit(&function->clock, 1, memory_order_relaxed) + 1;
  sni_allocator *allocator = &function->family->allocator;
  sni_shape_group *group = NULL;
  for (uint32_t i = 0; i < function->n_groups && !group; i++)
    if (same_class(function->groups[i].keys, keys, n)) group = &function->groups[i];
  *out_fresh = !group || !group->traced;
  if (group && group->traced) {
    group->used = now;
    *out_group = group;
    return SN_OK;
  }
  if (group) {
    // made by a trace that failed: as new
  } else if (function->n_groups >= sni_most_groups) {
    group = least_used(function);
  } else {
    SNI_TRY(sni_vec_reserve(allocator, diag, (void **)&function->groups, &function->groups_capacity,
                            function->n_groups + 1, sizeof(*function->groups)));
    group = &function->groups[function->n_groups];
    group->keys = n ? sni_alloc(allocator, sni_group_bytes(n)) : NULL;
    if (n && !group->keys) return sni_fail_memory(diag, sni_group_bytes(n), "a signature");
    function->n_groups++;
  }
  group->used = now;
  group->traced = false;
  if (n) {
    group->last = (sni_type *)(group->keys + n);
    group->varied = (uint8_t *)(group->last + n);
    group->pinned = group->varied + n;
    memcpy(group->keys, keys, (size_t)n * sizeof(*keys));
    for (int i = 0; i < n; i++) group->last[i] = keys[i].type;
    memset(group->varied, 0, 2 * (size_t)n);
  }
  *out_group = group;
  return SN_OK;
}

// ---- reasons
typedef struct reason {
  char *buffer;
  size_t capacity, length;
} reason;

static void SNI_PRINTF(2, 3) say(reason *r, const char *format, ...) {
  va_list arguments;
  if (r->length + 1 >= r->capacity) return;
  va_start(arguments, format);
  int n = vsnprintf(r->buffer + r->length, r->capacity - r->length, format, arguments);
  va_end(arguments);
  if (n > 0) r->length += (size_t)n;
  if (r->length >= r->capacity) r->length = r->capacity - 1;
}

static void describe_key(const sni_input_key *key, const sni_type *type, char *buffer,
                         size_t capacity) {
  char shape[SNI_TENSOR_NAME * 2];
  describe_type(type, shape, sizeof(shape));
  if (key->kind == SNI_INPUT_STATIC)
    snprintf(buffer, capacity, "static %lld", (long long)key->value);
  else
    snprintf(buffer, capacity, "%s%s", key->kind == SNI_INPUT_VARIABLE ? "variable " : "", shape);
}

static void compare_input(reason *r, const char *input, const sni_input_key *old,
                          const sni_type *was, const sni_input_key *now) {
  char a[SNI_TENSOR_NAME * 3], b[SNI_TENSOR_NAME * 3];
  const sni_type *is = &now->type;
  const char *next = r->length ? "; " : "";
  if (old->kind != now->kind) {
    describe_key(old, was, a, sizeof(a));
    describe_key(now, is, b, sizeof(b));
    say(r, "%s%s: was %s, is %s", next, input, a, b);
  } else if (now->kind == SNI_INPUT_STATIC) {
    if (old->value != now->value)
      say(r, "%s%s: static value was %lld, is %lld", next, input, (long long)old->value,
          (long long)now->value);
  } else if (now->kind == SNI_INPUT_VARIABLE) {
    if (old->variable != now->variable) say(r, "%s%s: another variable", next, input);
  } else if (was->dtype != is->dtype) {
    say(r, "%s%s: dtype was %s, is %s", next, input, sn_dtype_name(was->dtype),
        sn_dtype_name(is->dtype));
  } else if (was->rank != is->rank) {
    say(r, "%s%s: rank was %d, is %d", next, input, was->rank, is->rank);
  } else {
    for (int d = 0; d < is->rank; d++)
      if (was->dims[d] != is->dims[d])
        say(r, "%s%s: dim %d was %lld, is %lld", r->length ? "; " : "", input, d,
            (long long)was->dims[d], (long long)is->dims[d]);
  }
}

static void describe_guards(reason *r, const sn_program *program, const int64_t *symbols) {
  const sni_dim_table *dims = program->graph->dims;
  for (uint32_t i = 0; i < program->n_guards; i++) {
    char broken[200];
    if (sni_dim_guard_holds(dims, program->guards[i], symbols)) continue;
    sni_dim_guard_format(dims, program->guards[i], symbols, broken, sizeof(broken));
    say(r, "%sthe traced code needs %s", r->length ? "; " : "", broken);
  }
}

void sni_describe_retrace(const sn_function *function, const sni_shape_group *group, bool fresh,
                          const sni_input_key *keys, const sn_program *blocking,
                          const int64_t *symbols, char *buffer, size_t capacity) {
  reason r = {buffer, capacity, 0};
  buffer[0] = 0;
  // A signature of a new class is compared with the class that was used before it.
  const sni_shape_group *other = fresh ? NULL : group;
  for (uint32_t i = 0; fresh && i < function->n_groups; i++)
    if (function->groups[i].traced && (!other || function->groups[i].used > other->used))
      other = &function->groups[i];
  if (!other) {
    say(&r, "first call");
    return;
  }
  for (int i = 0; i < function->n_inputs; i++) {
    char input[SNI_TENSOR_NAME * 2];
    sni_describe_input(function, i, input, sizeof(input));
    compare_input(&r, input, &other->keys[i], &other->last[i], &keys[i]);
  }
  if (blocking) describe_guards(&r, blocking, symbols);
  if (!r.length)
    say(&r, "its specialisation was dropped: cache_capacity is %u", function->capacity);
}
