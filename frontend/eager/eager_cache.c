// The cache of eager execution: one entry per (op, attributes, operand types), found by its key
// words.
//
//   key -> hit: the entry that this op hit last, else its bucket
//       -> miss: operands checked -> a graph {parameters, broadcasts, op} -> sni_compile (raw)
//                -> entry, prepared to be called
//
// Invariant: bounded by number and bytes; the clock algorithm evicts an entry that was not used
// since the hand passed it. An entry's arrays live in the arena of its executable.
#include "frontend/eager/eager.h"

#include <string.h>

enum {
  max_entries = 4096,
  max_held_bytes = 64 << 20,  // of all entries: code, tables, temporaries
  first_buckets = 64,
  key_room = 96,     // words; longer keys (of a concat of many) are allocated
  direct_ns = 3000,  // estimated work that is never worth handing to other threads
  long_ns =
      200000,  // work, twenty times that of estimates, that a run state cuts into pieces, so that it can be ended
  scratch_align = 64,
};

static const size_t most_bytes = (size_t)1
                                 << 56;  // no memory has more; kernels' addresses are below 2^63

sn_status sni_eager_cache_create(sn_context *context, sni_eager_cache **out_cache) {
  *out_cache = sni_alloc_zeroed(&context->family->allocator, sizeof(**out_cache));
  return *out_cache ? SN_OK : SN_ERR_MEMORY;
}

static void destroy_entry(sni_allocator *allocator, sni_eager_entry *entry) {
  sni_run_state_destroy(entry->state);
  sni_compiled_destroy(entry->compiled);
  sni_free(allocator, entry, sizeof(*entry));
}

void sni_eager_cache_trim(sn_context *context) {
  sni_eager_cache *cache = context->eager;
  sni_allocator *allocator = &context->family->allocator;
  for (uint32_t i = 0; i < cache->n_entries; i++) destroy_entry(allocator, cache->entries[i]);
  sni_eager_programs_trim(context);
  sni_free(allocator, cache->entries, cache->entries_capacity * sizeof(void *));
  sni_free(allocator, cache->buckets, cache->n_buckets * sizeof(void *));
  sni_free_aligned(allocator, cache->scratch, cache->scratch_bytes, scratch_align);
  *cache = (sni_eager_cache){0};
}

void sni_eager_cache_destroy(sn_context *context, sni_eager_cache *cache) {
  sni_eager_cache_trim(context);
  sni_free(&context->family->allocator, cache, sizeof(*cache));
}

// ---- keys
static size_t key_words(const sni_eager_call *call) {
  size_t words = 1 + (size_t)call->n_attrs;
  for (int i = 0; i < call->n; i++) words += 1 + (size_t)call->operands[i].type->rank;
  return words + (call->declared ? 1 + (size_t)call->declared->rank : 0);
}

static int64_t *put_type(int64_t *at, const sni_type *type) {
  *at++ = (int64_t)type->dtype | (int64_t)type->rank << 8;
  for (int i = 0; i < type->rank; i++) *at++ = type->dims[i];
  return at;
}

static void write_key(const sni_eager_call *call, int64_t *at) {
  *at++ = (int64_t)call->op | (int64_t)(call->declared != NULL) << 8 | (int64_t)call->update << 9 |
          (int64_t)call->n << 10 | (int64_t)call->n_attrs << 42;
  for (int i = 0; i < call->n_attrs; i++) *at++ = call->attrs[i];
  for (int i = 0; i < call->n; i++) at = put_type(at, call->operands[i].type);
  if (call->declared) put_type(at, call->declared);
}

static bool same_key(const sni_eager_entry *entry, const int64_t *key, size_t n) {
  if (entry->n_words != n) return false;
  for (size_t i = 0; i < n; i++)
    if (entry->key[i] != key[i]) return false;  // NOLINT: write_key fills all n words
  return true;
}

static uint64_t hash_key(const int64_t *key, size_t n) {
  uint64_t h = n;
  for (size_t i = 0; i < n; i++) h = sni_hash_mix(h, (uint64_t)key[i]);  // NOLINT: as above
  return h ^ h >> 32;
}

// ---- the table
static bool grow_buckets(sni_allocator *allocator, sni_eager_cache *cache) {
  uint32_t n = cache->n_buckets ? cache->n_buckets * 2 : first_buckets;
  sni_eager_entry **buckets = sni_alloc_zeroed(allocator, n * sizeof(void *));
  if (!buckets) return false;
  for (uint32_t i = 0; i < cache->n_entries; i++) {
    sni_eager_entry *entry = cache->entries[i];
    entry->next = buckets[entry->hash & (n - 1)];
    buckets[entry->hash & (n - 1)] = entry;
  }
  sni_free(allocator, cache->buckets, cache->n_buckets * sizeof(void *));
  cache->buckets = buckets;
  cache->n_buckets = n;
  return true;
}

