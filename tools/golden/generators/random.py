"""Random numbers: keys, splits, raw bits, and every distribution of jax.random, with raw uint32[2] keys."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

import golden

KEY = random.PRNGKey(42)


def keys():
    seeds = [0, 1, 42, 2**31 - 1, 2**31, 2**32 - 1, -1, -2, -(2**31), 123456789, 2**40 + 3, -(2**33) - 1, 2**53 - 1]
    rows = [{"fn": "key", "seed": s, "expected": golden.array(random.PRNGKey(s))} for s in seeds]
    for s in [0, 7]:
        k = random.PRNGKey(s)
        for shape in [1, 2, 3, 5, 8, (2, 3), (1,), (4, 1, 2), ()]:
            rows.append({"fn": "split", "seed": s, "num": list(shape) if isinstance(shape, tuple) else shape, "expected": golden.array(random.split(k, shape))})
        for data in [0, 1, 2, 255, 2**31 - 1, 2**32 - 1]:
            rows.append({"fn": "foldIn", "seed": s, "data": data, "expected": golden.array(random.fold_in(k, data))})
    rows.append({"fn": "foldIn", "seed": 0, "data": -1, "expected": golden.array(random.fold_in(random.PRNGKey(0), jnp.int32(-1)))})
    chain = random.PRNGKey(3)
    for i in range(4):
        chain = random.split(random.fold_in(chain, i))[1]
    rows.append({"fn": "chain: four times key = split(foldIn(key, i))[1]", "seed": 3, "expected": golden.array(chain)})
    return rows


def bits():
    rows = []
    for dtype in ["uint8", "uint16", "uint32"]:
        for shape in [(), (1,), (2,), (3,), (5,), (7,), (16,), (2, 3), (3, 5), (2, 1, 3), (0,)]:
            rows.append({"fn": "bits", "seed": 42, "shape": list(shape), "dtype": dtype, "expected": golden.array(random.bits(KEY, shape, dtype))})
    return rows


def bits64():
    rows = []
    for shape in [(), (1,), (3,), (2, 3)]:
        flat = np.asarray(random.bits(KEY, shape, "uint64")).reshape(-1)
        rows.append({"fn": "bits", "seed": 42, "shape": list(shape), "dtype": "uint64", "highLow": [[int(v) >> 32, int(v) & 0xFFFFFFFF] for v in flat]})
    return rows


class Cases:
    """Rows of {fn, seed, args, shape, options, expected}: one call of a distribution each."""

    def __init__(self, seed=42):
        self.seed, self.rows = seed, []

    def add(self, fn, f, shape, args=None, **options):
        key = random.PRNGKey(self.seed)
        named = {**(args or {}), **options}
        call = {k: jnp.asarray(v, dtype=options.get("dtype")) if isinstance(v, (list, np.ndarray)) else v for k, v in named.items()}
        out = f(key, shape=shape, **call) if shape is not None else f(key, **call)
        row = {"fn": fn, "seed": self.seed}
        if shape is not None:
            row["shape"] = list(shape)
        row["params"] = {camel(k): golden.array(v) if isinstance(v, jax.Array) else list(v) if isinstance(v, tuple) else v for k, v in call.items()}
        row["expected"] = golden.array(out)
        self.rows.append(row)


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(w.capitalize() for w in rest)


SHAPES = [(), (7,), (3, 5)]
FLOATS = ["float32", "float16", "bfloat16"]


def exact():
    """Those whose path from the bits is exact, or nearly."""
    c = Cases()
    for d in FLOATS:
        for s in SHAPES:
            c.add("uniform", random.uniform, s, dtype=d)
        c.add("uniform", random.uniform, (5,), {"minval": -2.5, "maxval": 7.0}, dtype=d)
    c.add("uniform", random.uniform, (4,), {"minval": [0.0, 1.0, -1.0, 5.0], "maxval": [1.0, 2.0, 0.0, 5.5]})
    for s in SHAPES:
        c.add("bernoulli", random.bernoulli, s)
        c.add("bernoulli", random.bernoulli, s, {"p": 0.25})
        c.add("rademacher", random.rademacher, s)
        c.add("rademacher", random.rademacher, s, dtype="float32")
    c.add("bernoulli", random.bernoulli, (3,), {"p": [0.1, 0.5, 0.9]})
    for d in ["int32", "uint32", "int8", "uint8", "int16", "uint16"]:
        for lo, hi in [(0, 10), (3, 100), (0, 64), (0, 127)]:
            c.add("randint", random.randint, (9,), {"minval": lo, "maxval": hi}, dtype=d)
    for lo, hi in [(-25, 25), (-16, 16), (0, 1), (5, 5), (7, 3), (0, 2**31 - 1), (-(2**31), 2**31 - 1), (-7, -3), (0, 1000003)]:
        c.add("randint", random.randint, (2, 4), {"minval": lo, "maxval": hi}, dtype="int32")
    for hi in [256, 300]:
        c.add("randint", random.randint, (9,), {"minval": 0, "maxval": hi}, dtype="uint8")
    c.add("randint", random.randint, (1,), {"minval": -16, "maxval": 16}, dtype="int32")
    return c.rows


def permutations():
    rows = []
    def add(fn, expected, **params):
        rows.append({"fn": fn, "seed": 42, "params": params, "expected": golden.array(expected)})
    for n in [0, 1, 2, 5, 10, 17, 100, 300]:
        add("permutation", random.permutation(KEY, n), x=n)
    x = jnp.arange(12).reshape(4, 3)
    for axis in [0, 1, -1]:
        for independent in [False, True]:
            add("permutation", random.permutation(KEY, x, axis=axis, independent=independent), x=golden.array(x), axis=axis, independent=independent)
    add("permutation", random.permutation(KEY, jnp.arange(9, dtype=jnp.float32)), x=golden.array(jnp.arange(9, dtype=jnp.float32)))
    add("permutation", random.permutation(KEY, jnp.arange(9, dtype=jnp.uint8)), x=golden.array(jnp.arange(9, dtype=jnp.uint8)))
    add("choice", random.choice(KEY, 10, (6,)), a=10, shape=[6])
    add("choice", random.choice(KEY, 10), a=10, shape=[])
    add("choice", random.choice(KEY, 10, (2, 3), replace=False), a=10, shape=[2, 3], replace=False)
    p = jnp.array([0.1, 0.2, 0.05, 0.4, 0.25], jnp.float32)
    values = jnp.array([10, 20, 30, 40, 50])
    add("choice", random.choice(KEY, values, (8,), p=p), a=golden.array(values), shape=[8], p=golden.array(p))
    add("choice", random.choice(KEY, values, (3,), replace=False, p=p), a=golden.array(values), shape=[3], p=golden.array(p), replace=False)
    add("choice", random.choice(KEY, x, (5,), axis=0), a=golden.array(x), shape=[5], axis=0)
    add("choice", random.choice(KEY, x, (2,), axis=1, replace=False), a=golden.array(x), shape=[2], axis=1, replace=False)
    return rows


def continuous():
    """Distributions on the real line and in vectors; transcendental functions make the last bits differ between machines."""
    c = Cases()
    for d in FLOATS:
        for s in SHAPES:
            c.add("normal", random.normal, s, dtype=d)
        c.add("truncatedNormal", random.truncated_normal, (6,), {"lower": -2.0, "upper": 2.0}, dtype=d)
        c.add("gumbel", random.gumbel, (6,), dtype=d)
        c.add("exponential", random.exponential, (6,), dtype=d)
        c.add("laplace", random.laplace, (6,), dtype=d)
        c.add("logistic", random.logistic, (6,), dtype=d)
    c.add("truncatedNormal", random.truncated_normal, (3, 3), {"lower": -0.5, "upper": 3.0})
    c.add("truncatedNormal", random.truncated_normal, (2,), {"lower": [0.0, -1.0], "upper": [1.0, 4.0]})
    c.add("gumbel", random.gumbel, (6,), {"mode": "high"})
    c.add("cauchy", random.cauchy, (7,))
    c.add("rayleigh", random.rayleigh, (7,), {"scale": 1.5})
    c.add("weibullMin", random.weibull_min, (7,), {"scale": 2.0, "concentration": 1.5})
    c.add("pareto", random.pareto, (7,), {"b": 3.0})
    c.add("pareto", random.pareto, (2,), {"b": [1.0, 3.0]})
    c.add("maxwell", random.maxwell, (7,))
    c.add("doubleSidedMaxwell", random.double_sided_maxwell, (7,), {"loc": 1.0, "scale": 2.0})
    c.add("lognormal", random.lognormal, (7,), {"sigma": 0.5})
    c.add("triangular", random.triangular, (7,), {"left": -1.0, "mode": 0.5, "right": 2.0})
    c.add("wald", random.wald, (7,), {"mean": 1.5})
    for a in [0.3, 1.0, 2.5, 20.0]:
        c.add("gamma", random.gamma, (5,), {"a": a})
        c.add("loggamma", random.loggamma, (5,), {"a": a})
    c.add("gamma", random.gamma, (3,), {"a": [0.5, 1.5, 7.0]})
    c.add("gamma", random.gamma, (4,), {"a": 2.0}, dtype="float16")
    c.add("beta", random.beta, (6,), {"a": 2.0, "b": 3.5})
    c.add("chisquare", random.chisquare, (6,), {"df": 3.0})
    c.add("f", random.f, (4,), {"dfnum": 3.0, "dfden": 5.0})
    c.add("t", random.t, (6,), {"df": 4.0})
    c.add("dirichlet", random.dirichlet, (3,), {"alpha": [0.5, 1.5, 3.0]})
    c.add("dirichlet", random.dirichlet, (), {"alpha": [2.0, 1.0, 1.0, 4.0]})
    c.add("ball", random.ball, (4,), {"d": 3})
    c.add("ball", random.ball, (2,), {"d": 2, "p": 1.0})
    c.add("generalizedNormal", random.generalized_normal, (5,), {"p": 1.5})
    c.add("orthogonal", random.orthogonal, (), {"n": 3})
    c.add("orthogonal", random.orthogonal, (2,), {"n": 2})
    c.add("orthogonal", random.orthogonal, (), {"n": 2, "m": 4})
    cov = [[2.0, 0.5], [0.5, 1.0]]
    for method in ["cholesky", "eigh", "svd"]:
        c.add("multivariateNormal", random.multivariate_normal, (3,), {"mean": [1.0, -1.0], "cov": cov, "method": method})
    return c.rows


def discrete():
    c = Cases()
    logits = [[0.1, 1.2, -0.7, 2.0], [0.0, 0.0, 0.0, -50.0]]
    c.add("categorical", random.categorical, None, {"logits": logits[0]})
    c.add("categorical", random.categorical, None, {"logits": logits})
    c.add("categorical", random.categorical, (6, 2), {"logits": logits, "axis": -1})
    c.add("categorical", random.categorical, None, {"logits": logits, "axis": 0})
    c.add("categorical", random.categorical, (5,), {"logits": logits[0]})
    c.add("categorical", random.categorical, (3,), {"logits": logits[0], "replace": False})
    for lam in [0.0, 0.5, 3.0, 9.9, 10.0, 50.0, 1000.0]:
        c.add("poisson", random.poisson, (8,), {"lam": lam})
    c.add("poisson", random.poisson, (3,), {"lam": [1.0, 5.0, 30.0]})
    for n, p in [(10.0, 0.5), (3.0, 0.1), (100.0, 0.3), (1000.0, 0.9), (0.0, 0.5), (5.0, 1.0)]:
        c.add("binomial", random.binomial, (6,), {"n": n, "p": p})
    for p in [0.1, 0.5, 0.9]:
        c.add("geometric", random.geometric, (8,), {"p": p})
    c.add("multinomial", random.multinomial, None, {"n": 20.0, "p": [0.2, 0.3, 0.5]})
    return c.rows


def finer():
    """Options that draw more bits, bounds as arrays, samples without replacement."""
    c = Cases(7)
    for mode in ["high", "highest"]:
        c.add("gumbel", random.gumbel, (9,), {"mode": mode})
    c.add("gumbel", random.gumbel, (4,), {"mode": "high"}, dtype="float16")
    c.add("bernoulli", random.bernoulli, (3, 4), {"p": 0.3, "mode": "high"})
    c.add("bernoulli", random.bernoulli, (2, 3), {"p": [0.2, 0.5, 0.9], "mode": "high"})
    lows, highs = jnp.array([0, -5, 7, 2**31 - 2]), jnp.array([10, 5, 7, 2**31 - 1])
    c.add("randint", random.randint, (3, 4), {"minval": lows, "maxval": highs})
    c.add("randint", random.randint, (4,), {"minval": lows, "maxval": highs}, dtype="int8")
    c.add("randint", random.randint, (4,), {"minval": lows, "maxval": highs}, dtype="uint32")
    logits = jnp.array([[0.1, 1.2, -0.7, 2.0], [0.0, 0.0, 0.0, -50.0]], jnp.float32)
    c.add("categorical", random.categorical, (3, 2), {"logits": logits, "replace": False})
    c.add("categorical", random.categorical, (2, 4), {"logits": logits, "axis": 0, "replace": False})
    c.add("categorical", random.categorical, (5, 4), {"logits": logits, "axis": 0, "mode": "high"})
    c.add("multinomial", random.multinomial, (3, 3), {"n": 50.0, "p": [0.2, 0.3, 0.5]})
    c.add("multinomial", random.multinomial, None, {"n": [5.0, 40.0], "p": [[0.5, 0.0, 0.5], [0.1, 0.2, 0.7]]})
    c.add("binomial", random.binomial, (2, 3), {"n": [4.0, 30.0, 1e6], "p": [0.5, 0.7, 0.001]})
    c.add("binomial", random.binomial, (4,), {"n": [float("nan"), -1.0, float("inf"), 3.0], "p": 0.5})
    c.add("poisson", random.poisson, (4,), {"lam": jnp.array([0.1, 2.0, 12.0, 1e4], jnp.float32)}, dtype="int16")
    c.add("truncatedNormal", random.truncated_normal, (4,), {"lower": 3.0, "upper": 5.0})
    c.add("orthogonal", random.orthogonal, (), {"n": 4, "m": 2})
    c.add("dirichlet", random.dirichlet, (2,), {"alpha": [[1e-3, 1e-3, 1e-2], [3.0, 0.5, 10.0]]})
    c.add("loggamma", random.loggamma, (4,), {"a": 1e-3})
    return c.rows


def gradients():
    """Derivatives of the sum of the samples by one parameter."""
    rows = []
    def add(fn, f, shape, at, **params):
        params = {k: jnp.asarray(v, jnp.float32) for k, v in params.items()}
        grad = jax.grad(lambda p: f(KEY, shape=shape, **{**params, at: p}).sum())(params[at])
        rows.append({"fn": fn, "seed": 42, "shape": list(shape), "params": {camel(k): golden.array(v) for k, v in params.items()}, "by": camel(at), "expected": golden.array(grad)})
    add("uniform", random.uniform, (5,), "minval", minval=0.0, maxval=2.0)
    add("uniform", random.uniform, (5,), "maxval", minval=0.0, maxval=2.0)
    add("truncatedNormal", random.truncated_normal, (6,), "lower", lower=-1.0, upper=2.0)
    add("truncatedNormal", random.truncated_normal, (6,), "upper", lower=-1.0, upper=2.0)
    for a in [0.3, 1.0, 2.5, 20.0]:
        add("gamma", random.gamma, (5,), "a", a=a)
        add("loggamma", random.loggamma, (5,), "a", a=a)
    add("gamma", random.gamma, (3,), "a", a=[0.5, 1.5, 7.0])
    add("beta", random.beta, (6,), "a", a=2.0, b=3.5)
    add("beta", random.beta, (6,), "b", a=2.0, b=3.5)
    add("chisquare", random.chisquare, (6,), "df", df=3.0)
    add("f", random.f, (4,), "dfnum", dfnum=3.0, dfden=5.0)
    add("t", random.t, (6,), "df", df=4.0)
    add("pareto", random.pareto, (6,), "b", b=3.0)
    add("rayleigh", random.rayleigh, (6,), "scale", scale=1.5)
    add("weibullMin", random.weibull_min, (6,), "concentration", scale=2.0, concentration=1.5)
    add("lognormal", random.lognormal, (6,), "sigma", sigma=0.5)
    add("wald", random.wald, (6,), "mean", mean=1.5)
    add("triangular", random.triangular, (6,), "mode", left=-1.0, mode=0.5, right=2.0)
    return rows


def float64():
    c = Cases()
    for s in SHAPES:
        c.add("uniform", random.uniform, s, dtype="float64")
        c.add("normal", random.normal, s, dtype="float64")
    c.add("uniform", random.uniform, (4,), {"minval": -1.0, "maxval": 3.0}, dtype="float64")
    c.add("exponential", random.exponential, (4,), dtype="float64")
    c.add("gumbel", random.gumbel, (4,), dtype="float64")
    c.add("truncatedNormal", random.truncated_normal, (4,), {"lower": -2.0, "upper": 2.0}, dtype="float64")
    return c.rows


def laws():
    """Values that bind the partitionable layout: a prefix in the flat index gives the same numbers whatever the shape's tail."""
    whole = np.asarray(random.bits(KEY, (1000,)))
    return {
        "seed": 42,
        "bits of shape [1000]": {"first": golden.array(whole[:4]), "last": golden.array(whole[-4:]), "sumModulo2To32": int(whole.astype(np.uint64).sum() % 2**32)},
        "bits of shape [3, 70000], row 2, first four": golden.array(np.asarray(random.bits(KEY, (3, 70000)))[2, :4]),
        "mean of normal of shape [10000]": float(np.asarray(random.normal(KEY, (10000,)), np.float64).mean()),
        "sum of permutation(7000)[:10]": int(np.asarray(random.permutation(KEY, 7000))[:10].sum()),
        "permutation(7000)[:10]": golden.array(random.permutation(KEY, 7000)[:10]),
    }


def main():
    golden.write("random", "jax.random with jax_threefry_partitionable; the key of each case is key(seed). Parameters absent from params have their defaults.", {
        "keys": keys(), "bits": bits(), "bits64": golden.in_x64("generators.random", "bits64"), "exact": exact(), "permutations": permutations(),
        "continuous": continuous(), "discrete": discrete(), "finer": finer(), "gradients": gradients(), "float64": golden.in_x64("generators.random", "float64"), "laws": laws(),
    })


if __name__ == "__main__":
    main()
