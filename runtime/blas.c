// Finds, loads and judges OpenBLAS, and calls its gemm as a kernel.
//
// (1) A library that the host has loaded is left alone: its settings are the host's. Ours are
// opened by a path with "/./" in it, which the dynamic loader keeps as the name: so a second
// context knows a library that the first one loaded. (2) Nothing is written to the environment; a
// preset OPENBLAS_CORETYPE has its way. (3) OpenBLAS starts a thread per CPU of the loading
// thread's affinity mask when it is loaded: for that moment the mask is one CPU. (4) Only the
// pthread build is safe to call from several threads. (5) Kernels must fit the CPU and multiply
// right: old builds choose some that do neither. What OpenBLAS allocates (its packing buffers)
// comes from mmap, not from the context's allocator.
#include "runtime/blas.h"

#include "runtime/blas_core.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { row_major = 101, no_transpose = 111, transpose = 112, path_bytes = 512 };  // CBLAS's numbers

struct sni_blas {
  sni_allocator *allocator;
  void *library;  // NULL: not usable
  char name[64], core[64], status[path_bytes + 128];
  void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
  void (*dgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha,
                const double *a, int lda, const double *b, int ldb, double beta, double *c,
                int ldc);
};

typedef struct gemm_shape {
  sn_dtype dtype;
  bool transpose_a, transpose_b;
  int m, n, k;
  int lda, ldb;
} gemm_shape;

static void gemm(const sni_blas *blas, const gemm_shape *s, const void *a, const void *b, void *c) {
  int ta = s->transpose_a ? transpose : no_transpose,
      tb = s->transpose_b ? transpose : no_transpose;
  if (s->dtype == SN_F64)
    blas->dgemm(row_major, ta, tb, s->m, s->n, s->k, 1, a, s->lda, b, s->ldb, 0, c, s->n);
  else
    blas->sgemm(row_major, ta, tb, s->m, s->n, s->k, 1, a, s->lda, b, s->ldb, 0, c, s->n);
}

// ---- judging the kernels
// Core types of OpenBLAS 0.3 (driver/others/dynamic.c) that use AVX; all others have SSE kernels.
typedef enum core_needs {
  needs_sse,
  needs_avx,
  needs_fma4,
  needs_avx2,
  needs_avx512,
  needs_bf16,  // AVX-512 with bfloat16
} core_needs;
static const struct {
  const char *name;
  core_needs needs;
} core_rows[] = {
    {"Sandybridge", needs_avx}, {"Bulldozer", needs_fma4},
    {"Piledriver", needs_fma4}, {"Steamroller", needs_fma4},
    {"Excavator", needs_fma4},  {"Haswell", needs_avx2},
    {"Zen", needs_avx2},        {"SkylakeX", needs_avx512},
    {"Cooperlake", needs_bf16}, {"Sapphirerapids", needs_bf16},
};

static core_needs needs_of(const char *core) {
  for (size_t i = 0; i < SNI_COUNT_OF(core_rows); i++)
    if (!strcasecmp(core, core_rows[i].name)) return core_rows[i].needs;
  return needs_sse;
}

const char *sni_blas_core_misfit(const char *core, const sni_cpu *cpu) {
  static const char *const missing = "use instructions that this CPU does not have";
  bool avx2 = cpu->avx2 && cpu->fma;
  switch (needs_of(core)) {
    case needs_sse:
      return cpu->avx ? "make no use of this CPU's AVX" : NULL;
    case needs_avx:
      return !cpu->avx ? missing : avx2 ? "make no use of this CPU's AVX2" : NULL;
    case needs_fma4:
      return "use FMA4, which no CPU has any more";
    case needs_avx2:
      return avx2 ? NULL : missing;
    case needs_avx512:
      return cpu->vector_bits == 512 ? NULL : missing;
    case needs_bf16:
      return cpu->vector_bits == 512 && cpu->avx512_bf16 ? NULL : missing;
  }
  return "are unknown";
}

