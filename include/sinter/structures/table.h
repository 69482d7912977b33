// Lookup tables: from keys (integers or strings) to values (numbers or strings, of one shape). A table is ready as soon as it is made, and what it holds is
// what sn_table_export gives: there is nothing to initialise, and nothing else to save. It is a resource: calls in a compiled function have their effects in
// each run, once, in their order, in loops and branches too; lookups in a frozen table have none, and are merged and left out as ops are. Gradients end
// at it. Thread-safe: each call is one step for the others.
#ifndef SINTER_STRUCTURES_TABLE_H
#define SINTER_STRUCTURES_TABLE_H

#include <sinter/sinter.h>

SNI_EXTERN_C_BEGIN

typedef struct sn_table_options {
  size_t size;               // sizeof(sn_table_options); filled in by the macros
  sn_tensor *keys, *values;  // what it holds at first, as of sn_table_insert; NULL: nothing
  bool frozen;               // it never changes; a key then has one value
  const char *name;          // of messages; copied; NULL: "table"
} sn_table_options;
// The innermost scope's table. key: integers or strings. default_value: what keys have that are not there; its dtype (any) and shape are those of all values. The error
// object after an error: SN_ERR_DTYPE (key), SN_ERR_ARGUMENT (NULL; of a frozen table a key with two values, naming it), SN_ERR_STATE (in a trace),
// SN_ERR_MEMORY; those of sn_table_insert. Source: tf.lookup.StaticHashTable, MutableHashTable, DenseHashTable.
SN_API sn_table *sn_table_create_opts(sn_context *context, sn_dtype key, sn_tensor *default_value,
                                      const sn_table_options *options);

enum { SN_TABLE_LINE = -2, SN_TABLE_LINE_NUMBER = -1 };  // columns of a file
typedef struct sn_table_file_options {
  size_t size;  // sizeof(sn_table_file_options); filled in by the macros
  int key_column,
      value_column;  // from 0; SN_TABLE_LINE: the whole line; SN_TABLE_LINE_NUMBER: its number, from 0 on: of an integer
  char delimiter;    // 0: a tabulator
  int64_t lines;     // so many are read; 0: all
  const char *name;  // NULL: the path
} sn_table_file_options;
// A frozen table of the lines of a text file, read now. The value's shape is []. A line feed ends a line, with a carriage return before it. Errors: SN_ERR_FILE (it
// cannot be read, has less lines or columns, or a text that is no number of the dtype: naming the line), SN_ERR_ARGUMENT, SN_ERR_DTYPE. Source: tf.lookup.TextFileInitializer.
SN_API sn_table *sn_table_from_file_opts(sn_context *context, const char *path, sn_dtype key,
                                         sn_tensor *default_value,
                                         const sn_table_file_options *options);

// ---- context: that of the thread which calls, of the table's family. keys: of the table's dtype, any shape. Errors of all: SN_ERR_ARGUMENT (NULL, another family),
// SN_ERR_DTYPE, SN_ERR_SHAPE, SN_ERR_STATE (a frozen table that would change; one that nobody holds any more), SN_ERR_MEMORY.
// values: [keys..., value...]. Of a key that stands there twice, or is there already, the last value stays. Any dtype.
SN_API sn_status sn_table_insert_at(sn_context *context, sn_table *table, sn_tensor *keys,
                                    sn_tensor *values, const char *file, int line);
// Keys that are not there are no error.
SN_API sn_status sn_table_remove_at(sn_context *context, sn_table *table, sn_tensor *keys,
                                    const char *file, int line);
typedef struct sn_lookup_options {
  size_t size;  // sizeof(sn_lookup_options); filled in by the macros
  sn_tensor
      *default_value;  // in the place of the table's: of the values' shape, or [keys..., value...]
} sn_lookup_options;
// [keys..., value...].
SN_API sn_tensor *sn_table_lookup_opts(sn_context *context, sn_table *table, sn_tensor *keys,
                                       const sn_lookup_options *options);
// All keys [n] and values [n, value...], in the order in which keys were put in first.
SN_API sn_status sn_table_export_at(sn_context *context, sn_table *table, sn_tensor **out_keys,
                                    sn_tensor **out_values, const char *file, int line);
// How many keys there are now, i64[].
SN_API sn_tensor *sn_table_size(sn_context *context, sn_table *table);
// Text as of snprintf: "table \"name\": 3 keys, i64 to f32[2], frozen".
SN_API size_t sn_table_format(const sn_table *table, char *buffer, size_t capacity);

#define sn_table_insert(context, table, keys, values) \
  sn_table_insert_at(context, table, keys, values, __FILE__, __LINE__)
#define sn_table_remove(context, table, keys) \
  sn_table_remove_at(context, table, keys, __FILE__, __LINE__)
#define sn_table_export(context, table, out_keys, out_values) \
  sn_table_export_at(context, table, out_keys, out_values, __FILE__, __LINE__)

SNI_EXTERN_C_END

#endif
