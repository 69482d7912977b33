// How much more memory the host's limits let this process take.
#ifndef SNI_RUNTIME_MEMORY_LEFT_H
#define SNI_RUNTIME_MEMORY_LEFT_H

#include <stdbool.h>
#include <stdint.h>

// The cgroup of the process, or an ancestor, that has the least limit of memory.
typedef struct sni_memory_cgroup {
  char directory[512];  // "": none has a limit
  bool version_2;
} sni_memory_cgroup;
// proc_cgroup: the text file that lists them (/proc/self/cgroup); root: where the hierarchies are
// mounted (/sys/fs/cgroup).
void sni_memory_cgroup_find(const char *proc_cgroup, const char *root,
                            sni_memory_cgroup *out_cgroup);
// Bytes: the least of what RLIMIT_AS, RLIMIT_DATA and the cgroup leave; UINT64_MAX without limits.
// *which names the one that leaves least.
uint64_t sni_memory_left(const sni_memory_cgroup *cgroup, const char **which);

#endif
