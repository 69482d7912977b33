"""Products of Sinter beside NumPy, jax, torch, OpenBLAS and oneDNN in one run, on one core, their samples taken in turn.

    bench/run --products VENV [--torch VENV] [--json FILE] [--markdown] [ROW...]

VENV: a virtual environment with numpy and any of jax, scipy-openblas32, onednn; torch may have one of its own. A row is
FORM.DTYPE.BATCHxMxKxN (FORM nn, nt, tn, tt: which sides are given transposed; gelu: gelu(x w + b)); prefixes pick rows.
Each participant's result is held against float64 before it is timed; what fails is named and left out.

Times are CPU time, the least of short samples in turn: what others on the machine do to caches comes and goes. NumPy and torch get out=; OpenBLAS and oneDNN are called from a C loop that
the C compiler makes here (oneDNN by dnnl_sgemm, for gelu by a matmul primitive with bias and gelu fused). "ratio" is best peer /
Sinter: above 1, Sinter is ahead; "asked" is what it should be, "floor" what operations or bytes take at least: a row is met where
ratio >= asked or Sinter is within 1.25 of the floor.
"""
import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from peers import Peer, fill

HELPER = r"""
#include <dlfcn.h>
#include <immintrin.h>
#include <stddef.h>
typedef void (*cblas_f)(int, int, int, int, int, int, float, const void *, int, const void *, int, float, void *, int);
typedef void (*cblas_d)(int, int, int, int, int, int, double, const void *, int, const void *, int, double, void *, int);
typedef int (*dnnl_f)(char, char, long, long, long, float, const void *, long, const void *, long, float, void *, long);
typedef int (*dnnl_execute)(const void *, void *, int, const void *);
typedef int (*dnnl_wait)(void *);
void openblas(void *f, int is_double, long times, long batch, int ta, int tb, int m, int n, int k, const char *a, const char *b, char *c) {
  const size_t size = is_double ? 8 : 4;
  for (; times > 0; times--)
    for (long i = 0; i < batch; i++) {
      const char *x = a + i * size * m * k, *y = b + i * size * n * k;
      char *z = c + i * size * m * n;
      if (is_double) ((cblas_d)f)(101, ta ? 112 : 111, tb ? 112 : 111, m, n, k, 1, x, ta ? m : k, y, tb ? k : n, 0, z, n);
      else ((cblas_f)f)(101, ta ? 112 : 111, tb ? 112 : 111, m, n, k, 1, x, ta ? m : k, y, tb ? k : n, 0, z, n);
    }
}
int onednn(void *f, long times, long batch, int ta, int tb, long m, long n, long k, const float *a, const float *b, float *c) {
  int status = 0;
  for (; times > 0; times--)
    for (long i = 0; i < batch; i++)
      status |= ((dnnl_f)f)(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a + i * m * k, ta ? m : k, b + i * n * k, tb ? k : n, 0, c + i * m * n, n);
  return status;
}
int primitive(void *execute, void *wait, long times, const void *p, void *stream, int n, const void *arguments) {
  int status = 0;
  for (; times > 0; times--) status |= ((dnnl_execute)execute)(p, stream, n, arguments) | ((dnnl_wait)wait)(stream);
  return status;
}
#define PEAK(name, T, type, fma, set) \
  double name(long times) { \
    type s[12]; type x = set(1.0), y = set(0.5); T out[sizeof(type) / sizeof(T)]; double sum = 0; \
    for (int i = 0; i < 12; i++) s[i] = set((T)i); \
    for (long t = 0; t < times; t++) { \
      _Pragma("GCC unroll 12") for (int i = 0; i < 12; i++) s[i] = fma(s[i], y, x); \
    } \
    for (int i = 0; i < 12; i++) { __builtin_memcpy(out, &s[i], sizeof(s[i])); sum += out[0]; } \
    return sum; \
  }
#ifdef __AVX512F__
PEAK(peak_f32, float, __m512, _mm512_fmadd_ps, _mm512_set1_ps)
PEAK(peak_f64, double, __m512d, _mm512_fmadd_pd, _mm512_set1_pd)
const int vector_bytes = 64;
#else
PEAK(peak_f32, float, __m256, _mm256_fmadd_ps, _mm256_set1_ps)
PEAK(peak_f64, double, __m256d, _mm256_fmadd_pd, _mm256_set1_pd)
const int vector_bytes = 32;
#endif
float read_all(const float *x, long n, long times) {
  __m256 s[8]; float out[8];
  for (int i = 0; i < 8; i++) s[i] = _mm256_setzero_ps();
  for (; times > 0; times--)
    for (long i = 0; i + 64 <= n; i += 64)
      _Pragma("GCC unroll 8") for (int j = 0; j < 8; j++) s[j] = _mm256_xor_ps(s[j], _mm256_loadu_ps(x + i + 8 * j));
  for (int i = 1; i < 8; i++) s[0] = _mm256_xor_ps(s[0], s[i]);
  _mm256_storeu_ps(out, s[0]);
  return out[0];
}
"""


