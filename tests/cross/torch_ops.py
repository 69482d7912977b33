#!/usr/bin/env python3
"""torch_ops.py FOLDER [--sample]: ops against PyTorch, values and gradients.

Writes FOLDER/torch_ops.inc, one row per call that is tried: ROW(id, op, expression in C of in[], k[] and d[]), and FOLDER/torch_ops.cases, at least 20
cases per row (--sample: one), which the program build/.../tests/cross reads: a line "id dtype, numbers k and d, arrays", then the
arrays' bytes. References are computed in float64 from operands that the dtype has. Needs torch, in a virtual environment outside of the repository.
"""
import itertools
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
FLOATS = ("f32", "f64", "f16", "bf16")
WIDE = ("f32", "f64")
INTS = ("i32", "i64", "i8", "u8", "u32")
REALS = FLOATS + ("i32", "i64", "i16", "u8")
ONE = [((),), ((1,),), ((7,),), ((3, 4),), ((2, 3, 4),), ((0,),), ((3, 0),), ((1, 5, 1),), ((33,),)]
NOT_EMPTY = [s for s in ONE if 0 not in s[0]]
TWO = [((), ()), ((5,), (5,)), ((3, 4), (4,)), ((2, 1, 3), (4, 1)), ((0,), (1,)), ((3, 0), (1,)), ((1, 5), (3, 1)), ((2, 3), ())]
LINES = [((7,),), ((3, 4),), ((2, 3, 4),), ((1, 5, 1),), ((2, 1, 3, 2),)]  # with an axis
SQUARE = [((1, 1),), ((3, 3),), ((2, 4, 4),), ((5, 5),), ((0, 2, 2),)]
ROWS = []


def row(op, c, fn, shapes, dtypes=FLOATS, domains="r", attrs=((),), grad=True, name=None):
    ROWS.append((name or op, op, c, fn, shapes, dtypes, domains, attrs, grad))


# ---- one operand
def unary(names, fn=None, **options):
    for name in names.split():
        row("sn_" + name, "sn_%s(in[0])" % name, fn or getattr(torch, name), ONE, **options)


unary("neg abs square", dtypes=FLOATS + ("i32", "i64", "i8"))
unary("sign", dtypes=REALS, grad=False)
unary("floor ceil round trunc", grad=False)
unary("exp expm1 sin cos tanh sigmoid erf exp2 tan atan sinh cosh asinh erfc sinc deg2rad rad2deg")
unary("sqrt rsqrt reciprocal log log1p log2 log10 lgamma digamma", domains="p")
unary("asin acos atanh erfinv", domains="u")
unary("acosh", domains="g")
unary("nan_to_num", lambda x: torch.nan_to_num(x))
row("sn_trigamma", "sn_trigamma(in[0])", lambda x: torch.polygamma(1, x), ONE, domains="p")
row("sn_polygamma", "sn_polygamma((int)k[0], in[0])", lambda x, n: torch.polygamma(n, x), ONE, WIDE, "p", [(2,), (3,)])
row("sn_cbrt", "sn_cbrt(in[0])", lambda x: x.sign() * x.abs() ** (1 / 3), NOT_EMPTY)
row("sn_relu", "sn_relu(in[0])", torch.relu, ONE, FLOATS + ("i32", "i64"))
row("sn_gelu", "sn_gelu(in[0])", lambda x: F.gelu(x, approximate="tanh"), ONE)
row("sn_log_sigmoid", "sn_log_sigmoid(in[0])", F.logsigmoid, ONE)
for name, fn in [("softplus", F.softplus), ("relu6", F.relu6), ("selu", F.selu), ("silu", F.silu), ("mish", F.mish),
                 ("softsign", F.softsign), ("hard_sigmoid", F.hardsigmoid), ("hard_silu", F.hardswish), ("hard_tanh", F.hardtanh)]:
    row("sn_" + name, "sn_%s(in[0])" % name, fn, ONE)
for name, fn in [("leaky_relu", F.leaky_relu), ("elu", F.elu), ("celu", F.celu), ("soft_shrink", F.softshrink)]:
    row("sn_" + name, "sn_%s(in[0], d[0])" % name, fn, ONE, attrs=[(0.25,), (1.5,)])
row("sn_clip", "sn_clip(in[0], d[0], d[1])", torch.clamp, ONE, attrs=[(-1.0, 1.5), (0.5, 0.75)])
row("sn_is_nan", "sn_is_nan(in[0])", torch.isnan, ONE, domains="n", grad=False)
row("sn_is_inf", "sn_is_inf(in[0])", torch.isinf, ONE, domains="n", grad=False)
row("sn_is_finite", "sn_is_finite(in[0])", torch.isfinite, ONE, domains="n", grad=False)
row("sn_signbit", "sn_signbit(in[0])", torch.signbit, ONE, domains="n", grad=False)
row("sn_not", "sn_not(in[0])", lambda x: (~x.long()).double(), ONE, ("i32", "i64", "i8"), grad=False)

# ---- two operands
for name, fn in [("add", torch.add), ("sub", torch.sub), ("mul", torch.mul)]:
    row("sn_" + name, "sn_%s(in[0], in[1])" % name, fn, TWO, FLOATS + ("i32", "i64", "i16"))
