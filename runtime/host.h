// Functions of the host's that runs call: once per execution, on the thread that runs.
#ifndef SNI_RUNTIME_HOST_H
#define SNI_RUNTIME_HOST_H

#include "runtime/watch.h"

// Immutable. Lives as long as the graphs that name it: in their arena, or in the family that an op is defined in.
typedef struct sni_host {
  const char *name;
  sn_host_callback callback, vmap;  // vmap: of a batch; NULL: there is none
  void *user;
  const sn_attr *attrs;
  int n_attrs;
  bool unpacks;  // it gives elements of a string of them: no gradient may pass it unseen
} sni_host;

// What calls that have effects have given in a run, one entry for each output, in order.
typedef struct sni_host_journal {
  sni_allocator *allocator;
  struct sni_host_entry {
    void *data;
    size_t bytes;
  } * entries;
  uint32_t n, capacity;
} sni_host_journal;
sn_status sni_host_journal_add(sni_host_journal *journal, const sn_view *out, int n,
                               sni_diag *diag);
void sni_host_journal_deinit(sni_host_journal *journal);

// Names do not count.
bool sni_host_equal(const sni_host *a, const sni_host *b);

// Calls it with in and out of args; of `batch`, bits of the operands that have examples, its vmap. What it says of a failure is in diag, with
// the types of the operands and behind `prefix` (NULL: none). Errors: the callback's.
sn_status sni_host_run(const sni_host *host, const sn_host_args *args, uint64_t batch,
                       const char *prefix, const sni_watch *watch, sni_diag *diag);
// "my message (operands f32[2,3], i64[])", of a status that a function of the host's gave; into diag.
sn_status sni_host_fail(sni_diag *diag, sn_status status, const char *prefix, const char *message,
                        const char *operands);

#endif
