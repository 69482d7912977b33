// Entries of tables, and how they are found. Lookups go in batches, so that the memory of the next keys is on its way while one is compared.
#include "frontend/structures/table.h"

#include <stdlib.h>
#include <string.h>

enum { batch = 32, first_slots = 16 };

size_t sns_element_size(sn_dtype dtype) {
  return dtype == SN_STRING ? sizeof(sn_text) : sn_dtype_size(dtype);
}

// ---- hashes
static uint64_t mixed(uint64_t x) {
  x ^= x >> 32;
  x *= UINT64_C(0xd6e8feb86659fd93);
  x ^= x >> 32;
  x *= UINT64_C(0xd6e8feb86659fd93);
  return x ^ (x >> 32);
}

static uint64_t word(const char *bytes, size_t n) {
  uint64_t w = 0;
  memcpy(&w, bytes, n);
  return w;
}

static uint64_t hash_text(sn_text text) {
  uint64_t h = mixed(text.length + 1);
  size_t at = 0;
  for (; at + 8 <= text.length; at += 8) h = mixed(h ^ word(text.data + at, 8)) + h;
  return at < text.length ? mixed(h ^ word(text.data + at, text.length - at)) + h : h;
}

// ---- keys
static sn_text text_of(const sns_keys *keys, int64_t i) {
  if (keys->strings) return sn_view_string(keys->strings, i);
  return keys->texts ? keys->texts[i] : ((const sn_text *)keys->data)[i];
}

static uint64_t mark_of(const sns_table_store *store, const sns_keys *keys, int64_t i) {
  if (store->key == SN_STRING) return hash_text(text_of(keys, i));
  uint64_t w = 0;
  if (store->key_bytes == sizeof(w)) return ((const uint64_t *)keys->data)[i];
  memcpy(&w, (const char *)keys->data + (size_t)i * store->key_bytes, store->key_bytes);
  return w;
}

static int64_t home_of(const sns_table_store *store, uint64_t mark) {
  return (int64_t)((store->key == SN_STRING ? mark : mixed(mark)) & (uint64_t)(store->n_slots - 1));
}

static sn_text *key_text(const sns_table_store *store, int64_t entry) {
  return (sn_text *)(void *)store->entries.keys + entry;
}

static bool same_text(sn_text a, sn_text b) {
  return a.length == b.length && (!a.length || !memcmp(a.data, b.data, a.length));
}

// The slot of a key, or the free one where it would be. Under the lock.
static int64_t find(const sns_table_store *store, const sns_keys *keys, int64_t i, uint64_t mark) {
  int64_t at = home_of(store, mark);
  for (;; at = (at + 1) & (store->n_slots - 1)) {
    const sns_slot *slot = &store->slots[at];
    if (!slot->entry) return at;
    if (slot->mark != mark) continue;
    if (store->key != SN_STRING || same_text(*key_text(store, slot->entry - 1), text_of(keys, i)))
      return at;
  }
}

// The slot with this mark, or the free one where it would be: of strings most likely that of the key.
static int64_t find_mark(const sns_table_store *store, uint64_t mark) {
  int64_t at = home_of(store, mark);
  while (store->slots[at].entry && store->slots[at].mark != mark)
    at = (at + 1) & (store->n_slots - 1);
  return at;
}

static void prefetch_entry(const sns_table_store *store, int64_t entry) {
  if (entry < 0) return;
  __builtin_prefetch(store->entries.values + (size_t)entry * store->value_bytes);
  if (store->key == SN_STRING) __builtin_prefetch(key_text(store, entry));
}

// Slots first, then entries: each of some keys is on its way before the first of them is looked at.
static void find_marks(const sns_table_store *store, const uint64_t *marks, int64_t n,
                       int64_t *entries) {
  for (int64_t k = 0; k < n; k++) __builtin_prefetch(&store->slots[home_of(store, marks[k])]);
  for (int64_t k = 0; k < n; k++) {
    entries[k] = store->slots[find_mark(store, marks[k])].entry - 1;
    prefetch_entry(store, entries[k]);
  }
}

static void find_numbers(const sns_table_store *store, const sns_keys *keys, int64_t first,
                         int64_t n, int64_t *entries) {
  uint64_t marks[batch];
  for (int64_t k = 0; k < n; k++) marks[k] = mark_of(store, keys, first + k);
  find_marks(store, marks, n, entries);
}

