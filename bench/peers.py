"""Runs Sinter, jax and NumPy on the same benchmarks in one run, their samples taken in turn.

    bench/run --peers VENV [--full] [--threads N] [--json FILE] [CASE...]

Each peer is a process of its own, pinned to the same cores, driven line by line: "setup CASE VARIANT", "sample SLOT N", "end SLOT".
What disagrees is not timed: each train step's loss after 100 steps is held against Sinter's, which was held against a float64
oracle, and every element of the other cases' results against float64 here as there.

jax: "jax" is the call as a user makes it, Python included. "jax.loop100" is 100 train steps inside one call, per step: what the
compiled code takes; beside it stands Sinter's own call, of which 100 in a C loop take 100 times as long. "jax.donated" gives the
last result's memory to the next, as NumPy's out= does.
NumPy runs twice: with the OpenBLAS core type that Sinter uses ("numpy", for a fair comparison of step against step), and with
the presets of OPENBLAS_* unset, its fastest ("numpy.best").
Sinter's "c", "memory" and "stream" are loops compiled by the C compiler: the whole of it, and a + b by plain and by non-temporal
stores, which is the loads and stores alone. "(1 thread)": uses one thread however many there are.
"""
import argparse
import ctypes
import json
import operator
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings

BATCH, CLASSES, SGD_RATE, ADAM_RATE = 32, 10, 1e-3, 1e-4
CHECKED_STEPS = 100  # as in bench/mlp.c; and the steps of a loop inside one call
TOLERANCE = 5e-5  # of numbers held against Sinter's: bench/mlp.c says where the most comes from
MLPS = {"mlp8": (8, 30, 1), "mlp784": (784, 300, 100, 10)}
CHAINS = {"chain.gelu.1K": 1024, "chain.gelu.64K": 65536, "chain.gelu.1M": 1048576}
SOFTMAXES = {"softmax.ce_fb.32x10": (32, 10), "softmax.ce_fb.1024x1024": (1024, 1024)}
CASES = (["mlp8.sgd", "mlp8.adam", "mlp784.sgd", "mlp784.adam", "call.4", "call.eager_add"]
         + list(CHAINS) + list(SOFTMAXES))
SINTER_VARIANTS = {"call.4": ["call", "run", "eager"], "call.eager_add": ["eager"]}
C_LOOPS = ["c", "memory"] + ["stream"] * (platform.machine() in ("x86_64", "AMD64"))
OTHER_RESULT = ("memory", "stream")  # a + b, checked by bench/chain.c


def variants_of(kind, case):
    mlp, call = case.startswith("mlp"), case.startswith("call")
    if kind == "sinter":
        return SINTER_VARIANTS.get(case, ["call", "eager" if case in CHAINS else "tape"] + C_LOOPS * (case in CHAINS))
    if kind == "jax":
        return [""] + ["loop100"] * mlp + ["donated"] * (not mlp and not call)
    return [""]


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


# ---- what the results must be, in float64
def oracle(case):
    """Pairs of result and tolerance, the results in the order in which the case has them; none for the train steps."""
    import numpy as np
    if case in CHAINS:
        n = CHAINS[case]
        x = fill(n, 1).astype(np.float64) + fill(n, 2)
        return [(0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x ** 3))), 1e-5)]
    if case in SOFTMAXES:
        logits, labels = softmax_data(*SOFTMAXES[case])
        rows, e = np.arange(len(labels)), np.exp(logits.astype(np.float64))
        total = e.sum(axis=1)
        loss = (np.log(total) - logits[rows, labels]).mean()
        e /= total[:, None]
        e[rows, labels] -= 1
        return [(loss, 1e-5), (e / len(rows), 1e-5 / len(rows))]
    if case.startswith("call"):
        a, b, c, d = (fill(16, i + 1).astype(np.float64) for i in range(4))
        return [(a + b if case == "call.eager_add" else a + b * c + d, 1e-6)]
    return []


