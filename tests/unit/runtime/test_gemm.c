// Products by runtime/gemm against the rule of their bits, one fma after the other, with the loops of
// each instruction set that the CPU has, in scratch of exactly the size asked for; by a team of threads
// too. Operands end where an unreadable page begins; they are of the product's dtype or of storage
// dtypes that compute in it.
#include "runtime/gemm/team.h"
#include "runtime/half.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int copies(const sni_gemm_kernels **out) {
  int n = 0;
  out[n++] = &sni_gemm_kernels_baseline;
#if defined(__x86_64__)
  const sni_gemm_kernels *best = sni_gemm_kernels_best();
  if (best != &sni_gemm_kernels_baseline) out[n++] = &sni_gemm_kernels_avx2;
  if (best == &sni_gemm_kernels_avx512) out[n++] = &sni_gemm_kernels_avx512;
#endif
  return n;
}

static uint64_t state;
static uint64_t next_random(void) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t z = state;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}
static int64_t between(int64_t least, int64_t greatest) {
  return least + (int64_t)(next_random() % (uint64_t)(greatest - least + 1));
}

// ---- memory that ends at a page of no access
typedef struct guarded {
  char *pages, *at;
  size_t bytes;  // of the mapping
} guarded;

static guarded guard(size_t bytes, size_t align) {
  const size_t room = (bytes + 4095) / 4096 * 4096;
  guarded g = {.bytes = room + 4096};
  g.pages = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert(g.pages != MAP_FAILED);
  ck_assert_int_eq(mprotect(g.pages + room, 4096, PROT_NONE), 0);
  g.at = g.pages + (room - bytes) / align * align;
  return g;
}
static void release(guarded g) {
  munmap(g.pages, g.bytes);
}

// ---- elements
static size_t size_of(int dtype) {
  return sni_dtype_bytes((sn_dtype)dtype);
}

// Of a side of such a product.
static int random_side(int dtype) {
  int side;
  do side = next_random() % 3 ? (int)(next_random() % SN_DTYPE_COUNT) : dtype;
  while (sni_is_complex((sn_dtype)side) || (int)sni_compute_dtype((sn_dtype)side) != dtype);
  return side;
}

static bool tiny;  // products that round to zeros of either sign

static void set_random(int dtype, char *to) {
  const int64_t n = between(-1000, 1000);
  const double x = tiny ? (double)n * (dtype == SN_F32 ? 1e-30 : 1e-200) : (double)n / 64;
  if (dtype == SN_F32) memcpy(to, &(float){(float)x * 1.01F}, 4);
  if (dtype == SN_F64) memcpy(to, &(double){x * 1.01}, 8);
  if (dtype == SN_I32) memcpy(to, &(int32_t){(int32_t)next_random()}, 4);
  if (dtype == SN_I64) memcpy(to, &(int64_t){(int64_t)next_random()}, 8);
  if (dtype == SN_U64) memcpy(to, &(uint64_t){next_random()}, 8);
  if (dtype == SN_U32) memcpy(to, &(uint32_t){(uint32_t)next_random()}, 4);
  if (dtype == SN_I16 || dtype == SN_U16) memcpy(to, &(uint16_t){(uint16_t)next_random()}, 2);
  if (dtype == SN_I8 || dtype == SN_U8) memcpy(to, &(uint8_t){(uint8_t)next_random()}, 1);
  const double y = n % 8 ? x * 1.01 : x * 0x1p-24;  // subnormal f16 too
  if (dtype == SN_F16) memcpy(to, &(uint16_t){sni_f16_of(y)}, 2);
  if (dtype == SN_BF16) memcpy(to, &(uint16_t){sni_bf16_of(y)}, 2);
}

typedef union element {
  float f32;
  double f64;
  uint32_t i32;
  uint64_t i64;
} element;

static float halves[1 << 16];  // by bits of f16

