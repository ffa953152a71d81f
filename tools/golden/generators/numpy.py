"""Functions of numpy: creation, elementwise functions, reductions, statistics, printing; values and cotangents for one of ones."""

import jax
import jax.numpy as jnp
import numpy as np

import golden

rng = np.random.default_rng(11)
# what JAX has no derivative of
UNDIFFERENTIABLE = ["nextafter", "spacing"]
NAN, INF = float("nan"), float("inf")


def f(*values, dtype="float32"):
    return jnp.array(values, dtype)


def i(*values, dtype="int32"):
    return jnp.array(values, dtype)


def eighths(*shape, dtype="float32"):
    """Distinct multiples of 1/8, so that sums and products are exact."""
    n = int(np.prod(shape))
    return jnp.array((rng.permutation(n).reshape(shape) - n // 3) / 8, dtype)


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def case(name, *inputs, fn=None, positional=(), call=None, grad=True, **options):
    """One call; arrays among `inputs` are differentiated where they are floats. `call` says how JAX is to be called, if not as np."""
    function = call or (lambda *xs: getattr(jnp, name)(*xs, *positional, **options))
    expected = function(*inputs)
    row = {"fn": fn or camel(name), "inputs": [golden.array(x) for x in inputs]}
    if positional:
        row["positional"] = list(positional)
    if options:
        row["options"] = {camel(k): (golden.array(v) if isinstance(v, jax.Array) else v) for k, v in options.items()}
    outs = expected if isinstance(expected, (list, tuple)) else [expected]
    row["expected"] = [golden.array(x) for x in outs]
    moving = [k for k, x in enumerate(inputs) if jnp.issubdtype(x.dtype, jnp.floating)]
    if grad and name not in UNDIFFERENTIABLE and moving and jnp.issubdtype(outs[0].dtype, jnp.floating):

        def restricted(*xs):
            full = list(inputs)
            for k, x in zip(moving, xs):
                full[k] = x
            out = function(*full)
            return out[0] if isinstance(out, (list, tuple)) else out

        out, pullback = jax.vjp(restricted, *(inputs[k] for k in moving))
        cotangents = dict(zip(moving, pullback(jnp.ones_like(out))))
        row["vjpOfOnes"] = [golden.array(cotangents[k]) if k in cotangents else None for k in range(len(inputs))]
    return row


def elementwise():
    rows = []
    x = f(-2.5, -1.0, -0.25, 0.0, 0.25, 1.0, 2.5)
    unit = f(-0.75, -0.25, 0.0, 0.25, 0.75)
    positive = f(0.25, 0.5, 1.0, 3.0, 40.0)
    for name in ["sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsinh", "arctan", "exp", "exp2", "expm1", "cbrt", "square", "sinc", "fabs", "i0",
                 "deg2rad", "rad2deg", "degrees", "radians", "sign", "absolute", "negative", "reciprocal", "spacing"]:
        rows.append(case(name, x))
    for name in ["arcsin", "arccos", "arctanh", "log1p"]:
        rows.append(case(name, unit))
    for name in ["log", "log2", "log10", "sqrt"]:
        rows.append(case(name, positive))
    rows.append(case("arccosh", f(1.5, 2.0, 40.0)))
    y = f(1.5, -2.0, 0.25, 3.0, -0.25, 1.0, -2.5)
    for name in ["add", "subtract", "multiply", "divide", "floor_divide", "remainder", "fmod", "maximum", "minimum", "fmax", "fmin", "arctan2", "hypot",
                 "logaddexp", "logaddexp2", "copysign", "heaviside", "nextafter"]:
        rows.append(case(name, x, y))
        rows.append(case(name, eighths(2, 1, 3), eighths(4, 1)))
    inf = f(INF, -INF, INF, -INF, 0.0, NAN)
    for name in ["logaddexp", "logaddexp2", "hypot", "fmax", "fmin", "maximum", "minimum"]:
        rows.append(case(name, inf, f(INF, -INF, 0.0, 0.0, NAN, 1.0)))
    rows += [case("power", positive, f(0.5, -1.5, 2.0, 0.0, 1.5)), case("power", f(-2.0, 0.0, 3.0), i(3, 0, -2))]
    rows += [case("power", i(2, -3, 5), i(5, 3, 0)), case("float_power", i(2, 3), i(-1, 2))]
    rows += [case("power", x, positional=(n,)) for n in [0, 1, 2, 3]]
    rows += [case("power", f(-2.0, 0.5), positional=(n,)) for n in [-2, -1]]
    rows += [case("frexp", f(8.0, -0.3, 0.0, 1e-30, 3e37)), case("frexp", f(8.0, -0.3, 60000.0, 6e-8, dtype="float16"), grad=False)]
    rows += [case("modf", f(2.5, -2.5, 3.0)), case("ldexp", f(0.75, -1.5, 3.0), i(3, -2, 20))]
    rows += [case("divmod", i(7, -7, 7, -7), i(3, 3, -3, -3)), case("gcd", i(12, -18, 0, 0), i(18, 12, 5, 0)), case("lcm", i(4, -6, 0), i(6, 4, 5))]
    rows += [case("clip", x, positional=(-1, 1)), case("clip", i(-5, 0, 5, dtype="int8"), positional=(-1, 3))]
    rows += [case("nan_to_num", inf), case("nan_to_num", inf, nan=1.0, posinf=2.0, neginf=-3.0)]
    rows += [case("round", f(1.25, 2.675, -0.5, 1234.5), decimals=d) for d in [0, 1, 2, -2]]
    rows += [case("round", f(1.25, 2.675, dtype="float16"), decimals=1)]
    rows += [case("isclose", f(1.0, NAN, INF, 1.0), f(1.000001, NAN, INF, 1.1), equal_nan=e) for e in [False, True]]
    rows += [case("unwrap", f(0.0, 3.0, 1.0, -2.0)), case("unwrap", f(0.0, 3.0, 1.0, -2.0), period=4.0), case("unwrap", i(0, 3, 1, 9), period=4)]
    xp, fp = f(0.0, 1.0, 3.0), f(10.0, 20.0, 0.0)
    at = f(-1.0, 0.5, 1.0, 2.0, 9.0)
    rows += [case("interp", at, xp, fp), case("interp", at, xp, fp, left=-1.0, right=-2.0), case("interp", at, xp, fp, period=4.0)]
    rows += [case("interp", at, xp, fp, left="extrapolate", right="extrapolate"), case("interp", f(0.5), f(0.0, 0.0, 1.0), f(1.0, 2.0, 3.0))]
    return rows


def reductions():
    rows = []
    x = eighths(3, 4)
    mask = jnp.array([[True, False, True, True], [False, False, False, False], [True, True, False, True]])
    holes = jnp.where(mask, x, NAN)
    for name in ["sum", "prod", "mean", "var", "std", "max", "min", "ptp", "any", "all", "argmax", "argmin", "count_nonzero", "median", "average"]:
        rows += [case(name, x), case(name, x, axis=1), case(name, x, axis=0, keepdims=True)]
    for name in ["sum", "prod", "mean", "var", "std"]:
        rows += [case(name, x, axis=(0, 1)), case(name, x, axis=1, where=mask), case(name, x.astype("float16"), axis=1), case(name, i(1, 2, 4))]
    for name in ["sum", "prod", "max", "min"]:
        rows += [case(name, x, axis=1, initial=0.5), case(name, x, axis=1, initial=0.5, where=mask)]
    for name in ["sum", "prod", "any", "all"]:
        rows += [case(name, jnp.zeros((0, 2)), axis=0, grad=False), case(name, i(100, 100, 100, dtype="int8"))]
    rows += [case("sum", i(100, 100, 100, dtype="int8"), dtype="int8"), case("sum", jnp.array([True, True]), dtype="bool"), case("mean", i(1, 2), dtype="float16")]
    rows += [case("var", x, axis=1, ddof=1), case("std", x, axis=0, correction=2), case("var", f(1.0), ddof=1, grad=False)]
    for name in ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanargmax", "nanargmin", "nanmedian"]:
        # a standard deviation of nothing has no gradient worth comparing
        rows += [case(name, holes, grad=False), case(name, holes, axis=1, grad=False), case(name, holes, axis=0, keepdims=True, grad=name == "nansum")]
    for name in ["cumsum", "cumprod", "nancumsum", "nancumprod"]:
        rows += [case(name, x), case(name, x, axis=1), case(name, holes, axis=0, grad=False)]
    rows += [case("cumsum", i(100, 100, dtype="int8")), case("cumsum", x, dtype="int32")]
    rows += [case("cumulative_sum", i(100, 100, dtype="int8"), include_initial=True), case("cumulative_prod", x, axis=1, include_initial=True)]
    q = f(0.0, 0.3, 1.0)
    for method in ["linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf"]:
        rows += [case("quantile", x, q, method=method, axis=1, grad=method != "inverted_cdf"), case("nanquantile", holes, q, method=method, axis=1, grad=False)]
    rows += [case("quantile", x, positional=(0.3,)), case("quantile", x, positional=(0.3,), axis=(0, 1), keepdims=True), case("percentile", x, positional=(30,), axis=0, keepdims=True)]
    rows += [case("quantile", x, q, axis=1, method="inverted_cdf", weights=f(1.0, 2.0, 0.0, 1.0), grad=False), case("nanpercentile", holes, positional=(30,), axis=0, grad=False)]
    rows += [case("average", x, axis=1, weights=f(1.0, 2.0, 0.5, 1.0)), case("average", x, axis=(1, 0), weights=eighths(4, 3) + 5, grad=False)]
    rows += [case("diff", x), case("diff", x, n=2, axis=0), case("diff", x, axis=0, prepend=f(1.0)[0], append=eighths(2, 4)), case("diff", jnp.array([True, True, False]))]
    rows += [case("ediff1d", x, to_begin=f(1.0, 2.0)[0], to_end=f(3.0, 4.0)), case("trapezoid", x), case("trapezoid", x, dx=0.5, axis=0), case("trapezoid", x, x=f(0.0, 1.0, 3.0, 3.5))]
    rows += [case("gradient", x), case("gradient", x, axis=1)]
    rows += [case("gradient", x, axis=0, spacing=f(0.0, 1.0, 3.0), call=lambda a: jnp.gradient(a, f(0.0, 1.0, 3.0), axis=0))]
    return rows


def creation():
    rows = []
    starts, stops = f(0.0, 1.0), f(2.0, -3.0)
    for name in ["linspace", "logspace", "geomspace"]:
        a, b = (starts + 1, stops + 8) if name == "geomspace" else (starts, stops)
        rows += [case(name, a, b, positional=(4,)), case(name, a, b, positional=(3,), axis=1, endpoint=False)]
    x = eighths(2, 3, 3)
    rows += [case(name, x, k=k) for name in ["tril", "triu"] for k in [-1, 0, 1, 9]]
    rows += [case("tril", x[0, :2]), case("vander", f(1.0, 2.0, 3.0)), case("vander", i(1, 2), fn="vander", columns=3, increasing=True, call=lambda a: jnp.vander(a, 3, increasing=True))]
    return rows


def select_cases():
    rows = []
    x = f(1.0, 2.0, 3.0, 4.0)
    conditions = [[True, False, False, False], [True, True, False, False]]
    for default in [0.0, 7.0]:
        out = jnp.select([jnp.array(c) for c in conditions], [x, x * 10], default)
        rows.append({"conditions": conditions, "default": default, "expected": golden.array(out)})
    return rows


def printed():
    """Arrays and their `repr`."""
    arrays = [
        f(1.0, 2.0), jnp.asarray(1.0), i(1, 2), i(3)[0], jnp.array(True), jnp.array([True, False]), jnp.array([]), jnp.zeros((0, 3)), jnp.zeros((2, 0)),
        f(1.5, 2.25), f(0.1, 1e-5), f(1e10, 1.0), f(1e8, 1e8), f(NAN, 1.0), f(INF, -INF, 1.5), f(INF), f(NAN), jnp.arange(30) * 100000, jnp.arange(2000),
        jnp.arange(2000.0).reshape(50, 40), jnp.linspace(0, 1, 20), f(1 / 3, 2 / 3), f(-0.0)[0], i(1).reshape(1, 1, 1), jnp.zeros((2, 2, 2)),
        jnp.zeros((2, 1, 2, 2)), f(1000.0, 0.5), f(1001.0, 1.0), f(123456.789), f(999999.0), f(1234567.0), f(12345678.9, 1.0), i(255, dtype="uint8"),
        i(-1, 10), jnp.ones((3, 30)), f(0.0001), f(0.00009), f(1.0, NAN, 1e10), f(1e16), f(123456789.0)[0], jnp.array([True] * 40), f(1.23456789, 100.5),
        f(0.5, 1e-3).reshape(1, 2), f(-1.5, 2.0), f(1e-5, 1.0, INF), f(0.0), f(0.0, 1e-9), f(1e38, -1e-38), f(100000.0, 0.5), i(1, -200, 3, 4).reshape(2, 2),
        f(1 / 3, dtype="float16"), f(65504.0, 1.0, dtype="float16"), f(999.5, dtype="float16"), f(1 / 3, 1.0, dtype="bfloat16"), f(1e-7, 300.0, dtype="bfloat16"),
        f(1.5, 2.0, 3.0, 4.0, dtype="bfloat16").reshape(2, 2), f(123.456, 1e3, 1e6, dtype="bfloat16"), f(NAN, -INF, dtype="bfloat16"), eighths(3, 4) * 1.1,
        eighths(7, 20) * 1.1, jnp.arange(1200.0).reshape(2, 600) / 7, jnp.arange(1001), jnp.arange(1000), f(-1e-3, 0.25, 0.0), f(3.3333333, 66.666667, 999.99),
    ]
    return [{"array": golden.array(x), "text": repr(x)} for x in arrays]


if __name__ == "__main__":
    golden.write(
        "numpy",
        "Functions of np. Inputs come first, then `positional` arguments, then options; several results are a list. vjpOfOnes is the cotangent of each "
        "input, or null, for a cotangent of ones of the first result.",
        {"elementwise": elementwise(), "reductions": reductions(), "creation": creation(), "select": select_cases(), "printed": printed()},
    )
