#!/usr/bin/env python3
"""check_npy.py SINTER: arrays go through `sinter run` with a graph that returns its input, and NumPy reads them back.

Every dtype that both have, C and Fortran order, both orders of bytes, versions 1 to 3, ranks 0 to 5, empty arrays. Exit status 77
without NumPy.
"""
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from numpy.lib import format as npy_format
except ImportError:
    print("NumPy is not installed: skipped")
    sys.exit(77)

DTYPES = {"?": "bool", "i1": "i8", "u1": "u8", "i2": "i16", "u2": "u16", "i4": "i32", "u4": "u32", "i8": "i64", "u8": "u64",
          "f2": "f16", "f4": "f32", "f8": "f64", "c8": "c64", "c16": "c128"}
SHAPES = [(), (0,), (7,), (3, 4), (4, 0, 2), (2, 3, 4), (1, 2, 1, 3, 2)]


def check(sinter, folder, x, version):
    with open(folder + "/x.npy", "wb") as file:
        npy_format.write_array(file, x, version)
    kind = DTYPES[x.dtype.newbyteorder("=").str.lstrip("<=|").replace("b1", "?")]
    spec = "%s[%s]" % (kind, ",".join(map(str, x.shape)))
    with open(folder + "/f.txt", "w") as file:
        file.write("func @f {\n  %%0 = parameter input 0 : %s\n  return %%0\n}\n" % spec)
    command = [sinter, "run", folder + "/f.txt", "--input", folder + "/x.npy", "--output", folder + "/y.npy", "--threads=1",
               "--backend=interpreter"]
    subprocess.run(command, check=True)
    y = np.load(folder + "/y.npy")
    native = x.astype(x.dtype.newbyteorder("="))
    if y.dtype != native.dtype or y.shape != x.shape or y.tobytes() != native.tobytes():
        sys.exit("%s, version %s: %s became %s" % (spec, version, x, y))


def main():
    rng = np.random.default_rng(1)
    n = 0
    with tempfile.TemporaryDirectory() as folder:
        for k, descr in enumerate(DTYPES):
            for shape in SHAPES:
                bits = rng.integers(0, 256, int(np.prod(shape)) * np.dtype(descr).itemsize, np.uint8)
                x = (bits % 2 if descr == "?" else bits).view(descr).reshape(shape)
                x = x.astype(x.dtype.newbyteorder("<>"[n % 2]))
                check(sys.argv[1], folder, np.asfortranarray(x) if n % 3 else x, [(1, 0), (2, 0), (3, 0)][(n + k) % 3])
                n += 1
    print("%d arrays went round, NumPy %s" % (n, np.__version__))


main()