row("sn_div", "sn_div(in[0], in[1])", torch.div, TWO, FLOATS, "rp")
row("sn_div", "sn_div(in[0], in[1])", lambda a, b: torch.div(a, b, rounding_mode="trunc"), TWO, ("i32", "i64", "i8"), "rp", grad=False,
    name="sn_div_integers")
for name, fn in [("rem", torch.fmod), ("floor_mod", torch.remainder)]:
    row("sn_" + name, "sn_%s(in[0], in[1])" % name, fn, TWO, REALS, "rp")
row("sn_floor_div", "sn_floor_div(in[0], in[1])", torch.floor_divide, TWO, REALS, "rp", grad=False)
row("sn_pow", "sn_pow(in[0], in[1])", torch.pow, TWO, FLOATS, "pr")
for name, fn in [("maximum", torch.maximum), ("minimum", torch.minimum)]:
    row("sn_" + name, "sn_%s(in[0], in[1])" % name, fn, TWO, FLOATS)
    row("sn_" + name, "sn_%s(in[0], in[1])" % name, fn, TWO, ("i32", "i64", "u8"), grad=False, name="sn_%s_integers" % name)
for name in "atan2 hypot logaddexp logaddexp2".split():
    row("sn_" + name, "sn_%s(in[0], in[1])" % name, getattr(torch, name), TWO)
row("sn_xlogy", "sn_xlogy(in[0], in[1])", torch.xlogy, TWO, domains="rp")
row("sn_xlog1py", "sn_xlog1py(in[0], in[1])", torch.special.xlog1py, TWO, domains="rp")
row("sn_copysign", "sn_copysign(in[0], in[1])", torch.copysign, TWO)
row("sn_nextafter", "sn_nextafter(in[0], in[1])", torch.nextafter, TWO, ("f64",), grad=False)
row("sn_squared_difference", "sn_squared_difference(in[0], in[1])", lambda a, b: (a - b) ** 2, TWO)
row("sn_prelu", "sn_prelu(in[0], in[1])", lambda a, b: torch.where(a > 0, a, a * b), TWO)
for name, fn in [("equal", torch.eq), ("not_equal", torch.ne), ("less", torch.lt), ("less_equal", torch.le), ("greater", torch.gt),
                 ("greater_equal", torch.ge)]:
    row("sn_" + name, "sn_%s(in[0], in[1])" % name, fn, TWO, REALS, "ii", grad=False)
for name, fn in [("and", torch.bitwise_and), ("or", torch.bitwise_or), ("xor", torch.bitwise_xor)]:
    row("sn_" + name, "sn_%s(in[0], in[1])" % name, lambda a, b, fn=fn: fn(a.long(), b.long()).double(), TWO, ("i32", "i64", "i8"), "rr",
        grad=False)
row("sn_shift_left", "sn_shift_left(in[0], in[1])", lambda a, b: a * 2 ** b, TWO, ("i32", "i64", "u32"), "pq", grad=False)
row("sn_shift_right", "sn_shift_right(in[0], in[1])", lambda a, b: torch.floor(a / 2 ** b), TWO, ("i32", "i64", "i16"), "rq", grad=False)
row("sn_where", "sn_where(in[0], in[1], in[2])", torch.where, [((), (), ()), ((5,), (5,), (5,)), ((3, 1), (3, 4), (4,)), ((1,), (0,), (1,)),
                                                              ((2, 1, 3), (4, 1), ())], REALS, "brr")
row("sn_is_close", "sn_is_close(in[0], in[1], d[0], d[1], false)", lambda a, b, r, t: torch.isclose(a, b, r, t), TWO, WIDE, "ii",
    [(0.1, 0.5), (0.0, 0.0)], grad=False)

# ---- an operand and a number
for name, fn in [("add", lambda x, v: x + v), ("sub", lambda x, v: x - v), ("rsub", lambda x, v: v - x), ("mul", lambda x, v: x * v),
                 ("div", lambda x, v: x / v)]:
    row("sn_%s_scalar" % name, "sn_%s_scalar(in[0], d[0])" % name, fn, ONE, attrs=[(2.0,), (-0.5,)])
for name, fn in [("rdiv", lambda x, v: v / x), ("pow", lambda x, v: x ** v), ("rpow", lambda x, v: abs(v) ** x if v > 0 else x * np.nan)]:
    row("sn_%s_scalar" % name, "sn_%s_scalar(in[0], d[0])" % name, fn, ONE, domains="p", attrs=[(2.0,), (0.5,), (3.0,)])
for name, fn in [("rem", torch.fmod), ("floor_mod", torch.remainder)]:
    row("sn_%s_scalar" % name, "sn_%s_scalar(in[0], d[0])" % name, lambda x, v, fn=fn: fn(x, torch.tensor(v)), ONE, attrs=[(2.0,), (1.5,)])
row("sn_floor_div_scalar", "sn_floor_div_scalar(in[0], d[0])", lambda x, v: torch.floor_divide(x, v), ONE, attrs=[(2.0,), (1.5,)],
    grad=False)
for name, fn in [("maximum", torch.maximum), ("minimum", torch.minimum)]:
    row("sn_%s_scalar" % name, "sn_%s_scalar(in[0], d[0])" % name, lambda x, v, fn=fn: fn(x, torch.tensor(v)), ONE, attrs=[(0.25,)])
for name, fn in [("equal", torch.eq), ("not_equal", torch.ne), ("less", torch.lt), ("less_equal", torch.le), ("greater", torch.gt),
                 ("greater_equal", torch.ge)]:
    row("sn_%s_scalar" % name, "sn_%s_scalar(in[0], d[0])" % name, fn, ONE, REALS, "i", [(2.0,)], grad=False)