def prove(name, results):
    import numpy as np
    expected = oracle(name)
    if len(results) != len(expected):
        raise ValueError("%d results, not %d" % (len(results), len(expected)))
    for i, (got, (want, tolerance)) in enumerate(zip(results, expected)):
        got, want = np.asarray(got), np.asarray(want)
        if got.shape != want.shape or (got.dtype != np.float32 and want.ndim):
            raise ValueError("result %d is %s%r, not float32%r" % (i, got.dtype, got.shape, want.shape))
        error = (np.abs(got - want) / np.maximum(1, np.abs(want))).max()
        if not error <= tolerance:
            raise ValueError("result %d is wrong by %g" % (i, error))


class Case:
    """What a worker times: run(n) makes n calls and waits for their results."""
    steps = 1  # of a call
    results = ()  # of the first call, for prove

    def reset(self):
        pass

    def run(self, n):
        step = self.step
        for _ in range(n):
            step()


# ---- NumPy: hand-written, with out= everywhere
class NumpyMlp(Case):
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
        self.check = [self.step() for _ in range(CHECKED_STEPS)][-1]

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


class NumpyCall(Case):
    def __init__(self, add):
        import numpy as np
        a, b, c, d = (fill(16, i + 1) for i in range(4))
        t, out = np.empty(16, np.float32), np.empty(16, np.float32)

        def run_add(n):
            x = None
            for _ in range(n):
                x = np.add(a, b)  # a new array, as in Sinter; out= is no faster
            return x

        def run_muladd(n):
            for _ in range(n):
                np.add(np.add(a, np.multiply(b, c, out=t), out=out), d, out=out)
            return out

        self.run = run_add if add else run_muladd  # no call of a Python function a step
        self.results = [self.run(1).copy()]
        self.check = float(self.results[0].sum())


class NumpyChain(Case):
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
        self.results = [step()]
        self.check = float(self.results[0].sum(dtype=np.float64))


class NumpySoftmax(Case):
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
        self.results = [self.check, g]


def numpy_case(name, _):
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
    numpy.ones((2, 2)) @ numpy.ones((2, 2))
    with open("/proc/self/maps") as maps:
        libraries = {line.split()[-1] for line in maps if "openblas" in line}
    info = {"numpy": numpy.__version__, "blas": "unknown", "blas_core": "unknown"}
    for library in libraries:
        for form in ("scipy_openblas_get_%s64_", "scipy_openblas_get_%s", "openblas_get_%s64_", "openblas_get_%s"):
            try:
                for key, what in (("blas", "config"), ("blas_core", "corename")):
                    function = getattr(ctypes.CDLL(library), form % what)
                    function.restype = ctypes.c_char_p
                    info[key] = function().decode()
                break
            except AttributeError:
                continue
    return info