// An element of a side, in the dtype that it computes in.
static element get(int64_t dtype, const char *from) {
  element e = {.i64 = 0};
  uint16_t half;
  memcpy(&e, from, size_of((int)dtype));
  memcpy(&half, &e, sizeof(half));
  if (dtype == SN_I8) e.i32 = (uint32_t)(int8_t)e.i32;
  if (dtype == SN_I16) e.i32 = (uint32_t)(int16_t)e.i32;
  if (dtype == SN_F16) e.f32 = halves[half];
  if (dtype == SN_BF16) e.i32 = (uint32_t)half << 16;
  return e;
}

static element multiply_add(int dtype, element a, element b, element c) {
  if (dtype == SN_F32) return (element){.f32 = fmaf(a.f32, b.f32, c.f32)};
  if (dtype == SN_F64) return (element){.f64 = fma(a.f64, b.f64, c.f64)};
  if (dtype == SN_I32) return (element){.i32 = a.i32 * b.i32 + c.i32};
  return (element){.i64 = a.i64 * b.i64 + c.i64};
}
static element added(int dtype, element a, element b) {
  if (dtype == SN_F32) return (element){.f32 = a.f32 + b.f32};
  if (dtype == SN_F64) return (element){.f64 = a.f64 + b.f64};
  if (dtype == SN_I32) return (element){.i32 = a.i32 + b.i32};
  return (element){.i64 = a.i64 + b.i64};
}

// ---- a team, and scratch for each of its threads
typedef struct helpers {
  sni_gemm_team team;
  guarded scratch, partials;
} helpers;

// threads 0: no team; scratch alone.
static void begin_help(helpers *h, sni_gemm *g, int threads, size_t bytes, size_t partial_bytes) {
  static sni_allocator allocator;
  const size_t stride = (bytes + 63) / 64 * 64;
  *h = (helpers){.scratch = guard(stride * (size_t)(threads ? threads : 1), 64)};
  memset(h->scratch.at, 0x7F, bytes);
  g->scratch = h->scratch.at;
  if (!threads) return;
  sni_allocator_init(&allocator, NULL, 0);
  h->partials = guard(partial_bytes, 64);
  h->team = (sni_gemm_team){.threads = threads,
                            .scratch_stride = stride,
                            .partials = h->partials.at,
                            .partial_bytes = partial_bytes};
  ck_assert_int_eq(sni_thread_pool_create(&allocator, threads, NULL, &h->team.pool), SN_OK);
  g->team = &h->team;
}

static void end_help(helpers *h) {
  release(h->scratch);
  if (!h->team.pool) return;
  release(h->partials);
  sni_thread_pool_destroy(h->team.pool);
}

// ---- a product: what it is, its operands
typedef struct product {
  sni_gemm g;
  guarded a, b;
  size_t size;
} product;

typedef struct form {
  int dtype;
  int64_t m, n, k, segment;
  bool turned_a, turned_b, goes_on;
  int64_t pad;  // elements between rows of the operands
  int64_t row_bytes;
  bool in_c;  // the sums go to the caller's memory
  int a, b;   // dtypes of the sides; 0: the product's
} form;

static product make(const form *f) {
  product p = {.size = size_of(f->dtype)};
  const int a = f->a ? f->a : f->dtype, b = f->b ? f->b : f->dtype;
  const int64_t a_size = (int64_t)size_of(a), b_size = (int64_t)size_of(b);
  const int64_t a_lines = f->turned_a ? f->k : f->m, a_line = f->turned_a ? f->m : f->k;
  const int64_t b_lines = f->turned_b ? f->n : f->k, b_line = f->turned_b ? f->k : f->n;
  const int64_t a_pitch = (a_line + f->pad) * a_size, b_pitch = (b_line + f->pad) * b_size;
  const int64_t a_count = a_lines ? (a_lines - 1) * (a_line + f->pad) + a_line : 0;
  const int64_t b_count = b_lines ? (b_lines - 1) * (b_line + f->pad) + b_line : 0;
  p.a = guard((size_t)(a_count * a_size), (size_t)a_size);
  p.b = guard((size_t)(b_count * b_size), (size_t)b_size);
  for (int64_t i = 0; i < a_count; i++) set_random(a, p.a.at + i * a_size);
  for (int64_t i = 0; i < b_count; i++) set_random(b, p.b.at + i * b_size);
  p.g = (sni_gemm){
      .dtype = f->dtype,
      .a_dtype = a,
      .b_dtype = b,
      .m = f->m,
      .n = f->n,
      .k = f->k,
      .segment = f->segment,
      .goes_on = f->goes_on,
      .row_bytes = f->row_bytes,
      .a = p.a.at,
      .a_row = f->turned_a ? a_size : a_pitch,
      .a_k = f->turned_a ? a_pitch : a_size,
      .b = p.b.at,
      .b_k = f->turned_b ? b_size : b_pitch,
      .b_column = f->turned_b ? b_pitch : b_size,
  };
  return p;
}