row("sn_where_scalar", "sn_where_scalar(in[0], in[1], d[0])", lambda c, x, v: torch.where(c, x, torch.tensor(v)), TWO, REALS, "br", [(3.0,)])

# ---- reductions
REDUCE = "%s(in[0], .axes = SN_AXES((int)k[0]), .keepdims = k[1])"
AXES = [(0, 0), (-1, 1), (-1, 0)]


def reduction(name, fn, shapes=LINES, c=None, all_axes=True, **options):
    row("sn_" + name, c or REDUCE % ("sn_" + name), lambda x, axis, keep: fn(x, dim=axis, keepdim=bool(keep)), shapes, attrs=AXES,
        name="sn_%s_axis" % name, **options)
    if all_axes:
        row("sn_" + name, "sn_%s(in[0])" % name, lambda x: fn(x.reshape(-1), dim=0, keepdim=False), NOT_EMPTY, **options)


reduction("sum", torch.sum, dtypes=FLOATS + ("i32", "i64"))
reduction("mean", torch.mean)
reduction("prod", torch.prod)
reduction("max", torch.amax, dtypes=FLOATS)
reduction("min", torch.amin, dtypes=FLOATS)
reduction("logsumexp", torch.logsumexp)
for name, fn in [("var", torch.var), ("std", torch.std)]:
    row("sn_" + name, "sn_%s(in[0], .axes = SN_AXES((int)k[0]), .keepdims = k[1], .ddof = k[2])" % name,
        lambda x, a, keep, ddof, fn=fn: fn(x, dim=a, keepdim=bool(keep), correction=ddof), [((7,),), ((3, 4),), ((5, 3, 4),)],
        attrs=[(0, 0, 0), (-1, 1, 1), (-1, 0, 1)])
for name, ord_ in [("norm", 2), ("norm_one", 1), ("norm_three", 3), ("norm_most", np.inf)]:
    row("sn_norm", "sn_norm(in[0], .axes = SN_AXES((int)k[0]), .keepdims = k[1], .ord = %s)" % ("INFINITY" if ord_ == np.inf else ord_),
        lambda x, a, keep, o=ord_: torch.linalg.vector_norm(x, o, a, bool(keep)), LINES, attrs=AXES, name="sn_" + name)
row("sn_count_nonzero", "sn_count_nonzero(in[0], .axes = SN_AXES((int)k[0]))", lambda x, a: torch.count_nonzero(x, a), LINES, REALS, "i",
    [(0,), (-1,)], grad=False)
for name, fn in [("all", torch.all), ("any", torch.any)]:
    row("sn_" + name, "sn_%s(in[0], .axes = SN_AXES((int)k[0]))" % name, fn, LINES, ("bool",), "b", [(0,), (-1,)], grad=False)
for name, fn in [("argmax", torch.argmax), ("argmin", torch.argmin)]:
    row("sn_" + name, "sn_%s(in[0], (int)k[0])" % name, fn, LINES, WIDE, "r", [(0,), (-1,)], grad=False)
for name, fn in [("cumsum", torch.cumsum), ("cumprod", torch.cumprod)]:
    row("sn_" + name, "sn_%s(in[0], (int)k[0])" % name, fn, LINES, attrs=[(0,), (-1,)])
for name, fn in [("cummax", torch.cummax), ("cummin", torch.cummin)]:
    row("sn_" + name, "sn_%s(in[0], (int)k[0])" % name, lambda x, a, fn=fn: fn(x, a)[0], LINES, WIDE, attrs=[(0,), (-1,)])
for name, fn in [("softmax", F.softmax), ("log_softmax", F.log_softmax)]:
    row("sn_" + name, "sn_%s(in[0], (int)k[0])" % name, lambda x, a, fn=fn: fn(x, dim=a), LINES, attrs=[(0,), (-1,)])

# ---- order
for down in (0, 1):
    row("sn_sort", "sn_sort(in[0], (int)k[0], .descending = %d)" % down, lambda x, a, d=down: torch.sort(x, dim=a, descending=bool(d), stable=True)[0], LINES, WIDE,
        attrs=[(0,), (-1,)], name="sn_sort" + "_down" * down)
    row("sn_argsort", "sn_argsort(in[0], (int)k[0], .descending = %d)" % down, lambda x, a, d=down: torch.sort(x, dim=a, descending=bool(d), stable=True)[1],
        LINES, WIDE + ("i32",), attrs=[(0,), (-1,)], grad=False, name="sn_argsort" + "_down" * down)
row("sn_top_k", "sn_top_k(in[0], k[0], NULL)", lambda x, k: torch.topk(x, k)[0], [((7,),), ((3, 4),), ((2, 3, 5),)], WIDE, attrs=[(1,), (3,)])
row("sn_median", "sn_median(in[0], (int)k[0])", lambda x, a: torch.quantile(x, 0.5, a), LINES, WIDE, attrs=[(0,), (-1,)])
row("sn_quantile", "sn_quantile(in[0], d[0], (int)k[0])", lambda x, a, q: torch.quantile(x, q, a), LINES, WIDE,
    attrs=[(0, 0.25), (-1, 0.9), (0, 0.0), (-1, 1.0)])