static void evict(sni_allocator *allocator, sni_eager_cache *cache) {
  if (cache->hand >= cache->n_entries) cache->hand = 0;
  while (cache->entries[cache->hand]->used) {
    cache->entries[cache->hand]->used = false;
    cache->hand = (cache->hand + 1) % cache->n_entries;
  }
  sni_eager_entry *victim = cache->entries[cache->hand];
  cache->entries[cache->hand] = cache->entries[--cache->n_entries];
  cache->held_bytes -= victim->held_bytes;
  sni_eager_entry **at = &cache->buckets[victim->hash & (cache->n_buckets - 1)];
  while (*at != victim) at = &(*at)->next;
  *at = victim->next;
  if (cache->last[victim->op] == victim) cache->last[victim->op] = NULL;
  destroy_entry(allocator, victim);
}

static sn_status insert(sn_context *context, sni_eager_entry *entry) {
  sni_eager_cache *cache = context->eager;
  sni_allocator *allocator = &context->family->allocator;
  while (cache->n_entries == max_entries ||
         (cache->n_entries && cache->held_bytes + entry->held_bytes > max_held_bytes))
    evict(allocator, cache);
  if (cache->n_entries >= cache->n_buckets && !grow_buckets(allocator, cache))
    return sni_fail_memory(&context->diag, 2 * sizeof(void *) * cache->n_buckets, "eager ops");
  SNI_TRY(sni_vec_reserve(allocator, &context->diag, (void **)&cache->entries,
                          &cache->entries_capacity, cache->n_entries + 1, sizeof(void *)));
  cache->entries[cache->n_entries++] = entry;
  cache->held_bytes += entry->held_bytes;
  entry->next = cache->buckets[entry->hash & (cache->n_buckets - 1)];
  cache->buckets[entry->hash & (cache->n_buckets - 1)] = entry;
  return SN_OK;
}

// ---- a graph of one op
static sn_status broadcast_operands(sn_context *context, const sni_eager_call *call,
                                    sni_graph *graph, sni_node_id *ids) {
  const sni_type *types[3];
  sni_type shape;
  sni_assert(call->n <= 3);
  for (int i = 0; i < call->n; i++) types[i] = call->operands[i].type;
  if (!sni_check_pointwise(context, call->op, types, call->n, &shape))
    return context->diag.status ? context->diag.status : SN_ERR_INTERNAL;
  for (int i = 0; i < call->n; i++) {
    if (sni_shape_equal(NULL, types[i], &shape)) continue;
    sni_type type = shape;
    type.dtype = types[i]->dtype;
    SNI_TRY(sni_graph_add(graph, SNI_OP_BROADCAST, &ids[i], 1, NULL, 0, &type, (sni_location){0},
                          &ids[i]));
  }
  return SN_OK;
}

static sn_status build_graph(sn_context *context, const sni_eager_call *call, sni_arena *arena,
                             sni_graph **out_graph) {
  sni_graph *graph;
  SNI_TRY(sni_graph_create(arena, &context->diag, "eager", NULL, &graph));
  sni_node_id *ids = SNI_ARENA_ARRAY(arena, sni_node_id, call->n ? call->n : 1), id;
  if (!ids) return sni_fail_memory(&context->diag, sizeof(*ids) * (size_t)call->n, "operands");
  for (int i = 0; i < call->n; i++) {
    bool variable = call->update && i == 0;
    uint32_t index = (uint32_t)(variable ? 0 : i - call->update);
    SNI_TRY(sni_graph_add_parameter(graph, call->operands[i].type,
                                    variable ? SNI_PARAMETER_VARIABLE : SNI_PARAMETER_INPUT, index,
                                    NULL, &ids[i]));
  }
  if (sni_op_infos[call->op].op_class == SNI_CLASS_POINTWISE)
    SNI_TRY(broadcast_operands(context, call, graph, ids));
  SNI_TRY(sni_graph_add(graph, call->op, ids, call->n, call->attrs, call->n_attrs, call->declared,
                        (sni_location){0}, &id));
  SNI_TRY(sni_graph_add_result(graph, id, call->update ? 0 : -1));
  *out_graph = graph;
  return SN_OK;
}

// ---- preparing an entry to be called
static int64_t size_value(const int64_t *sizes, sni_size_ref ref) {
  return ref >= 0 ? ref : sizes[-(ref + 1)];
}