// What sums that go on begin with.
static element begun(const product *p, int64_t row, int64_t column) {
  const int64_t n = (row * 31 + column * 7) % 100;
  if (p->g.dtype == SN_F32) return (element){.f32 = (float)n};
  if (p->g.dtype == SN_F64) return (element){.f64 = (double)n};
  return (element){.i64 = (uint64_t)n};
}

static element zero(const product *p) {
  if (p->g.k != 1) return (element){.i64 = 0};
  if (p->g.dtype == SN_F32) return (element){.f32 = -0.0F};
  return p->g.dtype == SN_F64 ? (element){.f64 = -0.0} : (element){.i64 = 0};
}

static element expected(const product *p, int64_t row, int64_t column) {
  const sni_gemm *g = &p->g;
  const int dtype = (int)g->dtype;
  const int64_t segment = g->segment ? g->segment : INT64_MAX;
  element total = g->goes_on ? begun(p, row, column) : zero(p);
  for (int64_t first = 0; first < g->k;) {
    element sum = first ? (element){.i64 = 0} : total;
    int64_t k = first;
    for (; k < g->k && k - first < segment; k++)
      sum = multiply_add(dtype, get(g->a_dtype, g->a + row * g->a_row + k * g->a_k),
                         get(g->b_dtype, g->b + k * g->b_k + column * g->b_column), sum);
    total = first ? added(dtype, total, sum) : sum;
    first = k;
  }
  return total;
}

static void fill_c(const product *p) {
  const sni_gemm *g = &p->g;
  for (int64_t r = 0; r < g->m; r++) {
    for (int64_t c = 0; c < g->n; c++) {
      const element e = begun(p, r, c);
      memcpy(g->c + r * g->c_row + c * (int64_t)p->size, &e, p->size);
    }
  }
}

static void fill(const product *p) {
  const sni_gemm *g = &p->g;
  for (int64_t r = 0; r < g->rows; r++) {
    for (int64_t c = 0; c < g->columns; c++) {
      const element e = begun(p, g->row + r, g->column + c);
      memcpy(g->sums + r * g->sums_row + c * (int64_t)p->size, &e, p->size);
    }
  }
}

// Some rectangles are looked at whole, of large ones a sample.
static int64_t check_rectangle(const product *p, const form *f) {
  const sni_gemm *g = &p->g;
  const int64_t step = g->k * g->rows * g->columns > 1 << 20 ? 1 + g->k / 40 : 1;
  for (int64_t i = (int64_t)(next_random() % (uint64_t)step); i < g->rows * g->columns; i += step) {
    const int64_t r = i / g->columns, c = i % g->columns;
    const element e = expected(p, g->row + r, g->column + c);
    ck_assert_msg(
        !memcmp(g->sums + r * g->sums_row + c * (int64_t)p->size, &e, p->size),
        "%s: dtype %d of %d %d, %lld x %lld x %lld, segment %lld, turned %d %d, pad %lld: [%lld, "
        "%lld]",
        g->kernels->name, f->dtype, (int)g->a_dtype, (int)g->b_dtype, (long long)f->m,
        (long long)f->k, (long long)f->n, (long long)f->segment, f->turned_a, f->turned_b,
        (long long)f->pad, (long long)(g->row + r), (long long)(g->column + c));
  }
  return g->rows * g->columns;
}