enum {
  check_m = 101,
  check_n = 103,
  check_k = 105
};  // beyond the special kernels for small matrices

static double check_value(int i, int j) {
  return (i * 7 + j * 13 + i * j) % 9 - 4;
}

static void put(sn_dtype dtype, void *memory, int at, double value) {
  if (dtype == SN_F64)
    ((double *)memory)[at] = value;
  else
    ((float *)memory)[at] = (float)value;
}

static double get(sn_dtype dtype, const void *memory, int at) {
  return dtype == SN_F64 ? ((const double *)memory)[at] : (double)((const float *)memory)[at];
}

typedef struct check_memory {
  double a[check_m * check_k], b[check_k * check_n], c[check_m * check_n];
  double v[check_n], bv[check_k];
} check_memory;

// C v = A (B v) (Freivalds 1977) with small integers, for which every order of summation is exact.
static bool multiplies_right(const sni_blas *blas, check_memory *memory, const gemm_shape *s) {
  for (int i = 0; i < s->m; i++)
    for (int j = 0; j < s->k; j++)
      put(s->dtype, memory->a, s->transpose_a ? j * s->lda + i : i * s->lda + j, check_value(i, j));
  for (int i = 0; i < s->k; i++) {
    memory->bv[i] = 0;
    for (int j = 0; j < s->n; j++) {
      put(s->dtype, memory->b, s->transpose_b ? j * s->ldb + i : i * s->ldb + j, check_value(j, i));
      memory->bv[i] += check_value(j, i) * memory->v[j];
    }
  }
  gemm(blas, s, memory->a, memory->b, memory->c);
  for (int i = 0; i < s->m; i++) {
    double difference = 0;
    for (int j = 0; j < s->k; j++) difference += check_value(i, j) * memory->bv[j];
    for (int j = 0; j < s->n; j++)
      difference -= get(s->dtype, memory->c, i * s->n + j) * memory->v[j];
    if (!(difference == 0)) return false;
  }
  return true;
}

static sn_status check_products(const sni_blas *blas, bool *out_right) {
  check_memory *memory = sni_alloc(blas->allocator, sizeof(*memory));
  if (!memory) return SN_ERR_MEMORY;
  *out_right = true;
  for (int j = 0; j < check_n; j++) memory->v[j] = check_value(j * j, 3);
  for (int i = 0; i < 16 && *out_right; i++) {
    bool small = i & 8;
    gemm_shape s = {.dtype = i & 1 ? SN_F64 : SN_F32,
                    .transpose_a = i & 2,
                    .transpose_b = i & 4,
                    .m = small ? 7 : check_m,
                    .n = small ? 19 : check_n,
                    .k = small ? 33 : check_k};
    s.lda = s.transpose_a ? s.m : s.k;
    s.ldb = s.transpose_b ? s.k : s.n;
    *out_right = multiplies_right(blas, memory, &s);
  }
  sni_free(blas->allocator, memory, sizeof(*memory));
  return SN_OK;
}

// ---- loading
// A function pointer from dlsym, without the cast that ISO C forbids. False: there is none.
static bool find_function(void *library, const char *name, void *out_function) {
  void *address = dlsym(library, name);
  memcpy(out_function, &address, sizeof(address));
  return address != NULL;
}

static void *load_without_threads(const char *path) {
  cpu_set_t before[16], one[16];  // 16384 CPUs
  bool changed = false;
  int cpu = sched_getcpu();
  if (cpu >= 0 && !sched_getaffinity(0, sizeof(before), before)) {
    CPU_ZERO_S(sizeof(one), one);
    CPU_SET_S((size_t)cpu, sizeof(one), one);
    changed = !sched_setaffinity(0, sizeof(one), one);
  }
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (changed) sched_setaffinity(0, sizeof(before), before);
  return library;
}