# ---- jax: jit, donated state, block_until_ready
class JaxMlp(Case):
    def __init__(self, widths, adam, loop=False, checked_steps=CHECKED_STEPS):
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

        one_step = adam_step if adam else sgd

        def many_steps(state, x, y):
            return jax.lax.fori_loop(0, CHECKED_STEPS, lambda _, carry: one_step(carry[1], x, y), (jnp.float32(0), state))

        self.steps = CHECKED_STEPS if loop else 1
        self.function = jax.jit(many_steps if loop else one_step, donate_argnums=0)
        self.reset()
        for _ in range(checked_steps // self.steps):
            self.run(1)
        self.check = float(self.loss)

    def reset(self):
        import jax.numpy as jnp
        copy = lambda arrays: [jnp.array(a, copy=True) for a in arrays]  # the state is given away: never NumPy's own memory
        zero = lambda arrays: [jnp.zeros(a.shape, a.dtype) for a in arrays]
        self.state = copy(self.initial)
        if self.adam:
            self.state = (self.state, zero(self.initial), zero(self.initial), jnp.zeros((), jnp.float32))
        self.jax.block_until_ready(self.state)

    def run(self, n):
        function, state, x, y = self.function, self.state, self.x, self.y
        for _ in range(n):
            loss, state = function(state, x, y)
            loss.block_until_ready()
        self.jax.block_until_ready(state)
        self.loss, self.state = loss, state


class JaxFunction(Case):
    """A function of the same arguments at each call: none of them can be donated. If `donated`, the last result is."""
    def __init__(self, function, *arguments, donated=False, jit=True):
        import jax
        import numpy as np
        arguments = [jax.device_put(a) for a in arguments]
        compiled = jax.jit(function) if jit else function
        first = jax.block_until_ready(compiled(*arguments))
        single = not isinstance(first, tuple)

        def run_single(n):
            result = None
            for _ in range(n):
                result = compiled(*arguments)
                result.block_until_ready()
            return result

        def run_tuple(n):
            results = None
            for _ in range(n):
                results = compiled(*arguments)
                for result in results:
                    result.block_until_ready()
            return results

        def run_donated(n):
            for _ in range(n):
                self.last = into(self.last, *arguments)
                for result in (self.last,) if single else self.last:
                    result.block_until_ready()
            return self.last

        self.run = run_donated if donated else run_single if single else run_tuple
        if donated:
            self.last = first
            into = jax.jit(lambda last, *given: function(*given), donate_argnums=0, keep_unused=True)
        results = self.run(1)
        self.results = [np.array(r) for r in ((results,) if single else results)]
        self.check = float(self.results[0].sum(dtype=np.float64))


def jax_case(name, variant):
    import jax
    import jax.numpy as jnp
    if name in CHAINS:
        n = CHAINS[name]
        return JaxFunction(lambda a, b: jax.nn.gelu(a + b), fill(n, 1), fill(n, 2), donated=variant == "donated")
    if name in SOFTMAXES:
        logits, labels = softmax_data(*SOFTMAXES[name])

        def loss(x, y):
            return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1).mean()

        return JaxFunction(jax.value_and_grad(loss), logits, labels, donated=variant == "donated")
    if name.startswith("call"):
        a, b, c, d = (fill(16, i + 1) for i in range(4))
        if name == "call.4":
            return JaxFunction(lambda a, b, c, d: a + b * c + d, a, b, c, d)
        return JaxFunction(operator.add, a, b, jit=False)
    model, optimizer = name.split(".")
    return JaxMlp(MLPS[model], optimizer == "adam", loop=variant == "loop100")


def jax_info():
    import jax
    return {"jax": jax.__version__, "device": str(jax.devices()[0])}


# ---- a worker: one peer in a process of its own
def measure(case, iterations):
    """Microseconds a call."""
    case.reset()
    start = time.perf_counter()
    case.run(iterations)
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
    warnings.filterwarnings("error", message="Some donated buffers")  # jax: not used, so nothing was donated
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "info":
                answer = info()
            elif words[0] == "setup":
                case = make(words[1], words[2] if len(words) > 2 else "")
                prove(words[1], case.results)
                case.run(3)
                iterations = calibrate(case, sample_ms)
                slot = len(slots)
                slots[slot] = (case, iterations)
                answer = {"slot": slot, "check": case.check, "iterations": iterations * case.steps}
            elif words[0] == "sample":
                case, iterations = slots[int(words[1])]
                us = [measure(case, iterations) / case.steps for _ in range(int(words[2]))]
                answer = {"us": us, "error": ""}
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
        self.name, self.kind = name, name.split(".")[0]  # "numpy.best" is a numpy
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
    quarters = statistics.quantiles(ordered, n=4, method="inclusive")  # as bench/harness.c
    return {"median": statistics.median(ordered), "min": ordered[0], "iqr": quarters[2] - quarters[0],
            "samples": len(ordered)}