static void find_texts(const sns_table_store *store, const sns_keys *keys, int64_t first, int64_t n,
                       int64_t *entries) {
  sn_text texts[batch];
  uint64_t marks[batch];
  if (keys->strings)
    sn_view_strings(keys->strings, first, n, texts);
  else
    for (int64_t k = 0; k < n; k++) texts[k] = text_of(keys, first + k);
  for (int64_t k = 0; k < n; k++) __builtin_prefetch(texts[k].data);
  for (int64_t k = 0; k < n; k++) marks[k] = hash_text(texts[k]);
  find_marks(store, marks, n, entries);
  for (int64_t k = 0; k < n; k++)
    if (entries[k] >= 0) __builtin_prefetch(key_text(store, entries[k])->data);
  const sns_keys some = {.texts = texts, .n = n};
  for (int64_t k = 0; k < n; k++)
    if (entries[k] >= 0 && !same_text(*key_text(store, entries[k]), texts[k]))
      entries[k] = store->slots[find(store, &some, k, marks[k])].entry - 1;
}

void sns_table_find(const sns_table_store *store, const sns_keys *keys, int64_t first, int64_t n,
                    int64_t *entries) {
  for (int64_t from = 0; from < n; from += batch) {
    const int64_t count = n - from < batch ? n - from : batch;
    if (store->key == SN_STRING)
      find_texts(store, keys, first + from, count, entries + from);
    else
      find_numbers(store, keys, first + from, count, entries + from);
  }
}

// ---- elements: strings are copies
static bool copy_text(sn_text *to, sn_text from) {
  *to = (sn_text){NULL, from.length};
  if (!from.length) return true;
  char *data = malloc(from.length);
  if (!data) return false;
  memcpy(data, from.data, from.length);
  to->data = data;
  return true;
}

static void free_texts(sn_text *texts, int64_t n) {
  for (int64_t i = 0; i < n; i++) free((void *)(uintptr_t)texts[i].data);
}

// False: no memory, nothing is held.
static bool copy_elements(sn_dtype dtype, char *to, const sns_keys *from, int64_t first,
                          int64_t n) {
  if (dtype != SN_STRING) {
    const size_t size = sn_dtype_size(dtype);
    if (n) memcpy(to, (const char *)from->data + (size_t)first * size, (size_t)n * size);
    return true;
  }
  sn_text *texts = (sn_text *)(void *)to;
  for (int64_t i = 0; i < n; i++) {
    if (copy_text(&texts[i], text_of(from, first + i))) continue;
    free_texts(texts, i);
    return false;
  }
  return true;
}

static void free_elements(sn_dtype dtype, char *elements, int64_t n) {
  if (dtype == SN_STRING) free_texts((sn_text *)(void *)elements, n);
}

static bool same_elements(sn_dtype dtype, const char *a, const sns_keys *b, int64_t first,
                          int64_t n) {
  if (dtype != SN_STRING) {
    const size_t size = sn_dtype_size(dtype);
    return !n || !memcmp(a, (const char *)b->data + (size_t)first * size, (size_t)n * size);
  }
  for (int64_t i = 0; i < n; i++)
    if (!same_text(((const sn_text *)(const void *)a)[i], text_of(b, first + i))) return false;
  return true;
}

// ---- room
static char *value_at(const sns_table_store *store, int64_t entry) {
  return store->entries.values + (size_t)entry * store->value_bytes;
}

static uint64_t mark_of_entry(const sns_table_store *store, int64_t entry) {
  const sns_keys keys = {.data = store->entries.keys, .n = store->entries.n};
  return mark_of(store, &keys, entry);
}

static void forget_entries(sns_table_store *store) {
  for (int64_t i = 0; i < store->entries.n; i++) {
    if (store->holes[i]) continue;
    free_elements(store->key, store->entries.keys + (size_t)i * store->key_bytes, 1);
    free_elements(store->value, value_at(store, i), store->value_elements);
  }
}

static void close_holes(sns_table_store *store) {
  int64_t to = 0;
  for (int64_t i = 0; i < store->entries.n; i++) {
    if (store->holes[i]) continue;
    if (to < i) {
      memcpy(store->entries.keys + (size_t)to * store->key_bytes,
             store->entries.keys + (size_t)i * store->key_bytes, store->key_bytes);
      memcpy(value_at(store, to), value_at(store, i), store->value_bytes);
    }
    to++;
  }
  store->entries.n = to;
  store->n_holes = 0;
  memset(store->holes, 0, (size_t)store->room);
}

static void fill_slots(sns_table_store *store) {
  memset(store->slots, 0, (size_t)store->n_slots * sizeof(*store->slots));
  for (int64_t i = 0; i < store->entries.n; i++) {
    const uint64_t mark = mark_of_entry(store, i);
    int64_t at = home_of(store, mark);
    while (store->slots[at].entry) at = (at + 1) & (store->n_slots - 1);
    store->slots[at] = (sns_slot){mark, i + 1};
  }
}