// bound: scratch is asked for with sizes unknown (bit 0: m, 1: n, 2: k). Whether the team of so many
// threads summed it; 0: there is none.
static bool check_team(const form *f, const sni_gemm_kernels *kernels, unsigned bound, int threads,
                       size_t partial_bytes) {
  product p = make(f);
  const size_t bytes =
      sni_gemm_scratch_bytes(kernels, f->dtype, bound & 1 ? -1 : f->m, bound & 2 ? -1 : f->n,
                             bound & 4 ? -1 : f->k, f->segment, f->row_bytes);
  helpers help;
  begin_help(&help, &p.g, threads, bytes, partial_bytes);
  int64_t seen = 0;
  guarded c = {0};
  if (f->in_c) {
    c = guard((size_t)(f->m * f->n) * p.size, p.size);
    p.g.c = c.at;
    p.g.c_row = f->n * (int64_t)p.size;
    fill_c(&p);
    sni_gemm_run(&p.g, kernels);
    p.g.row = p.g.column = 0;
    p.g.rows = f->m;
    p.g.columns = f->n;
    p.g.sums = c.at;
    p.g.sums_row = p.g.c_row;
    if (f->m > 0 && f->n > 0) check_rectangle(&p, f);
    release(c);
    end_help(&help);
    release(p.a);
    release(p.b);
    return p.g.shared;
  }
  sni_gemm_begin(&p.g, kernels);
  while (sni_gemm_next(&p.g)) {
    if (f->goes_on) fill(&p);
    sni_gemm_sum(&p.g);
    seen += check_rectangle(&p, f);
  }
  ck_assert_int_eq(seen, f->m * f->n);
  end_help(&help);
  release(p.a);
  release(p.b);
  return p.g.shared;
}

static void check(const form *f, const sni_gemm_kernels *kernels, unsigned bound) {
  check_team(f, kernels, bound, 0, 0);
}

static const int dtypes[] = {SN_F32, SN_F64, SN_I32, SN_I64};

START_TEST(small_sizes) {
  const sni_gemm_kernels *kernels[3];
  const int n = copies(kernels);
  for (int i = 0; i < n; i++) {
    for (int64_t m = 0; m <= 15; m++) {
      for (int64_t columns = 0; columns <= 35; columns++) {
        const form f = {.dtype = dtypes[(m + columns) % 4],
                        .m = m,
                        .n = columns,
                        .k = (m * 5 + columns) % 7,
                        .turned_a = m & 1,
                        .turned_b = columns & 1,
                        .in_c = (m + columns) / 4 & 1,
                        .a = random_side(dtypes[(m + columns) % 4]),
                        .b = random_side(dtypes[(m + columns) % 4])};
        check(&f, kernels[i], 0);
      }
    }
  }
}
END_TEST

START_TEST(random_products) {
  const sni_gemm_kernels *kernels[3];
  const int n = copies(kernels);
  state = 1;
  for (int i = 0; i < 500; i++) {
    static const int64_t largest[] = {9, 40, 200};
    form f = {.dtype = dtypes[next_random() % 4],
              .turned_a = next_random() & 1,
              .turned_b = next_random() & 1};
    f.a = random_side(f.dtype);
    f.b = random_side(f.dtype);
    f.m = between(0, largest[next_random() % 3]);
    f.n = between(0, largest[next_random() % 3]);
    f.k = between(0, largest[next_random() % 3]);
    f.pad = next_random() % 3 ? 0 : between(1, 9);
    f.in_c = next_random() & 1;
    f.row_bytes = next_random() % 3 ? 0 : between(1, 1200);
    if (next_random() % 3 == 0) f.segment = between(1, 50);
    f.goes_on = !f.segment && next_random() % 4 == 0;
    check(&f, kernels[i % n], (unsigned)(next_random() % 8));
  }
}
END_TEST

