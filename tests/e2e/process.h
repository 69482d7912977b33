// Runs a program and keeps what it wrote: for tests of the tools and examples.
#ifndef TESTS_E2E_PROCESS_H
#define TESTS_E2E_PROCESS_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

// Runs a shell command; stdout and stderr together go to output (cut to fit). Returns the exit
// status; fails the test if there is none.
static inline int run_command(const char *command, char *output, size_t capacity) {
  char line[4096];
  ck_assert_int_lt(snprintf(line, sizeof(line), "%s 2>&1", command), (int)sizeof(line));
  FILE *pipe = popen(line, "r");
  ck_assert_ptr_nonnull(pipe);
  size_t length = 0, got;
  char rest[4096];
  while ((got = fread(rest, 1, sizeof(rest), pipe)) > 0) {
    size_t kept = got < capacity - 1 - length ? got : capacity - 1 - length;
    memcpy(output + length, rest, kept);
    length += kept;
  }
  output[length] = 0;
  int status = pclose(pipe);
  ck_assert_msg(WIFEXITED(status), "%s ended by a signal: %s", command, output);
  return WEXITSTATUS(status);
}

// The number behind the n-th (from 0) occurrence of label in text.
static inline double number_after(const char *text, const char *label, int n) {
  const char *at = text;
  for (int i = 0; i <= n; i++) {
    at = strstr(at, label);
    ck_assert_msg(at != NULL, "there is no \"%s\" number %d in: %s", label, i, text);
    at += strlen(label);
  }
  return strtod(at, NULL);
}

// Writes text to a file.
static inline void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
  ck_assert_int_eq(fclose(file), 0);
}

#endif
