#!/usr/bin/env python3
"""Single ops in eager mode beside NumPy and torch, in turn in one run, on one core and one thread.

    bench/run --eager VENV [--dtype f32] [--shapes 4x4,32x32,...] [--json FILE] [OP...]    VENV: has NumPy and torch

Each result is held against float64 before anything is timed. Times are 5 % quantiles of the CPU time of many short samples; printed
are microseconds, and the better peer's time / Sinter's, of which the geometric mean comes last. torch's random numbers and NumPy's are
their own."""
import argparse
import json
import math
import os
import subprocess
import tempfile
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import numpy as np
import torch

torch.set_num_threads(1)
torch.set_grad_enabled(False)
SHAPES = "4x4,32x32,102x10,64x1000,6553x10,1000x1000,100000x10"
TORCH = {"f32": torch.float32, "f64": torch.float64, "i32": torch.int32, "i64": torch.int64, "bf16": torch.bfloat16, "f16": torch.float16}
NUMPY = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "f16": np.float16}
TOLERANCE = {"f32": 2e-6, "f64": 1e-13, "i32": 0, "i64": 0, "bf16": 2e-2, "f16": 2e-3}


def numpy_ops(a, b, i, dtype):
    draw = np.random.default_rng()
    return {
        "add": lambda: a + b, "mul_number": lambda: a * a.dtype.type(3), "exp": lambda: np.exp(a), "tanh": lambda: np.tanh(a),
        "relu": lambda: np.maximum(a, 0), "where": lambda: np.where(a > b, a, b), "sum": lambda: a.sum(dtype=a.dtype), "sum0": lambda: a.sum(0, dtype=a.dtype),
        "sum1": lambda: a.sum(1, dtype=a.dtype), "max0": lambda: a.max(0), "max1": lambda: a.max(1), "mean1": lambda: a.mean(1),
        "argmax0": lambda: a.argmax(0), "argmax1": lambda: a.argmax(1), "transpose": lambda: np.ascontiguousarray(a.T),
        "concat0": lambda: np.concatenate((a, b), 0), "concat1": lambda: np.concatenate((a, b), 1), "gather": lambda: a[i],
        "cumsum0": lambda: a.cumsum(0, dtype=a.dtype), "cumsum1": lambda: a.cumsum(1, dtype=a.dtype), "sort1": lambda: np.sort(a, 1, kind="stable"),
        "uniform": lambda: draw.random(a.shape, dtype=dtype), "normal": lambda: draw.standard_normal(a.shape, dtype=dtype),
    }


def torch_ops(x, y, i):
    return {
        "add": lambda: x + y, "mul_number": lambda: x * 3, "exp": lambda: x.exp(), "tanh": lambda: x.tanh(),
        "gelu": lambda: torch.nn.functional.gelu(x, approximate="tanh"), "sigmoid": lambda: x.sigmoid(), "relu": lambda: x.relu(),
        "where": lambda: torch.where(x > y, x, y), "sum": lambda: x.sum(dtype=x.dtype), "sum0": lambda: x.sum(0, dtype=x.dtype), "sum1": lambda: x.sum(1, dtype=x.dtype),
        "max0": lambda: x.amax(0), "max1": lambda: x.amax(1), "mean1": lambda: x.mean(1), "softmax": lambda: x.softmax(1),
        "logsumexp1": lambda: x.logsumexp(1), "argmax0": lambda: x.argmax(0), "argmax1": lambda: x.argmax(1),
        "transpose": lambda: x.t().contiguous(), "concat0": lambda: torch.cat((x, y), 0), "concat1": lambda: torch.cat((x, y), 1),
        "gather": lambda: x[i], "cumsum0": lambda: x.cumsum(0, dtype=x.dtype), "cumsum1": lambda: x.cumsum(1, dtype=x.dtype), "sort1": lambda: x.sort(dim=1, stable=True),
        "uniform": lambda: torch.rand_like(x), "normal": lambda: torch.randn_like(x),
    }