START_TEST(large_products) {
  static const form forms[] = {
      {SN_F32, 1, 5000, 70, 1024, false, false, false, 0, 0, false, 0, 0},
      {SN_F64, 2, 2, 4106, 1024, false, true, false, 0, 1024, false, 0, 0},
      {SN_F64, 2, 2, 4106, 1024, false, false, false, 0, 1024, false, 0, 0},
      {SN_F64, 2, 2, 4106, 1024, true, false, false, 0, 0, false, 0, 0},
      {SN_F64, 1, 2, 4106, 1024, true, false, false, 0, 256, false, 0, 0},
      {SN_F64, 2, 4106, 2, 0, true, false, false, 0, 1024, false, 0, 0},
      {SN_F64, 2, 4106, 2, 0, false, true, false, 0, 1024, false, 0, 0},
      {SN_F64, 2, 4106, 2, 0, false, false, false, 0, 1024, false, 0, 0},
      {SN_F32, 8, 700, 2100, 1024, false, false, false, 0, 0, false, 0, 0},
      {SN_F32, 3, 333, 1025, 1024, false, false, false, 1, 0, false, 0, 0},
      {SN_F32, 200, 150, 2049, 1024, false, false, false, 0, 0, false, 0, 0},
      {SN_F32, 490, 140, 1100, 1024, true, true, false, 0, 0, false, 0, 0},
      {SN_F64, 130, 300, 1100, 1024, true, false, false, 3, 700, false, 0, 0},
      {SN_F64, 7, 129, 3000, 1024, false, true, false, 0, 0, false, 0, 0},
      {SN_F32, 300, 520, 300, 0, false, true, false, 0, 0, false, 0, 0},
      {SN_F32, 70, 1100, 1000, 0, true, false, true, 0, 1024, false, 0, 0},
      {SN_I32, 100, 130, 2500, 0, true, false, false, 0, 0, false, 0, 0},
      {SN_I64, 490, 70, 1030, 0, false, true, false, 0, 0, false, 0, 0},
      {SN_I32, 4, 600, 1300, 0, false, false, true, 0, 1024, false, 0, 0},
      // one strip of rows, and rows of b that meet in a cache: all of a band is copied
      {SN_F32, 16, 1024, 1100, 1024, false, false, false, 0, 256, false, 0, 0},
      {SN_F64, 24, 512, 2100, 1024, false, false, false, 0, 256, false, 0, 0},
      // streams: a large b, rows of it that meet in a cache; a copied, or as it is
      {SN_F64, 31, 403, 1100, 1024, false, false, false, 0, 256, false, 0, 0},
      {SN_F32, 32, 1003, 700, 0, true, false, true, 0, 0, false, 0, 0},
      {SN_I64, 16, 256, 300, 0, false, false, false, 0, 1024, false, 0, 0},
      {SN_F32, 13, 512, 520, 100, false, false, false, 0, 0, false, 0, 0},
      {SN_F32, 3, 509, 300, 0, false, false, true, 0, 0, false, 0, 0},
      // rows of a that meet in L1 are copied, to where they do not
      {SN_F32, 29, 140, 1024, 1024, false, true, false, 0, 0, false, 0, 0},
      {SN_F32, 101, 75, 1030, 1024, false, false, false, 1018, 256, false, 0, 0},
      {SN_F64, 43, 70, 512, 0, false, false, true, 0, 0, false, 0, 0},
      {SN_I64, 15, 67, 100, 0, false, false, false, 412, 0, false, 0, 0},
  };
  const sni_gemm_kernels *kernels[3];
  const int n = copies(kernels);
  for (size_t i = 0; i < SNI_COUNT_OF(forms); i++)
    for (int c = 0; c < 3 * n; c++) {
      form f = forms[i];
      f.in_c = c % 3;
      if (c % 3 == 2) f.a = random_side(f.dtype);
      if (c % 3 == 2) f.b = random_side(f.dtype);
      check(&f, kernels[c / 3], (unsigned)(i % 8));
    }
}
END_TEST

typedef struct room {
  form f;
  size_t partial_bytes;
} room;