// All sizes of a program without symbols.
static bool compute_sizes(const sni_executable *e, int64_t *sizes) {
  for (uint32_t i = 0; i < e->n_sizes; i++) {
    const sni_size_expression *x = &e->sizes[i];
    if (x->op == SNI_SIZE_SYMBOL) return false;
    if (x->op == SNI_SIZE_NUMBER) {
      sizes[i] = x->a;
      continue;
    }
    int64_t a = size_value(sizes, x->a), b = size_value(sizes, x->b);
    if (x->op == SNI_SIZE_ADD)
      sizes[i] = a + b;
    else if (x->op == SNI_SIZE_MUL)
      sizes[i] = a * b;
    else if (x->op == SNI_SIZE_MAX)
      sizes[i] = a > b ? a : b;
    else if (x->op == SNI_SIZE_MIN)
      sizes[i] = a < b ? a : b;
    else
      return false;
  }
  return true;
}

static bool find_sources(const sni_executable *e, const sni_eager_call *call,
                         const sni_command *command, int32_t *sources) {
  for (uint32_t i = 0; i < command->n_buffers; i++) {
    const sni_slot *slot = &e->slots[command->slots[i]];
    if (slot->kind == SNI_SLOT_TEMPORARY) return false;
    if (slot->kind == SNI_SLOT_INPUT)
      sources[i] = (int32_t)slot->index + call->update;
    else if (slot->kind == SNI_SLOT_VARIABLE)
      sources[i] = 0;
    else if (slot->kind == SNI_SLOT_CONSTANT)
      sources[i] = SNI_EAGER_CONSTANT - (int32_t)slot->index;
    else
      sources[i] = SNI_EAGER_RESULT;
  }
  return true;
}

static bool grow_scratch(sn_context *context, size_t bytes) {
  sni_eager_cache *cache = context->eager;
  sni_allocator *allocator = &context->family->allocator;
  if (bytes < sizeof(sni_scratch_header)) bytes = sizeof(sni_scratch_header);
  if (bytes <= cache->scratch_bytes) return true;
  sni_scratch_header *scratch = sni_alloc_aligned(allocator, bytes, scratch_align);
  if (!scratch) return false;
  memset(scratch, 0, sizeof(*scratch));
  sni_free_aligned(allocator, cache->scratch, cache->scratch_bytes, scratch_align);
  cache->scratch = scratch;
  cache->scratch_bytes = bytes;
  return true;
}

// Leaves function NULL when the entry needs a run state: several commands or parts of one,
// temporaries, or work that may be split.
static sn_status prepare_direct(sn_context *context, const sni_eager_call *call,
                                sni_eager_entry *entry) {
  const sni_executable *e = &entry->compiled->executable;
  sni_arena *arena = &entry->compiled->arena;
  if (e->n_commands != 1 || sni_command_parts(&e->commands[0]) > 1) return SN_OK;
  const sni_command *command = &e->commands[0];
  if (command->fault_status) return SN_OK;  // its message needs a run state
  int64_t *sizes = SNI_ARENA_ARRAY(arena, int64_t, e->n_sizes);
  int64_t *params = SNI_ARENA_ARRAY(arena, int64_t, command->n_params);
  int32_t *sources = SNI_ARENA_ARRAY(arena, int32_t, command->n_buffers);
  entry->addresses = SNI_ARENA_ARRAY(arena, void *, command->n_buffers);
  if (!sizes || !params || !sources || !entry->addresses ||
      !grow_scratch(context, command->scratch_bytes))
    return sni_fail_memory(&context->diag, command->scratch_bytes, "an eager op");
  if (!compute_sizes(e, sizes) || !find_sources(e, call, command, sources)) return SN_OK;
  int64_t units = 1;
  for (uint32_t i = 0; i < command->n_extents; i++) {
    int64_t extent = size_value(sizes, command->extents[i]);
    units *= extent > 0 ? (extent - 1) / command->grains[i] + 1 : 0;
  }
  for (uint32_t i = 0; i < command->n_params; i++)
    params[i] = size_value(sizes, command->params[i]);
  const bool threads = sni_thread_pool_concurrency(context->family->threads) > 1;
  if (command->ns_per_unit * (double)units > (threads ? direct_ns : long_ns)) return SN_OK;
  entry->code = command->code;
  entry->params = params;
  entry->units = units;
  entry->n_buffers = command->n_buffers;
  entry->sources = sources;
  entry->faults = command->faults;
  entry->function = command->function;
  return SN_OK;
}