row("sn_searchsorted", "sn_searchsorted(sn_sort(in[0], -1), in[1])", lambda s, v: torch.searchsorted(torch.sort(s)[0], v),
    [((7,), (3,)), ((2, 5), (2, 4)), ((1,), (6,))], WIDE, "rr", grad=False)
row("sn_take_along_axis", "sn_take_along_axis(in[0], in[1], (int)k[0])", lambda x, i, a: torch.take_along_dim(x, i.long(), a),
    [((4, 3), (4, 3)), ((5, 2), (5, 2))], FLOATS, "rx", [(0,), (1,)])

# ---- shapes
SHAPED = FLOATS + ("i32", "i8")
row("sn_transpose", "sn_transpose(in[0])", lambda x: x.permute(*range(x.dim())[::-1]), LINES, SHAPED)
row("sn_ravel", "sn_ravel(in[0])", torch.ravel, ONE, SHAPED)
row("sn_reshape", "sn_reshape(in[0], SN_SHAPE(k[0], -1))", lambda x, k: x.reshape(k, -1), [((6, 4),), ((2, 3, 4),), ((12,),)], SHAPED,
    attrs=[(2,), (3,)])
row("sn_permute", "sn_permute(in[0], (int[]){2, 0, 1}, 3)", lambda x: x.permute(2, 0, 1), [((2, 3, 4),), ((1, 5, 2),), ((3, 0, 2),)], SHAPED)
row("sn_expand_dims", "sn_expand_dims(in[0], (int)k[0])", torch.unsqueeze, NOT_EMPTY, WIDE, attrs=[(0,), (-1,)])
row("sn_squeeze", "sn_squeeze(in[0], (int)k[0])", torch.squeeze, [((1, 5, 1),), ((1, 1),), ((1, 3, 1),)], SHAPED, attrs=[(0,), (-1,)])
row("sn_broadcast_to", "sn_broadcast_to(in[0], SN_SHAPE(2, 3, 4))", lambda x: x.broadcast_to(2, 3, 4),
    [((),), ((4,),), ((3, 1),), ((2, 1, 4),)], SHAPED)
row("sn_flip", "sn_flip(in[0], .axes = SN_AXES((int)k[0]))", lambda x, a: torch.flip(x, [a]), LINES, SHAPED, attrs=[(0,), (-1,)])
row("sn_roll", "sn_roll(in[0], k[0], (int)k[1])", torch.roll, LINES, SHAPED, attrs=[(2, 0), (-3, -1)])
row("sn_repeat", "sn_repeat(in[0], k[0], (int)k[1])", torch.repeat_interleave, LINES, SHAPED, attrs=[(2, 0), (3, -1)])
row("sn_tile", "sn_tile(in[0], (int64_t[]){2, 3}, 2)", lambda x: torch.tile(x, (2, 3)), LINES, SHAPED)
row("sn_move_axis", "sn_move_axis(in[0], (int)k[0], (int)k[1])", torch.movedim, [((2, 3, 4),), ((2, 1, 3, 2),)], SHAPED, attrs=[(0, -1), (2, 0)])
row("sn_swap_axes", "sn_swap_axes(in[0], (int)k[0], (int)k[1])", torch.swapaxes, [((2, 3, 4),), ((2, 1, 3, 2),)], SHAPED, attrs=[(0, -1), (1, 0)])
row("sn_matrix_transpose", "sn_matrix_transpose(in[0])", lambda x: x.mT, [((3, 4),), ((2, 3, 4),), ((0, 2),)], SHAPED)
row("sn_diff", "sn_diff(in[0], k[0], (int)k[1])", torch.diff, [((7,),), ((3, 4),), ((5, 3, 4),)], WIDE + ("i32",), attrs=[(1, 0), (2, 0), (1, -1)])
row("sn_index", "sn_index(in[0], (int)k[0], k[1])", torch.select, LINES[:3], SHAPED, attrs=[(0, 1), (-1, -1)])
row("sn_slice", "sn_slice(in[0], (sn_range_spec[]){SN_RANGE(1, SN_END, 2)}, 1)", lambda x: x[1::2], LINES, SHAPED)
row("sn_pad", "sn_pad(in[0], (int64_t[]){1, 0}, (int64_t[]){2, 1}, 2, d[0])", lambda x, v: F.pad(x, (0, 1, 1, 2), value=v), [((3, 4),), ((1, 2),), ((5, 1),)],
    SHAPED, attrs=[(0.0,), (3.0,)])
for name, rule in [("reflect", "reflect"), ("edge", "replicate"), ("wrap", "circular")]:
    row("sn_pad_with", "sn_pad_with(in[0], (int64_t[]){0, 1}, (int64_t[]){0, 2}, 2, SN_PAD_%s)" % name.upper(),
        lambda x, r=rule: F.pad(x[None], (1, 2), r)[0], [((3, 4),), ((1, 5),), ((2, 3),)], WIDE, name="sn_pad_" + name)
row("sn_concat", "sn_concat(in, 2, (int)k[0])", lambda a, b, x: torch.concat((a, b), x), [((3, 4), (3, 4)), ((2, 2, 1), (2, 2, 1)), ((5,), (5,))], SHAPED,
    "rr", [(0,), (-1,)])
