"""Runs Sinter, jax and NumPy on the same benchmarks in one run, their samples taken in turn.

    bench/run --peers VENV [--full] [--threads N] [--json FILE] [CASE...]

Each peer is a process of its own, pinned to the same cores, driven line by line: "setup CASE VARIANT", "sample SLOT N", "end SLOT".
A case is timed only after every peer's result has been held against Sinter's, which was held against a float64 oracle.
NumPy runs twice: with the OpenBLAS core type that Sinter uses ("numpy", for a fair comparison of step against step), and with
the presets of OPENBLAS_* unset, its fastest ("numpy.best").
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

BATCH, CLASSES, SGD_RATE, ADAM_RATE = 32, 10, 1e-3, 1e-4
MLPS = {"mlp8": (8, 30, 1), "mlp784": (784, 300, 100, 10)}
CHAINS = {"chain.gelu.1K": 1024, "chain.gelu.64K": 65536, "chain.gelu.1M": 1048576}
SOFTMAXES = {"softmax.ce_fb.32x10": (32, 10), "softmax.ce_fb.1024x1024": (1024, 1024)}
CASES = (["mlp8.sgd", "mlp8.adam", "mlp784.sgd", "mlp784.adam", "call.4", "call.eager_add"]
         + list(CHAINS) + list(SOFTMAXES))
SINTER_VARIANTS = {"call.4": ["graph", "run", "eager"], "call.eager_add": ["eager"]}


# ---- the data of bench/harness.c
def fill(n, seed):
    import numpy as np
    with np.errstate(over="ignore"):
        z = (np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
             + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float64) * 2.0 ** -23 - 1).astype(np.float32)


def mlp_data(widths):
    import numpy as np
    params = []
    for layer, (a, b) in enumerate(zip(widths, widths[1:])):
        limit = (6.0 / (a + b)) ** 0.5
        weights = (fill(a * b, layer + 1).astype(np.float64) * limit).astype(np.float32)
        params += [weights.reshape(a, b), np.zeros(b, np.float32)]
    x = fill(BATCH * widths[0], 100).reshape(BATCH, widths[0])
    if len(widths) == 4:
        return params, x, np.arange(BATCH, dtype=np.int32) % CLASSES
    return params, x, fill(BATCH, 101).reshape(BATCH, 1)


def softmax_data(rows, columns):
    import numpy as np
    logits = (fill(rows * columns, 1) * np.float32(4)).reshape(rows, columns)
    return logits, (np.arange(rows) * 7 % columns).astype(np.int32)


# ---- NumPy: hand-written, with out= everywhere
class NumpyMlp:
    def __init__(self, widths, adam):
        import numpy as np
        self.np, self.adam = np, adam
        self.initial, self.x, self.y = mlp_data(widths)
        self.params = [p.copy() for p in self.initial]
        self.grads = [np.empty_like(p) for p in self.params]
        self.scratch = [np.empty_like(p) for p in self.params]
        self.m = [np.zeros_like(p) for p in self.params]
        self.v = [np.zeros_like(p) for p in self.params]
        self.acts = [np.empty((BATCH, w), np.float32) for w in widths[1:]]
        self.cotangents = [np.empty((BATCH, w), np.float32) for w in widths[1:]]
        self.masks = [np.empty((BATCH, w), bool) for w in widths[1:]]
        self.classify = len(widths) == 4
        self.rows = np.arange(BATCH)
        self.column = np.empty((BATCH, 1), np.float32)
        self.t = 0
        self.check = [self.step() for _ in range(10)][-1]

    def reset(self):
        self.t = 0
        for p, initial, m, v in zip(self.params, self.initial, self.m, self.v):
            p[...] = initial
            m[...] = 0
            v[...] = 0

    def loss(self):
        np, y, dy = self.np, self.acts[-1], self.cotangents[-1]
        if self.classify:
            np.max(y, axis=1, keepdims=True, out=self.column)
            np.subtract(y, self.column, out=y)
            np.exp(y, out=dy)
            np.sum(dy, axis=1, keepdims=True, out=self.column)
            loss = (np.log(self.column[:, 0]) - y[self.rows, self.y]).mean()
            np.divide(dy, self.column, out=dy)
            dy[self.rows, self.y] -= 1
            np.multiply(dy, np.float32(1 / BATCH), out=dy)
            return float(loss)
        np.subtract(y, self.y, out=y)
        np.clip(y, -1, 1, out=dy)
        loss = (dy * (y - np.float32(0.5) * dy)).mean()  # Huber by its own derivative
        np.multiply(dy, np.float32(1 / BATCH), out=dy)
        return float(loss)

    def step(self):
        np, p, g = self.np, self.params, self.grads
        below, layers = self.x, len(self.acts)
        for i, act in enumerate(self.acts):
            np.matmul(below, p[2 * i], out=act)
            np.add(act, p[2 * i + 1], out=act)
            if i + 1 < layers:
                np.maximum(act, 0, out=act)
            below = act
        loss = self.loss()
        for i in reversed(range(layers)):
            dy = self.cotangents[i]
            x = self.acts[i - 1] if i else self.x
            np.matmul(x.T, dy, out=g[2 * i])
            np.sum(dy, axis=0, out=g[2 * i + 1])
            if i:
                np.matmul(dy, p[2 * i].T, out=self.cotangents[i - 1])
                np.greater(x, 0, out=self.masks[i - 1])
                np.multiply(self.cotangents[i - 1], self.masks[i - 1], out=self.cotangents[i - 1])
        if self.adam:
            self.update_adam()
        else:
            for a, b, s in zip(p, g, self.scratch):
                np.multiply(b, np.float32(SGD_RATE), out=s)
                np.subtract(a, s, out=a)
        return loss

    def update_adam(self):
        np = self.np
        self.t += 1
        rate = np.float32(ADAM_RATE * (1 - 0.999 ** self.t) ** 0.5 / (1 - 0.9 ** self.t))
        for p, g, m, v, s in zip(self.params, self.grads, self.m, self.v, self.scratch):
            np.multiply(m, np.float32(0.9), out=m)
            np.multiply(g, np.float32(0.1), out=s)
            np.add(m, s, out=m)
            np.multiply(v, np.float32(0.999), out=v)
            np.multiply(g, g, out=s)
            np.multiply(s, np.float32(0.001), out=s)
            np.add(v, s, out=v)
            np.sqrt(v, out=s)
            np.add(s, np.float32(1e-8), out=s)
            np.divide(m, s, out=s)
            np.multiply(s, rate, out=s)
            np.subtract(p, s, out=p)


class NumpyCall:
    def __init__(self, add):
        import numpy as np
        a, b, c, d = (fill(16, i + 1) for i in range(4))
        t, out = np.empty(16, np.float32), np.empty(16, np.float32)
        if add:
            self.step = lambda: np.add(a, b)
        else:
            self.step = lambda: np.add(np.add(a, np.multiply(b, c, out=t), out=out), d, out=out)
        self.check = float(self.step().sum())


class NumpyChain:
    def __init__(self, n):
        import numpy as np
        a, b = fill(n, 1), fill(n, 2)
        x, t = np.empty(n, np.float32), np.empty(n, np.float32)
        scale, cubic, half = np.float32((2 / np.pi) ** 0.5), np.float32(0.044715), np.float32(0.5)

        def step():
            np.add(a, b, out=x)
            np.multiply(x, x, out=t)
            np.multiply(t, cubic, out=t)
            np.add(t, 1, out=t)
            np.multiply(t, x, out=t)
            np.multiply(t, scale, out=t)
            np.tanh(t, out=t)
            np.add(t, 1, out=t)
            np.multiply(t, half, out=t)
            return np.multiply(t, x, out=t)

        self.step = step
        self.check = float(step().sum(dtype=np.float64))


class NumpySoftmax:
    def __init__(self, rows, columns):
        import numpy as np
        x, labels = softmax_data(rows, columns)
        index, g = np.arange(rows), np.empty_like(x)
        column, total = np.empty((rows, 1), np.float32), np.empty((rows, 1), np.float32)
        scale = np.float32(1 / rows)

        def step():
            np.max(x, axis=1, keepdims=True, out=column)
            np.subtract(x, column, out=g)
            picked = g[index, labels]
            np.exp(g, out=g)
            np.sum(g, axis=1, keepdims=True, out=total)
            np.divide(g, total, out=g)
            g[index, labels] -= 1
            np.multiply(g, scale, out=g)
            return float((np.log(total[:, 0]) - picked).mean())

        self.step = step
        self.check = step()


def numpy_case(name):
    if name in CHAINS:
        return NumpyChain(CHAINS[name])
    if name in SOFTMAXES:
        return NumpySoftmax(*SOFTMAXES[name])
    if name.startswith("call"):
        return NumpyCall(name == "call.eager_add")
    model, optimizer = name.split(".")
    return NumpyMlp(MLPS[model], optimizer == "adam")


def numpy_info():
    import numpy
    info = {"numpy": numpy.__version__}
    try:
        import threadpoolctl
        numpy.ones((2, 2)) @ numpy.ones((2, 2))
        for pool in threadpoolctl.threadpool_info():
            info["blas"] = "%s %s" % (pool.get("internal_api"), pool.get("version"))
            info["blas_core"] = pool.get("architecture")
    except ImportError:
        info["blas_core"] = "unknown: threadpoolctl is not installed"
    return info


# ---- jax: jit, donated state, block_until_ready
class JaxMlp:
    def __init__(self, widths, adam, checked_steps=10):
        import jax
        import jax.numpy as jnp
        params, x, y = mlp_data(widths)
        classify = len(widths) == 4
        self.jax, self.adam, self.initial = jax, adam, params
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)

        def loss_of(p, x, y):
            for i in range(0, len(p), 2):
                x = x @ p[i] + p[i + 1]
                if i + 2 < len(p):
                    x = jax.nn.relu(x)
            if classify:
                return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1).mean()
            e = x - y
            size = jnp.abs(e)
            return jnp.where(size <= 1, e * e / 2, size - 0.5).mean()

        def sgd(state, x, y):
            loss, g = jax.value_and_grad(loss_of)(state, x, y)
            return loss, [p - SGD_RATE * d for p, d in zip(state, g)]

        def adam_step(state, x, y):
            p, m, v, t = state
            loss, g = jax.value_and_grad(loss_of)(p, x, y)
            t = t + 1
            rate = ADAM_RATE * jnp.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
            m = [0.9 * a + 0.1 * d for a, d in zip(m, g)]
            v = [0.999 * a + 0.001 * d * d for a, d in zip(v, g)]
            p = [a - rate * b / (jnp.sqrt(c) + 1e-8) for a, b, c in zip(p, m, v)]
            return loss, (p, m, v, t)

        self.function = jax.jit(adam_step if adam else sgd, donate_argnums=0)
        self.reset()
        self.check = [float(self.step()) for _ in range(checked_steps)][-1]

    def reset(self):
        put = self.jax.device_put
        p = [put(a) for a in self.initial]
        if self.adam:
            import numpy as np
            self.state = (p, [put(0 * a) for a in self.initial], [put(0 * a) for a in self.initial],
                          put(np.float32(0)))
        else:
            self.state = p

    def step(self):
        loss, self.state = self.function(self.state, self.x, self.y)
        return loss.block_until_ready()


class JaxFunction:
    def __init__(self, function, *arguments):
        import jax
        import numpy as np
        compiled = jax.jit(function)
        arguments = [jax.device_put(a) for a in arguments]
        self.step = lambda: jax.block_until_ready(compiled(*arguments))
        first = jax.tree_util.tree_leaves(self.step())[0]
        self.check = float(np.asarray(first).sum(dtype=np.float64))


def jax_case(name):
    import jax
    import jax.numpy as jnp
    if name in CHAINS:
        n = CHAINS[name]
        return JaxFunction(lambda a, b: jax.nn.gelu(a + b), fill(n, 1), fill(n, 2))
    if name in SOFTMAXES:
        logits, labels = softmax_data(*SOFTMAXES[name])

        def loss(x, y):
            return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1).mean()

        return JaxFunction(jax.value_and_grad(loss), logits, labels)
    if name.startswith("call"):
        a, b, c, d = (fill(16, i + 1) for i in range(4))
        if name == "call.4":
            return JaxFunction(lambda a, b, c, d: a + b * c + d, a, b, c, d)
        x, y = jnp.asarray(a), jnp.asarray(b)
        case = JaxFunction(lambda a, b: a + b, a, b)
        case.step = lambda: (x + y).block_until_ready()
        return case
    model, optimizer = name.split(".")
    return JaxMlp(MLPS[model], optimizer == "adam")


def jax_info():
    import jax
    return {"jax": jax.__version__}


# ---- a worker: one peer in a process of its own
def measure(case, iterations):
    step = case.step
    if hasattr(case, "reset"):
        case.reset()
    start = time.perf_counter()
    for _ in range(iterations):
        step()
    return (time.perf_counter() - start) / iterations * 1e6


def calibrate(case, sample_ms):
    iterations = 1
    while True:
        us = measure(case, iterations)
        if us * iterations >= sample_ms * 1000:
            return iterations
        iterations = int(iterations * min(100, sample_ms * 1200 / max(us * iterations, 0.1))) + 1


def work(kind, sample_ms):
    make, info = (jax_case, jax_info) if kind == "jax" else (numpy_case, numpy_info)
    slots = {}
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "info":
                answer = info()
            elif words[0] == "setup":
                case = make(words[1])
                for _ in range(3):
                    case.step()
                iterations = calibrate(case, sample_ms)
                slot = len(slots)
                slots[slot] = (case, iterations)
                answer = {"slot": slot, "check": case.check, "iterations": iterations}
            elif words[0] == "sample":
                case, iterations = slots[int(words[1])]
                answer = {"us": [measure(case, iterations) for _ in range(int(words[2]))], "error": ""}
            elif words[0] == "end":
                slots[int(words[1])] = None
                answer = {}
            else:
                answer = {"error": "unknown command"}
        except Exception as failure:  # told to the driver, which goes on
            answer = {"error": "%s: %s" % (type(failure).__name__, failure)}
        print(json.dumps(answer), flush=True)


# ---- the driver
class Peer:
    def __init__(self, name, command, environment, cores):
        self.name = name
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=lambda: os.sched_setaffinity(0, cores))

    def ask(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("%s died at: %s" % (self.name, text))
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def summary(samples):
    ordered = sorted(samples)
    quarters = statistics.quantiles(ordered, n=4)
    return {"median": statistics.median(ordered), "min": ordered[0], "iqr": quarters[2] - quarters[0],
            "samples": len(ordered)}


def cold_jax(arguments, environment, cores):
    """Wall time and peak memory from process start to the first train step's result in jax, median of 3."""
    walls, peak = [], 0.0
    for _ in range(3):
        start = time.perf_counter()
        out = subprocess.run([sys.executable, __file__, "--first-step"], env=environment, capture_output=True, text=True,
                             preexec_fn=lambda: os.sched_setaffinity(0, cores), check=True).stdout
        walls.append((time.perf_counter() - start) * 1e3)
        peak = max(peak, float(out))
    return {"jax.cold.start_ms": round(statistics.median(walls), 1), "jax.cold.peak_mb": round(peak, 1)}