def cold_jax(environment, cores, expected):
    """Wall time and peak memory from process start to the first train step's result in jax, median of 3."""
    walls, peak = [], 0.0
    for _ in range(3):
        start = time.perf_counter()
        with subprocess.Popen([sys.executable, __file__, "--first-step"], env=environment, stdout=subprocess.PIPE, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, cores)) as process:
            megabytes, loss = map(float, process.stdout.readline().split())
            walls.append((time.perf_counter() - start) * 1e3)  # as in bench/once.c, the process's end is not counted
        if not abs(loss - expected) <= TOLERANCE * expected:
            return {"jax.cold.error": "the first loss is %r, Sinter's is %r" % (loss, expected)}
        peak = max(peak, megabytes)
    return {"jax.cold.start_ms": round(statistics.median(walls), 1), "jax.cold.peak_mb": round(peak, 1)}


def disagreement(check, reference):
    if reference is None:
        return "no result of Sinter to hold this against"
    if not abs(check - reference) <= TOLERANCE * max(1.0, abs(reference)):
        return "result %r, Sinter's is %r" % (check, reference)
    return None


def compare(case, peers, threads, rounds):
    """All variants of a case, their samples in turn. Returns rows; a peer that fails or disagrees has an error instead."""
    running, rows, reference = [], [], None
    for peer in peers:
        for variant in variants_of(peer.kind, case):
            answer = peer.ask("setup %s %s" % (case, variant))
            alone = peer.kind == "numpy" and not case.startswith("mlp")  # only its BLAS has threads
            row = {"case": case, "peer": peer.name + ("." + variant if variant else ""),
                   "threads": 1 if alone else answer.get("threads", threads), "us": []}
            rows.append(row)
            if answer.get("error"):
                row["error"] = answer["error"]
                continue
            row["check"] = answer["check"]
            if reference is None and peer.kind == "sinter":
                reference = answer["check"]
            wrong = None if variant in OTHER_RESULT else disagreement(answer["check"], reference)
            if wrong:
                row["error"] = wrong
                peer.ask("end %d" % answer["slot"])
            else:
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


def print_rows(rows, threads):
    base = float("nan") if "error" in rows[0] else rows[0]["median"]  # Sinter's
    for r in rows:
        peer = r["peer"] + " (1 thread)" * (r["threads"] < threads)
        if "error" in r:
            print("%-24s %-25s FAILED: %s" % (r["case"], peer, r["error"]))
        else:
            print("%-24s %-25s %12.3f %12.3f %10.3f %8.2f" %
                  (r["case"], peer, r["median"], r["min"], r["iqr"], r["median"] / base))
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
    info["cores"] = cores
    info["environment"] = {k: v for k, v in os.environ.items() if k.startswith("OPENBLAS_")}
    for name, values in info.items():
        print("%-12s %s" % (name, json.dumps(values)))
    print("\n%-24s %-25s %12s %12s %10s %8s" % ("case", "peer", "median us", "min us", "IQR us", "ratio"))
    results = [{"info": info}]
    for case in CASES:
        if not arguments.cases or any(case.startswith(c) for c in arguments.cases):
            rows = compare(case, peers, arguments.threads, arguments.samples)
            print_rows(rows, arguments.threads)
            results += rows
    if not arguments.cases or any("cold".startswith(c) for c in arguments.cases):
        once = dict(sinter.ask("once cold"), **sinter.ask("once compile"))
        once.update(cold_jax(plain, cores, once.get("cold.first_loss", float("nan"))))
        once.update(sinter.ask("once memory"))
        print("\n" + "\n".join("%-28s %s" % pair for pair in once.items()))
        results.append(once)
    for peer in peers:
        peer.stop()
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(results, file, indent=1)
    return 1 if any("error" in r or "jax.cold.error" in r for r in results) else 0


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
        loss = JaxMlp(MLPS["mlp784"], False, checked_steps=1).check
        with open("/proc/self/status") as status:
            peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
        print(peak, loss, flush=True)
        os._exit(0)
    if arguments.worker:
        work(arguments.worker, arguments.sample_ms)
        return 0
    return drive(arguments)


if __name__ == "__main__":
    sys.exit(main())
