// QR by reflections: columns stand in rows while they are worked on, 32 at a time; what they do to the columns
// behind them is a product.
#include "runtime/linalg.h"
#include "runtime/linalg/matrix_work.h"

#include <string.h>

int64_t sni_qr_doubles(int64_t m, int64_t n) {
  return n * sni_matrix_row(m) + (2 * m + 1) * sni_matrix_row(n) + sni_matrix_tools_doubles(m);
}

// Rows [begin, end) of v are columns of a from row `begin` on; they become reflections, a's column their R.
static void reduce_panel(const sni_matrix_tools *tools, double *v, int64_t v_row, int64_t m,
                         int64_t begin, int64_t end, double *taus, double *a, int64_t row) {
  double factors[SNI_REFLECTIONS];
  for (int64_t j = begin; j < end; j++) {
    double *x = v + j * v_row;
    for (int64_t i = 0; i < j; i++) a[i * row + j] = i < begin ? a[i * row + j] : x[i];
    a[j * row + j] = sni_matrix_reflection(tools, x + j, m - j, &taus[j]);
    memset(x, 0, (size_t)j * sizeof *x);
    double *rest = x + v_row + j;
    tools->kernels->dots(rest, v_row, end - j - 1, x + j, m - j, factors);
    for (int64_t i = 0; i < end - j - 1; i++) factors[i] *= -taus[j];
    tools->kernels->spread(rest, v_row, end - j - 1, factors, x + j, m - j);
  }
}

// a [m, n], m >= n, becomes R above its diagonal; q [m, n].
static void decompose(const sni_matrix_tools *tools, double *a, double *q, double *v, double *taus,
                      int64_t row, int64_t v_row, int64_t m, int64_t n) {
  for (int64_t begin = 0; begin < n; begin += SNI_REFLECTIONS) {
    const int64_t end = n - begin < SNI_REFLECTIONS ? n : begin + SNI_REFLECTIONS;
    for (int64_t i = begin; i < m; i++)
      for (int64_t j = begin; j < end; j++) v[j * v_row + i] = a[i * row + j];
    reduce_panel(tools, v, v_row, m, begin, end, taus, a, row);
    const sni_reflections all = {v + begin * v_row, v_row, end - begin, begin, taus + begin};
    if (end < n) sni_matrix_reflect(tools, &all, true, a + end, row, m, n - end);
  }
  for (int64_t begin = (n - 1) / SNI_REFLECTIONS * SNI_REFLECTIONS; n && begin >= 0;
       begin -= SNI_REFLECTIONS) {
    const int64_t end = n - begin < SNI_REFLECTIONS ? n : begin + SNI_REFLECTIONS;
    const sni_reflections all = {v + begin * v_row, v_row, end - begin, begin, taus + begin};
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = begin; j < end; j++) q[i * row + j] = i == j;
    for (int64_t i = begin; i < end; i++)
      memset(q + i * row + end, 0, (size_t)(n - end) * sizeof *q);
    sni_matrix_reflect(tools, &all, false, q + begin, row, m, n - begin);
  }
}

void sni_qr_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const int64_t m = params[0], n = params[1], size = (m + n) * n;
  for (int64_t unit = begin; unit < end; unit++) {
    sni_matrix_work work = sni_matrix_work_of(c, buffers[2], unit, sni_qr_doubles(m, n), scratch);
    const int64_t row = sni_matrix_row(n), v_row = sni_matrix_row(m);
    double *a = sni_matrix_take(&work, m * row), *q = sni_matrix_take(&work, m * row),
           *v = sni_matrix_take(&work, n * v_row), *taus = sni_matrix_take(&work, row);
    const sni_matrix_tools tools = sni_matrix_tools_of(&work, m);
    for (int64_t i = 0; i < m; i++)
      sni_matrix_load(c->dtype, buffers[0], (unit * m + i) * n, n, a + i * row);
    decompose(&tools, a, q, v, taus, row, v_row, m, n);
    for (int64_t i = 0; i < n; i++) memset(a + i * row, 0, (size_t)i * sizeof *a);
    for (int64_t i = 0; i < m; i++)
      sni_matrix_store(c->dtype, buffers[1], unit * size + i * n, n, q + i * row);
    for (int64_t i = 0; i < n; i++)
      sni_matrix_store(c->dtype, buffers[1], unit * size + (m + i) * n, n, a + i * row);
  }
}