START_TEST(segments_over_threads) {
  static const room rows[] = {
      {{SN_F32, 16, 10, 9000, 1024, true, false, false, 0, 0, false, 0, 0}, 1 << 20},
      {{SN_F32, 16, 10, 9000, 1024, false, true, false, 3, 0, false, 0, 0}, 5 << 10},
      {{SN_F64, 33, 9, 2049, 1024, true, false, false, 0, 0, false, 0, 0}, 64 << 10},
      {{SN_F32, 64, 64, 3073, 1024, true, false, false, 0, 0, false, 0, 0}, 1 << 20},
      {{SN_F32, 2, 300, 5000, 1024, false, false, false, 0, 1024, false, 0, 0}, 1 << 20},
      {{SN_F64, 130, 3, 4106, 1024, false, true, false, 0, 0, false, 0, 0}, 1 << 20},
      {{SN_I32, 20, 30, 1200, 100, false, false, false, 1, 0, false, 0, 0}, 1 << 20},
      {{SN_I64, 20, 30, 1200, 300, true, true, false, 0, 0, false, 0, 0}, 1 << 20},
  };
  const sni_gemm_kernels *kernels[3];
  const int n = copies(kernels);
  for (size_t i = 0; i < SNI_COUNT_OF(rows); i++)
    for (int c = 0; c < 24; c++) {
      static const int threads[] = {2, 3, 7};
      form f = rows[i].f;
      f.in_c = c & 1;
      if (c & 8) f.a = random_side(f.dtype);
      if (c & 8) f.b = random_side(f.dtype);
      tiny = c & 4;
      if (c % 8 == 2 || c % 8 == 3) f.a = random_side(f.dtype);
      if (c % 8 == 1 || c % 8 == 3) f.b = random_side(f.dtype);
      ck_assert(
          check_team(&f, kernels[c % n], (unsigned)(c / 3), threads[c % 3], rows[i].partial_bytes));
      tiny = false;
    }
}
END_TEST

START_TEST(what_is_not_shared) {
  static const room rows[] = {
      {{SN_F32, 16, 10, 1024, 1024, true, false, false, 0, 0, false, 0, 0},
       1 << 20},                                                                     // one segment
      {{SN_F32, 16, 10, 9000, 0, true, false, false, 0, 0, false, 0, 0}, 1 << 20},   // none
      {{SN_F32, 16, 10, 900, 0, true, false, true, 0, 0, false, 0, 0}, 1 << 20},     // goes on
      {{SN_F32, 2, 2, 9000, 1024, true, false, false, 0, 0, false, 0, 0}, 1 << 20},  // not worth it
      {{SN_F32, 64, 64, 9000, 1024, true, false, false, 0, 0, false, 0, 0}, 20 << 10},  // no room
  };
  for (size_t i = 0; i < SNI_COUNT_OF(rows); i++)
    ck_assert(!check_team(&rows[i].f, sni_gemm_kernels_best(), 0, 2, rows[i].partial_bytes));
}
END_TEST

// ---- sides that a map describes: windows of memory, with ranges
typedef struct mapped {
  sni_gemm_map map;
  sni_gemm_range ranges[2];
  guarded memory;
  const char *from;  // of index 0
} mapped;

static sni_gemm_axes random_axes(int64_t all, int64_t most, int64_t *out_count) {
  sni_gemm_axes axes = {.count = between(1, most)};
  *out_count = 1;
  for (int64_t i = 1; i < axes.count; i++) *out_count *= axes.extent[i] = between(1, 4);
  axes.extent[0] = all / *out_count;
  *out_count *= axes.extent[0];
  return axes;
}

// Reach of the axes to either side.
static void reach(const sni_gemm_axes *axes, int64_t *low, int64_t *high) {
  for (int64_t i = 0; i < axes->count; i++) {
    const int64_t far = (axes->extent[i] - 1) * axes->step[i];
    if (axes->extent[i] > 0) *(far < 0 ? low : high) += far;
  }
}