row("sn_stack", "sn_stack(in, 2, (int)k[0])", lambda a, b, x: torch.stack((a, b), x), [((3, 4), (3, 4)), ((), ()), ((5,), (5,))], SHAPED, "rr", [(0,), (-1,)])
row("sn_split", "sn_split(in[0], 2, (int)k[0], pieces), pieces[1]", lambda x, a: torch.chunk(x, 2, a)[1], [((4, 6),), ((2, 3, 2),)], SHAPED, attrs=[(0,), (-1,)])
row("sn_unstack", "sn_unstack(in[0], 0, pieces, 3), pieces[2]", lambda x: torch.unbind(x)[2], [((3, 4),), ((3,),), ((3, 2, 2),)], SHAPED)
for name in "tril triu".split():
    row("sn_" + name, "sn_%s(in[0], k[0])" % name, getattr(torch, name), [((3, 4),), ((2, 4, 3),), ((0, 3),)], SHAPED, attrs=[(0,), (1,), (-1,)])
row("sn_diagonal", "sn_diagonal(in[0], k[0])", lambda x, k: torch.diagonal(x, k, -2, -1), [((3, 4),), ((2, 4, 3),)], SHAPED, attrs=[(0,), (1,), (-1,)])
row("sn_diag", "sn_diag(in[0], k[0])", torch.diag_embed, [((4,),), ((2, 3),)], SHAPED, attrs=[(0,), (1,), (-1,)])
row("sn_trace", "sn_trace(in[0], k[0])", lambda x, k: torch.diagonal(x, k, -2, -1).sum(-1), [((3, 4),), ((2, 4, 3),)], WIDE + ("i32",), attrs=[(0,), (1,)])
row("sn_cast", "sn_cast(in[0], SN_F64)", lambda x: x, ONE, REALS)
row("sn_cast", "sn_cast(in[0], SN_I32)", torch.trunc, ONE, FLOATS, grad=False, name="sn_cast_i32")

# ---- products
row("sn_matmul", "sn_matmul(in[0], in[1])", torch.matmul, [((3, 4), (4, 5)), ((4,), (4, 2)), ((3, 4), (4,)), ((2, 3, 4), (4, 2)), ((2, 1, 3, 4), (5, 4, 2)),
                                                          ((3, 0), (0, 2)), ((0, 3), (3, 2)), ((17, 33), (33, 9))], FLOATS + ("i32", "i64"), "rr")
row("sn_outer", "sn_outer(in[0], in[1])", torch.outer, [((3,), (4,)), ((1,), (5,)), ((0,), (2,))], SHAPED, "rr")
row("sn_vecdot", "sn_vecdot(in[0], in[1], -1)", torch.linalg.vecdot, [((5,), (5,)), ((3, 4), (3, 4)), ((2, 0), (2, 0))], FLOATS, "rr")
row("sn_cross", "sn_cross(in[0], in[1])", torch.linalg.cross, [((3,), (3,)), ((4, 3), (4, 3)), ((2, 1, 3), (2, 1, 3))], FLOATS, "rr")
row("sn_kron", "sn_kron(in[0], in[1])", torch.kron, [((3,), (2,)), ((2, 3), (3, 2)), ((3,), (2, 2))], FLOATS, "rr")
row("sn_tensordot", "sn_tensordot(in[0], in[1], (int[]){1, 0}, (int[]){0, 1}, 2)", lambda a, b: torch.tensordot(a, b, ([1, 0], [0, 1])),
    [((3, 4, 5), (4, 3, 2)), ((2, 2), (2, 2))], FLOATS, "rr")
for name, equation in [("", "ij,jk->ik"), ("_sum", "ij,ij->"), ("_outer", "ab,bc->abc"), ("_turn", "ij,jk->ki")]:
    row("sn_einsum", 'sn_einsum("%s", in, 2)' % equation, lambda a, b, e=equation: torch.einsum(e, a, b), [((3, 3), (3, 3)), ((5, 5), (5, 5))], FLOATS, "rr",
        name="sn_einsum" + name)

# ---- factorisations: computed in f64 whatever the dtype
row("sn_cholesky", "sn_cholesky(in[0])", torch.linalg.cholesky, SQUARE, WIDE, "s")
row("sn_solve", "sn_solve(in[0], in[1])", torch.linalg.solve, [((3, 3), (3, 2)), ((2, 4, 4), (2, 4, 1)), ((1, 1), (1, 3))], WIDE, "sr")
row("sn_triangular_solve", "sn_triangular_solve(in[0], in[1], .lower = k[0])", lambda a, b, low: torch.linalg.solve_triangular(a, b, upper=not low),
    [((3, 3), (3, 2)), ((2, 4, 4), (2, 4, 1))], WIDE, "sr", [(0,), (1,)])
row("sn_inverse", "sn_inverse(in[0])", torch.linalg.inv, SQUARE, WIDE, "s")
row("sn_det", "sn_det(in[0])", torch.linalg.det, SQUARE, WIDE, "s")
row("sn_slogdet", "sn_slogdet(in[0], NULL)", lambda x: torch.linalg.slogdet(x)[1], SQUARE, WIDE, "s")
row("sn_qr", "sn_qr(in[0], NULL)", lambda x: torch.linalg.qr(x)[0], [((3, 3),), ((4, 2),), ((2, 5, 3),)], WIDE, "r")
row("sn_eigh", "sn_eigh(in[0], NULL)", lambda x: torch.linalg.eigvalsh((x + x.mT) / 2), SQUARE, WIDE, "s")
row("sn_svd", "sn_svd(in[0], NULL, NULL)", torch.linalg.svdvals, [((3, 3),), ((4, 2),), ((2, 3, 5),)], WIDE, "r")
row("sn_lstsq", "sn_lstsq(in[0], in[1])", lambda a, b: torch.linalg.lstsq(a, b).solution, [((4, 2), (4, 3)), ((2, 5, 3), (2, 5, 1))], WIDE, "rr")