static bool grow(char **array, size_t bytes) {
  char *bigger = realloc(*array, bytes ? bytes : 1);
  if (bigger) *array = bigger;
  return bigger != NULL;
}

// Room for n entries, in slots of which at most half are taken; entries may be moved.
static bool make_room(sns_table_store *store, int64_t n) {
  if (n <= store->room) return true;
  if (store->n_holes > store->entries.n / 2) {
    n -= store->n_holes;
    close_holes(store);
    fill_slots(store);
    if (n <= store->room) return true;
  }
  int64_t n_slots = store->n_slots ? store->n_slots : first_slots;
  while (n_slots / 2 < n) n_slots *= 2;
  sns_slot *slots = calloc((size_t)n_slots, sizeof(*slots));
  const size_t room = (size_t)n_slots / 2;
  if (!slots || !grow(&store->entries.keys, room * store->key_bytes) ||
      !grow(&store->entries.values, room * store->value_bytes) || !grow(&store->holes, room)) {
    free(slots);
    return false;
  }
  free(store->slots);
  store->slots = slots;
  store->n_slots = n_slots;
  store->room = (int64_t)room;
  memset(store->holes + store->entries.n, 0, room - (size_t)store->entries.n);
  close_holes(store);
  fill_slots(store);
  return true;
}

// ---- changes
static sn_status replace(sns_table_store *store, int64_t entry, const sns_keys *values, int64_t i) {
  char *old = value_at(store, entry);
  if (store->value != SN_STRING) {
    (void)copy_elements(store->value, old, values, i * store->value_elements,
                        store->value_elements);
    return SN_OK;
  }
  char *new = malloc(store->value_bytes ? store->value_bytes : 1);
  if (!new ||
      !copy_elements(store->value, new, values, i * store->value_elements, store->value_elements)) {
    free(new);
    return SN_ERR_MEMORY;
  }
  free_elements(store->value, old, store->value_elements);
  memcpy(old, new, store->value_bytes);
  free(new);
  return SN_OK;
}

static sn_status add(sns_table_store *store, const sns_keys *keys, const sns_keys *values,
                     int64_t i, uint64_t mark, int64_t at) {
  if (store->entries.n == store->room) {
    if (!make_room(store, store->entries.n + 1)) return SN_ERR_MEMORY;
    at = find(store, keys, i, mark);
  }
  const int64_t entry = store->entries.n;
  char *key = store->entries.keys + (size_t)entry * store->key_bytes;
  if (!copy_elements(store->key, key, keys, i, 1)) return SN_ERR_MEMORY;
  if (!copy_elements(store->value, value_at(store, entry), values, i * store->value_elements,
                     store->value_elements)) {
    free_elements(store->key, key, 1);
    return SN_ERR_MEMORY;
  }
  store->slots[at] = (sns_slot){mark, entry + 1};
  store->entries.n++;
  return SN_OK;
}

sn_status sns_table_put(sns_table_store *store, const sns_keys *keys, const sns_keys *values,
                        bool once, int64_t *out_bad) {
  sn_status status = SN_OK;
  pthread_rwlock_wrlock(&store->lock);
  for (int64_t i = 0; i < keys->n && !status; i++) {
    const uint64_t mark = mark_of(store, keys, i);
    const int64_t at = find(store, keys, i, mark), entry = store->slots[at].entry - 1;
    *out_bad = i;
    if (entry < 0)
      status = add(store, keys, values, i, mark, at);
    else if (!once)
      status = replace(store, entry, values, i);
    else if (!same_elements(store->value, value_at(store, entry), values, i * store->value_elements,
                            store->value_elements))
      status = SN_ERR_ARGUMENT;
  }
  pthread_rwlock_unlock(&store->lock);
  return status;
}

// The slots behind move up as long as they may: so there are no marks of what was there.
static void free_slot(sns_table_store *store, int64_t at) {
  const int64_t last = store->n_slots - 1;
  for (int64_t next = (at + 1) & last; store->slots[next].entry; next = (next + 1) & last) {
    const int64_t home = home_of(store, store->slots[next].mark);
    if (((next - home) & last) < ((next - at) & last)) continue;
    store->slots[at] = store->slots[next];
    at = next;
  }
  store->slots[at].entry = 0;
}

