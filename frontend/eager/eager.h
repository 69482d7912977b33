// Inside of eager execution: calls, cached entries, and the two files that deal with them (eager.c
// runs, eager_cache.c makes and keeps).
#ifndef SNI_FRONTEND_EAGER_H
#define SNI_FRONTEND_EAGER_H

#include "frontend/context/internal.h"
#include "passes/compile.h"

typedef struct sni_eager_operand {
  const sni_type *type;
  sni_buffer *buffer;  // borrowed
  char *data;
} sni_eager_operand;

typedef struct sni_eager_call {
  sni_op op;
  bool update;  // operand 0 is a variable that receives the result
  int n;
  const sni_eager_operand *operands;
  const sni_dim *attrs;
  int n_attrs;
  const sni_type *declared;
} sni_eager_call;

// Where an argument of the kernel comes from: an operand's number, or one of these.
enum { SNI_EAGER_RESULT = -1, SNI_EAGER_CONSTANT = -2 /* and below: constant -2 - source */ };

typedef struct sni_eager_entry {
  struct sni_eager_entry *next;  // in its bucket
  uint64_t hash;
  const int64_t *key;
  size_t n_words;
  sni_op op;
  bool used;  // since the clock's hand passed
  bool in_place;
  bool faults;
  size_t held_bytes;  // by this entry, temporaries of its run state included
  sni_type type;      // of the result
  size_t bytes;
  sni_compiled *compiled;  // its arena holds the arrays here
  // One command, called directly. function NULL: through the run state.
  sni_kernel_function function;
  const void *code;
  const int64_t *params;
  int64_t units;
  uint32_t n_buffers;
  const int32_t *sources;
  void **addresses;
  sni_run_state *state;  // made when first needed
  void **inputs;         // of the run state
} sni_eager_entry;

// What control nodes are compiled to (eager_programs.c).
struct sni_eager_program {
  struct sni_eager_program *next;
  uint64_t hash;
  sni_arena arena;
  sni_graph *graph;  // NULL: it is not kept
  sni_compiled *compiled;
};

struct sni_eager_cache {
  sni_eager_entry **buckets;
  uint32_t n_buckets;
  sni_eager_entry **entries;
  uint32_t n_entries, entries_capacity;
  uint32_t hand;
  size_t held_bytes;                    // of all entries
  sni_eager_entry *last[SNI_OP_COUNT];  // hit last
  sni_scratch_header *scratch;
  size_t scratch_bytes;
  struct sni_eager_program *programs;  // the latest first
};

// The entry for a call, made if there is none. Failures are described in the context, in the terms
// of the caller's operands.
sn_status sni_eager_find(sn_context *context, const sni_eager_call *call,
                         sni_eager_entry **out_entry);

void sni_eager_programs_trim(sn_context *context);

#endif