# ---- indices
row("sn_gather", "sn_gather(in[0], in[1])", lambda x, i: x[i.long()], [((5, 3), (4,)), ((4,), (2, 3)), ((3, 2, 2), (5,))], SHAPED, "rx")
row("sn_scatter_add", "sn_scatter_add(in[0], in[1], in[2])", lambda x, i, u: x.index_add(0, i.long(), u), [((5, 3), (4,), (4, 3)), ((4,), (6,), (6,))], SHAPED, "rxr")
row("sn_one_hot", "sn_one_hot(in[0], k[0], SN_F32)", lambda i, n: F.one_hot(i.long(), n), [((4,),), ((2, 3),)], ("f32",), "x", [(2,), (5,)], grad=False)

# ---- losses and norms
row("sn_huber_loss", "sn_huber_loss(in[0], in[1], d[0])", lambda a, b, d: F.huber_loss(a, b, delta=d), [((5,), (5,)), ((3, 4), (3, 4)), ((1,), (1,))], FLOATS, "rr",
    [(1.0,), (0.5,)])
row("sn_mean_squared_error", "sn_mean_squared_error(in[0], in[1])", F.mse_loss, [((5,), (5,)), ((3, 4), (3, 4)), ((1,), (1,))], FLOATS, "rr")
row("sn_mean_absolute_error", "sn_mean_absolute_error(in[0], in[1])", F.l1_loss, [((5,), (5,)), ((3, 4), (3, 4)), ((1,), (1,))], FLOATS, "rr")
row("sn_softmax_cross_entropy", "sn_softmax_cross_entropy(in[0], in[1])", lambda x, z: -(z * F.log_softmax(x, -1)).sum(-1),
    [((3, 5), (3, 5)), ((4,), (4,)), ((2, 3, 2), (2, 3, 2))], FLOATS, "rp")
row("sn_sparse_softmax_cross_entropy", "sn_sparse_softmax_cross_entropy(in[0], in[1])", lambda x, i: F.cross_entropy(x, i.long(), reduction="none"),
    [((3, 5), (3,)), ((6, 3), (6,))], FLOATS, "rx")
row("sn_sigmoid_cross_entropy", "sn_sigmoid_cross_entropy(in[0], in[1])", lambda x, z: F.binary_cross_entropy_with_logits(x, z, reduction="none"),
    [((3, 5), (3, 5)), ((4,), (4,)), ((0, 2), (0, 2))], FLOATS, "ru")
row("sn_layer_norm", "sn_layer_norm(in[0], in[1], in[2], -1, 1e-3)", lambda x, s, o: F.layer_norm(x, x.shape[-1:], s, o, 1e-3),
    [((3, 5), (5,), (5,)), ((2, 3, 4), (4,), (4,))], FLOATS, "rrr")
row("sn_rms_norm", "sn_rms_norm(in[0], in[1], -1, 1e-3)", lambda x, s: F.rms_norm(x, x.shape[-1:], s, 1e-3), [((3, 5), (5,)), ((2, 3, 4), (4,))], FLOATS, "rr")
row("sn_group_norm", "sn_group_norm(in[0], in[1], in[2], 2, SN_CHANNELS_FIRST, 1e-3)", lambda x, s, o: F.group_norm(x, 2, s, o, 1e-3),
    [((2, 4, 3), (4,), (4,)), ((1, 6, 2, 2), (6,), (6,))], FLOATS, "rrr")
row("sn_l2_normalize", "sn_l2_normalize(in[0], -1, 1e-12)", lambda x: F.normalize(x, dim=-1), LINES, FLOATS, "p")
row("sn_glu", "sn_glu(in[0], -1)", lambda x: F.glu(x, -1), [((3, 8),), ((6,),), ((2, 2, 4),)])
row("sn_scaled_dot_product_attention", "sn_scaled_dot_product_attention(in[0], in[1], in[2], .causal = k[0])",
    lambda q, k, v, c: F.scaled_dot_product_attention(q, k, v, is_causal=bool(c)), [((2, 3, 4), (2, 3, 4), (2, 3, 2)), ((1, 6, 2), (1, 6, 2), (1, 6, 5))],
    FLOATS, "rrr", [(0,), (1,)])

# ---- images, channels first
IMAGES = [((2, 3, 6, 5), (4, 3, 3, 2)), ((1, 1, 7, 7), (2, 1, 3, 3)), ((2, 4, 5, 5), (3, 4, 1, 1))]
CONV = ".strides = {k[0], k[0]}, .padding = SN_PADDING_EXPLICIT, .pads = {{k[1], k[1]}, {k[1], k[1]}}, .data_format = SN_CHANNELS_FIRST"
KERNEL = "sn_permute(in[1], (int[]){2, 3, 1, 0}, 4)"
row("sn_conv", "sn_conv(in[0], %s, %s)" % (KERNEL, CONV), lambda x, w, s, p: F.conv2d(x, w, stride=s, padding=p), IMAGES, FLOATS, "rr", [(1, 0), (2, 1)])
row("sn_conv_transpose", "sn_conv_transpose(in[0], sn_permute(in[1], (int[]){2, 3, 1, 0}, 4), %s)" % CONV,
    lambda x, w, s, p: F.conv_transpose2d(x, w, stride=s, padding=p), [((2, 4, 3, 3), (4, 3, 3, 3)), ((1, 2, 4, 2), (2, 5, 3, 3))], FLOATS, "rr", [(1, 0), (2, 1)])