// own, k: extents; become those of the axes. first: index along own that the side begins with.
static mapped make_map(int dtype, int64_t *own, int64_t *k, bool dense_k) {
  const int64_t size = (int64_t)size_of(dtype);
  mapped m = {.map = {.own_first = between(0, 3)}};
  int64_t all = *own + m.map.own_first, low = 0, high = 0;
  m.map.own = random_axes(all, 3, &all);
  m.map.k = random_axes(*k, SNI_GEMM_AXES, k);
  *own = all - m.map.own_first;
  for (int64_t i = 0; i < m.map.own.count; i++) m.map.own.step[i] = size * between(-3, 9);
  for (int64_t i = 0; i < m.map.k.count; i++) m.map.k.step[i] = size * between(-3, 9);
  *(dense_k ? &m.map.k.step[m.map.k.count - 1] : &m.map.own.step[m.map.own.count - 1]) = size;
  reach(&m.map.own, &low, &high);
  reach(&m.map.k, &low, &high);
  m.memory = guard((size_t)(high - low + size), (size_t)size);
  m.from = m.memory.at - low;
  for (int64_t at = low; at <= high; at += size) set_random(dtype, m.memory.at + at - low);
  m.map.n_ranges = between(0, 2);
  for (int64_t i = 0; i < m.map.n_ranges; i++) {
    sni_gemm_range *r = &m.ranges[i];
    *r = (sni_gemm_range){.extent = between(0, 30), .offset = between(-3, 3)};
    for (int64_t a = 0; a < SNI_GEMM_AXES; a++) r->own[a] = between(-1, 1);
    for (int64_t a = 0; a < SNI_GEMM_AXES; a++) r->k[a] = between(-1, 1);
  }
  return m;
}

static int64_t along(const sni_gemm_axes *axes, const int64_t *step, int64_t index) {
  int64_t sum = 0;
  for (int64_t i = axes->count; i-- > 0;) {
    sum += step[i] * (i ? index % axes->extent[i] : index);
    if (i) index /= axes->extent[i];
  }
  return sum;
}

static void read_mapped(const mapped *m, int64_t own, int64_t k, size_t size, char *to) {
  own += m->map.own_first;
  memset(to, 0, size);
  for (int64_t i = 0; i < m->map.n_ranges; i++) {
    const sni_gemm_range *r = &m->ranges[i];
    const int64_t at = r->offset + along(&m->map.own, r->own, own) + along(&m->map.k, r->k, k);
    if (at < 0 || at >= r->extent) return;
  }
  memcpy(to,
         m->from + along(&m->map.own, m->map.own.step, own) + along(&m->map.k, m->map.k.step, k),
         size);
}

// Narrow integers in pairs: all their dtypes and layouts, odd numbers of k, several pieces and segments of them, and
// sums of two products that wrap.
START_TEST(pairs) {
  static const int narrow[] = {SN_I8, SN_U8, SN_I16};
  static const int64_t depths[] = {2, 3, 31, 64, 67, 1023, 1025, 2049};
  const sni_gemm_kernels *kernels[3];
  const int n = copies(kernels);
  int paired = 0;
  state = 3;
  for (int i = 0; i < 288; i++) {
    const form f = {.dtype = SN_I32,
                    .m = between(4, 70),
                    .n = between(1, 70),
                    .k = depths[i % 8],
                    .segment = i % 5 ? 0 : between(1, 99),
                    .turned_a = i / 9 % 2,
                    .turned_b = i / 18 % 2,
                    .goes_on = i % 5 && i % 7 == 0,
                    .pad = between(0, 2),
                    .in_c = i % 3 == 0,
                    .a = narrow[i % 3],
                    .b = narrow[i / 3 % 3]};
    check(&f, kernels[i % n], 0);
    paired += kernels[i % n]->copy_pairs != NULL;
  }
#if defined(__x86_64__)
  ck_assert_int_eq(paired, 288);
#endif
  for (int i = 0; i < n; i++) {
    int16_t least[64];
    int32_t sums[8 * 8];
    const size_t bytes = sni_gemm_scratch_bytes(kernels[i], SN_I32, 8, 8, 8, 0, 0);
    guarded scratch = guard(bytes, 64);
    for (int j = 0; j < 64; j++) least[j] = INT16_MIN;
    sni_gemm g = {.dtype = SN_I32, .a_dtype = SN_I16, .b_dtype = SN_I16, .m = 8, .n = 8, .k = 6};
    g.a = g.b = (const char *)least;
    g.a_row = g.b_k = 16;
    g.a_k = g.b_column = 2;
    g.c = (char *)sums;
    g.c_row = 32;
    g.scratch = scratch.at;
    sni_gemm_run(&g, kernels[i]);
    for (int j = 0; j < 64; j++) ck_assert_int_eq(sums[j], INT32_MIN);  // 6 * 2^30
    release(scratch);
  }
}
END_TEST

