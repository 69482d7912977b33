// Work space of a matrix: in a thread's scratch where sizes were known when the call was planned, else in the buffer
// of the batch. Products have theirs in scratch.
#ifndef SNI_RUNTIME_LINALG_MATRIX_WORK_H
#define SNI_RUNTIME_LINALG_MATRIX_WORK_H

#include "runtime/linalg.h"
#include "runtime/linalg/reflect.h"

typedef struct sni_matrix_work {
  double *at;
  char *gemm;
} sni_matrix_work;

// buffer: `doubles` for each unit.
static inline sni_matrix_work sni_matrix_work_of(const sni_linalg_call *call, void *buffer,
                                                 int64_t unit, int64_t doubles, void *scratch) {
  char *own = (char *)scratch + sizeof(sni_scratch_header);
  return (sni_matrix_work){.at = call->scratch_work ? (double *)(void *)(own + call->gemm_bytes)
                                                    : (double *)buffer + unit * doubles,
                           .gemm = own};
}

static inline double *sni_matrix_take(sni_matrix_work *work, int64_t doubles) {
  double *taken = work->at;
  work->at += doubles;
  return taken;
}

// n: the most rows or columns of what they work on.
static inline sni_matrix_tools sni_matrix_tools_of(sni_matrix_work *work, int64_t n) {
  return (sni_matrix_tools){.kernels = sni_matrix_kernels_best(),
                            .gemm = work->gemm,
                            .row = sni_matrix_row(n),
                            .work = sni_matrix_take(work, sni_matrix_tools_doubles(n))};
}

#endif