// Opens the library at path, unless the host did. NULL: status says why. *out_first: this call
// loaded it.
static void *open_library(sni_blas *blas, const char *path, bool *out_first) {
  char name[path_bytes + 4];
  const char *base = strrchr(path, '/') + 1;
  snprintf(name, sizeof(name), "%.*s./%s", (int)(base - path), path, base);
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  *out_first = !library;
  if (library) {
    struct link_map *map = NULL;
    if (!dlinfo(library, RTLD_DI_LINKMAP, &map) && map && !strcmp(map->l_name, name))
      return library;
    dlclose(library);
    snprintf(blas->status, sizeof(blas->status), "%s is the host's, which loaded it", path);
    return NULL;
  }
  library = load_without_threads(name);
  if (!library) {
    const char *reason = dlerror();
    snprintf(blas->status, sizeof(blas->status), "%s", reason ? reason : "dlopen failed");
  }
  return library;
}

// Fills in name, core and functions. NULL: fine so far. Else the reason, to follow the path.
static const char *inspect(sni_blas *blas, void *library, bool first, const sni_cpu *cpu) {
  char *(*get_config)(void), *(*get_core)(void);
  int (*get_parallel)(void);
  void (*set_threads)(int);
  if (!find_function(library, "openblas_get_config", &get_config) ||
      !find_function(library, "openblas_get_corename", &get_core) ||
      !find_function(library, "openblas_get_parallel", &get_parallel) ||
      !find_function(library, "openblas_set_num_threads", &set_threads) ||
      !find_function(library, "cblas_sgemm", &blas->sgemm) ||
      !find_function(library, "cblas_dgemm", &blas->dgemm))
    return "is no OpenBLAS with a C interface";
  if (first) set_threads(1);
  const char *config = get_config();
  size_t length = strcspn(config, " ");
  if (config[length]) length += 1 + strcspn(config + length + 1, " ");
  snprintf(blas->name, sizeof(blas->name), "%.*s", (int)length, config);
  snprintf(blas->core, sizeof(blas->core), "%s", get_core());
  if (get_parallel() != 1) return "is not the pthread build";
  if (strstr(config, "USE64BITINT")) return "has 64-bit integers";
  return sni_blas_core_misfit(blas->core, cpu) ? "" : NULL;
}

static sn_status try_library(sni_blas *blas, const char *path, const sni_cpu *cpu) {
  bool first, right = false;
  void *library = open_library(blas, path, &first);
  if (!library) return SN_OK;
  const char *reason = inspect(blas, library, first, cpu);
  sn_status status = reason ? SN_OK : check_products(blas, &right);
  if (reason && *reason)
    snprintf(blas->status, sizeof(blas->status), "%s %s", path, reason);
  else if (reason)
    snprintf(blas->status, sizeof(blas->status), "%s: its %s kernels %s", path, blas->core,
             sni_blas_core_misfit(blas->core, cpu));
  else if (!right)
    snprintf(blas->status, sizeof(blas->status), "%s: its %s kernels multiply wrong on this CPU",
             path, blas->core);
  if (!right) {
    dlclose(library);
    return status;
  }
  blas->library = library;
  if (cpu->vector_bits == 512 && needs_of(blas->core) < needs_avx512)
    snprintf(blas->status, sizeof(blas->status),
             "loaded; its %s kernels use half of this CPU's vector bits", blas->core);
  else
    snprintf(blas->status, sizeof(blas->status), "loaded");
  return SN_OK;
}

