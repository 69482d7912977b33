#!/usr/bin/env python3
"""VENV/bin/python tools/dtype_peers.py SOURCE: writes into tools/dtype_peers.txt which dtypes NumPy 2's ufuncs (SciPy's special ones
too) and TensorFlow's CPU kernels take, of those that VENV has. tools/op_table.py holds docs/ops.md and the ops' own dtypes against it.

A ufunc takes a dtype if it has a loop whose first operand has it (of two operands: both); a kernel if it is registered for it.
"""
import pathlib
import sys

DTYPES = ["bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64", "c64", "c128"]
CODES = dict(zip("?bhilqBHILQefdFD", ["bool", "i8", "i16", "i32", "i64", "i64", "u8", "u16", "u32", "u64", "u64", "f16", "f32", "f64", "c64",
                                     "c128"]))
TF_DTYPES = {"bool": "bool", "bfloat16": "bf16", "complex64": "c64", "complex128": "c128"}
TF_DTYPES |= {f"{kind}{bits}": f"{kind[0]}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64) if (kind, bits) != ("float", 8)}

# The ufunc that an op is, where tools/op_names.txt does not name it.
UFUNCS = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum", "all": "logical_and", "any": "logical_or", "cumsum": "add",
          "cumprod": "multiply", "cummax": "maximum", "cummin": "minimum", "clip": "_core.umath.clip"}
LINALG = {"cholesky": "cholesky_lo", "solve": "solve", "inverse": "inv", "det": "det", "slogdet": "slogdet", "eigh": "eigh_lo",
          "svd": "svd", "lstsq": "lstsq", "qr": "qr_reduced"}
# The kernel, and the attribute that is the operand's dtype, if that is not T.
KERNELS = {
    **{op: "".join(word.capitalize() for word in op.split("_")) for op in (
        "neg abs sign sqrt rsqrt square reciprocal floor ceil exp expm1 log log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh "
        "acosh atanh sigmoid erf erfc lgamma digamma identity sub mul pow maximum minimum floor_div floor_mod xlogy squared_difference "
        "equal not_equal less less_equal greater greater_equal is_nan is_inf is_finite real imag conj angle complex sum mean prod max "
        "min all any cumsum cumprod reshape expand_dims squeeze roll tile transpose split cholesky qr svd elu selu relu relu6 softplus "
        "softsign softmax unique").split()},
    "round": "Rint", "one_hot": "OneHot TI", "bincount": "DenseBincount Tidx", "nextafter": "NextAfter", "erfinv": "Erfinv", "add": "AddV2", "div": "RealDiv", "rem": "TruncateMod", "xlog1py": "Xlog1py",
    "divide_no_nan": "DivNoNan", "shift_left": "LeftShift", "shift_right": "RightShift", "and": "BitwiseAnd", "or": "BitwiseOr",
    "xor": "BitwiseXor", "not": "Invert", "where": "SelectV2", "add_n": "AddN", "argmax": "ArgMax", "argmin": "ArgMin", "top_k": "TopKV2",
    "searchsorted": "LowerBound", "bucketize": "Bucketize", "concat": "ConcatV2", "stack": "Pack", "unstack": "Unpack", "slice": "StridedSlice",
    "pad": "PadV2", "pad_with": "MirrorPad", "flip": "ReverseV2", "tril": "MatrixBandPart", "triu": "MatrixBandPart",
    "diagonal": "MatrixDiagPartV3", "diag": "MatrixDiagV3", "matmul": "BatchMatMulV2", "einsum": "Einsum", "triangular_solve": "MatrixTriangularSolve",
    "solve": "MatrixSolve", "inverse": "MatrixInverse", "det": "MatrixDeterminant", "slogdet": "LogMatrixDeterminant", "eigh": "SelfAdjointEigV2",
    "lstsq": "MatrixSolveLs", "gather": "GatherV2 Tparams", "gather_nd": "GatherNd Tparams", "scatter_nd": "ScatterNd",
    "tensor_scatter_nd": "TensorScatterUpdate", "scatter_add": "TensorScatterAdd", "scatter_max": "TensorScatterMax",
    "scatter_min": "TensorScatterMin", "segment_sum": "UnsortedSegmentSum", "segment_prod": "UnsortedSegmentProd",
    "segment_max": "UnsortedSegmentMax", "segment_min": "UnsortedSegmentMin", "segment_mean": "SegmentMean", "conv": "Conv2D",
    "max_pool": "MaxPool", "avg_pool": "AvgPool", "leaky_relu": "LeakyRelu", "log_softmax": "LogSoftmax",
    "sparse_softmax_cross_entropy": "SparseSoftmaxCrossEntropyWithLogits", "softmax_cross_entropy": "SoftmaxCrossEntropyWithLogits",
    "bitwise_count": "PopulationCount", "histogram": "HistogramFixedWidth", "broadcast_to": "BroadcastTo", "cast": "Cast SrcT",
    "bitcast": "Bitcast", "cross": "Cross", "fft": "FFT Tcomplex", "ifft": "IFFT Tcomplex", "rfft": "RFFT Treal", "irfft": "IRFFT Tcomplex",
    "polygamma": "Polygamma", "resize": "ResizeNearestNeighbor", "nonzero": "Where", "dynamic_slice": "Slice",
}