# ---- rows
def rows_of_table():
    """Names, and how much faster than the best peer Sinter should be."""
    rows = []
    for n in (16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048):
        for form in ("nn", "nt", "tn", "tt"):
            rows.append(("%s.f32.0x%dx%dx%d" % (form, n, n, n), 1.2 if n <= 256 else 1.0))
    for n in (16, 64, 128, 256, 512, 1024, 2048):
        for form in ("nn", "nt", "tn", "tt"):
            if form == "nn" or n in (256, 1024):
                rows.append(("%s.f64.0x%dx%dx%d" % (form, n, n, n), 1.2 if n <= 256 else 1.0))
    for m, k, n in ((33, 47, 65), (127, 127, 127), (255, 255, 255), (511, 513, 509), (1000, 1000, 1000), (1023, 1023, 1023)):
        for dtype in ("f32", "f64"):
            rows.append(("nn.%s.0x%dx%dx%d" % (dtype, m, k, n), 1.2 if n <= 256 else 1.0))
    for size in (1024, 4096):
        for m in (1, 2, 3, 4, 6, 8, 12, 16):
            rows.append(("nn.f32.0x%dx%dx%d" % (m, size, size), 1.2))
    for k, n in ((256, 256), (512, 512), (1024, 1024), (768, 3072)):
        for m in (1, 8, 32, 128, 512):
            rows.append(("gelu.f32.0x%dx%dx%d" % (m, k, n), 1.0))
    for text in ("12x128x64x128", "64x32x32x32", "32x1x300x100"):
        rows.append(("nn.f32." + text, 1.3))
    return rows


class Row:
    def __init__(self, name):
        self.form, self.dtype, size = name.split(".")
        self.batch, self.m, self.k, self.n = map(int, size.split("x"))
        self.gelu = self.form == "gelu"
        self.ta, self.tb = self.form[0] == "t", not self.gelu and self.form[1] == "t"
        self.size = 8 if self.dtype == "f64" else 4

    def operations(self):
        return 2.0 * max(self.batch, 1) * self.m * self.k * self.n

    def bytes(self):
        return float(self.size * max(self.batch, 1) * (self.m * self.k + self.k * self.n + self.m * self.n))

    def data(self):
        """The arrays of bench/dense.c: x, w, and the bias of gelu."""
        import numpy as np
        dtype = np.float64 if self.dtype == "f64" else np.float32

        def matrix(rows, columns, turned, seed, scale):
            shape = (columns, rows) if turned else (rows, columns)
            shape = ((self.batch,) if self.batch else ()) + shape
            numbers = fill(int(np.prod(shape)), seed).astype(np.float64) * scale
            return numbers.astype(dtype).reshape(shape)

        return (matrix(self.m, self.k, self.ta, 1, 1), matrix(self.k, self.n, self.tb, 2, 2 / self.k ** 0.5),
                fill(self.n, 3).astype(dtype))

    def prove(self, got):
        import numpy as np
        a, b, bias = (x.astype(np.float64) for x in self.data())
        rows = np.unique(np.linspace(0, self.m - 1, 16).astype(int))  # of a large result a sample, as bench/dense.c does
        a = (np.swapaxes(a, -1, -2) if self.ta else a)[..., rows, :]
        want = a @ (np.swapaxes(b, -1, -2) if self.tb else b)
        if self.gelu:
            want += bias
            want = 0.5 * want * (1 + np.tanh((2 / np.pi) ** 0.5 * (want + 0.044715 * want ** 3)))
        got = np.asarray(got)
        if got.shape != want.shape[:-2] + (self.m, self.n) or got.dtype.itemsize != self.size:
            raise ValueError("the result is %s%r" % (got.dtype, got.shape))
        error = np.abs(got[..., rows, :] - want).max() / np.abs(want).max()
        if not error <= (1e-13 if self.size == 8 else 1e-5):
            raise ValueError("the result is wrong by %g of the largest" % error)