START_TEST(mapped_sides) {
  const sni_gemm_kernels *kernels[3];
  const int n = copies(kernels);
  int shared = 0;
  state = 2;
  for (int i = 0; i < 500; i++) {
    form f = {
        .dtype = dtypes[i % 4], .m = between(1, 130), .n = between(1, 70), .k = between(0, 60)};
    const bool left = i % 3 != 1, right = i % 3 != 0;
    int64_t k = f.k;
    mapped sides[2] = {{.from = NULL}, {.from = NULL}};
    if (i % 5 == 0) f.segment = between(1, 20);
    if (i % 10 == 0)
      f = (form){.dtype = f.dtype, .m = 130, .n = 70, .k = between(50, 90), .segment = 20};
    f.a = random_side(f.dtype);
    f.b = random_side(f.dtype);
    if (left) sides[0] = make_map(f.a, &f.m, &f.k, i & 4);
    k = f.k;
    if (right) sides[1] = make_map(f.b, &f.n, &k, i & 8);
    if (right && k != f.k) {  // one k for both
      release(sides[1].memory);
      if (left) release(sides[0].memory);
      continue;
    }
    if (f.m <= 0 || f.n <= 0) f.m = f.n = f.k = 0;
    product p = make(&f);
    const size_t a_size = size_of(f.a), b_size = size_of(f.b);
    for (int64_t r = 0; left && r < f.m; r++)
      for (int64_t j = 0; j < f.k; j++)
        read_mapped(&sides[0], r, j, a_size, p.a.at + (r * f.k + j) * (int64_t)a_size);
    for (int64_t j = 0; right && j < f.k; j++)
      for (int64_t c = 0; c < f.n; c++)
        read_mapped(&sides[1], c, j, b_size, p.b.at + (j * f.n + c) * (int64_t)b_size);
    sni_gemm g = p.g;
    for (int s = 0; s < 2; s++) sides[s].map.ranges = sides[s].ranges;
    if (left) g.map_a = &sides[0].map;
    if (left) g.a = sides[0].from;
    if (right) g.map_b = &sides[1].map;
    if (right) g.b = sides[1].from;
    const size_t bytes =
        sni_gemm_scratch_bytes(kernels[i % n], f.dtype, f.m, f.n, f.k, f.segment, 0);
    helpers help;
    begin_help(&help, &g, i % 5 ? 0 : 2 + i % 3, bytes, 1 << 20);
    sni_gemm_begin(&g, kernels[i % n]);
    shared += g.shared != 0;
    while (sni_gemm_next(&g)) {
      sni_gemm_sum(&g);
      const sni_gemm dense = p.g;
      p.g = g;
      p.g.a = dense.a;
      p.g.a_row = dense.a_row;
      p.g.a_k = dense.a_k;
      p.g.b = dense.b;
      p.g.b_k = dense.b_k;
      p.g.b_column = dense.b_column;
      check_rectangle(&p, &f);
    }
    end_help(&help);
    release(p.a);
    release(p.b);
    if (left) release(sides[0].memory);
    if (right) release(sides[1].memory);
  }
  ck_assert_int_ge(shared, 3);
}
END_TEST

int main(void) {
  for (uint32_t i = 0; i < 1 << 16; i++) halves[i] = (float)sni_f16_value((uint16_t)i);
  Suite *suite = suite_create("gemm");
  TCase *tests = tcase_create("gemm");
  tcase_add_test(tests, small_sizes);
  tcase_add_test(tests, random_products);
  tcase_add_test(tests, large_products);
  tcase_add_test(tests, segments_over_threads);
  tcase_add_test(tests, what_is_not_shared);
  tcase_add_test(tests, pairs);
  tcase_add_test(tests, mapped_sides);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
