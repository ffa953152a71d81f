"""Type promotion: result dtype and weak type for every pair of types, Python scalars, and operations with rules of their own."""

import itertools

import jax
import jax.numpy as jnp
from jax import lax

import golden

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "bfloat16", "float32"]
SCALARS = [2, 2.5, True]


def kinds(dtypes, default_int, default_float):
    strong = [(d, False) for d in dtypes]
    return strong + [(default_int, True), (default_float, True)]


def sample(dtype, weak):
    """An array of the given type; weak arrays come from Python scalars, as in user code."""
    if not weak:
        return jnp.ones((), dtype)
    return lax.full_like(jnp.asarray(1.0 if "float" in dtype else 1), 1)


def short(x):
    a = jax.typeof(x)
    return str(a.dtype) + ("*" if a.weak_type else "")


def pairs(all_kinds):
    rows = []
    for left, right in itertools.product(all_kinds, all_kinds):
        a, b = sample(*left), sample(*right)
        assert short(a).rstrip("*") == left[0] and short(a).endswith("*") == left[1], (left, short(a))
        dtype, weak = jax.dtypes.result_type(a, b, return_weak_type_flag=True)
        out = jnp.multiply(a, b)
        assert (str(out.dtype), bool(out.weak_type)) == (str(dtype), bool(weak))
        rows.append([short(a), short(b), short(out)])
    return rows


def scalars(all_kinds):
    rows = []
    for kind, s in itertools.product(all_kinds, SCALARS):
        x = sample(*kind)
        rows.append([short(x), s, short(jnp.multiply(x, s)), short(jnp.multiply(s, x))])
    for a, b in itertools.product(SCALARS, SCALARS):
        rows.append([a, b, short(jnp.multiply(a, b)), short(jnp.multiply(b, a))])
    return rows


UNARY = {
    "exp": jnp.exp, "log1p": jnp.log1p, "sqrt": jnp.sqrt, "sin": jnp.sin, "tanh": jnp.tanh, "floor": jnp.floor, "round": jnp.round,
    "rint": jnp.rint, "sign": jnp.sign, "abs": jnp.abs, "square": jnp.square, "reciprocal": jnp.reciprocal, "isnan": jnp.isnan,
    "logicalNot": jnp.logical_not, "positive": jnp.positive, "degrees": jnp.degrees, "sinc": jnp.sinc, "cbrt": jnp.cbrt,
    "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus, "gelu": jax.nn.gelu,
    "zerosLike": jnp.zeros_like, "onesLike": jnp.ones_like, "negative": jnp.negative, "bitwiseNot": jnp.bitwise_not,
    "oneHot": lambda x: jax.nn.one_hot(x, 3),
}
REDUCTIONS = {
    "sum": jnp.sum, "prod": jnp.prod, "mean": jnp.mean, "var": jnp.var, "std": jnp.std, "max": jnp.max, "min": jnp.min, "any": jnp.any, "all": jnp.all,
    "argmax": jnp.argmax, "argmin": jnp.argmin, "cumsum": jnp.cumsum, "cumprod": jnp.cumprod, "median": jnp.median, "ptp": jnp.ptp,
    "nansum": jnp.nansum, "nanmean": jnp.nanmean, "countNonzero": jnp.count_nonzero, "average": jnp.average, "norm": jnp.linalg.norm,
    "logSoftmax": jax.nn.log_softmax, "softmax": jax.nn.softmax, "logsumexp": jax.nn.logsumexp,
    "sort": jnp.sort, "argsort": jnp.argsort, "diff": jnp.diff, "trace": lambda x: jnp.trace(jnp.stack([x, x])),
}
BINARY = {
    "add": jnp.add, "subtract": jnp.subtract, "divide": jnp.divide, "floorDivide": jnp.floor_divide, "remainder": jnp.remainder, "mod": jnp.mod,
    "fmod": jnp.fmod, "power": jnp.power, "maximum": jnp.maximum, "arctan2": jnp.arctan2, "hypot": jnp.hypot, "logaddexp": jnp.logaddexp,
    "equal": jnp.equal, "less": jnp.less, "logicalAnd": jnp.logical_and, "bitwiseAnd": jnp.bitwise_and, "leftShift": jnp.left_shift,
    "rightShift": jnp.right_shift, "where": lambda x, y: jnp.where(True, x, y), "matmul": lambda x, y: jnp.matmul(x[None], y[None]),
    "copysign": jnp.copysign, "nextafter": jnp.nextafter, "ldexp": jnp.ldexp, "floatPower": jnp.float_power, "gcd": jnp.gcd, "heaviside": jnp.heaviside,
    "concatenate": lambda x, y: jnp.concatenate([x[None], y[None]]), "stack": lambda x, y: jnp.stack([x, y]), "clip": lambda x, y: jnp.clip(x, y, y),
    "kron": lambda x, y: jnp.kron(x[None], y[None]), "minimum": jnp.minimum,
}
BINARY_PAIRS = [
    ("int32", "int32"), ("int8", "int8"), ("uint8", "uint8"), ("bool", "bool"), ("float16", "float16"), ("bfloat16", "bfloat16"), ("float32", "float32"),
    ("uint8", "int8"), ("int32", "float16"), ("float32", "int32"), ("bool", "int32"), ("uint32", "int32"), ("float16", "bfloat16"),
    ("int32*", "int8"), ("int8", "int32*"), ("float32*", "float16"), ("float32*", "int32"), ("int32", "float32*"), ("int32*", "int32*"), ("int32*", "float32*"),
    ("float32*", "float32*"), ("bool", "int32*"), ("bool", "float32*"),
]
POWERS = [("int32", 2), ("int32", 2.0), ("uint8", 2), ("bool", 2), ("float16", 2), ("float16", 2.5), ("float32*", 2), ("int32*", 2), ("int32*", 2.5), ("bfloat16", 3)]


