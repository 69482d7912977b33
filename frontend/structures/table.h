// What the files of tables share.
//
// Entries stand one behind the other, in the order in which their keys came; slots, open addresses by hash, say where. An entry that is removed is a hole until the
// next time that all of them are moved.
#ifndef SINTER_STRUCTURES_TABLE_INTERNAL_H
#define SINTER_STRUCTURES_TABLE_INTERNAL_H

#include "frontend/structures/calls.h"

#include <pthread.h>

enum { SNS_TABLE_NAME = 64 };

typedef struct sns_slot {
  uint64_t mark;  // an integer key; the hash of a string
  int64_t entry;  // + 1; 0: the slot is free
} sns_slot;

// Keys and values as they lie in views: numbers; strings: sn_text.
typedef struct sns_entries {
  int64_t n;  // holes too
  char *keys, *values;
  int64_t number;  // of a snapshot that is to be fetched
  struct sns_entries *next;
} sns_entries;

typedef struct sns_table_store {
  // Constant from the beginning.
  sn_dtype key, value;
  sn_shape value_shape;
  size_t key_bytes, value_bytes;  // of an entry
  int64_t value_elements;
  char *default_value;
  bool frozen;  // set when what it is made of is in
  char name[SNS_TABLE_NAME];
  pthread_rwlock_t lock;  // of all that follows
  sns_slot *slots;
  int64_t n_slots;  // a power of two, more than entries
  sns_entries entries;
  char *holes;  // 1: entry i is one
  int64_t room, n_holes;
  sns_entries *snapshots;
  int64_t next_snapshot;
} sns_table_store;

struct sn_table {
  sn_object object;
  sns_table_store *store;
};

// Memory of an element in entries: of a string that of an sn_text.
size_t sns_element_size(sn_dtype dtype);
// default_value: as entries have it; copied. Errors: SN_ERR_MEMORY.
sn_status sns_table_store_create(const sns_table_store *like, const void *default_value,
                                 sns_table_store **out_store);
void sns_table_store_destroy(sns_table_store *store);
int64_t sns_table_store_size(sns_table_store *store);

// Keys of a call: a view's elements, or (texts) strings of the host's.
typedef struct sns_keys {
  const void *data;
  const sn_view *strings;
  const sn_text *texts;
  int64_t n;
} sns_keys;
// entries[i] of key i, or -1. Under the lock.
void sns_table_find(const sns_table_store *store, const sns_keys *keys, int64_t first, int64_t n,
                    int64_t *entries);
// Puts in n keys with values as sns_keys' are. once: a key that is there with another value is SN_ERR_ARGUMENT, and *out_bad is its number.
sn_status sns_table_put(sns_table_store *store, const sns_keys *keys, const sns_keys *values,
                        bool once, int64_t *out_bad);
void sns_table_remove(sns_table_store *store, const sns_keys *keys);

// A copy of all entries without holes; NULL: no memory. list: it is kept until it is fetched by its number.
sns_entries *sns_table_snapshot(sns_table_store *store, bool list);
sns_entries *sns_table_fetch(sns_table_store *store, int64_t number);  // off the list; NULL: none
void sns_entries_free(const sns_table_store *store, sns_entries *entries);

// (table_file.c) What a file has. Errors: words in message.
sn_status sns_table_read(sns_table_store *store, const char *path,
                         const sn_table_file_options *options, char *message, size_t message_size);

#endif
