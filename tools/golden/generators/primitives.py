"""Primitives with arithmetic of their own: reductions, products, convolutions, windows, running folds, factorisations; values and JVPs."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import golden

RNG = np.random.default_rng(7)


def floats(*shape, dtype="float32"):
    return jnp.asarray(np.round(RNG.normal(size=shape), 2), dtype)


def case(primitive, params, f, *args):
    """One call: the primitive's name and parameters as Fluxion has them, and what JAX computes; with the JVP where operands are floats."""
    out = f(*args)
    row = {"primitive": primitive, "params": params, "args": golden.tree(list(args)), "outs": golden.tree(list(out) if isinstance(out, (tuple, list)) else [out])}
    if all(jnp.issubdtype(a.dtype, jnp.floating) for a in args):
        tangents = [floats(*a.shape, dtype=a.dtype) for a in args]
        _, t = jax.jvp(f, args, tuple(tangents))
        t = list(t) if isinstance(t, (tuple, list)) else [t]
        row["tangents"] = golden.tree(tangents)
        row["outTangents"] = [None if x.dtype == jax.dtypes.float0 else golden.array(x) for x in t]
    return row


def reductions():
    x, ties = floats(3, 4), jnp.asarray([[1, 3, 3, 0], [2, 2, 2, 2]], "float32")
    zeros = jnp.asarray([[0, 2, 3], [0, 0, 5], [1, 2, 4]], "float32")
    rows = [case("reduce_sum", {"axes": [0]}, lambda x: x.sum(0), x), case("reduce_prod", {"axes": [0, 1]}, lambda x: x.prod(), x)]
    rows.append(case("reduce_prod", {"axes": [1]}, lambda x: x.prod(1), zeros))
    for value in (x, ties):
        rows.append(case("reduce_max", {"axes": [1]}, lambda x: x.max(1), value))
        rows.append(case("reduce_min", {"axes": [0]}, lambda x: x.min(0), value))
    n = jnp.asarray([[2**31 - 1, 5], [7, -3]], "int32")
    rows.append(case("reduce_sum", {"axes": [0]}, lambda x: x.sum(0), n))
    rows.append(case("reduce_prod", {"axes": [0]}, lambda x: x.prod(0), n))
    nans = jnp.asarray([[1, jnp.nan, 5, jnp.nan], [2, 9, 9, 1]], "float32")
    rows.append(case("argmax", {"axes": [1], "indexDtype": "int32"}, lambda x: lax.argmax(x, 1, "int32"), nans + 0))
    rows.append(case("argmin", {"axes": [1], "indexDtype": "int32"}, lambda x: lax.argmin(x, 1, "int32"), nans + 0))
    for row in rows[-2:]:
        del row["tangents"], row["outTangents"]
    return rows


def cumulative():
    rows = []
    ties = jnp.asarray([1, 3, 3, 0, 3, -1, 4, 4], "float32")
    zeros = jnp.asarray([2, 0, 3, 0, 5], "float32")
    for reverse in [False, True]:
        for name in ["cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"]:
            f = getattr(lax, name)
            rows.append(case(name, {"axis": 1, "reverse": reverse}, lambda x: f(x, 1, reverse), floats(2, 7)))
            rows.append(case(name, {"axis": 0, "reverse": reverse}, lambda x: f(x, 0, reverse), zeros if name == "cumprod" else ties))
    return rows