// Tries every place and name until one is usable; status keeps the first reason. The pthread builds
// of Debian and Fedora go first.
static sn_status search_libraries(sni_blas *blas, const char *wanted, const sni_cpu *cpu) {
  static const char *const directories[] = {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib",
                                            "/usr/local/lib"};
  static const char *const names[] = {"openblas-pthread/libopenblas.so.0", "libopenblasp.so.0",
                                      "libopenblas.so.0"};
  char path[path_bytes], reason[sizeof(blas->status)] = "";
  size_t n_names = wanted ? 1 : SNI_COUNT_OF(names);
  for (size_t i = 0; i < SNI_COUNT_OF(directories); i++)
    for (size_t j = 0; j < n_names; j++) {
      int length =
          snprintf(path, sizeof(path), "%s/%s", directories[i], wanted ? wanted : names[j]);
      if (length < 0 || (size_t)length >= sizeof(path) || access(path, R_OK)) continue;
      SNI_TRY(try_library(blas, path, cpu));
      if (blas->library) return SN_OK;
      if (!reason[0]) memcpy(reason, blas->status, sizeof(reason));
    }
  snprintf(blas->status, sizeof(blas->status), "%s", reason[0] ? reason : "no OpenBLAS found");
  return SN_OK;
}

sn_status sni_blas_create(sni_allocator *allocator, const char *path, const sni_cpu *cpu,
                          sni_blas **out_blas) {
  *out_blas = NULL;
  sni_blas *blas = sni_alloc_zeroed(allocator, sizeof(*blas));
  if (!blas) return SN_ERR_MEMORY;
  blas->allocator = allocator;
  sn_status status = SN_OK;
  // A copy of ours would call into the host's, whose symbols come first for every library.
  if (dlsym(RTLD_DEFAULT, "openblas_get_config"))
    snprintf(blas->status, sizeof(blas->status), "the host has an OpenBLAS of its own");
  else if (path && strlen(path) >= path_bytes)
    snprintf(blas->status, sizeof(blas->status), "the path is too long");
  else if (path && strchr(path, '/'))
    status = try_library(blas, path, cpu);
  else
    status = search_libraries(blas, path, cpu);
  if (status) {
    sni_blas_destroy(blas);
    return status;
  }
  *out_blas = blas;
  return SN_OK;
}

void sni_blas_destroy(sni_blas *blas) {
  if (!blas) return;
  if (blas->library) dlclose(blas->library);
  sni_free(blas->allocator, blas, sizeof(*blas));
}

bool sni_blas_usable(const sni_blas *blas) {
  return blas->library != NULL;
}
const char *sni_blas_name(const sni_blas *blas) {
  return blas->library ? blas->name : NULL;
}
const char *sni_blas_core(const sni_blas *blas) {
  return blas->library ? blas->core : NULL;
}
const char *sni_blas_status(const sni_blas *blas) {
  return blas->status;
}

// ---- the kernel
void sni_blas_run_gemm(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                       int64_t end, void *scratch) {
  (void)scratch;
  const sni_blas_gemm *g = code;
  int64_t m = params[0], n = params[1], k = params[2];
  sni_assert(g->m_block > 0 && g->m_block <= INT_MAX && m <= INT_MAX && n <= INT_MAX &&
             k <= INT_MAX);
  size_t item = g->dtype == SN_F64 ? sizeof(double) : sizeof(float);
  if (!n) return;
  // One call per block, however many are asked for: the bits of a row may depend on the rows that
  // it is computed with.
  for (int64_t block = begin; block < end; block++) {
    int64_t row = block * g->m_block, rows = m - row < g->m_block ? m - row : g->m_block;
    if (rows <= 0) return;
    char *c = (char *)buffers[2] + (size_t)(row * n) * item;
    if (!k) {
      memset(c, 0, (size_t)(rows * n) * item);
      continue;
    }
    const char *a = (const char *)buffers[0] + (size_t)(g->transpose_a ? row : row * k) * item;
    gemm_shape s = {.dtype = g->dtype,
                    .transpose_a = g->transpose_a,
                    .transpose_b = g->transpose_b,
                    .m = (int)rows,
                    .n = (int)n,
                    .k = (int)k,
                    .lda = (int)(g->transpose_a ? m : k),
                    .ldb = (int)(g->transpose_b ? k : n)};
    gemm(g->blas, &s, a, buffers[1], c);
  }
}