# ---- participants: each makes (run, result): run(n) makes n calls
def numpy_row(row):
    import numpy as np
    a, b, bias = row.data()
    x, y = np.swapaxes(a, -1, -2) if row.ta else a, np.swapaxes(b, -1, -2) if row.tb else b
    out = np.empty(x.shape[:-1] + (row.n,), a.dtype)
    t = np.empty_like(out)
    f = out.dtype.type

    def product():
        np.matmul(x, y, out=out)

    def gelu():
        np.matmul(x, y, out=out)
        np.add(out, bias, out=out)
        np.multiply(out, out, out=t)
        np.multiply(t, f(0.044715), out=t)
        np.add(t, f(1), out=t)
        np.multiply(t, out, out=t)
        np.multiply(t, f((2 / np.pi) ** 0.5), out=t)
        np.tanh(t, out=t)
        np.add(t, f(1), out=t)
        np.multiply(t, f(0.5), out=t)
        np.multiply(out, t, out=out)

    step = gelu if row.gelu else product

    def run(n):
        for _ in range(n):
            step()

    return run, lambda: out


def jax_row(row):
    import jax
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    arrays = [jax.device_put(x) for x in row.data()]

    def function(a, b, bias):
        y = jnp.matmul(jnp.swapaxes(a, -1, -2) if row.ta else a, jnp.swapaxes(b, -1, -2) if row.tb else b)
        return jax.nn.gelu(y + bias) if row.gelu else y

    compiled = jax.jit(function if row.gelu else lambda a, b: function(a, b, None))
    arrays = arrays if row.gelu else arrays[:2]
    last = [None]

    def run(n):
        for _ in range(n):
            last[0] = compiled(*arrays)
            last[0].block_until_ready()

    return run, lambda: last[0]


def torch_row(row):
    import torch
    torch.set_num_threads(1)
    a, b, bias = (torch.from_numpy(x) for x in row.data())
    x, y = a.transpose(-1, -2) if row.ta else a, b.transpose(-1, -2) if row.tb else b
    out = torch.empty(x.shape[:-1] + (row.n,), dtype=a.dtype)
    last = [out]

    def run(n):
        with torch.inference_mode():
            for _ in range(n):
                if row.gelu:
                    last[0] = torch.nn.functional.gelu(torch.addmm(bias, x, y, out=out), approximate="tanh")
                else:
                    torch.matmul(x, y, out=out)

    return run, lambda: last[0].numpy()


def helper():
    with tempfile.TemporaryDirectory() as folder:
        source, library = os.path.join(folder, "helper.c"), os.path.join(folder, "helper.so")
        with open(source, "w") as file:
            file.write(HELPER)
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-march=native", "-shared", "-fPIC", source, "-o", library], check=True)
        return ctypes.CDLL(library)


def openblas_row(row):
    import numpy as np
    import scipy_openblas32
    if row.gelu:
        return None
    library = ctypes.CDLL(os.path.join(scipy_openblas32.get_lib_dir(), scipy_openblas32.get_library(fullname=True)))
    a, b, _ = row.data()
    out = np.empty(a.shape[:-2] + (row.m, row.n), a.dtype)
    gemm = ctypes.cast(getattr(library, "scipy_cblas_%sgemm" % ("d" if row.size == 8 else "s")), ctypes.c_void_p)
    call = helper().openblas
    pointers = [ctypes.c_void_p(x.ctypes.data) for x in (a, b, out)]

    def run(n):
        call(gemm, int(row.size == 8), ctypes.c_long(n), ctypes.c_long(max(row.batch, 1)), int(row.ta), int(row.tb),
             row.m, row.n, row.k, *pointers)

    run.keep = (a, b)
    return run, lambda: out