def compare(case, peers, rounds):
    """All variants of a case, their samples in turn. Returns rows; a peer that fails or disagrees has an error instead."""
    running, rows, reference = [], [], None
    for peer in peers:
        variants = SINTER_VARIANTS.get(case, ["graph", "eager"] + ["c", "memory"] * case.startswith("chain"))
        for variant in variants if peer.name == "sinter" else [""]:
            answer = peer.ask("setup %s %s" % (case, variant))
            row = {"case": case, "peer": peer.name + ("." + variant if variant else ""), "us": []}
            rows.append(row)
            if answer.get("error"):
                row["error"] = answer["error"]
                continue
            reference = answer["check"] if reference is None else reference
            if variant != "memory" and abs(answer["check"] - reference) > 1e-4 * max(1.0, abs(reference)):
                row["error"] = "result %r, Sinter's is %r" % (answer["check"], reference)
            row["check"] = answer["check"]
            running.append((peer, answer["slot"], row))
    for _ in range(rounds):
        for peer, slot, row in running:
            answer = peer.ask("sample %d 1" % slot)
            row["us"] += answer.get("us", [])
            if answer.get("error"):
                row["error"] = answer["error"]
    for peer, slot, row in running:
        peer.ask("end %d" % slot)
    for row in rows:
        if row["us"]:
            row.update(summary(row["us"]))
        del row["us"]
    return rows