def parse(text):
    return sample(text.rstrip("*"), text.endswith("*"))


def vector(text):
    """A vector of two ones, weak where the text says so."""
    out = lax.full_like(parse(text), 1, shape=(2,))
    assert short(out) == text, (short(out), text)
    return out


def attempt(f, *args):
    """The type of the result, or "error" where JAX refuses the type."""
    try:
        return short(f(*args))
    except (TypeError, ValueError):
        return "error"


def operations():
    rows = []
    every = [d for d in DTYPES] + ["int32*", "float32*"]
    for name, f in UNARY.items():
        rows.append({"op": name, "types": [[t, attempt(f, parse(t))] for t in every]})
    for name, f in REDUCTIONS.items():
        rows.append({"op": name, "on": "shape [2]", "types": [[t, attempt(f, vector(t))] for t in every]})
    for name, f in BINARY.items():
        rows.append({"op": name, "types": [[a, b, attempt(f, parse(a), parse(b))] for a, b in BINARY_PAIRS]})
    rows.append({"op": "power with a JavaScript number", "types": [[t, p, attempt(jnp.power, parse(t), p)] for t, p in POWERS]})
    return rows


def creation():
    rows = []
    for args in [(3,), (1, 4), (0, 10, 3), (3.0,), (0.0, 1.0, 0.25), (0, 1, 0.5), (2.5,), (1, 5, 2.0), (0,), (5, 0, -2)]:
        rows.append({"op": "arange", "args": list(args), "isFloat": [isinstance(a, float) for a in args], "expected": golden.array(jnp.arange(*args))})
    for d in ["int8", "uint8", "float16", "bfloat16", "float32"]:
        rows.append({"op": "arange", "args": [4], "isFloat": [False], "dtype": d, "expected": golden.array(jnp.arange(4, dtype=d))})
    for args in [(0, 1, 5), (0.0, 10.0, 4), (3, -3, 7), (1, 1, 3), (0, 1, 1), (2, 3, 0), (0, 10, 3)]:
        rows.append({"op": "linspace", "args": list(args), "expected": golden.array(jnp.linspace(*args))})
    for d in ["int32", "float16", "bfloat16", "uint8"]:
        rows.append({"op": "linspace", "args": [0, 10, 4], "dtype": d, "expected": golden.array(jnp.linspace(0, 10, 4, dtype=d))})
    rows.append({"op": "linspace", "args": [0, 1, 4], "endpoint": False, "expected": golden.array(jnp.linspace(0, 1, 4, endpoint=False))})
    for name, v in {"zeros": jnp.zeros(2), "ones": jnp.ones(2), "eye": jnp.eye(2), "full with 1": jnp.full((2,), 1), "full with 1.5": jnp.full((2,), 1.5),
                    "full with true": jnp.full((2,), True), "tri": jnp.tri(2), "logspace": jnp.logspace(0, 2, 3), "geomspace": jnp.geomspace(1, 100, 3),
                    "broadcast of a number": jnp.broadcast_to(1, (2,)), "asarray of a number 1": jnp.asarray(1), "array of a number 1": jnp.array(1),
                    "array of a number 1.5": jnp.array(1.5)}.items():
        rows.append({"op": name, "expected": golden.array(v)})
    return rows


def pairs64():
    k = kinds(DTYPES + ["float64"], "int64", "float64")
    # Fluxion has float64 but no int64: a weak int there stays what it is, so only pairs with a strong type or a weak float are kept.
    keep = lambda t: "int64" not in t
    return [r for r in pairs(k) if all(map(keep, r))]


def main():
    k = kinds(DTYPES, "int32", "float32")
    golden.write("promotion", "Result types. A type is its dtype's name, followed by * where it is weak.", {
        "pairs": pairs(k), "pairsWithFloat64Enabled": golden.in_x64("generators.promotion", "pairs64"),
        "scalars": scalars(k), "operations": operations(), "creation": creation(),
    })


if __name__ == "__main__":
    main()
