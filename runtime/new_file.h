// Files that are written whole or not at all, and reading that is not cut short by signals.
#ifndef SNI_RUNTIME_NEW_FILE_H
#define SNI_RUNTIME_NEW_FILE_H

#include "runtime/base.h"

#include <limits.h>

// What is written goes to a new file in the folder of `target`, which takes its place at the end. Where path is no regular file but a pipe
// or a terminal, it goes there at once (`temporary` is empty).
typedef struct sni_new_file {
  int fd;
  char target[PATH_MAX], temporary[PATH_MAX];
} sni_new_file;

// All return 0, or errno's number. After an open that went well the file must be closed.
int sni_new_file_open(sni_new_file *file, const char *path);
int sni_new_file_write(sni_new_file *file, const void *data, size_t bytes);
// failed: what went wrong meanwhile, or 0; then the file is put in its place. Returns failed, or what went wrong
// now; the old file is as it was then.
int sni_new_file_close(sni_new_file *file, int failed);

// Up to so many bytes; fewer: the file's end.
int sni_read_bytes(int fd, void *out, size_t bytes, size_t *out_read);

#endif