def dnnl():
    return ctypes.CDLL("libdnnl.so.3")


def checked(status):
    if status:
        raise RuntimeError("oneDNN status %d" % status)


def onednn_row(row):
    """dnnl_sgemm; gelu: a matmul primitive, f32, plain layouts, with bias and a post-op."""
    import numpy as np
    if row.size == 8:
        return None
    library, code, long = dnnl(), helper(), ctypes.c_long
    a, b, bias = row.data()
    out = np.empty(a.shape[:-2] + (row.m, row.n), a.dtype)
    pointers = [ctypes.c_void_p(x.ctypes.data) for x in (a, b, out)]
    if not row.gelu:
        gemm = ctypes.cast(library.dnnl_sgemm, ctypes.c_void_p)

        def run(n):
            checked(code.onednn(gemm, long(n), long(max(row.batch, 1)), int(row.ta), int(row.tb),
                                long(row.m), long(row.n), long(row.k), *pointers))

        run.keep = (a, b)
        return run, lambda: out
    pointer, f32, cpu = ctypes.c_void_p, 3, 1

    def made(function, *arguments):
        handle = pointer()
        checked(function(ctypes.byref(handle), *arguments))
        return handle

    engine = made(library.dnnl_engine_create, cpu, ctypes.c_size_t(0))
    stream = made(library.dnnl_stream_create, engine, 1)

    def descriptor(*dims):
        strides = (dims[1], 1)
        return made(library.dnnl_memory_desc_create_with_strides, 2, (ctypes.c_int64 * 2)(*dims), f32, (ctypes.c_int64 * 2)(*strides))

    descriptors = [descriptor(row.m, row.k), descriptor(row.k, row.n), descriptor(1, row.n), descriptor(row.m, row.n)]
    attributes, operations = made(library.dnnl_primitive_attr_create), made(library.dnnl_post_ops_create)
    gelu_tanh = 0x2b  # dnnl_eltwise_gelu_tanh
    checked(library.dnnl_post_ops_append_eltwise(operations, gelu_tanh, ctypes.c_float(0), ctypes.c_float(0)))
    checked(library.dnnl_primitive_attr_set_post_ops(attributes, operations))
    primitive = made(library.dnnl_primitive_create, made(library.dnnl_matmul_primitive_desc_create, engine, *descriptors, attributes))

    class Argument(ctypes.Structure):
        _fields_ = [("argument", ctypes.c_int), ("memory", pointer)]

    arguments = (Argument * 4)()
    for i, (number, d, x) in enumerate(zip((1, 33, 41, 17), descriptors, (a, b, bias, out))):  # SRC, WEIGHTS, BIAS, DST
        arguments[i] = Argument(number, made(library.dnnl_memory_create, d, engine, pointer(x.ctypes.data)).value)
    execute, wait = (ctypes.cast(f, pointer) for f in (library.dnnl_primitive_execute, library.dnnl_stream_wait))

    def run(n):
        checked(code.primitive(execute, wait, long(n), primitive, stream, 4, arguments))

    run.keep = (a, b, bias, arguments)
    return run, lambda: out


MAKERS = {"numpy": numpy_row, "jax": jax_row, "torch": torch_row, "openblas": openblas_row, "onednn": onednn_row}


def version(kind):
    if kind == "onednn":
        class Version(ctypes.Structure):
            _fields_ = [(n, ctypes.c_int) for n in ("major", "minor", "patch")]
        library = dnnl()
        library.dnnl_version.restype = ctypes.POINTER(Version)
        v = library.dnnl_version().contents
        return "oneDNN %d.%d.%d" % (v.major, v.minor, v.patch)
    if kind == "openblas":
        import scipy_openblas32 as s
        library = ctypes.CDLL(os.path.join(s.get_lib_dir(), s.get_library(fullname=True)))
        library.scipy_openblas_get_config.restype = library.scipy_openblas_get_corename.restype = ctypes.c_char_p
        return library.scipy_openblas_get_config().decode() + ", " + library.scipy_openblas_get_corename().decode()
    module = __import__(kind)
    return "%s %s" % (kind, module.__version__)