def numpy_rows(names):
    import numpy
    import scipy.special

    for op, name in names.items():
        name = UFUNCS.get(op, name)
        if op in LINALG:
            found = [getattr(numpy.linalg._umath_linalg, LINALG[op], None)]
        else:
            found = []
            for one in name.split(", "):
                place = scipy.special if one.startswith("scipy.special.") else numpy
                for part in one.removeprefix("scipy.special.").split("."):
                    place = getattr(place, part, None)
                found.append(place)
        taken = {CODES[loop[0]] for f in found if isinstance(f, numpy.ufunc) for loop in f.types
                 if loop[0] in CODES and (f.nin != 2 or loop[0] == loop[1])}
        if taken:
            yield op, "numpy", taken


def tensorflow_rows():
    import tensorflow
    from tensorflow.python.framework import kernels, op_def_registry

    def allowed(kernel, attribute):  # of the operation; no list: all
        of = [a for a in op_def_registry.get(kernel).attr if a.name == attribute]
        return [tensorflow.as_dtype(t).name for a in of for t in a.allowed_values.list.type] or list(TF_DTYPES)

    registered = {}
    for kernel in kernels.get_all_registered_kernels().kernel:
        if kernel.device_type == "CPU":
            registered.setdefault(kernel.op, []).append(
                {c.name: [tensorflow.as_dtype(t).name for t in c.allowed_values.list.type] for c in kernel.constraint})
    for op, kernel in KERNELS.items():
        name, _, attribute = kernel.partition(" ")
        if name not in registered:
            sys.exit(f"{op}: TensorFlow has no kernel {name}")
        taken = set()
        for constraints in registered[name]:  # one without a constraint is for all of the operation's
            dtypes = constraints.get(attribute or "T", allowed(name, attribute or "T"))
            taken |= set(map(TF_DTYPES.get, dtypes)) - {None}
        yield op, "tensorflow", taken


def main():
    source = pathlib.Path(sys.argv[1])
    cells = [[cell.strip() for cell in line.split("|")] for line in (source / "tools/op_names.txt").read_text().split("\n")
             if line and not line.startswith("#")]
    names = {row[0]: row[1] for row in cells}
    target, rows = source / "tools/dtype_peers.txt", {}
    if target.exists():
        for line in target.read_text().split("\n"):
            if line and not line.startswith("#"):
                op, peer, dtypes = [cell.strip() for cell in line.split("|")]
                rows[op, peer] = dtypes
    for peer in ("numpy", "tensorflow"):
        try:
            found = list(numpy_rows(names) if peer == "numpy" else tensorflow_rows())
        except ImportError:
            continue
        rows = {key: value for key, value in rows.items() if key[1] != peer}
        rows |= {(op, peer): " ".join(d for d in DTYPES if d in taken) for op, peer, taken in found}
    head = "# Dtypes that others take: op | whose | dtypes. Written by tools/dtype_peers.py (NumPy 2 and SciPy, TensorFlow 2.21); do not edit.\n"
    target.write_text(head + "".join(f"{op} | {peer} | {dtypes}\n" for (op, peer), dtypes in sorted(rows.items())))


if __name__ == "__main__":
    main()
