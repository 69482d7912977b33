#!/usr/bin/env python3
"""The rows native.* of sinter-bench beside the same loops in jax, in turn in one run, on one core; times per step.

    bench/run --loops VENV [--rounds N] [ROW...]      VENV: a virtual environment that has jax

Of each row the least and the median CPU time of the rounds (of sinter-bench its own least and median of each round's samples), and
of the medians jax / Sinter; CPU time of the first calls. Inputs are alike, not equal: sinter-bench proves its own results."""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np

F32 = jnp.float32
DT = 0.01


def slope(s):
    return (s[1] - s[0]) * 10, s[0] * (28 - s[2]) - s[1], s[0] * s[1] - s[2] * (8 / 3)


def rk4(_, s):
    k, at = [], s
    for place in (0.5, 0.5, 1, None):
        k.append(slope(at))
        if place:
            at = tuple(x + d * (place * DT) for x, d in zip(s, k[-1]))
    return tuple(x + ((a + d) + (b + c) * 2) * (DT / 6) for x, a, b, c, d in zip(s, *k))


def rk4_array(_, x):
    def of(x):
        return jnp.stack(slope(x))
    k1 = of(x)
    k2 = of(x + k1 * (DT / 2))
    k3 = of(x + k2 * (DT / 2))
    k4 = of(x + k3 * DT)
    return x + ((k1 + k4) + (k2 + k3) * 2) * (DT / 6)


def lorenz(array):
    start = np.array([1, 2, 20], np.float32)
    if array:
        return lambda x: jax.lax.fori_loop(0, 10000, rk4_array, x), (start,), 10000
    return lambda *s: jax.lax.fori_loop(0, 10000, rk4, s), tuple(start), 10000


def newton():
    rng = np.random.default_rng(1)
    a = rng.uniform(-1, 1, (8, 8)).astype(np.float32) + 6 * np.eye(8, dtype=np.float32)
    b, x, unit = (rng.uniform(-3, 3, 8).astype(np.float32), np.zeros(8, np.float32), np.eye(8, dtype=np.float32))

    def run(a, b, unit, x):
        def step(_, x):
            f = x * x * x + (a * x).sum(1) - b
            return x - jnp.linalg.solve(a + unit * (x * x * 3), f)
        return jax.lax.fori_loop(0, 1000, step, x)
    return run, (a, b, unit, x), 1000


def moves(n):
    i = np.arange(40000)
    to, source = ((i * 37 % n).reshape(10000, 4).astype(np.int32), (i * 11 % n).reshape(10000, 4).astype(np.int32))

    def run(s, to, source):
        def step(s, xs):
            v = s[xs[1]]
            return s.at[xs[0]].add(v * 0.5), v.sum()
        return jax.lax.scan(step, s, (to, source))
    return run, (np.linspace(-1, 1, n, dtype=np.float32), to, source), 10000


def updates(n, branch):
    def update(s, at):
        v = s[at]
        return s.at[at].add(v * 0.5 - v + 1)

    def step(i, s):
        at = (i % 200).reshape(1)
        return jax.lax.cond(i % 2 == 0, update, lambda s, at: s, s, at) if branch else update(s, at)
    return lambda s: jax.lax.fori_loop(0, 100000, step, s), (np.linspace(-1, 1, n, dtype=np.float32),), 100000


def branches(branch):
    def step(_, x):
        if branch:
            return jax.lax.cond(x > 1, lambda x: x * 0.5, lambda x: x + 1, x)
        return jnp.where(x > 1, x * 0.5, x + 1)
    return lambda x: jax.lax.fori_loop(0, 10000, step, x), (np.float32(1.375),), 10000


ROWS = {
    "native.lorenz": lambda: lorenz(False),
    "native.lorenz.array": lambda: lorenz(True),
    "native.newton8": newton,
    "native.moves.1K": lambda: moves(256),
    "native.moves.64K": lambda: moves(16384),
    "native.update.1K": lambda: updates(256, False),
    "native.update.1M": lambda: updates(262144, False),
    "native.update.branch.1K": lambda: updates(256, True),
    "native.update.branch.1M": lambda: updates(262144, True),
    "native.branch": lambda: branches(True),
    "native.where": lambda: branches(False),
}


class Jax:
    def __init__(self, row):
        run, arguments, self.steps = ROWS[row]()
        self.arguments = [jnp.asarray(a) for a in arguments]
        self.run = jax.jit(run)
        begin = time.process_time()
        jax.block_until_ready(self.run(*self.arguments))
        self.compile_ms = (time.process_time() - begin) * 1e3

    def sample(self):
        begin = time.process_time()
        jax.block_until_ready(self.run(*self.arguments))
        return (time.process_time() - begin) / self.steps * 1e9


def sinter(bench, row):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([bench, "--modes", "call,run", "--json", out.name, "--samples", "15", row], check=True, stdout=subprocess.DEVNULL)
        rows = [r for r in json.load(open(out.name)) if r.get("name") == row]
    run = next(r for r in rows if r.get("mode") == "run")
    compile_ms = next((r["compile"]["first_call_cpu_ms"] for r in rows if "compile" in r), None)
    return run["cpu_min"] * 1e3, run["cpu_median"] * 1e3, compile_ms


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("rows", nargs="*")
    arguments = parser.parse_args()
    print(f"jax {jax.__version__}; ns a step, CPU time, one core")
    print(f"{'row':26}{'sinter':>9}{'median':>9}{'jax':>10}{'median':>10}{'jax/sinter':>12}{'compile ms':>16}")
    for row in ROWS:
        if arguments.rows and not any(row.startswith(r) for r in arguments.rows):
            continue
        peer, mine, peers = Jax(row), [], []
        for _ in range(arguments.rounds):
            mine.append(sinter(arguments.bench, row))
            peers += [peer.sample() for _ in range(15)]
        least, median = min(m[0] for m in mine), statistics.median(m[1] for m in mine)
        theirs, their_median = min(peers), statistics.median(peers)
        compiled = f"{mine[0][2] or 0:.0f}/{peer.compile_ms:.0f}"
        print(f"{row:26}{least:9.2f}{median:9.2f}{theirs:10.2f}{their_median:10.2f}{their_median / median:12.2f}{compiled:>16}", flush=True)


main()