static sn_status prepare_state(sn_context *context, const sni_eager_call *call,
                               sni_eager_entry *entry) {
  sni_family *family = context->family;
  const sni_executable *e = &entry->compiled->executable;
  entry->inputs = SNI_ARENA_ARRAY(&entry->compiled->arena, void *, e->n_inputs);
  if (!entry->inputs) return sni_fail_memory(&context->diag, sizeof(void *), "an eager op");
  SNI_TRY(sni_run_state_create(e, &family->allocator, family->buffers, family->threads, 0,
                               &context->diag, &entry->state));
  sni_run_state_watch(entry->state, &context->watch, !call->update);
  return sni_run_state_bind(entry->state, NULL);
}

static sn_status fill_entry(sn_context *context, const sni_eager_call *call, const int64_t *key,
                            sni_eager_entry *entry) {
  sni_arena scratch;
  sni_graph *graph = NULL;
  sni_arena_init(&scratch, &context->family->allocator);
  sn_status status = build_graph(context, call, &scratch, &graph);
  if (!status) {
    sni_assert(graph);
    sni_compile_options options = {.backend = SN_BACKEND_INTERPRETER, .raw = true};
    entry->type = *sni_graph_type(graph, graph->n_nodes - 1);
    entry->bytes = sni_type_bytes(&entry->type);
    status = entry->bytes > most_bytes
                 ? sni_fail_memory(&context->diag, entry->bytes, "a tensor's elements")
                 : sni_compile(context->family->compiler, graph, &options, &context->diag,
                               &entry->compiled);
  }
  sni_arena_deinit(&scratch);
  if (status) return status;
  entry->in_place = call->update && entry->compiled->executable.in_place[0];
  entry->key = sni_arena_copy(&entry->compiled->arena, key, entry->n_words * sizeof(*key));
  if (!entry->key) return sni_fail_memory(&context->diag, entry->n_words * sizeof(*key), "a key");
  SNI_TRY(prepare_direct(context, call, entry));
  if (!entry->function) SNI_TRY(prepare_state(context, call, entry));
  entry->held_bytes = sizeof(*entry) + sni_compiled_bytes(entry->compiled) +
                      (entry->state ? sni_run_state_bytes(entry->state) : 0);
  return SN_OK;
}

static sn_status make_entry(sn_context *context, const sni_eager_call *call, const int64_t *key,
                            size_t n_words, uint64_t hash, sni_eager_entry **out_entry) {
  sni_allocator *allocator = &context->family->allocator;
  sni_eager_entry *entry = sni_alloc_zeroed(allocator, sizeof(*entry));
  if (!entry) return sni_fail_memory(&context->diag, sizeof(*entry), "an eager op");
  entry->op = call->op;
  entry->n_words = n_words;
  entry->hash = hash;
  sn_status status = fill_entry(context, call, key, entry);
  if (!status) status = insert(context, entry);
  if (status) {
    destroy_entry(allocator, entry);
    return status;
  }
  *out_entry = entry;
  return SN_OK;
}

// ---- finding
static sn_status find_by_hash(sn_context *context, const sni_eager_call *call, const int64_t *key,
                              size_t n, sni_eager_entry **out_entry) {
  sni_eager_cache *cache = context->eager;
  uint64_t hash = hash_key(key, n);
  sni_eager_entry *entry = cache->n_buckets ? cache->buckets[hash & (cache->n_buckets - 1)] : NULL;
  while (entry && !(entry->hash == hash && same_key(entry, key, n))) entry = entry->next;
  if (!entry) SNI_TRY(make_entry(context, call, key, n, hash, &entry));
  cache->last[call->op] = entry;
  *out_entry = entry;
  return SN_OK;
}

sn_status sni_eager_find(sn_context *context, const sni_eager_call *call,
                         sni_eager_entry **out_entry) {
  int64_t room[key_room], *key = room;
  size_t n = key_words(call);
  sni_allocator *allocator = &context->family->allocator;
  if (n > key_room) {
    key = sni_alloc(allocator, n * sizeof(*key));
    if (!key) return sni_fail_memory(&context->diag, n * sizeof(*key), "a key");
  }
  write_key(call, key);
  sni_eager_entry *entry = context->eager->last[call->op];
  sn_status status = SN_OK;
  if (!entry || !same_key(entry, key, n)) status = find_by_hash(context, call, key, n, &entry);
  if (key != room) sni_free(allocator, key, n * sizeof(*key));
  if (status) return status;
  sni_assert(entry);
  entry->used = true;
  *out_entry = entry;
  return SN_OK;
}
