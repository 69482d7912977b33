// Products of matrices, sums[i, j] = sum over k of a[i, k] b[k, j], one rectangle after the other; who
// calls it, emitted code or the interpreter, does with each what stands behind the product.
//
//   stream   few rows: four rows of b at a time are read from end to end, sums rest in L1
//   tiles    else: b is copied into panels of two vectors' width, or read where it lies; so is a; the
//            sums of a tile stay in registers through all of k
//
// Sides of storage dtypes are converted where they are copied; a stream converts b as it reads it. Integers that 16 bits
// hold are copied as pairs of two k side by side, whose products CPUs add in one instruction.
//
// Bits: each sum is one chain of fma from +0.0 (K = 1: the product itself) in order of k; each segment
// of k has a chain, and these are added in order. How the work is cut leaves no trace: cuts may
// follow the machine.
#ifndef SNI_RUNTIME_GEMM_H
#define SNI_RUNTIME_GEMM_H

#include "runtime/gemm/map.h"

typedef struct sni_gemm_team sni_gemm_team;

// Thread-compatible. Each field has 8 bytes: emitted code knows them by number.
typedef struct sni_gemm {
  // ---- set by the caller; strides in bytes
  int64_t dtype;  // of the sums: f32, f64, i32, i64
  // Of the sides: it, or a storage dtype that computes in it, in which they are multiplied (u32 and u64
  // are bits).
  int64_t a_dtype, b_dtype;
  int64_t m, n, k;  // >= 0
  int64_t segment;  // of k; 0: none
  // bool: the caller fills in what sums begin with, before sni_gemm_sum. Without segments
  int64_t goes_on;
  int64_t row_bytes;  // of a rectangle, where its owner would have many columns; 0: few, warm ones
  // Where the sums go, columns being neighbours; with goes_on what they begin with is there. NULL: to
  // scratch, for the caller to take from there. Meets neither a nor b.
  char *c;
  int64_t c_row;
  const char *a;
  int64_t a_row, a_k;
  const char *b;
  int64_t b_k, b_column;
  const sni_gemm_map *map_a, *map_b;  // in the place of these strides; or NULL
  char *scratch;                      // sni_gemm_scratch_bytes, aligned to 64
  const sni_gemm_team *team;          // who helps with many segments; NULL: nobody (team.h)
  // ---- the rectangle at hand (sni_gemm_next): where its sums are, columns being neighbours. What lies
  // behind the last column, up to a whole vector, is anything.
  int64_t row, rows, column, columns;
  char *sums;
  int64_t sums_row;
  // ---- how the work is cut
  const sni_gemm_kernels *kernels;
  int64_t size, a_size, b_size;      // bytes of an element, of one of a side
  int64_t piece;                     // k that is run through at once
  int64_t streams, packs_a, rows_a;  // bools; rows_a: the copy lies row by row, not k by k
  int64_t pairs;                     // bool: copies are of pairs
  int64_t far;                       // bool: what is streamed
  int64_t packed_a_row;              // bytes of a row of the copy; less where they lie k by k
  int64_t block_rows, strip_rows;    // of a tile; that pass a panel one behind the other
  int64_t panel, group,
      band;  // columns of a panel; copied at once; that all rows pass before the next
  int64_t rectangle_rows, rectangle_columns;
  int64_t band_first;
  int64_t first_k;    // of what the maps count: not 0 in a segment that is summed alone
  int64_t shared;     // bool: by the team
  int64_t place_end;  // b's columns up to here are read where they lie, the others copied
  char *piece_sums, *packed_a, *packed_b;
  int64_t packed_row, packed_end;  // first row of the strip, end of the columns that are packed
} sni_gemm;

// Scratch of any product that is no larger; -1: unknown. kernels: those that will run.
size_t sni_gemm_scratch_bytes(const sni_gemm_kernels *kernels, int dtype, int64_t m, int64_t n,
                              int64_t k, int64_t segment, int64_t row_bytes);
// The fields of the caller are set. kernels: sni_gemm_kernels_best, or of the caller's choice.
void sni_gemm_begin(sni_gemm *g, const sni_gemm_kernels *kernels);
// To the next rectangle; false: that was the last.
bool sni_gemm_next(sni_gemm *g);
// The sums of the rectangle.
void sni_gemm_sum(sni_gemm *g);
// All of it, from sni_gemm_begin on, to c.
void sni_gemm_run(sni_gemm *g, const sni_gemm_kernels *kernels);
// The chain of the segment that begins at k, to c, where the product has others. g: begun.
void sni_gemm_run_segment(const sni_gemm *g, int64_t k, char *c, int64_t c_row, char *scratch);
// Rows of c get those of more added, which is what segments do one after the other.
void sni_gemm_add(const sni_gemm *g, char *c, int64_t c_row, const char *more, int64_t more_row);

#endif
