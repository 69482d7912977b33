// Limits of memory that the kernel enforces on this process: RLIMIT_AS and RLIMIT_DATA make
// allocations fail, a cgroup's ends the process. For those who call code that survives neither.
//
// Pages of files that the cgroup holds count as free: the kernel drops them first. Without limits
// this costs two system calls. No allocation.
#include "runtime/memory_left.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static bool read_text(const char *directory, const char *name, char *text, size_t capacity) {
  char path[640];
  snprintf(path, sizeof(path), "%s%s%s", directory, *name ? "/" : "", name);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t length = read(file, text, capacity - 1);
  close(file);
  text[length > 0 ? length : 0] = 0;
  return length > 0;
}

// False: no such file, or "max".
static bool read_bytes(const char *directory, const char *name, uint64_t *out_bytes) {
  char text[64], *end;
  if (!read_text(directory, name, text, sizeof(text))) return false;
  *out_bytes = strtoull(text, &end, 10);
  return end != text;
}

// ---- cgroups
static const char *limit_file(bool version_2) {
  return version_2 ? "memory.max" : "memory.limit_in_bytes";
}

// Looks from the group up to the mount; a directory above a container's mount is not there.
static void look(const char *mount, const char *group, bool version_2, uint64_t *least,
                 sni_memory_cgroup *out_cgroup) {
  char directory[sizeof(out_cgroup->directory)];
  const size_t mount_length = strlen(mount);
  const int length = snprintf(directory, sizeof(directory), "%s%s", mount, group);
  if (length < 0 || (size_t)length >= sizeof(directory)) directory[mount_length] = 0;
  for (;;) {
    uint64_t limit;
    // Version 1 has no "max", but a number near 2^63.
    if (read_bytes(directory, limit_file(version_2), &limit) && limit < (uint64_t)1 << 60 &&
        limit < *least) {
      *least = limit;
      memcpy(out_cgroup->directory, directory, sizeof(directory));
      out_cgroup->version_2 = version_2;
    }
    char *slash = strrchr(directory, '/');
    if (!slash || (size_t)(slash - directory) < mount_length) return;
    *slash = 0;
  }
}

void sni_memory_cgroup_find(const char *proc_cgroup, const char *root,
                            sni_memory_cgroup *out_cgroup) {
  char text[2048], mount[256];
  uint64_t least = UINT64_MAX;
  out_cgroup->directory[0] = 0;
  if (!read_text(proc_cgroup, "", text, sizeof(text))) return;
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n"));) {  // "<number>:<controllers>:<path>"
    char *controllers = strchr(line, ':'), *group;
    if (!controllers || !(group = strchr(++controllers, ':'))) continue;
    *group++ = 0;
    const bool version_2 = !*controllers;
    if (!version_2 && strcmp(controllers, "memory") != 0) continue;
    const int length = snprintf(mount, sizeof(mount), "%s%s", root, version_2 ? "" : "/memory");
    if (length > 0 && (size_t)length < sizeof(mount))
      look(mount, strcmp(group, "/") ? group : "", version_2, &least, out_cgroup);
  }
}

static uint64_t pages_of_files(const sni_memory_cgroup *cgroup) {
  static const char *const names[2][2] = {{"total_inactive_file ", "total_active_file "},
                                          {"\ninactive_file ", "\nactive_file "}};
  char text[4096];
  uint64_t bytes = 0;
  if (!read_text(cgroup->directory, "memory.stat", text, sizeof(text))) return 0;
  for (int i = 0; i < 2; i++) {
    const char *name = names[cgroup->version_2][i], *at = strstr(text, name);
    if (at) bytes += strtoull(at + strlen(name), NULL, 10);
  }
  return bytes;
}

static uint64_t cgroup_left(const sni_memory_cgroup *cgroup) {
  uint64_t limit, used;
  if (!cgroup->directory[0] ||
      !read_bytes(cgroup->directory, limit_file(cgroup->version_2), &limit) ||
      !read_bytes(cgroup->directory, cgroup->version_2 ? "memory.current" : "memory.usage_in_bytes",
                  &used))
    return UINT64_MAX;
  const uint64_t droppable = pages_of_files(cgroup);
  used = used > droppable ? used - droppable : 0;
  return limit > used ? limit - used : 0;
}

// ---- resource limits
// failed: limit is not known.
static uint64_t limit_left(int failed, struct rlimit limit, int column) {
  char text[128], *at = text;
  if (failed || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  if (!read_text("/proc/self/statm", "", text, sizeof(text))) return UINT64_MAX;
  uint64_t pages = 0;
  for (int i = 0; i <= column; i++) pages = strtoull(at, &at, 10);
  const uint64_t used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
  return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

uint64_t sni_memory_left(const sni_memory_cgroup *cgroup, const char **which) {
  enum { statm_size = 0, statm_data = 5 };
  static const char *const names[] = {"RLIMIT_AS", "RLIMIT_DATA", "the memory cgroup"};
  struct rlimit size, data;
  const int no_size = getrlimit(RLIMIT_AS, &size), no_data = getrlimit(RLIMIT_DATA, &data);
  const uint64_t left[] = {limit_left(no_size, size, statm_size),
                           limit_left(no_data, data, statm_data), cgroup_left(cgroup)};
  int least = 0;
  for (int i = 1; i < 3; i++)
    if (left[i] < left[least]) least = i;
  *which = names[least];
  return left[least];
}
