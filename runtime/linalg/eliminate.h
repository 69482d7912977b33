// Elimination of large matrices: 32 columns at a time, which stand in rows while they are worked on; what they do to
// the rest is a product. Matrices are contiguous and row-major.
#ifndef SNI_RUNTIME_LINALG_ELIMINATE_H
#define SNI_RUNTIME_LINALG_ELIMINATE_H

#include "runtime/linalg/reflect.h"

enum {
  SNI_PANEL = 32,
  SNI_PANEL_DOUBLES = 2 * SNI_PANEL,  // of work space for each row of the matrix
};

// As runtime/linalg.c has them for small ones. tools->work: SNI_PANEL_DOUBLES n.
bool sni_panel_cholesky(const sni_matrix_tools *tools, double *a, int64_t n);
int sni_panel_factor(const sni_matrix_tools *tools, double *a, int64_t n, double *b, int64_t m);
bool sni_panel_solve(const sni_matrix_tools *tools, const double *t, bool lower, bool unit,
                     int64_t n, double *b, int64_t m);

#endif
