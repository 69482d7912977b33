"""check_bench_ab.py AB BUILD COMPILER: bench/ab compares a build with itself, and its statistics are right on made-up samples."""
import importlib.machinery
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile


def load(path):
    loader = importlib.machinery.SourceFileLoader("ab", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("ab", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def check_statistics(ab):
    noise = random.Random(1)
    slower = [[1.2 * noise.lognormvariate(0, 0.02) for _ in range(6)] for _ in range(5)]
    result = ab.summarise(slower)
    assert 1.15 < result["low"] <= result["ratio"] <= result["high"] < 1.25, result
    # Pairs that differ by luck, each steady in itself: the interval has to be as wide as the luck.
    lucky = [[luck * noise.lognormvariate(0, 0.001) for _ in range(6)] for luck in (0.9, 0.95, 1.0, 1.05, 1.1)]
    result = ab.summarise(lucky)
    assert result["low"] < 0.96 and result["high"] > 1.04, result
    for pairs in (6, 8, 11, 20):
        missed = 0
        for _ in range(400):
            result = ab.summarise([[luck * noise.lognormvariate(0, 0.02) for _ in range(4)]
                                   for luck in (noise.lognormvariate(0, 0.05) for _ in range(pairs))])
            missed += not result["low"] <= 1 <= result["high"]
        assert result["confidence"] >= 0.95 and missed <= 32, "%d pairs: %d of 400 intervals miss" % (pairs, missed)
    assert ab.interval([1.0, 2.0, 3.0])[2] == 0.75


def check_run(path, build, compiler):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "ab.json")
        environment = dict(os.environ, CC=" ".join(word for word in compiler.split(";") if word and "NOTFOUND" not in word))
        subprocess.run([sys.executable, "-B", path, build, build, "call.4", "sum.1K", "--modes", "call,run", "--pairs", "2",
                        "--rounds", "2", "--sample-ms", "1", "--json", out], env=environment, check=True)
        with open(out) as file:
            results = json.load(file)["results"]
    assert [(r["name"], r["mode"]) for r in results] == [(n, m) for n in ("call.4", "sum.1K") for m in ("call", "run")], results
    for r in results:
        assert r["base_us"] > 0 and r["new_us"] > 0 and 0.05 < r["run"]["ratio"] < 20, r
        assert len(r["us"]) == 2 and all(len(times) == 2 for pair in r["us"] for times in pair), r
        assert ("compile" in r) == (r["mode"] == "call"), r


if __name__ == "__main__":
    check_statistics(load(sys.argv[1]))
    check_run(*sys.argv[1:4])
