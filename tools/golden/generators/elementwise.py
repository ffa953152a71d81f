"""Elementwise operations of lax: values, first and second derivatives in each operand, at edge points."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import golden

inf, nan = np.inf, np.nan
POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 0.25, 2.0, 2.5, -2.5, 3.7, -2.3, 1e-3, 10.0, -10.0, 90.0, -90.0, inf, -inf, nan]
POSITIVE = [0.001, 0.1, 0.5, 1.0, 1.5, 2.0, 3.7, 10.0, 30.0]
UNARY = """neg sign floor ceil round exp exp2 log expm1 log1p tanh sin cos tan asin acos atan sinh cosh asinh acosh atanh
logistic sqrt rsqrt cbrt abs square is_finite erf erfc erf_inv lgamma digamma bessel_i0e bessel_i1e""".split()
BINARY = "add sub mul div rem pow atan2 max min eq ne lt le gt ge".split()
INTEGERS = {
    "int8": [0, 1, -1, 2, 3, 7, 8, 100, -100, 127, -128],
    "uint8": [0, 1, 2, 3, 7, 8, 100, 200, 255],
    "int16": [0, 1, -1, 15, 16, 300, -32768, 32767],
    "uint16": [0, 1, 15, 16, 300, 65535],
    "int32": [0, 1, -1, 5, -7, 31, 32, 123456789, -987654321, 2147483647, -2147483648],
    "uint32": [0, 1, 5, 31, 32, 123456789, 4000000000, 4294967295],
    "bool": [False, True],
}
DTYPES = [*INTEGERS, "float16", "bfloat16", "float32"]


def case(name, f, args, derivatives=True):
    """Values, and for each operand the derivative of every element in it, and that derivative's."""
    out = {"name": name, "args": [golden.array(a) for a in args], "out": golden.array(f(*args))}
    if not derivatives or not jnp.issubdtype(f(*args).dtype, jnp.floating):
        return out
    first, twice = [], []
    for i, x in enumerate(args):
        g = lambda v: f(*args[:i], v, *args[i + 1 :])
        d = lambda v: jax.jvp(g, (v,), (jnp.ones_like(v),))[1]
        if not jnp.issubdtype(x.dtype, jnp.floating):
            first.append(None), twice.append(None)
            continue
        try:
            first.append(golden.array(d(x)))
        except (ValueError, NotImplementedError):
            first.append(None)
        try:
            twice.append(golden.array(jax.jvp(d, (x,), (jnp.ones_like(x),))[1]))
        except (ValueError, NotImplementedError):
            twice.append(None)
    return {**out, "first": first, "second": twice}


def pairs(values, dtype):
    x, y = zip(*itertools.product(values, values))
    return [jnp.array(x, dtype), jnp.array(y, dtype)]


