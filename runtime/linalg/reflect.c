// Blocks of reflections (I - V T V^T, Schreiber and Van Loan 1989) as products, and waves of rotations (Van Zee, van de
// Geijn and Quintana-Orti 2014).
//
// Invariant: how work is cut follows the sizes of the matrix alone, and so do its bits.
#include "runtime/linalg/reflect.h"

#include "runtime/cpu.h"
#include "runtime/gemm/gemm.h"

#include <math.h>
#include <string.h>

enum {
  lanes = SNI_MATRIX_LANES,
  wave = SNI_ROTATIONS_WAVE,
  block = SNI_REFLECTIONS,
  chunk_columns = 64,  // that a wave takes along: all its rows of them are near
};

const sni_matrix_kernels *sni_matrix_kernels_best(void) {
#if defined(__x86_64__)
  if (sni_cpu_isa() == SNI_ISA_AVX512) return &sni_matrix_kernels_avx512;
  if (sni_cpu_isa() == SNI_ISA_AVX2) return &sni_matrix_kernels_avx2;
#endif
  return &sni_matrix_kernels_baseline;
}

int64_t sni_matrix_row(int64_t n) {
  const int64_t rounded = (n + lanes - 1) / lanes;
  return (rounded | 1) * lanes;  // an odd number of lines: rows meet in no set of a cache
}

int64_t sni_matrix_tools_doubles(int64_t n) {
  return (2 * block + 1) * sni_matrix_row(n) + 2 * block * block;
}

size_t sni_matrix_gemm_bytes(void) {
  return sni_gemm_scratch_bytes(sni_gemm_kernels_best(), SN_F64, -1, -1, -1, 0, 0);
}

void sni_matrix_multiply(const sni_matrix_tools *tools, const sni_matrix_product *p) {
  const int64_t size = (int64_t)sizeof(double);
  sni_gemm g = {.dtype = SN_F64,
                .a_dtype = SN_F64,
                .b_dtype = SN_F64,
                .m = p->m,
                .n = p->n,
                .k = p->k,
                .goes_on = p->adds,
                .c = (char *)p->c,
                .c_row = p->c_row * size,
                .a = (const char *)p->a,
                .a_row = p->a_row * size,
                .a_k = p->a_k * size,
                .b = (const char *)p->b,
                .b_k = p->b_k * size,
                .b_column = size,
                .scratch = tools->gemm};
  sni_gemm_run(&g, sni_gemm_kernels_best());
}

// ---- reflections
static double length_of(const sni_matrix_tools *tools, const double *x, int64_t n) {
  double sum = 0, scale = 0;
  tools->kernels->dots(x, 0, 1, x, n, &sum);
  if (sum > 1e-270 && sum < 1e270) return sqrt(sum);
  for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs(x[i]));
  if (isnan(sum)) return sum;
  if (scale == 0 || isinf(scale)) return scale;
  sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] / scale * (x[i] / scale);
  return scale * sqrt(sum);
}

// below: the length of x[1 ..].
static double reflection(double *x, int64_t n, double below, double *tau) {
  const double first = x[0];
  x[0] = 1;
  *tau = 0;
  if (below == 0) return first;
  const double norm = hypot(first, below), beta = first > 0 ? -norm : norm;
  *tau = (beta - first) / beta;
  for (int64_t i = 1; i < n; i++) x[i] /= first - beta;
  return beta;
}

// What is so small that quotients of it lose digits is first made larger.
double sni_matrix_reflection(const sni_matrix_tools *tools, double *x, int64_t n, double *tau) {
  const double tiny = 0x1p-900, larger = 0x1p900;
  const double below = length_of(tools, x + 1, n - 1);
  if (below == 0 || hypot(x[0], below) >= tiny) return reflection(x, n, below, tau);
  for (int64_t i = 0; i < n; i++) x[i] *= larger;
  return reflection(x, n, length_of(tools, x + 1, n - 1), tau) / larger;
}

// -T or -T^T of `count` reflections in t [count, block], from the products of their vectors.
static void block_factor(const sni_reflections *all, int64_t from, int64_t count, bool turned,
                         const double *gram, double *t) {
  memset(t, 0, block * block * sizeof *t);
  for (int64_t j = 0; j < count; j++) {
    const double tau = all->taus[from + j];
    for (int64_t i = 0; i < j; i++) {
      double sum = 0;
      for (int64_t k = i; k < j; k++)
        sum += t[turned ? k * block + i : i * block + k] * gram[j * block + k];
      t[turned ? j * block + i : i * block + j] = -tau * sum;
    }
    t[j * block + j] = -tau;
  }
}

