// Loads both plug-ins, globally on purpose, and runs them at the same time.
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

typedef struct part {
  int (*solve)(double goal, double *out);
  const void *(*identity)(void);
  double goal, result;
  int failed;
} part;

static int load(const char *path, part *out) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!handle) return fprintf(stderr, "%s\n", dlerror()), 1;
  *(void **)&out->solve = dlsym(handle, "part_solve");
  *(void **)&out->identity = dlsym(handle, "part_identity");
  if (dlsym(handle, "sn_version")) return fprintf(stderr, "%s exports sn_version\n", path), 1;
  return !out->solve || !out->identity;
}

static void *run(void *user) {
  part *p = user;
  p->failed = p->solve(p->goal, &p->result);
  return NULL;
}

int main(int argc, char **argv) {
  part parts[2] = {{.goal = 3}, {.goal = -7}};
  pthread_t threads[2];
  if (argc != 3) return 2;
  for (int i = 0; i < 2; i++)
    if (load(argv[i + 1], &parts[i])) return 1;
  if (parts[0].identity() == parts[1].identity())
    return fprintf(stderr, "both plug-ins share one copy\n"), 1;
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, run, &parts[i])) return 1;
  int bad = 0;
  for (int i = 0; i < 2; i++) {
    pthread_join(threads[i], NULL);
    printf("%g: %.9f\n", parts[i].goal, parts[i].result);
    bad |= parts[i].failed || !(fabs(parts[i].result - parts[i].goal) < 1e-9);
  }
  return bad;
}
