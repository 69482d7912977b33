// A file appears whole: a temporary one in the same folder, flushed to the disk, then renamed.
#include "runtime/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { most_bytes = 1 << 30, tries = 100 };

// A name that no other thread or process makes up: the struct is at no other address meanwhile.
static int open_temporary(sni_new_file *file, mode_t mode) {
  const char *slash = strrchr(file->target, '/');
  const int folder = slash ? (int)(slash - file->target) + 1 : 0;
  for (int i = 0; i < tries; i++) {
    const int length =
        snprintf(file->temporary, sizeof(file->temporary), "%.*s.sinter-%ld-%llx-%d.tmp", folder,
                 file->target, (long)getpid(), (unsigned long long)(uintptr_t)file, i);
    if (length < 0 || (size_t)length >= sizeof(file->temporary)) return ENAMETOOLONG;
    file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file->fd >= 0) return 0;
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

int sni_new_file_open(sni_new_file *file, const char *path) {
  struct stat about;
  *file = (sni_new_file){.fd = -1};
  if (strlen(path) >= sizeof(file->target)) return ENAMETOOLONG;
  if (stat(path, &about) != 0) {
    memcpy(file->target, path,
           strlen(path) + 1);  // a new file; a folder that is missing is told below
    return open_temporary(file, 0666);
  }
  if (!S_ISREG(about.st_mode)) {
    file->fd = open(path, O_WRONLY | O_CLOEXEC);
    return file->fd < 0 ? errno : 0;
  }
  if (access(path, W_OK) != 0 || !realpath(path, file->target)) return errno;
  const int failed = open_temporary(file, 0666);
  if (!failed) (void)fchmod(file->fd, about.st_mode & 0777);
  return failed;
}

int sni_new_file_write(sni_new_file *file, const void *data, size_t bytes) {
  const char *at = data;
  while (bytes) {
    const ssize_t n = write(file->fd, at, bytes < most_bytes ? bytes : most_bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    at += n;
    bytes -= (size_t)n;
  }
  return 0;
}

int sni_new_file_close(sni_new_file *file, int failed) {
  const bool whole = file->temporary[0] != 0;
  if (!failed && whole && fsync(file->fd) != 0) failed = errno;
  if (close(file->fd) != 0 && !failed) failed = errno;
  if (!failed && whole && rename(file->temporary, file->target) != 0) failed = errno;
  if (failed && whole) (void)unlink(file->temporary);
  return failed;
}

int sni_read_bytes(int fd, void *out, size_t bytes, size_t *out_read) {
  char *at = out;
  *out_read = 0;
  while (*out_read < bytes) {
    const size_t left = bytes - *out_read;
    const ssize_t n = read(fd, at + *out_read, left < most_bytes ? left : most_bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;
    *out_read += (size_t)n;
  }
  return 0;
}
