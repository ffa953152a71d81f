"""Functions of np that move, join, sort, search, count and multiply arrays, and those of np.linalg."""

import re

import jax
import jax.numpy as jnp
import numpy as np

import golden

rng = np.random.default_rng(11)
# of the sum whose gradients are taken: not all equal
WEIGHTS = (np.arange(4096) % 5 - 1.5).astype(np.float32)


def f32(*shape):
    """Multiples of 1/8 of small size, so that sums are exact in any order."""
    return np.asarray(rng.integers(-16, 17, shape) / 8, np.float32)


def i32(*values):
    return np.array(values, np.int32)


def ints(low, high, *shape):
    return rng.integers(low, high, shape).astype(np.int32)


def encode(x):
    if isinstance(x, (np.ndarray, jax.Array)):
        return golden.array(x)
    if isinstance(x, dict):
        return {k: encode(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [encode(v) for v in x]
    return golden.number(np.float64(x)) if isinstance(x, float) and not np.isfinite(x) else x


def frozen(x):
    """Lists without arrays in them as tuples, which JAX can hash."""
    if not isinstance(x, list) or any(isinstance(y, (np.ndarray, jax.Array)) for y in jax.tree.leaves(x)):
        return x
    return tuple(map(frozen, x))


def snake(name):
    return re.sub(r"(?<=atleast)(?=\d)", "_", re.sub(r"(?<=[a-z])([A-Z])", lambda m: "_" + m[1].lower(), name))


def case(fn, *args, run=None, ulps=0, gradients=True, **options):
    """One call with args and then options, whose names are those of JAX in camel case unless `run` says what is to be called."""
    space, name = (jnp.linalg, fn.split(".")[1]) if fn.startswith("linalg.") else (jnp, fn)
    call = run or (lambda *a: getattr(space, snake(name))(*map(frozen, a), **{snake(k): frozen(v) for k, v in options.items()}))
    is_array = lambda x: isinstance(x, np.ndarray)
    flat, tree = jax.tree.flatten(list(args), is_leaf=is_array)
    primals = [i for i, x in enumerate(flat) if is_array(x) and x.dtype == np.float32]
    constants = [jnp.asarray(x) if is_array(x) else x for x in flat]

    def of(*values):
        leaves = list(constants)
        for i, value in zip(primals, values):
            leaves[i] = value
        return jax.tree.leaves(call(*jax.tree.unflatten(tree, leaves)))
    given = [constants[i] for i in primals]
    out = of(*given)
    entry = {"fn": fn, "args": encode(list(args)), "expected": [golden.array(x) for x in out]}
    if options:
        entry["options"] = encode(options)
    if ulps:
        entry["ulps"] = ulps
    if gradients and primals and any(jnp.issubdtype(x.dtype, jnp.floating) for x in out):
        def total(*values):
            floats = [x for x in of(*values) if jnp.issubdtype(x.dtype, jnp.floating)]
            return sum(jnp.sum(jnp.where(jnp.isfinite(x), x, 0).reshape(-1) * WEIGHTS[: x.size]) for x in floats)
        gradient = jax.grad(total, argnums=tuple(range(len(given))))
        try:
            grads = jax.jit(gradient)(*given)
        except jax.errors.ConcretizationTypeError:
            grads = gradient(*given)  # slower: each operation is compiled by itself
        entry["gradients"] = [golden.array(g) for g in grads]
    return entry


def manipulation():
    v, m, t = f32(6), f32(3, 4), f32(2, 3, 4)
    cases = [
        case("reshape", m, [2, -1]), case("reshape", t, [4, 6]), case("ravel", t), case("expandDims", m, [0, 2]), case("expandDims", m, -1),
        case("squeeze", f32(1, 3, 1)), case("squeeze", f32(1, 3, 1), axis=0), case("broadcastTo", f32(3, 1), [2, 3, 4]),
        case("atleast1d", f32()), case("atleast2d", v), case("atleast3d", v), case("atleast3d", m),
        case("transpose", t), case("transpose", t, [1, 2, 0]), case("permuteDims", t, [2, 0, 1]), case("matrixTranspose", t), case("swapaxes", t, 0, -1),
        case("moveaxis", t, 0, -1), case("moveaxis", t, [0, 1], [2, 0]), case("rollaxis", t, 2), case("rollaxis", t, 0, 3), case("rollaxis", t, 1, 3),
        case("concatenate", [m, f32(2, 4)]), case("concatenate", [m, f32(3, 1)], axis=-1), case("concatenate", [m, v], axis=None), case("concatenate", [m, ints(0, 9, 3, 4)]),
        case("concatenate", [i32(1, 2), np.array([3], np.int8)], dtype="float32"), case("stack", [m, f32(3, 4)]), case("stack", [m, f32(3, 4)], axis=2), case("unstack", m), case("unstack", m, axis=1),
        case("vstack", [f32(3), f32(2, 3)]), case("hstack", [f32(3), f32(2)]), case("hstack", [m, f32(3, 2)]), case("dstack", [m, f32(3, 4)]), case("dstack", [f32(3), f32(3)]),
        case("columnStack", [f32(3), m]), case("block", [[f32(2, 2), f32(2, 1)], [f32(1, 2), f32(1, 1)]]), case("block", [f32(2), f32(3)]),
        case("split", m, 2, axis=1), case("split", v, [1, 4]), case("arraySplit", v, 4), case("arraySplit", m, 3, axis=1),
        case("vsplit", f32(4, 2), 2), case("hsplit", m, 2), case("hsplit", v, 3), case("dsplit", t, [1]),
        case("tile", v, 2), case("tile", m, [2, 1, 3]), case("tile", m, [2]), case("tile", m, 0),
        case("repeat", m, 2), case("repeat", m, 3, axis=1), case("repeat", m, i32(2, 0, 3), axis=0), case("repeat", v, i32(1, 2, 0, 1, 2, 3), totalRepeatLength=7),
        case("repeat", v, i32(1, 2, 0, 1, 2, 3), totalRepeatLength=12),
        case("roll", v, 2), case("roll", v, -8), case("roll", m, 1), case("roll", m, [1, -2], axis=[0, 1]), case("roll", m, 3, axis=[0, 1]), case("roll", m, [1, 2], axis=0), case("roll", m, i32(1, -2), axis=[0, 1]), case("roll", v, np.array(2, np.int32)),
        case("roll", v, np.array(-14, np.int32)), case("flip", m), case("flip", t, axis=[0, 2]), case("flipud", m), case("fliplr", m),
        *[case("rot90", m, k=k) for k in [0, 1, 2, 3, -1]], case("rot90", t, k=1, axes=[2, 0]),
        case("append", v, m), case("append", m, f32(1, 4), axis=0), case("resize", v, [4, 4]), case("resize", m, [2]), case("resize", v, [0, 2]),
        case("insert", v, 1, 9.0), case("insert", v, -1, 9.0), case("insert", v, i32(0, 6, 3), f32(3)), case("insert", m, 1, f32(3), axis=1), case("insert", m, i32(1, 3), f32(3, 2), axis=1), case("insert", m, 2, 9.0), case("insert", m, i32(0, 0), f32(2, 4), axis=0),
        case("delete", v, 1), case("delete", v, i32(0, -1, 0), gradients=False), case("delete", m, [1, 2], axis=1, run=lambda x, i: jnp.delete(x, np.array(i), 1)), case("delete", v, np.array([True, False] * 3), gradients=False),
        case("delete", v, i32(4, 0), assumeUniqueIndices=True), case("delete", v, "1:4", run=lambda x, _: jnp.delete(x, slice(1, 4))),
        case("trimZeros", np.array([0, 0, 1, 0, 2, 0], np.float32), gradients=False), case("trimZeros", np.array([0, 0, 1, 0, 2, 0], np.float32), trim="f", gradients=False), case("trimZeros", np.zeros(3, np.float32), gradients=False),
        case("trimZeros", np.pad(np.ones((2, 1), np.float32), 1), gradients=False), case("trimZeros", np.pad(np.ones((2, 1), np.float32), 1), axis=1, gradients=False),
        case("diag", v), case("diag", v, k=2), case("diag", v, k=-1), case("diag", m), case("diag", m, k=-1), case("diag", m, k=3), case("diagflat", m, k=1), case("diagonal", t), case("diagonal", t, offset=-1, axis1=2, axis2=0), case("trace", t), case("trace", t, offset=1, axis1=1, axis2=2),
        case("trace", np.ones((3, 3), np.int8)), case("fillDiagonal", m, 7.0, run=lambda x, v: jnp.fill_diagonal(x, v, inplace=False)), case("fillDiagonal", f32(3, 3, 3), f32(2), run=lambda x, v: jnp.fill_diagonal(x, v, inplace=False)),
        *[case(name, 3, k=k) for name in ["trilIndices", "triuIndices"] for k in [-1, 0, 2]], case("trilIndices", 3, columns=4, run=lambda n: jnp.tril_indices(n, m=4)), case("diagIndices", 3, rank=3, run=lambda n: jnp.diag_indices(n, 3)),
        case("kron", m, f32(2, 2)), case("kron", v, m), case("cross", f32(4, 3), f32(3)), case("cross", f32(3, 4), f32(4, 3), axisa=0, axisc=0), case("cross", f32(4, 2), f32(4, 2)), case("cross", f32(2), f32(3)), case("cross", f32(3, 2), f32(3, 2), axis=0),
    ]
    bits = rng.integers(0, 256, (2, 3)).astype(np.uint8)
    for options in [{}, {"axis": 0}, {"axis": 1, "bitorder": "little"}, {"axis": -1, "count": 9}, {"axis": 1, "count": 30}, {"axis": 1, "count": -3}]:
        cases.append(case("unpackbits", bits, **options))
    for options in [{}, {"axis": 0}, {"axis": 1, "bitorder": "little"}]:
        cases.append(case("packbits", (bits > 99).astype(np.int32) * 5, **options))
    names = {"linearRamp": "linear_ramp"}
    def padded(x, widths, mode, **options):
        snaked = {snake(k): frozen(v) for k, v in options.items()}
        cases.append(case("pad", x, widths, run=lambda a, _: jnp.pad(a, widths, names.get(mode, mode), **snaked), ulps=4, mode=mode, **options))
    for mode in ["constant", "edge", "linearRamp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap", "empty"]:
        for x, widths in [(f32(4), 2), (f32(3), [7, 0]), (f32(2, 3), [[1, 0], [0, 4]])]:
            padded(x, widths, mode)
    for mode in ["maximum", "mean", "minimum", "median"]:
        padded(f32(5), 2, mode, statLength=2)
        padded(ints(-9, 9, 3, 4), [1, 2], mode, statLength=[[1, 2], [3, 9]])
    for mode in ["reflect", "symmetric"]:
        padded(f32(3), [5, 4], mode, reflectType="odd")
        padded(f32(1), [2, 1], mode)
    padded(f32(2, 2), [[1, 2], [0, 1]], "constant", constantValues=[[1, 2], [3, 4]])
    padded(f32(2, 2), 1, "constant", constantValues=7)
    padded(f32(2, 2), 2, "linearRamp", endValues=[1, 2])
    return cases


def reading():
    v, m, t = f32(6), f32(3, 4), f32(2, 3, 4)
    index = lambda *shape: ints(-3, 3, *shape)
    cases = [
        case("take", m, i32(5, -1, 99)), case("take", m, i32([0, 2], [1, -1]), axis=0), case("take", m, i32(0, 7), axis=1), case("take", ints(0, 9, 3), i32(-4, 3)), case("take", np.arange(3, dtype=np.uint8), i32(3)),
        *[case("take", v, i32(-9, 2, 99), mode=mode) for mode in ["fill", "clip", "wrap"]], case("take", v, i32(9), fillValue=-1), case("take", v, 2),
        case("takeAlongAxis", m, index(3, 2)), case("takeAlongAxis", m, index(1, 4), axis=0), case("takeAlongAxis", m, index(2, 4), axis=0), case("takeAlongAxis", f32(1, 4), index(3, 2), axis=1), case("takeAlongAxis", t, index(2, 1, 4), axis=1),
        case("takeAlongAxis", m, i32(0, 11, -1, 40), axis=None), case("takeAlongAxis", m, i32([0, 9]), axis=1, mode="clip"), case("takeAlongAxis", m, i32([0, 9]), axis=1, fillValue=5), case("takeAlongAxis", t, index(1, 3, 5), axis=2),
        case("putAlongAxis", m, i32([0], [2], [1]), 9.0, axis=1, run=lambda x, i, v: jnp.put_along_axis(x, i, v, 1, inplace=False)), case("putAlongAxis", m, i32([0, 2, 1, 0]), f32(1, 4), axis=0, run=lambda x, i, v: jnp.put_along_axis(x, i, v, 0, inplace=False)),
        case("putAlongAxis", m, i32(3, 11), f32(2), axis=None, run=lambda x, i, v: jnp.put_along_axis(x, i, v, None, inplace=False)),
        case("put", m, i32(20, 1), f32(2), mode="clip", run=lambda x, i, v: jnp.put(x, i, v, mode="clip", inplace=False)),
        case("put", m, i32(13, -2), f32(2), mode="wrap", run=lambda x, i, v: jnp.put(x, i, v, mode="wrap", inplace=False)), case("place", m, rng.integers(0, 2, (3, 4)).astype(bool), f32(3), run=lambda x, k, v: jnp.place(x, k, v, inplace=False)),
        case("choose", i32(1, 0, 2), [f32(3), f32(3), f32(3)]), case("choose", i32([5], [-1]), [f32(3), f32(3)], mode="clip"), case("choose", i32(5, -1, 2), [f32(2, 3), f32(3)], mode="wrap"),
        case("compress", np.array([True, False, True]), m, axis=0, gradients=False), case("compress", np.array([True, False, True]), m, gradients=False), case("compress", np.array([False, True, True]), m, axis=1, size=3, fillValue=-1.0),
        case("extract", np.array([[True, False], [True, True]]), f32(2, 2), gradients=False), case("extract", np.array([[True, False], [False, True]]), f32(2, 2), size=3, fillValue=2.0),
        case("ix", i32(0, 2), i32(1), run=lambda *a: jnp.ix_(*a)), case("unravelIndex", i32(0, 5, 23, -1, 99, -99), [2, 3, 4]), case("ravelMultiIndex", [i32(0, 1), i32(2, 0)], [2, 3]),
        case("ravelMultiIndex", [i32(5, -1), i32(-7, 4)], [2, 3], mode="clip"), case("ravelMultiIndex", [i32(5, -1), i32(-7, 4)], [2, 3], mode="wrap"),
    ]
    return cases


def sorting():
    v, m, ties = f32(7), f32(3, 4), ints(0, 4, 3, 6)
    odd = np.array([2, np.nan, -0.0, 0.0, -np.inf, np.inf, 1, np.nan], np.float32)
    distinct = rng.permutation(12).reshape(3, 4).astype(np.float32)
    cases = [
        case("sort", v), case("sort", distinct, axis=0), case("sort", distinct, axis=None), case("sort", distinct, descending=True), case("sort", odd, gradients=False), case("argsort", odd), case("argsort", ties), case("argsort", ties, descending=True), case("argsort", ties, axis=0), case("argsort", ties, axis=None),
        case("lexsort", [ties[0], ties[1]]), case("lexsort", [ties, ties[::-1]], axis=0), case("partition", distinct, 2), case("partition", distinct, -2, axis=0), case("argpartition", distinct, 2), case("argpartition", ties, 3),
        *[case("searchsorted", np.array([1, 2, 2, 3, np.inf], np.float32), odd, side=side) for side in ["left", "right"]], case("searchsorted", i32(1, 3, 5), ints(0, 7, 2, 3)), case("searchsorted", np.array([3, 1, 2], np.float32), f32(4), sorter=i32(1, 2, 0)),
        case("searchsorted", np.zeros(0, np.float32), v), case("searchsorted", np.array([1, np.nan, np.nan], np.float32), odd), case("searchsorted", np.array([1, np.nan, np.nan], np.float32), odd, side="right"),
        case("digitize", v, np.array([-1, 0, 1], np.float32)), case("digitize", v, np.array([1, 0, -1], np.float32)), case("digitize", v, np.array([-1, 0, 1], np.float32), right=True), case("digitize", v, np.array([1, 0, -1], np.float32), right=True),
        case("nonzero", ties), case("nonzero", ties, size=4), case("nonzero", ties, size=20, fillValue=-1), case("flatnonzero", ties, size=20), case("argwhere", ties), case("argwhere", ties, size=20, fillValue=7), case("argwhere", np.array(3, np.int32)), case("argwhere", np.array(0, np.int32)),
        case("bincount", ints(0, 6, 9)), case("bincount", i32(-2, 1, 5), minlength=8), case("bincount", i32(-2, 1, 5), length=3), case("bincount", i32(1, 1, 0), weights=np.array([0.5, 1, 2], np.float32)),
        case("histogram", v, ulps=4), case("histogram", v, bins=3, range=[-1, 1]), case("histogram", v, bins=np.array([-2, 0, 0.5, 2], np.float32), density=True, ulps=4, gradients=False), case("histogram", np.ones(3, np.float32), bins=2, ulps=4), case("histogram", v, bins=4, weights=f32(7)),
        case("histogram", ints(0, 9, 8), bins=3), case("histogramBinEdges", v, bins=4, ulps=4), case("histogramdd", f32(9, 2), bins=3, gradients=False, ulps=4), case("histogramdd", f32(9, 2), bins=[2, 3], density=True, gradients=False, ulps=4), case("histogram2d", f32(9), f32(9), bins=[2, 3], gradients=False, ulps=4),
        case("histogram2d", f32(9), f32(9), bins=2, weights=f32(9), range=[[-1, 1], [0, 2]], gradients=False, ulps=4),
    ]
    a, b = ints(0, 5, 9), ints(3, 8, 6)
    floats = np.array([2, np.nan, 1, 2, np.nan, -0.0, 0.0], np.float32)
    for x in [a, ints(0, 2, 4, 2), floats]:
        for options in [{}, {"size": 3}, {"size": 12}, {"size": 12, "fillValue": 7}]:
            cases.append(case("unique", x, **options, gradients=False))
            cases.append(case("uniqueAll", x, **options, gradients=False))
    rows = ints(0, 2, 6, 2)
    for options in [{"axis": 0}, {"axis": 1}, {"axis": 0, "size": 7}, {"axis": 0, "size": 7, "fillValue": -1}]:
        cases.append(case("unique", rows, **options))
    cases += [case("uniqueCounts", a), case("uniqueInverse", ints(0, 3, 2, 3)), case("uniqueValues", floats, gradients=False), case("unique", np.zeros(0, np.int32))]
    for name in ["intersect1d", "setdiff1d", "setxor1d", "union1d"]:
        for options in [{}, {"size": 2}, {"size": 11}, {"size": 11, "fillValue": 9}]:
            cases.append(case(name, a, b, **options))
    cases += [case("intersect1dWithIndices", a, b, run=lambda x, y: jnp.intersect1d(x, y, return_indices=True)), case("isin", a, b), case("isin", ints(0, 9, 2, 3), b, invert=True), case("isin", floats, floats), case("isin", a, np.zeros(0, np.int32)),
              case("setdiff1d", floats, np.array([1], np.float32), gradients=False), case("intersect1d", i32(1, 2), i32(3, 4), size=2), case("union1d", floats, floats, gradients=False)]
    return cases


def products():
    v, w, m, t = f32(4), f32(4), f32(3, 4), f32(2, 3, 4)
    cases = []
    for x, y in [(v, w), (m, v), (f32(3), m), (m, f32(4, 2)), (t, f32(4, 2)), (t, v), (f32(3), t), (t, f32(2, 4, 5)), (f32(5, 1, 2, 3), f32(4, 3, 2)), (f32(1, 2, 3), f32(1, 3, 2)), (f32(1, 2, 3), f32(5, 3, 2)), (f32(2, 0), f32(0, 3)),
                 (ints(-9, 9, 2, 3), ints(-9, 9, 3)), (ints(-9, 9, 2, 3), f32(3)), (np.ones((2, 2), bool), np.eye(2, dtype=bool))]:
        cases.append(case("matmul", x, y))
    cases.append(case("matmul", m.astype(np.float16), f32(4, 2).astype(np.float16), preferredElementType="float32"))
    for x, y in [(v, w), (m, v), (m, f32(4, 2)), (t, f32(4, 2)), (t, f32(2, 4, 5)), (f32(), m), (m, f32()), (ints(0, 5, 3), ints(0, 5, 3)), (np.array([100, 100], np.int8), np.array([2, 2], np.int8))]:
        cases.append(case("dot", x, y))
    cases += [case("vdot", m, f32(3, 4)), case("inner", m, f32(2, 4)), case("inner", f32(), m), case("outer", m, v), case("vecdot", m, v), case("vecdot", t, f32(1, 3, 1), axis=1), case("matvec", t, v), case("vecmat", f32(2, 3), t),
              case("tensordot", t, f32(3, 4, 5)), case("tensordot", t, f32(4, 3), axes=1), case("tensordot", t, f32(4, 3), axes=[[1, 2], [1, 0]]), case("tensordot", t, f32(4, 3), axes=[-1, 0]), case("tensordot", v, w, axes=0)]
    for formula, *operands in [
        ("ij,jk", m, f32(4, 2)), ("ij,jk->ki", m, f32(4, 2)), ("ij->ji", m), ("ij->", m), ("ii->i", f32(3, 3)), ("ii", f32(3, 3)), ("iij->j", f32(3, 3, 2)), ("iii->i", f32(3, 3, 3)), ("i,i", v, w), ("i,j", v, f32(3)), ("bij,bjk->bik", t, f32(2, 4, 5)),
        ("bij,bkj->ikb", t, f32(2, 5, 4)), ("...ij,...jk->...ik", f32(2, 1, 3, 4), f32(5, 4, 2)), ("...j,j", t, v), ("i...->...", t), ("ij,jk,kl->il", m, f32(4, 2), f32(2, 5)), ("ij,ij,ij->i", m, f32(3, 4), f32(3, 4)), ("ij,kl->", m, f32(2, 2)), ("ijk,j->ik", t, f32(3)),
        ("ij,j->ij", m, v), (" ij , jk -> ik", m, f32(4, 2)), ("ij,ij->ij", m, f32(3, 1)), ("a,b,c->abc", f32(2), f32(3), f32(2)), ("ba,b->a", m, f32(3)), ("ij,i->j", ints(0, 5, 3, 4), ints(0, 5, 3)), ("...,...->...", f32(3, 1), f32(4)), ("ijj->i", f32(2, 3, 3)), ("ij...,j->i...", f32(2, 4, 3), v),
    ]:
        cases.append(case("einsum", formula, *operands, ulps=4))
    for x, y in [(f32(5), f32(3)), (f32(3), f32(5)), (f32(4), f32(4)), (f32(5), f32(2)), (ints(0, 5, 4), ints(0, 5, 3))]:
        for name in ["convolve", "correlate"]:
            for mode in ["full", "same", "valid"]:
                cases.append(case(name, x, y, mode=mode))
    return cases


def statistics():
    x, y = f32(3, 5), f32(2, 5)
    u = dict(ulps=16)
    cases = [
        case("cov", x, **u), case("cov", x[0], **u), case("cov", x.T.copy(), rowvar=False, **u), case("cov", x, bias=True, **u), case("cov", x, ddof=0, **u), case("cov", x, y=y, **u), case("cov", x, fweights=i32(1, 2, 3, 1, 0), **u), case("cov", x, aweights=np.array([0.5, 1, 2, 1, 0.25], np.float32), **u),
        case("cov", x, fweights=i32(1, 2, 3, 1, 0), aweights=np.array([0.5, 1, 2, 1, 0.25], np.float32), **u), case("corrcoef", x, **u), case("corrcoef", x[0], y=x[1], gradients=False, **u), case("corrcoef", x[0], gradients=False, **u),
        case("polyval", f32(4), f32(5)), case("polyval", f32(3, 2), f32(2)), case("polyval", i32(1, 2), i32(3, 4)), case("polyadd", f32(2), f32(4)), case("polysub", f32(4), f32(2)), case("polymul", f32(3), f32(4)), case("polydiv", np.array([1, 3, -2, 5], np.float32), np.array([2, 1], np.float32), **u), case("polydiv", f32(2), np.array([1, 1, 1], np.float32)),
        case("polyder", f32(5)), case("polyder", f32(5), m=3), case("polyder", f32(2), m=2), case("polyint", f32(3), **u), case("polyint", f32(3), m=3, **u), case("polyint", f32(3), m=2, k=np.array([1, 2], np.float32), **u), case("poly", f32(4)),
        case("polyfit", np.arange(6, dtype=np.float32), f32(6), 2, ulps=512, gradients=False), case("polyfit", np.arange(6, dtype=np.float32), f32(6, 2), 1, ulps=512, gradients=False), case("polyfit", np.arange(6, dtype=np.float32), f32(6), 1, w=np.array([1, 2, 1, 2, 1, 2], np.float32), ulps=512, gradients=False),
        case("polyfitWithCovariance", np.arange(6, dtype=np.float32), f32(6), 1, run=lambda x, y, d: jnp.polyfit(x, y, d, cov=True), ulps=512, gradients=False),
        *[case(name, n, ulps=16) for name in ["bartlett", "blackman", "hamming", "hanning"] for n in [0, 1, 7, 8]], case("kaiser", 7, 14.0, ulps=32), case("kaiser", 1, 3.0),
    ]
    return cases


def linalg():
    n = lambda name: f"linalg.{name}"
    square = np.array([[4, 1, 2, 0], [1, 3, 0, 1], [2, 0, 5, 1], [0, 1, 1, 2]], np.float32)
    skew = np.array([[1, 2, 3, 4], [2, 1, 0, 1], [3, 1, 3, 5], [0, 1, 1, 2]], np.float32)
    singular = np.array([[1, 2, 3, 4], [2, 1, 0, 1], [3, 3, 3, 5], [0, 1, 1, 2]], np.float32)
    tall = np.array([[1, 2], [3, 4], [5, -6]], np.float32)
    batch = np.stack([square, skew])
    u = dict(ulps=64)
    cases = [
        *[case(n("det"), x, **u) for x in [square, skew, batch, square[:3, :3], square[:2, :2], square[:1, :1]]], case(n("slogdet"), skew, **u), case(n("slogdet"), batch, **u), case(n("slogdet"), np.zeros((3, 3), np.float32), gradients=False),
        case(n("inv"), skew, **u), case(n("inv"), batch, **u), case(n("solve"), skew, f32(4), **u), case(n("solve"), batch, f32(4, 2), **u), case(n("solve"), square, f32(2, 4, 3), **u), case(n("pinv"), tall, **u), case(n("pinv"), tall.T.copy(), **u), case(n("pinv"), square, hermitian=True, **u),
        case(n("pinv"), np.diag(np.array([2, 1e-9, 1], np.float32)), gradients=False, **u), case(n("lstsq"), tall, f32(3), **u, gradients=False), case(n("lstsq"), tall, f32(3, 2), **u, gradients=False),
        case(n("cholesky"), square, **u), case(n("cholesky"), square, upper=True, **u), case(n("eigvalsh"), square, **u), case(n("svdvals"), tall, **u), case(n("matrixRank"), singular), case(n("matrixRank"), batch), case(n("matrixRank"), square, hermitian=True), case(n("matrixRank"), np.diag(np.array([2, 0.1], np.float32)), rtol=0.5),
        *[case(n("matrixPower"), skew, k, **u) for k in [0, 1, 2, 3, 5, -1, -2]], case(n("matrixPower"), skew.astype(np.int32), 3), case(n("multiDot"), [f32(3), f32(3, 4), f32(4, 2)], ulps=4), case(n("multiDot"), [f32(2, 3), f32(3, 4), f32(4, 5), f32(5)], ulps=4),
        case(n("tensorinv"), np.eye(4, dtype=np.float32).reshape(2, 2, 4) * 2, **u), case(n("tensorsolve"), square.reshape(2, 2, 4), f32(2, 2), **u), case(n("vecdot"), f32(2, 3), f32(3)),
    ]
    for ord in [None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"]:
        cases.append(case(n("norm"), skew, ord=ord, **u))
    for ord in [None, 0, 1, -1, 2, 3, 0.5, np.inf, -np.inf]:
        cases.append(case(n("norm"), np.array([1, -2, 0.5, 4], np.float32), ord=ord, **u))
    for options in [{"axis": 1}, {"axis": [0, 2], "ord": 1}, {"axis": [2, 0], "ord": 1, "keepdims": True}, {"axis": [0, 1], "ord": np.inf}, {"axis": [1, 2], "ord": 2, "keepdims": True}, {"keepdims": True}]:
        tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
        cases.append(case(n("norm"), batch[:, :3], run=lambda x: jnp.linalg.norm(x, **tuples), **u, **options))
    cases += [case(n("vectorNorm"), batch, axis=1, ord=3, **u), case(n("vectorNorm"), batch, **u), case(n("matrixNorm"), batch, **u), case(n("matrixNorm"), batch, ord=1, keepdims=True, **u)]
    for p in [None, 2, -2, 1, "fro", np.inf]:
        cases.append(case(n("cond"), square, p=p, ulps=256, gradients=False))
    return cases


def main():
    sections = {f.__name__: f() for f in [manipulation, reading, sorting, products, statistics, linalg]}
    golden.write("arrays", "Functions of np, called with args and then options; `expected` lists all results. Gradients are those, of all float32 arrays among args, of the sum of all finite elements of floating results times i % 5 - 1.5.", sections)


if __name__ == "__main__":
    main()