static void reflect_block(const sni_matrix_tools *tools, const sni_reflections *all, int64_t from,
                          int64_t count, bool backwards, double *x, int64_t row, int64_t m,
                          int64_t n) {
  double *w = tools->work, *tw = w + block * tools->row, *t = tw + block * tools->row,
         *gram = t + block * block;
  const int64_t first = all->first + from, depth = m - first;
  const double *v = all->v + from * all->row + first;
  for (int64_t j = 0; j < count; j++)
    tools->kernels->dots(v, all->row, j, v + j * all->row, depth, gram + j * block);
  block_factor(all, from, count, backwards, gram, t);
  x += first * row;
  sni_matrix_multiply(tools, &(sni_matrix_product){.c = w,
                                                   .c_row = tools->row,
                                                   .m = count,
                                                   .n = n,
                                                   .k = depth,
                                                   .a = v,
                                                   .a_row = all->row,
                                                   .a_k = 1,
                                                   .b = x,
                                                   .b_k = row});
  sni_matrix_multiply(tools, &(sni_matrix_product){.c = tw,
                                                   .c_row = tools->row,
                                                   .m = count,
                                                   .n = n,
                                                   .k = count,
                                                   .a = t,
                                                   .a_row = block,
                                                   .a_k = 1,
                                                   .b = w,
                                                   .b_k = tools->row});
  sni_matrix_multiply(tools, &(sni_matrix_product){.c = x,
                                                   .c_row = row,
                                                   .m = depth,
                                                   .n = n,
                                                   .k = count,
                                                   .a = v,
                                                   .a_row = 1,
                                                   .a_k = all->row,
                                                   .b = tw,
                                                   .b_k = tools->row,
                                                   .adds = true});
}

static void reflect_one(const sni_matrix_tools *tools, const double *v, double tau, double *x,
                        int64_t row, int64_t m, int64_t n) {
  double *w = tools->work;
  double factors[block];
  memset(w, 0, (size_t)n * sizeof *w);
  tools->kernels->combine(x, row, m, v, w, n);
  for (int64_t i = 0; i < m; i += block) {
    const int64_t rows = m - i < block ? m - i : block;
    for (int64_t k = 0; k < rows; k++) factors[k] = -tau * v[i + k];
    tools->kernels->spread(x + i * row, row, rows, factors, w, n);
  }
}

void sni_matrix_reflect(const sni_matrix_tools *tools, const sni_reflections *all, bool backwards,
                        double *x, int64_t row, int64_t m, int64_t n) {
  const int64_t step = m * n <= SNI_REFLECT_SINGLY ? 1 : block,
                blocks = (all->count + step - 1) / step;
  for (int64_t i = 0; i < blocks; i++) {
    const int64_t from = (backwards ? i : blocks - 1 - i) * step, first = all->first + from;
    if (step > 1)
      reflect_block(tools, all, from, from + step < all->count ? step : all->count - from,
                    backwards, x, row, m, n);
    else
      reflect_one(tools, all->v + from * all->row + first, all->taus[from], x + first * row, row,
                  m - first, n);
  }
}

// ---- rotations. A wave counts rows from the end where its sweeps end.
static int64_t wave_steps(int64_t rows) {
  return rows + 2 * wave;
}

int64_t sni_sweeps_doubles(int64_t rows) {
  return SNI_WAVES * wave_steps(rows) * wave * (int64_t)(sizeof(sni_rotation) / sizeof(double));
}

// Step t of a wave, counted from row `rows` - 1, which no row reaches, on; so that waves over fewer rows are a part.
static sni_rotation *steps_of(const sni_sweeps *s, int64_t number) {
  return s->steps + number * wave_steps(s->rows) * wave;
}

void sni_sweep_begin(const sni_matrix_tools *tools, sni_sweeps *s, int64_t first, int64_t last) {
  if (s->count == SNI_WAVES * wave) sni_sweeps_run(tools, s);
  const int64_t number = s->count / wave;
  const int64_t low = s->upwards ? s->rows - 1 - last : first,
                high = s->upwards ? s->rows - 1 - first : last;
  if (s->count++ % wave == 0) {
    sni_rotation *steps = steps_of(s, number);
    for (int64_t i = 0; i < wave_steps(s->rows) * wave; i++) steps[i] = (sni_rotation){.c = 1};
    s->low[number] = low;
    s->high[number] = high;
  }
  if (low < s->low[number]) s->low[number] = low;
  if (high > s->high[number]) s->high[number] = high;
}

void sni_sweep_note(sni_sweeps *s, int64_t i, double c, double sine) {
  const int64_t sweep = s->count - 1, j = sweep % wave;
  const int64_t p = s->upwards ? s->rows - 2 - i : i;
  steps_of(s, sweep / wave)[(s->rows - 1 - p + j) * wave + j] = (sni_rotation){c, sine};
}

static void run_wave(const sni_matrix_tools *tools, const sni_sweeps *s, int64_t number,
                     int64_t column, int64_t columns) {
  const int64_t low = s->low[number], rows = s->high[number] - low + 1;
  const sni_rotation *steps = steps_of(s, number) + (s->rows - 1 - s->high[number]) * wave;
  const int64_t row = s->upwards ? -s->row : s->row;
  double *first = s->z + (s->upwards ? s->rows - 1 - low : low) * s->row + column;
  const sni_rotations rotations = {.steps = (const sni_rotation(*)[wave])(const void *)steps,
                                   .z = first,
                                   .row = row,
                                   .rows = rows};
  tools->kernels->rotate(&rotations, columns);
}

void sni_sweeps_run(const sni_matrix_tools *tools, sni_sweeps *s) {
  for (int64_t column = 0; column < s->columns; column += chunk_columns)
    for (int64_t number = 0; number * wave < s->count; number++)
      run_wave(tools, s, number, column,
               s->columns - column < chunk_columns ? s->columns - column : chunk_columns);
  s->count = 0;
}
