// Operations on two rows of elements. Compiled once per instruction set.
#ifndef SINTER_STRUCTURES_SETS_KERNELS_H
#define SINTER_STRUCTURES_SETS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef enum sns_set_op { SNS_UNION, SNS_INTERSECTION, SNS_DIFFERENCE } sns_set_op;

typedef struct sns_row {
  const int64_t *at;
  int64_t n;
} sns_row;

typedef struct sns_set_kernels {
  // The elements of the result in ascending order, once each: their number. out: room for a.n (+ b.n: a union), and none overlaps;
  // scratch: 2 (a.n + b.n).
  int64_t (*combine)(sns_set_op op, sns_row a, sns_row b, int64_t *out, int64_t *scratch);
  // Whether each of values is in a. scratch: 2 a.n.
  void (*contains)(sns_row a, sns_row values, uint8_t *out, int64_t *scratch);
} sns_set_kernels;

const sns_set_kernels *sns_set_kernels_copy(int copy);

#endif