void sns_table_remove(sns_table_store *store, const sns_keys *keys) {
  pthread_rwlock_wrlock(&store->lock);
  for (int64_t i = 0; i < keys->n; i++) {
    const int64_t at = find(store, keys, i, mark_of(store, keys, i));
    const int64_t entry = store->slots[at].entry - 1;
    if (entry < 0) continue;
    free_slot(store, at);
    free_elements(store->key, store->entries.keys + (size_t)entry * store->key_bytes, 1);
    free_elements(store->value, value_at(store, entry), store->value_elements);
    store->holes[entry] = 1;
    store->n_holes++;
  }
  pthread_rwlock_unlock(&store->lock);
}

int64_t sns_table_store_size(sns_table_store *store) {
  pthread_rwlock_rdlock(&store->lock);
  const int64_t size = store->entries.n - store->n_holes;
  pthread_rwlock_unlock(&store->lock);
  return size;
}

// ---- snapshots
static bool copy_entry(const sns_table_store *store, sns_entries *to, int64_t entry) {
  const sns_keys keys = {.data = store->entries.keys}, values = {.data = store->entries.values};
  char *key = to->keys + (size_t)to->n * store->key_bytes;
  if (!copy_elements(store->key, key, &keys, entry, 1)) return false;
  if (copy_elements(store->value, to->values + (size_t)to->n * store->value_bytes, &values,
                    entry * store->value_elements, store->value_elements)) {
    to->n++;
    return true;
  }
  free_elements(store->key, key, 1);
  return false;
}

void sns_entries_free(const sns_table_store *store, sns_entries *entries) {
  if (!entries) return;
  free_elements(store->key, entries->keys, entries->n);
  free_elements(store->value, entries->values, entries->n * store->value_elements);
  free(entries->keys);
  free(entries->values);
  free(entries);
}

static sns_entries *copy_entries(const sns_table_store *store) {
  const size_t n = (size_t)(store->entries.n - store->n_holes);
  sns_entries *copy = calloc(1, sizeof(*copy));
  if (!copy) return NULL;
  bool ok = grow(&copy->keys, n * store->key_bytes) && grow(&copy->values, n * store->value_bytes);
  for (int64_t i = 0; i < store->entries.n && ok; i++)
    ok = store->holes[i] || copy_entry(store, copy, i);
  if (ok) return copy;
  sns_entries_free(store, copy);
  return NULL;
}

sns_entries *sns_table_snapshot(sns_table_store *store, bool list) {
  pthread_rwlock_wrlock(&store->lock);
  sns_entries *copy = copy_entries(store);
  if (copy && list) {
    copy->number = store->next_snapshot++;
    copy->next = store->snapshots;
    store->snapshots = copy;
  }
  pthread_rwlock_unlock(&store->lock);
  return copy;
}

sns_entries *sns_table_fetch(sns_table_store *store, int64_t number) {
  pthread_rwlock_wrlock(&store->lock);
  sns_entries **at = &store->snapshots;
  while (*at && (*at)->number != number) at = &(*at)->next;
  sns_entries *found = *at;
  if (found) *at = found->next;
  pthread_rwlock_unlock(&store->lock);
  return found;
}

// ---- life
sn_status sns_table_store_create(const sns_table_store *like, const void *default_value,
                                 sns_table_store **out_store) {
  sns_table_store *store = *out_store = malloc(sizeof(*store));
  if (!store) return SN_ERR_MEMORY;
  *store = *like;
  store->key_bytes = sns_element_size(store->key);
  store->value_bytes = (size_t)store->value_elements * sns_element_size(store->value);
  const sns_keys given = {.data = default_value};
  const bool ok =
      grow(&store->default_value, store->value_bytes) &&
      copy_elements(store->value, store->default_value, &given, 0, store->value_elements);
  if (ok && make_room(store, 1) && !pthread_rwlock_init(&store->lock, NULL)) return SN_OK;
  if (ok) free_elements(store->value, store->default_value, store->value_elements);
  free(store->slots);
  free(store->holes);
  free(store->entries.keys);
  free(store->entries.values);
  free(store->default_value);
  free(store);
  *out_store = NULL;
  return SN_ERR_MEMORY;
}

void sns_table_store_destroy(sns_table_store *store) {
  if (!store) return;
  forget_entries(store);
  free_elements(store->value, store->default_value, store->value_elements);
  while (store->snapshots) {
    sns_entries *next = store->snapshots->next;
    sns_entries_free(store, store->snapshots);
    store->snapshots = next;
  }
  pthread_rwlock_destroy(&store->lock);
  free(store->default_value);
  free(store->entries.keys);
  free(store->entries.values);
  free(store->holes);
  free(store->slots);
  free(store);
}