def convolutions():
    rows = []
    for strides, padding, ld, rd, fg, bg in [
        ((1, 1), ((1, 1), (0, 2)), (1, 1), (1, 1), 1, 1),
        ((2, 1), ((0, 1), (1, 0)), (1, 2), (2, 1), 1, 1),
        ((1, 2), ((1, 0), (2, 1)), (2, 1), (1, 1), 2, 1),
        ((1, 1), ((0, 0), (1, 1)), (1, 1), (1, 2), 1, 2),
        ((1, 1), ((-1, 1), (0, -1)), (1, 1), (1, 1), 1, 1),
    ]:
        x, k = floats(2, 4, 5, 4), floats(2, 2, 4 // fg, 4)
        numbers = lax.conv_dimension_numbers(x.shape, k.shape, ("NHWC", "HWIO", "NHWC"))
        params = {
            "windowStrides": strides, "padding": padding, "lhsDilation": ld, "rhsDilation": rd, "featureGroupCount": fg, "batchGroupCount": bg,
            "dimensionNumbers": {"lhsSpec": numbers.lhs_spec, "rhsSpec": numbers.rhs_spec, "outSpec": numbers.out_spec},
        }
        # XLA's CPU convolution reads beyond its operand where padding is negative, so there the operand is cut first
        cut = [(0, 0, 0), *((min(lo, 0), min(hi, 0), 0) for lo, hi in padding), (0, 0, 0)]
        kept = [(max(lo, 0), max(hi, 0)) for lo, hi in padding]
        f = lambda x, k: lax.conv_general_dilated(lax.pad(x, jnp.float32(0), cut), k, strides, kept, ld, rd, numbers, fg, bg)
        rows.append(case("conv_general_dilated", params, f, x, k))
    return rows


def windows():
    rows = []
    for size, strides, padding, base, dilation in [
        ((2, 2), (1, 1), ((0, 1), (1, 0)), (1, 1), (1, 1)),
        ((3, 2), (2, 1), ((1, 1), (0, 0)), (1, 2), (1, 1)),
        ((2, 2), (1, 2), ((0, 0), (1, 1)), (1, 1), (2, 1)),
    ]:
        params = {"windowDimensions": size, "windowStrides": strides, "padding": padding, "baseDilation": base, "windowDilation": dilation}
        x = floats(4, 5)
        for name, init, op in [("sum", 0.0, lax.add), ("max", -jnp.inf, lax.max), ("min", jnp.inf, lax.min)]:
            f = lambda x: lax.reduce_window(x, init, op, size, strides, padding, base, dilation)
            rows.append(case(f"reduce_window_{name}", params, f, x))
    return rows


def factorisations():
    rows = []
    for n in [1, 3]:
        a = floats(n, n)
        spd = a @ a.T + n * jnp.eye(n)
        rows.append(case("cholesky", {}, lambda x: lax.linalg.cholesky(x, symmetrize_input=False), spd))
    for left in [False, True]:
        for lower in [False, True]:
            for transpose in [False, True]:
                a, b = floats(2, 3, 3) + 3 * jnp.eye(3), floats(2, 3, 3)
                params = {"leftSide": left, "lower": lower, "transposeA": transpose, "unitDiagonal": False}
                f = lambda a, b: lax.linalg.triangular_solve(a, b, left_side=left, lower=lower, transpose_a=transpose)
                rows.append(case("triangular_solve", params, f, a, b))
    for shape in [(3, 3), (2, 4, 3), (2, 4)]:
        rows.append(case("lu", {}, lambda x: tuple(lax.linalg.lu(x)), floats(*shape)))
        for full in [False, True]:
            rows.append(case("qr", {"fullMatrices": full}, lambda x: tuple(lax.linalg.qr(x, full_matrices=full)), floats(*shape)))
    for n in [2, 4]:
        a = floats(n, n)
        # the signs of eigenvectors are a matter of taste: what is compared does not depend on them
        rows.append(case("eigh", {"lower": True}, lambda x: tuple(lax.linalg.eigh(x, symmetrize_input=False)), a + a.T + 3 * jnp.diag(jnp.arange(n))))
    for shape in [(3, 3), (4, 2), (2, 3)]:
        f = lambda x: (lambda u, s, v: (s, u, v))(*lax.linalg.svd(x, full_matrices=False))
        rows.append(case("svd", {"fullMatrices": False, "computeUv": True}, f, floats(*shape)))
    return rows


def random_bits():
    rows = []
    for seed in [0, 42]:
        key = jax.random.PRNGKey(seed)
        for dtype in ["uint8", "uint16", "uint32"]:
            rows.append(case("random_bits", {"shape": [2, 3], "bitWidth": int(dtype[4:])}, lambda k: jax.random.bits(k, (2, 3), dtype), key))
        rows.append(case("random_split", {"shape": [3]}, lambda k: jax.random.split(k, 3), key))
        for data in [7, -1]:
            rows.append(case("random_fold_in", {}, jax.random.fold_in, key, jnp.asarray(data, "int32")))
    return rows


def main():
    golden.write("primitives", "Calls of primitives: operands and results, tangents of the operands and of the results (null where a result has none).", {
        "reductions": reductions(), "cumulative": cumulative(), "convolutions": convolutions(), "windows": windows(),
        "factorisations": factorisations(), "random": random_bits(),
    })


if __name__ == "__main__":
    main()