POOL = ".window = {2, 3}, .strides = {k[0], k[0]}, .padding = SN_PADDING_EXPLICIT, .pads = {{k[1], k[1]}, {k[1], k[1]}}, .data_format = SN_CHANNELS_FIRST"
PICTURES = [((2, 3, 6, 5),), ((1, 1, 4, 7),)]
row("sn_max_pool", "sn_max_pool(in[0], %s)" % POOL, lambda x, s, p: F.max_pool2d(x, (2, 3), s, p), PICTURES, WIDE, "r", [(1, 0), (2, 1)])
row("sn_avg_pool", "sn_avg_pool(in[0], %s)" % POOL, lambda x, s, p: F.avg_pool2d(x, (2, 3), s, p, count_include_pad=False), PICTURES, FLOATS, "r", [(1, 0), (2, 1)])
for kind in ("max", "avg"):
    row("sn_adaptive_%s_pool" % kind, "sn_adaptive_%s_pool(in[0], (int64_t[]){3, 2}, 2, SN_CHANNELS_FIRST)" % kind,
        lambda x, f=getattr(F, "adaptive_%s_pool2d" % kind): f(x, (3, 2)), PICTURES, WIDE, "r")

# ---- complex numbers: gradients of Re sum(y w), which both libraries give as dL/da + i dL/db
COMPLEX = ("c64", "c128")


def complex_row(op, c, fn, shapes, domains="r", **options):
    row(op, c, fn, shapes, COMPLEX, domains, name=op + "_complex", **options)


for name in "neg square exp expm1 sin cos tanh abs real imag".split():
    complex_row("sn_" + name, "sn_%s(in[0])" % name, getattr(torch, name), ONE)
complex_row("sn_conj", "sn_conj(in[0])", torch.conj_physical, ONE)
for name in "sqrt rsqrt reciprocal log log1p angle".split():
    complex_row("sn_" + name, "sn_%s(in[0])" % name, getattr(torch, name), ONE, "p")
for name in "add sub mul".split():
    complex_row("sn_" + name, "sn_%s(in[0], in[1])" % name, getattr(torch, name), TWO)
complex_row("sn_div", "sn_div(in[0], in[1])", torch.div, TWO, "rp")
complex_row("sn_pow", "sn_pow(in[0], in[1])", torch.pow, TWO, "pr")
complex_row("sn_equal", "sn_equal(in[0], in[1])", torch.eq, TWO, "ii", grad=False)
complex_row("sn_where", "sn_where(in[0], in[1], in[2])", torch.where, [((5,), (5,), (5,)), ((3, 1), (3, 4), (4,))], "brr")
row("sn_complex", "sn_complex(in[0], in[1])", torch.complex, [((), ()), ((5,), (5,)), ((2, 3), (2, 3)), ((0,), (0,))], WIDE)
row("sn_polar", "sn_polar(in[0], in[1])", torch.polar, [((), ()), ((5,), (5,)), ((2, 3), (2, 3)), ((0,), (0,))], WIDE, "pr")
for name, fn in [("sum", torch.sum), ("mean", torch.mean)]:
    complex_row("sn_" + name, REDUCE % ("sn_" + name), lambda x, axis, keep, fn=fn: fn(x, axis, bool(keep)), LINES, attrs=AXES)
complex_row("sn_prod", REDUCE % "sn_prod", lambda x, axis, keep: torch.prod(x, axis, bool(keep)), LINES, "p", attrs=AXES)
complex_row("sn_cumsum", "sn_cumsum(in[0], (int)k[0])", torch.cumsum, LINES, attrs=[(0,), (-1,)])
complex_row("sn_cumprod", "sn_cumprod(in[0], (int)k[0])", torch.cumprod, LINES, "p", attrs=[(0,), (-1,)])
complex_row("sn_matmul", "sn_matmul(in[0], in[1])", torch.matmul, [((2, 3), (3, 4)), ((1, 1), (1, 1)), ((2, 3, 2), (2, 5)), ((3, 0), (0, 2))])
complex_row("sn_fft", "sn_fft(in[0], (int)k[0])", lambda x, axis: torch.fft.fft(x, dim=axis), LINES, attrs=[(0,), (-1,)])
complex_row("sn_ifft", "sn_ifft(in[0], (int)k[0])", lambda x, axis: torch.fft.ifft(x, dim=axis), LINES, attrs=[(0,), (-1,)])
row("sn_rfft", "sn_rfft(in[0], (int)k[0])", lambda x, axis: torch.fft.rfft(x, dim=axis), LINES, WIDE, attrs=[(0,), (-1,)])
complex_row("sn_irfft", "sn_irfft(in[0], (int)k[0], .n = k[1])", lambda x, axis, n: torch.fft.irfft(x, n, axis), [((4,),), ((3, 5),), ((2, 3, 4),)],
            attrs=[(-1, 6), (-1, 5), (0, 3)])