def print_rows(rows):
    base = next((r["median"] for r in rows if "median" in r and "error" not in r), None)
    for r in rows:
        if "error" in r:
            print("%-24s %-14s FAILED: %s" % (r["case"], r["peer"], r["error"]))
        else:
            print("%-24s %-14s %12.3f %12.3f %10.3f %8.2f" %
                  (r["case"], r["peer"], r["median"], r["min"], r["iqr"], r["median"] / base))
    sys.stdout.flush()


def drive(arguments):
    cores = sorted(os.sched_getaffinity(0))[:arguments.threads]
    sample_ms = 50 if arguments.full else 5
    plain = dict(os.environ)
    threads = str(arguments.threads)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        plain[name] = threads
    fastest = {k: v for k, v in plain.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    sinter = Peer("sinter", [arguments.bench, "--serve", "--threads", threads] + ["--full"] * arguments.full,
                  dict(os.environ), cores)
    info = {"sinter": sinter.ask("info")}
    same = dict(fastest)
    if info["sinter"].get("blas_core"):
        same["OPENBLAS_CORETYPE"] = info["sinter"]["blas_core"]
    worker = [sys.executable, os.path.abspath(__file__), "--sample-ms", str(sample_ms), "--worker"]
    peers = [sinter, Peer("jax", worker + ["jax"], plain, cores), Peer("numpy", worker + ["numpy"], same, cores),
             Peer("numpy.best", worker + ["numpy"], fastest, cores)]
    for peer in peers[1:]:
        info[peer.name] = peer.ask("info")
    info["environment"] = {k: v for k, v in os.environ.items() if k.startswith("OPENBLAS_")}
    for name, values in info.items():
        print("%-12s %s" % (name, json.dumps(values)))
    print("\n%-24s %-14s %12s %12s %10s %8s" % ("case", "peer", "median us", "min us", "IQR us", "ratio"))
    results = [{"info": info}]
    for case in CASES:
        if not arguments.cases or any(case.startswith(c) for c in arguments.cases):
            rows = compare(case, peers, arguments.samples)
            print_rows(rows)
            results += rows
    if not arguments.cases or any("cold".startswith(c) for c in arguments.cases):
        once = dict(sinter.ask("once cold"), **sinter.ask("once compile"))
        once.update(cold_jax(arguments, plain, cores))
        once.update(sinter.ask("once memory"))
        print("\n" + "\n".join("%-28s %s" % pair for pair in once.items()))
        results.append(once)
    for peer in peers:
        peer.stop()
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(results, file, indent=1)
    return 1 if any("error" in r for r in results) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", help="the sinter-bench program")
    parser.add_argument("--full", action="store_true", help="samples of 50 ms instead of 5")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=int, default=31)
    parser.add_argument("--json")
    parser.add_argument("--worker", choices=["jax", "numpy"], help=argparse.SUPPRESS)
    parser.add_argument("--sample-ms", type=float, default=5, help=argparse.SUPPRESS)
    parser.add_argument("--first-step", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    if arguments.first_step:
        JaxMlp(MLPS["mlp784"], False, checked_steps=1)
        with open("/proc/self/status") as status:
            print(next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")), flush=True)
        os._exit(0)
    if arguments.worker:
        work(arguments.worker, arguments.sample_ms)
        return 0
    return drive(arguments)


if __name__ == "__main__":
    sys.exit(main())