def floats():
    """In float64, where JAX's special functions are as exact as ours: in float32 they lose up to two digits. To be called with 64-bit types on."""
    f64 = jnp.float64
    x = jnp.array(POINTS, f64)
    # At infinity JAX's polygamma gives NaN where the limit is 0.
    finite = jnp.array([v for v in POINTS if not np.isinf(v)], f64)
    some = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, 3.0, inf, -inf, nan]
    cases = [case(name, getattr(lax, name), [finite if "gamma" in name else x]) for name in UNARY]
    cases.append(case("round_even", lambda v: lax.round(v, lax.RoundingMethod.TO_NEAREST_EVEN), [x]))
    cases += [case(name, getattr(lax, name), pairs(some, f64)) for name in BINARY]
    cases.append(case("nextafter", lax.nextafter, pairs([1.0, -1.0, 2.0, 3.5, 0.75, inf, -inf, nan], f64)))
    cases += [case(f"integer_pow_{y}", lambda v, y=y: lax.integer_pow(v, y), [x]) for y in (-3, -1, 0, 1, 2, 3, 5)]
    exponents = jnp.array([0, 1, 2, 3, -1, -2], jnp.int32)
    bases = jnp.array([0.0, 0.0, 0.0, -2.0, 3.0, -0.5], f64)
    cases.append(case("pow", lax.pow, [bases, exponents]))
    bounds = [jnp.array(v, f64) for v in zip(*itertools.product([-1.0, 0.0, 2.0, nan], [-2.0, -1.0, 0.0, 0.5, 1.0, 3.0, nan], [-1.0, 1.0]))]
    cases.append(case("clamp", lax.clamp, bounds))
    orders = [jnp.array(v, f64) for v in zip(*itertools.product([0.0, 1.0, 2.0, 4.0], POSITIVE))]
    cases.append(case("polygamma", lax.polygamma, orders))
    cases.append(case("zeta", lax.zeta, [jnp.array(v, f64) for v in zip(*itertools.product([1.0, 1.5, 2.0, 5.0], POSITIVE))]))
    for name in ("igamma", "igammac"):
        cases.append(case(name, getattr(lax, name), pairs(POSITIVE, f64)))
    cases.append(case("random_gamma_grad", lax.random_gamma_grad, pairs(POSITIVE, f64), derivatives=False))
    triples = [jnp.array(v, f64) for v in zip(*itertools.product([0.5, 1.0, 3.0], [0.5, 2.0, 10.0], [0.0, 0.1, 0.5, 0.9, 1.0]))]
    cases.append(case("regularized_incomplete_beta", lax.betainc, triples))
    cases.append(case("reduce_precision", lambda v: lax.reduce_precision(v, 5, 3), [jnp.array([1.06, 1.19, 3e5, 7e4, 61440.0, 63488.0, 1e-5, -1e-9, inf, nan, 0.0, -1.0625], f64)]))
    return cases


def integers():
    cases = []
    for dtype, values in INTEGERS.items():
        x, y = pairs(values, dtype)
        if dtype == "bool":
            names = "and or xor eq lt max min"
        else:
            names = "add sub mul div rem max min and or xor shift_left shift_right_logical shift_right_arithmetic eq lt ge"
        rename = {"and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor"}
        cases += [case(n, getattr(lax, rename.get(n, n)), [x, y]) for n in names.split()]
        v = jnp.array(values, dtype)
        cases.append(case("not", lax.bitwise_not, [v]))
        if dtype != "bool":
            cases += [case(n, getattr(lax, n), [v]) for n in ("neg", "sign", "square", "population_count", "clz")]
        if dtype.startswith("int"):
            cases.append(case("abs", lax.abs, [v]))
    return cases


def conversions():
    cases = []
    numbers = [0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.7, 127.9, 128.0, -129.0, 255.0, 256.0, 300.0, 40000.0, 65519.0, 65520.0, 1e5, -1e5, 3e9, -3e9, 5e9, 1e30, 1e-7, inf, -inf, nan]
    for source, target in itertools.product(DTYPES, DTYPES):
        values = INTEGERS.get(source, numbers)
        x = jnp.array(np.array(values, np.float32), source) if source not in INTEGERS else jnp.array(values, source)
        cases.append({"name": target, "args": [golden.array(x)], "out": golden.array(lax.convert_element_type(x, target))})
    return cases


def bitcasts():
    cases = []
    for source, target in [("float32", "int32"), ("float32", "uint8"), ("float16", "uint16"), ("uint16", "float16"), ("bfloat16", "int16"), ("float32", "uint16"), ("float32", "bfloat16")]:
        values = [0.0, 1.5, -2.25, 1024.0, 6e-8] if "float" in source else [0, 1, 0x3C00, 0x7BFF, 0x7C00, 0x8001]
        x = jnp.array(values, source)
        cases.append({"name": target, "args": [golden.array(x)], "out": golden.array(lax.bitcast_convert_type(x, target))})
    x = jnp.array([[0, 128], [63, 1]], jnp.uint16)
    cases.append({"name": "float32", "args": [golden.array(x)], "out": golden.array(lax.bitcast_convert_type(x, jnp.float32))})
    return cases


def main():
    about = "jax.lax's elementwise operations. `first` and `second` hold, for each operand, the derivative of every element in it and that derivative's; null where JAX has none."
    golden.write(
        "elementwise",
        about,
        {"floats": golden.in_x64("generators.elementwise", "floats"), "integers": integers(), "conversions": conversions(), "bitcasts": bitcasts()},
    )


if __name__ == "__main__":
    main()