row("sn_real", "sn_real(sn_mul(sn_cast(in[0], SN_C128), sn_complex(in[1], in[0])))", lambda a, b: (a * torch.complex(b, a)).real,
    [((5,), (5,)), ((2, 3), (2, 3))], ("f64",), name="sn_real_of_mixed")

# ---- windows of pixels
for method, mode in [("LINEAR", "bilinear"), ("CUBIC", "bicubic")]:
    row("sn_resize", "sn_resize(in[0], (int64_t[]){k[0], k[1]}, 2, SN_RESIZE_%s_ANTIALIAS, SN_CHANNELS_FIRST)" % method,
        lambda x, m, n, mode=mode: F.interpolate(x, (m, n), mode=mode, antialias=True), [((2, 3, 9, 7),), ((1, 1, 16, 5),), ((1, 2, 2, 3),)],
        attrs=[(4, 3), (3, 11), (1, 1)], name="sn_resize_%s" % method.lower())

# ---- cases
ROUND = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def draw(rng, domain, shape, dtype):
    """float64 numbers that dtype has; indices int64; truth bool."""
    if domain == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if domain == "x":
        return rng.integers(0, 2, shape)
    if domain == "q":
        return rng.integers(0, 5, shape).astype(float)
    if dtype in COMPLEX:
        a, b = (rng.integers(-2, 3, shape) if domain == "i" else rng.normal(size=shape) for _ in range(2))
        z = np.asarray((abs(a) + 0.5 if domain == "p" else a) + 1j * b, np.complex128)
        return np.asarray(z.astype(np.complex64), np.complex128) if dtype == "c64" else z
    if dtype not in ROUND or domain == "i":
        low = 1 if domain == "p" else 0 if dtype[0] == "u" else -9
        return np.asarray(rng.integers(low, 10, shape), float)
    x = rng.normal(size=shape) * 2
    if domain == "n":
        x = np.where(rng.random(shape) < 0.4, rng.choice([np.nan, np.inf, -np.inf, -0.0], shape), x)
    if domain == "p":
        x = rng.uniform(0.1, 4, shape)
    if domain == "u":
        x = rng.uniform(-0.9, 0.9, shape)
    if domain == "g":
        x = rng.uniform(1.1, 5, shape)
    if domain == "s":
        x = x @ np.swapaxes(x, -1, -2) + 4 * np.eye(shape[-1])
    return torch.as_tensor(x).to(ROUND[dtype]).double().numpy()


def reference(fn, arrays, attrs, grad, rng):
    operands = [torch.tensor(a, requires_grad=grad and a.dtype.kind in "fc") for a in arrays]
    y = fn(*operands, *attrs)
    if not grad or not y.requires_grad:
        y = y.detach()
        return (y if y.is_complex() else y.double()).numpy(), []
    weights = rng.uniform(-1, 1, tuple(y.shape))
    if y.is_complex():
        weights = np.asarray(weights + 1j * rng.uniform(-1, 1, tuple(y.shape)), np.complex128)
    (y * torch.as_tensor(weights)).real.sum().backward()
    zero = [torch.zeros_like(x) if x.grad is None else x.grad for x in operands if x.requires_grad]
    return y.detach().resolve_conj().numpy(), [weights] + [g.resolve_conj().numpy() for g in zero]


def write_case(out, name, dtype, attrs, arrays):
    k = [a for a in attrs if isinstance(a, int)]
    d = [a for a in attrs if not isinstance(a, int)]
    out.write(("%s %s %d %s %d %s %d\n" % (name, dtype, len(k), " ".join(map(str, k)), len(d), " ".join(map(str, d)), len(arrays))).encode())
    for role, x in arrays:
        kind = {"f": "f", "i": "i", "b": "b", "c": "c"}[x.dtype.kind]
        out.write(struct.pack("<ccbb4x8q", role.encode(), kind.encode(), x.ndim, 0, *(list(x.shape) + [0] * (8 - x.ndim))))
        out.write(np.ascontiguousarray(x).tobytes())


def main():
    folder, sample = pathlib.Path(sys.argv[1]), "--sample" in sys.argv
    with open(folder / "torch_ops.inc", "w") as inc:
        inc.write("// Written by tests/cross/torch_ops.py; do not edit. ROW(id, op, expression)\n// clang-format off\n")
        for name, op, c, *_ in ROWS:
            inc.write("ROW(%s, %s, (%s))\n" % (name, op, c))
    total = 0
    with open(folder / "torch_ops.cases", "wb") as out:
        for number, (name, op, c, fn, shapes, dtypes, domains, attrs, grad) in enumerate(ROWS):
            rng = np.random.default_rng(number)
            plan = list(itertools.product(shapes, dtypes, attrs))
            plan *= -(-20 // len(plan))
            if sample:
                plan = [plan[(7 * number) % len(plan)]]
            for shape, dtype, given in plan:
                kinds = (domains * len(shape))[: len(shape)]
                arrays = [draw(rng, kind, s, dtype) for kind, s in zip(kinds, shape)]
                y, rest = reference(fn, arrays, given, grad and (dtype in ROUND or dtype in COMPLEX), rng)
                write_case(out, name, dtype, given, [("i", a) for a in arrays] + [("y", y)] + list(zip("w" + "g" * 9, rest)))
                total += 1
    print("%d rows, %d ops, %d cases, torch %s" % (len(ROWS), len({r[1] for r in ROWS}), total, torch.__version__))


main()