# ---- a worker
def measure(run, n):
    start = time.process_time()
    run(n)
    return (time.process_time() - start) / n * 1e6


def work(kind, sample_ms):
    run, answers = None, os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print as well
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "info":
                answer = {"version": version(kind)}
            elif words[0] == "setup":
                run = None
                row = Row(words[1])
                made = MAKERS[kind](row)
                answer = {"none": True}
                if made:
                    run, result = made
                    run(1)
                    row.prove(result())
                    n = 1
                    while True:
                        us = measure(run, n)
                        if us * n >= sample_ms * 1000:
                            break
                        n = int(n * min(100, sample_ms * 1200 / max(us * n, 0.1))) + 1
                    answer = {}
            else:
                answer = {"us": measure(run, n)}
        except Exception as failure:  # told to the driver, which goes on
            answer = {"error": "%s: %s" % (type(failure).__name__, failure)}
        print(json.dumps(answer), file=answers, flush=True)


# ---- the floor: FMAs at the core's peak, or bytes as fast as they can be read where they lie; sampled in turn with the others
class Floor:
    def __init__(self):
        import numpy as np
        self.code = helper()
        self.code.peak_f32.restype = self.code.peak_f64.restype = ctypes.c_double
        self.memory = np.ones(64 << 20, np.uint8)
        self.vector = ctypes.c_int.in_dll(self.code, "vector_bytes").value

    def peak(self, size):
        """GFLOP/s."""
        function = self.code.peak_f32 if size == 4 else self.code.peak_f64
        return 12 * 2 * (self.vector // size) / measure(lambda n: function(ctypes.c_long(n)), 1 << 17) / 1e3

    def us(self, row):
        n = int(min(row.bytes(), self.memory.nbytes)) // 4
        times = max(1, int(1e6 / n))
        memory = ctypes.c_void_p(self.memory.ctypes.data)
        read = measure(lambda _: self.code.read_all(memory, ctypes.c_long(n), ctypes.c_long(times)), 1) / times
        return max(row.operations() / self.peak(row.size) / 1e3, read * row.bytes() / (4 * n))


# ---- the driver
def compare(name, peers, rounds, floor):
    row, running, answers, floors = Row(name), [], {}, []
    for peer in peers:
        text = "setup product.%s run" % name if peer.name == "sinter" else "setup " + name
        answer = peer.ask(text)
        if answer.get("error"):
            answers[peer.name] = {"error": answer["error"]}
        elif not answer.get("none"):
            answers[peer.name] = {"us": []}
            running.append((peer, "sample %d 1" % answer["slot"] if peer.name == "sinter" else "sample", answer.get("slot")))
    rounds = max(5, min(rounds, int(3e10 / row.operations())))
    for _ in range(rounds):
        for peer, command, _ in running:
            answer = peer.ask(command)
            answers[peer.name]["us"].append(answer["cpu_us"][0] if peer.name == "sinter" else answer["us"])
        floors.append(floor.us(row))
    for peer, _, slot in running:
        if slot is not None:
            peer.ask("end %d" % slot)
        us = answers[peer.name].pop("us")
        answers[peer.name].update(median=statistics.median(us), min=min(us))
    return {"row": name, "floor": min(floors), "times": answers}


def conclude(result, asked):
    times = {k: v for k, v in result["times"].items() if "median" in v}
    result["asked"] = asked
    peers = {k: v for k, v in times.items() if k != "sinter"}
    if "sinter" not in times or not peers:
        return
    best = min(peers, key=lambda k: peers[k]["min"])
    ours = times["sinter"]["min"]
    result.update(best=best, ratio=peers[best]["min"] / ours, of_floor=ours / result["floor"])
    result["met"] = result["ratio"] >= asked or result["of_floor"] <= 1.25


def print_row(result, names, markdown):
    cells = [("%.4g" % result["times"][n]["min"]) if "median" in result["times"].get(n, {}) else "-" for n in names]
    tail = ["-"] * 3
    if "ratio" in result:
        tail = ["%.2f" % result["ratio"], "%.1f" % result["asked"], "%.2f" % result["of_floor"]]
        tail[0] = tail[0] if result["met"] else ("**%s**" if markdown else "%s *") % tail[0]
    if markdown:
        print("| " + " | ".join([result["row"]] + cells + tail) + " |")
    else:
        print("%-26s" % result["row"] + "".join("%11s" % c for c in cells) + "%9s%6s%8s" % tuple(tail))
    for n, v in result["times"].items():
        if "error" in v:
            print("  %s FAILED: %s" % (n, v["error"]))
    sys.stdout.flush()


def drive(arguments):
    core = sorted(os.sched_getaffinity(0))[-1:]
    os.sched_setaffinity(0, core)
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1",
                       XLA_FLAGS="--xla_cpu_multi_thread_eigen=false")
    peers = [Peer("sinter", [arguments.bench, "--serve", "--sample-ms", str(arguments.sample_ms)], environment, core)]
    for kind in MAKERS:
        python = os.path.join(arguments.torch, "bin", "python") if kind == "torch" and arguments.torch else sys.executable
        if kind == "onednn":  # its libraries do not look for one another beside themselves; its engine is an OpenCL device
            folder = os.path.join(sys.prefix, "lib")
            environment = dict(environment, LD_LIBRARY_PATH=folder, OCL_ICD_FILENAMES=os.path.join(folder, "libintelocl.so"))
        peer = Peer(kind, [python, os.path.abspath(__file__), "--sample-ms", str(arguments.sample_ms), "--worker", kind],
                    environment, core)
        info = peer.ask("info")
        print(kind + ": " + (info.get("version") or "absent, " + info["error"]))
        if "version" in info and (not arguments.peers or kind in arguments.peers.split(",")):
            peers.append(peer)
    floor = Floor()
    print("FMA peak: %.0f GFLOP/s f32, %.0f f64; us of CPU time; * asked ratio not met\n" % (floor.peak(4), floor.peak(8)))
    names = [p.name for p in peers]
    head = ["row"] + names + ["ratio", "asked", "/ floor"]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|" if arguments.markdown else
          "%-26s" % "row" + "".join("%11s" % n for n in names) + "%9s%6s%8s" % ("ratio", "asked", "/ floor"))
    results = []
    wanted = [(n, a) for n, a in rows_of_table() if not arguments.rows or any(n.startswith(r) for r in arguments.rows)]
    known = {n for n, _ in wanted}
    wanted += [(r, 1.0) for r in arguments.rows if r not in known and r.count("x") == 3]
    for name, asked in wanted:
        result = compare(name, peers, arguments.samples, floor)
        conclude(result, asked)
        print_row(result, names, arguments.markdown)
        results.append(result)
    counted = [r for r in results if "ratio" in r]
    dense = [r["ratio"] for r in counted if r["row"].startswith("gelu")]
    print("\n%d of %d rows as fast as asked, %d ahead of every peer" %
          (sum(r["met"] for r in counted), len(counted), sum(r["ratio"] > 1 for r in counted)))
    if dense:
        print("gelu(x w + b): geometric mean %.2f, asked 1.25" % statistics.geometric_mean(dense))
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(results, file, indent=1)
    for peer in peers:
        peer.stop()
    return 1 if any("error" in v for r in results for v in r["times"].values()) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", help="the sinter-bench program")
    parser.add_argument("--torch", help="a virtual environment that has torch")
    parser.add_argument("--peers", help="of numpy,jax,torch,openblas,onednn; default all that are there")
    parser.add_argument("--samples", type=int, default=25)
    parser.add_argument("--sample-ms", type=float, default=0.5)
    parser.add_argument("--json")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--worker", choices=list(MAKERS), help=argparse.SUPPRESS)
    parser.add_argument("rows", nargs="*")
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker, arguments.sample_ms)
        return 0
    return drive(arguments)


if __name__ == "__main__":
    sys.exit(main())
