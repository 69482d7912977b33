// How many threads this process may usefully run.
#ifndef SNI_RUNTIME_THREAD_COUNT_H
#define SNI_RUNTIME_THREAD_COUNT_H

// CPUs' worth of time per period that the cgroups of the process allow, rounded up; 0: no limit
// found. proc_cgroup: the text file that lists them (/proc/self/cgroup); root: where the
// hierarchies are mounted (/sys/fs/cgroup).
int sni_cgroup_cpu_quota(const char *proc_cgroup, const char *root);

#endif