def quantile(run):
    def sample(calls):
        begin = time.thread_time_ns()
        for _ in range(calls):
            run()
        return (time.thread_time_ns() - begin) / 1e3
    sample(3)
    calls, times, total = 1, [], 0
    while calls < 1000 and sample(calls) < 30:
        calls *= 2
    while len(times) < 400 and (total < 8e4 or not times):
        us = sample(calls)
        times.append(us / calls)
        total += us
    return sorted(times)[len(times) // 20]


def make_inputs(folder, rows, columns, dtype):
    random = np.random.default_rng(rows * 7919 + columns)
    values = [random.integers(-100, 100, (rows, columns)) if dtype in ("i32", "i64") else random.standard_normal((rows, columns)) for _ in range(2)]
    a, b = (torch.from_numpy(v.astype(np.float64)).to(TORCH[dtype]).to(torch.float64).numpy() for v in values)
    i = random.integers(0, rows, rows)
    for name, value in (("a", a), ("b", b), ("i", i)):
        value.tofile(os.path.join(folder, name))
    return a, b, i


def check(folder, names, a, b, i, dtype):
    """The results that lie in the folder against float64, all of them."""
    wide = torch_ops(torch.from_numpy(a), torch.from_numpy(b), torch.from_numpy(i))
    for name in names:
        got = np.fromfile(os.path.join(folder, name))
        if name in ("uniform", "normal"):
            mean, spread = (0.5, 12**-0.5) if name == "uniform" else (0, 1)
            near = 5 * spread / math.sqrt(got.size)
            assert got.size == a.size and abs(got.mean() - mean) < near and (got.size < 1000 or abs(got.std() - spread) < 4 * near), name
            continue
        want = wide[name]()
        want = (want.values if name == "sort1" else want).numpy().astype(np.float64).ravel()
        axis = 1 if name[-1] == "1" else 0
        length = a.size if name == "sum" else a.shape[axis] if name[:3] in ("sum", "cum", "mea") else 1
        bound = TOLERANCE[dtype] * (math.sqrt(length) if name != "gelu" else 2) * (np.abs(want).max() + 1)
        assert got.shape == want.shape and np.abs(got - want).max() <= bound, f"{name} {a.shape}: {np.abs(got - want).max()} > {bound}"


def sinter(bench, folder, shape, dtype, names, *flags):
    out = subprocess.run([bench, folder, *shape, dtype, *flags, *names], check=True, capture_output=True, text=True).stdout
    return {line.split()[0]: float(line.split()[1]) for line in out.splitlines()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    parser.add_argument("--dtype", default="f32", choices=sorted(TORCH))
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--json")
    parser.add_argument("ops", nargs="*")
    arguments = parser.parse_args()
    bench, dtype, rows = os.path.join(os.path.dirname(arguments.bench), "sinter-bench-eager"), arguments.dtype, []
    print(f"{dtype}; NumPy {np.__version__}, torch {torch.__version__}; us of a call\n{'':24}{'sinter':>10}{'NumPy':>10}{'torch':>10}{'best/sinter':>12}")
    for shape in arguments.shapes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            sides = shape.split("x")
            a, b, i = make_inputs(folder, int(sides[0]), int(sides[1]), dtype)
            peers = [torch_ops(torch.from_numpy(a).to(TORCH[dtype]), torch.from_numpy(b).to(TORCH[dtype]), torch.from_numpy(i))]
            peers.insert(0, numpy_ops(a.astype(NUMPY[dtype]), b.astype(NUMPY[dtype]), i, NUMPY[dtype]) if dtype in NUMPY else {})
            before = set(os.listdir(folder))
            sinter(bench, folder, sides, dtype, arguments.ops, "--check")
            names = set(os.listdir(folder)) - before
            check(folder, names, a, b, i, dtype)
            for name in (n for n in peers[1] if n in names):
                mine = sinter(bench, folder, sides, dtype, [name])[name]
                theirs = [quantile(p[name]) if name in p else math.inf for p in peers]
                rows.append({"op": name, "shape": shape, "dtype": dtype, "sinter": mine, "numpy": theirs[0], "torch": theirs[1], "ratio": min(theirs) / mine})
                print(f"{name + ' ' + shape:24}{mine:10.3f}{theirs[0]:10.3f}{theirs[1]:10.3f}{min(theirs) / mine:12.2f}", flush=True)
    ratios = [r["ratio"] for r in rows]
    print(f"{len(rows)} rows, {sum(r >= 1 for r in ratios)} at least as fast; geometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=1)


main()
