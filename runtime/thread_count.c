// How many threads are useful: CPUs in the affinity mask, bounded by the CPU quota of the cgroups.
//
// A quota may sit on any ancestor, so all directories from the process's own up to the mount are
// asked, and the least wins. In a container the listed path may lie above the mount: a directory
// that is not there is skipped. No allocation.
#include "runtime/thread_count.h"

#include "runtime/thread_pool.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { path_bytes = 1024, file_bytes = 4096 };

// The start of a file as text. False if it cannot be read.
static bool read_text(const char *path, char *text, size_t capacity) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  size_t length = 0;
  for (ssize_t count; length < capacity - 1; length += (size_t)count) {
    count = read(file, text + length, capacity - 1 - length);
    if (count <= 0) break;
  }
  close(file);
  text[length] = 0;
  return length > 0;
}

static bool read_number(const char *directory, const char *name, long long *out_value) {
  char path[path_bytes + 32], text[64];
  snprintf(path, sizeof(path), "%s/%s", directory, name);
  if (!read_text(path, text, sizeof(text))) return false;
  char *end;
  *out_value = strtoll(text, &end, 10);
  return end != text;
}

// Quota and period of one directory, version 2 ("max 100000", "150000 100000") or 1. False: no
// limit here.
static bool read_quota(const char *directory, bool version_2, long long *out_quota,
                       long long *out_period) {
  if (version_2) {
    char path[path_bytes + 32], text[64];
    snprintf(path, sizeof(path), "%s/cpu.max", directory);
    if (!read_text(path, text, sizeof(text)) ||
        sscanf(text, "%lld %lld", out_quota, out_period) != 2)
      return false;
  } else if (!read_number(directory, "cpu.cfs_quota_us", out_quota) ||
             !read_number(directory, "cpu.cfs_period_us", out_period)) {
    return false;
  }
  return *out_quota > 0 && *out_period > 0;
}

// Least number of CPUs that mount/group and its ancestors up to the mount allow; 0: no limit.
static long long least_quota(const char *mount, const char *group, bool version_2) {
  char directory[path_bytes];
  int length = snprintf(directory, sizeof(directory), "%s%s", mount, group);
  size_t mount_length = strlen(mount);
  if (length < 0 || (size_t)length >= sizeof(directory)) directory[mount_length] = 0;
  long long least = 0;
  for (;;) {
    long long quota, period;
    if (read_quota(directory, version_2, &quota, &period)) {
      long long cpus = quota / period + (quota % period != 0);
      if (!least || cpus < least) least = cpus;
    }
    char *slash = strrchr(directory, '/');
    if (!slash || (size_t)(slash - directory) < mount_length) return least;
    *slash = 0;
  }
}

static bool list_has(const char *list, const char *name) {
  size_t length = strlen(name);
  for (const char *at = list; (at = strstr(at, name)); at += length)
    if ((at == list || at[-1] == ',') && (!at[length] || at[length] == ',')) return true;
  return false;
}

int sni_cgroup_cpu_quota(const char *proc_cgroup, const char *root) {
  char text[file_bytes], mount[path_bytes / 2];
  if (!read_text(proc_cgroup, text, sizeof(text))) return 0;
  long long least = 0;
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n"));) {  // "<number>:<controllers>:<path>"
    char *controllers = strchr(line, ':'), *group;
    if (!controllers || !(group = strchr(++controllers, ':'))) continue;
    *group++ = 0;
    bool version_2 = !*controllers;
    if (!version_2 && !list_has(controllers, "cpu")) continue;
    // A hierarchy of several is mounted under either name.
    const char *names[] = {controllers, "cpu"};
    for (int i = version_2 ? 1 : 0; i < 2; i++) {
      int length = version_2 ? snprintf(mount, sizeof(mount), "%s", root)
                             : snprintf(mount, sizeof(mount), "%s/%s", root, names[i]);
      if (length < 0 || (size_t)length >= sizeof(mount)) continue;
      long long cpus = least_quota(mount, strcmp(group, "/") ? group : "", version_2);
      if (cpus && (!least || cpus < least)) least = cpus;
    }
  }
  return least > INT32_MAX ? INT32_MAX : (int)least;
}

// CPUs that this thread may run on; 0 if the system does not say.
static int affinity_count(void) {
  cpu_set_t set[16];  // 16384 CPUs
  if (sched_getaffinity(0, sizeof(set), set)) return 0;
  return CPU_COUNT_S(sizeof(set), set);
}

int sni_available_threads(void) {
  int count = affinity_count();
  if (count < 1) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    count = online < 1 ? 1 : (int)online;
  }
  int quota = sni_cgroup_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  return quota && quota < count ? quota : count;
}
