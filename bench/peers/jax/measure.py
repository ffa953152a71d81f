"""Measures one task with jax.jit on the CPU: `python measure.py TASK SECONDS UNROLLS`, all JSON, prints one line of JSON.

What has a loop over time is compiled once for each unroll, and the fastest is told, with its own compile time."""

import json
import os
import sys
import time

os.environ["JAX_PLATFORMS"] = "cpu"

import jax

import kernels
import network
import training

CALLS = 1000


def programs(task, unrolls):
    """(unroll, function, arguments): one or, where there is time to unroll, several."""
    if task["kind"] == "network":
        data = network.initial(task, jax.random.key(2)), *network.inputs(task)
        return [(unroll, network.value_and_grad(task, unroll), data) for unroll in unrolls]
    if task["kind"] == "training":
        return [(unroll, *training.training(task, unroll)) for unroll in unrolls]
    return [(None, *kernels.KERNELS[task["kind"]](task))]


def timed(f):
    start = time.perf_counter()
    jax.block_until_ready(f())
    return (time.perf_counter() - start) * 1000


def repeated(f, seconds):
    """Times of at least three runs; of one, where that alone takes ten times as long as was asked for."""
    times = []
    end = time.perf_counter() + seconds
    while not times or (time.perf_counter() < end or len(times) < 3) and sum(times) < 10_000 * seconds:
        times.append(timed(f))
    return sorted(times)


def measured(f, args, seconds, calls):
    start = time.perf_counter()
    compiled = jax.jit(f).lower(*args).compile()
    compile_ms = (time.perf_counter() - start) * 1000
    # What was compiled ahead takes a slower way into a call than a jitted function does.
    once = compiled if calls == 1 else jax.jit(f)

    def run():
        for _ in range(calls - 1):
            once(*args)
        return once(*args)

    first = timed(run)
    times = repeated(run, seconds)
    return result(times, calls, first_ms=first, compile_ms=compile_ms)


def result(times, calls, **more):
    return {"median_ms": times[len(times) // 2] / calls, "min_ms": times[0] / calls, "runs": len(times), **more}


def eager(seconds):
    x = kernels.normal(0, 4)

    def run():
        for _ in range(CALLS - 1):
            x + 1
        return x + 1

    first = timed(run)
    return result(repeated(run, seconds), CALLS, first_ms=first)


def main():
    task, seconds, unrolls = map(json.loads, sys.argv[1:4])
    if task["kind"] == "eager":
        best = eager(seconds)
    else:
        calls = CALLS if task["kind"] == "dispatch" else 1
        found = []
        for unroll, f, args in programs(task, unrolls):
            found.append({**measured(f, args, seconds, calls), **({} if unroll is None else {"unroll": unroll})})
        best = min(found, key=lambda one: one["median_ms"])
    print(json.dumps({"version": jax.__version__, **best}))


if __name__ == "__main__":
    main()
