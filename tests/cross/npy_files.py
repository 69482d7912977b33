#!/usr/bin/env python3
"""npy_files.py > tests/e2e/npy_files.h: .npy files of NumPy's own making, as bytes.

Needs numpy and ml_dtypes, in a virtual environment outside of the repository. All arrays have the elements 1, 2, 3, ... in row-major order: bool
these modulo 2, complex ones k - k i.
"""
import io
import textwrap

import ml_dtypes
import numpy as np
from numpy.lib import format as npy_format

DTYPES = [("BOOL", "?"), ("I8", "i1"), ("U8", "u1"), ("I16", "i2"), ("U16", "u2"), ("I32", "i4"), ("U32", "u4"), ("I64", "i8"),
          ("U64", "u8"), ("F16", "f2"), ("F32", "f4"), ("F64", "f8"), ("C64", "c8"), ("C128", "c16")]


def array(descr, shape):
    k = np.arange(1, 1 + int(np.prod(shape))).reshape(shape)
    return (k * (1 - 1j) if "c" in descr else k % 2 if "?" in descr else k).astype(descr)


def row(name, suffix, x, version):
    out = io.BytesIO()
    npy_format.write_array(out, x, version)
    data = out.getvalue()
    shape = "{%d, {%s}}" % (x.ndim, ", ".join(map(str, x.shape)) or "0")
    text = "\n".join('     "%s"' % line for line in textwrap.wrap("".join("\\x%02x" % b for b in data), 88))
    print('    {"%s", SN_%s, %s, %d,\n%s},' % (name + suffix, name, shape, len(data), text))


def main():
    print("// Written by tests/cross/npy_files.py: files of NumPy %s." % np.__version__)
    print("// clang-format off")
    for name, descr in DTYPES:
        row(name, " C", array("<" + descr, (2, 3)), (1, 0))
        if np.dtype(descr).itemsize > 1:
            row(name, " big", array(">" + descr, (2, 1)), (1, 0))
    row("F32", " Fortran", np.asfortranarray(array("<f4", (2, 3, 4))), (1, 0))
    row("C64", " big Fortran", np.asfortranarray(array(">c8", (2, 3))), (1, 0))
    row("F64", " version 2", array("<f8", (3,)), (2, 0))
    row("I32", " version 3", array("<i4", (3,)), (3, 0))
    row("F32", " scalar", array("<f4", ()), (1, 0))
    row("F32", " empty", array("<f4", (0, 3)), (1, 0))
    row("BF16", " ml_dtypes", np.arange(1, 5).reshape(2, 2).astype(ml_dtypes.bfloat16), (1, 0))


main()
