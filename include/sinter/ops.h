// Operations. Each returns a new tensor that the innermost scope owns; a failing op returns the
// error tensor.
//
// Common to all, unless said otherwise:
//   dtypes  operands have the same dtype, one of those listed with the op (any where none is), and
//           so has the result. No implicit conversion: SN_ERR_DTYPE names the operand, the expected
//           and the given type. numbers: reals and complex; reals: integers and floats; integers:
//           i8 to i64, u8 to u64; floats: f16 bf16 f32 f64; complex: c64 c128 (complex.h says how
//           they compute). Integers wrap at their own width. 16-bit floats compute in
//           f32 and are rounded after each op, as in op by op so in a compiled function; sums,
//           products, means, cumulations and matmuls are rounded once, at their end (cumulations:
//           each element), sums and products of scatters too.
//   numbers in C11 and C++ an op sn_x of two tensors of which there is sn_x_scalar takes a C number in the
//           place of either: sn_sub(1, x), sn_less(x, 0), sn_where(c, x, 0) are sn_rsub_scalar and so on,
//           in messages too. C99 has these functions alone.
//   shapes  element-wise ops broadcast as NumPy; the result has the common shape. SN_ERR_SHAPE
//           names both shapes. axis: in [-rank, rank), else SN_ERR_SHAPE.
//   modes   op by op, interpreted or compiled: element-wise ops give the same bits. Of a NaN they give a
//           NaN, but its sign and payload are open; ops that only move elements keep every bit.
//   errors  NULL operands are SN_ERR_ARGUMENT (the result is NULL where no operand has a context);
//           so are operands of different contexts unless siblings. Without memory SN_ERR_MEMORY.
//   VJP     the gradient: what flows back to the operands from dy, the cotangent of the result y.
//           Floats and complex only: integers, bools, and ops without gradient cut the path.
#ifndef SINTER_OPS_H
#define SINTER_OPS_H

#include <sinter/gradient.h>
#include <sinter/ops/compare.h>
#include <sinter/ops/complex.h>
#include <sinter/ops/conv.h>
#include <sinter/ops/factor.h>
#include <sinter/ops/fourier.h>
#include <sinter/ops/index.h>
#include <sinter/ops/linalg.h>
#include <sinter/ops/math.h>
#include <sinter/ops/nn.h>
#include <sinter/ops/random.h>
#include <sinter/ops/reduce.h>
#include <sinter/ops/shape.h>
#include <sinter/ops/sort.h>
// Last: their macros have the names of the functions above.
#include <sinter/ops/numbers.h>
#include <sinter/ops/sites.h>

#endif
