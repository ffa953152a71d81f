"""Operations that move elements: pad, slices, gather and scatter, sort, bits; with tangents, cotangents and batches.

A case holds an operation, its operands and parameters, and the results. Beside these, where there are any: `jvp` (tangents, results),
`vjp` (a cotangent for each result, then one for each operand or null), `vmap` (a list of axes, operands and results).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import golden

rng = np.random.default_rng(7)
NAN, INF = float("nan"), float("inf")


def floats(*shape):
    """Distinct multiples of 1/8, so that sums and products are exact."""
    n = int(np.prod(shape))
    return (rng.permutation(n).reshape(shape) - n // 2).astype(np.float32) / 8


def ints(*values, dtype=np.int32):
    return np.array(values, dtype)


MODES = {"clip": "clip", "fill": "fill", "drop": "drop", "promiseInBounds": "promise_in_bounds"}


def gather(x, i, p):
    n = p["dimensionNumbers"]
    numbers = lax.GatherDimensionNumbers(
        tuple(n["offsetDims"]), tuple(n["collapsedSliceDims"]), tuple(n["startIndexMap"]),
        tuple(n.get("operandBatchingDims", ())), tuple(n.get("startIndicesBatchingDims", ())),
    )
    return lax.gather(x, i, numbers, tuple(p["sliceSizes"]), mode=MODES[p["mode"]], fill_value=p.get("fillValue"))


def scatter(op):
    def run(x, i, u, p):
        n = p["dimensionNumbers"]
        numbers = lax.ScatterDimensionNumbers(
            tuple(n["updateWindowDims"]), tuple(n["insertedWindowDims"]), tuple(n["scatterDimsToOperandDims"]),
            tuple(n.get("operandBatchingDims", ())), tuple(n.get("scatterIndicesBatchingDims", ())),
        )
        return op(x, i, u, numbers, mode=MODES[p["mode"]], unique_indices=p.get("uniqueIndices", False))

    return run


OPS = {
    "pad": lambda x, v, p: lax.pad(x, v, [tuple(axis) for axis in p["paddingConfig"]]),
    "slice": lambda x, p: lax.slice(x, p["startIndices"], p["limitIndices"], p["strides"]),
    "rev": lambda x, p: lax.rev(x, p["dimensions"]),
    "transpose": lambda x, p: lax.transpose(x, p["permutation"]),
    "broadcastInDim": lambda x, p: lax.broadcast_in_dim(x, p["shape"], p["broadcastDimensions"]),
    "concatenate": lambda *xs: lax.concatenate(xs[:-1], xs[-1]["dimension"]),
    "split": lambda x, p: lax.split(x, p["sizes"], p["axis"]),
    "dynamicSlice": lambda x, *s: lax.dynamic_slice_p.bind(x, *s[:-1], slice_sizes=tuple(s[-1]["sliceSizes"])),
    "dynamicUpdateSlice": lambda x, u, *s: lax.dynamic_update_slice_p.bind(x, u, *s[:-1]),
    "gather": gather,
    "scatter": scatter(lax.scatter),
    "scatterAdd": scatter(lax.scatter_add),
    "scatterMul": scatter(lax.scatter_mul),
    "scatterMin": scatter(lax.scatter_min),
    "scatterMax": scatter(lax.scatter_max),
    "sort": lambda *xs: lax.sort(xs[:-1], dimension=xs[-1]["dimension"], num_keys=xs[-1]["numKeys"]),
    "topK": lambda x, p: lax.top_k(x, p["k"], axis=p["axis"]),
    "unpackbits": lambda x, p: jnp.unpackbits(x, axis=p["axis"], bitorder=p["bitorder"]),
}
SMOOTH = lambda x: x.dtype == np.float32


def listed(outs):
    return list(outs) if isinstance(outs, (tuple, list)) else [outs]


def case(op, args, params, jvp=False, vjp=(), vmap=()):
    """`vjp` lists the operands to pull back to; `vmap` lists the axes of operands, which are made by repeating and rolling."""
    run = lambda *xs: listed(OPS[op](*xs, params))
    args = [jnp.asarray(a) for a in args]
    encode = lambda xs: [golden.array(x) for x in xs]
    out = {"op": op, "params": params, "args": encode(args), "outs": encode(run(*args))}
    if jvp:
        tangents = [floats(*a.shape) if SMOOTH(a) else None for a in args]
        full = [np.zeros(a.shape, jax.dtypes.float0) if t is None else t for a, t in zip(args, tangents)]
        _, result = jax.jvp(run, tuple(args), tuple(full))
        result = [None if r.dtype == jax.dtypes.float0 else golden.array(r) for r in result]
        out["jvp"] = {"tangents": [None if t is None else golden.array(t) for t in tangents], "outs": result}
    if vjp:
        def restricted(*xs):
            whole = list(args)
            for at, x in zip(vjp, xs):
                whole[at] = x
            return run(*whole)

        outs, pull = jax.vjp(restricted, *[args[at] for at in vjp])
        cts = [floats(*o.shape) for o in outs]
        back = dict(zip(vjp, pull(cts)))
        out["vjp"] = {"cts": encode(cts), "args": [golden.array(back[i]) if i in back else None for i in range(len(args))]}
    out["vmap"] = []
    for axes in vmap:
        stacked = [a if axis is None else np.stack([np.roll(a, k) for k in range(3)], axis) for a, axis in zip(args, axes)]
        results = jax.vmap(run, tuple(axes))(*stacked)
        out["vmap"].append({"axes": list(axes), "args": encode(stacked), "outs": encode(results)})
    return out


def numbers(offset, collapsed, start, operand_batching=(), indices_batching=()):
    out = {"offsetDims": list(offset), "collapsedSliceDims": list(collapsed), "startIndexMap": list(start)}
    if operand_batching:
        out |= {"operandBatchingDims": list(operand_batching), "startIndicesBatchingDims": list(indices_batching)}
    return out


SCATTER_NAMES = {
    "offsetDims": "updateWindowDims",
    "collapsedSliceDims": "insertedWindowDims",
    "startIndexMap": "scatterDimsToOperandDims",
    "operandBatchingDims": "operandBatchingDims",
    "startIndicesBatchingDims": "scatterIndicesBatchingDims",
}


def layouts():
    """Operand, indices, numbers and slice sizes, with places outside among the indices."""
    yield floats(5, 3), ints([1], [4], [7], [-1], [1]), numbers((1,), (0,), (0,)), (1, 3)
    yield floats(5, 3), ints([1, 2], [4, 0], [3, 1], [0, 3]), numbers((), (0, 1), (0, 1)), (1, 1)
    yield floats(5, 3), ints([2, 4], [0, 1], [1, 6]), numbers((0, 1), (), (1, 0)), (2, 2)
    yield floats(4, 3, 2), ints([[2], [0], [1]], [[3], [3], [4]]), numbers((0, 3), (0,), (0,)), (1, 3, 2)
    yield floats(2, 4, 3), ints([[2], [0]], [[3], [5]]), numbers((2,), (1,), (1,), (0,), (0,)), (1, 1, 3)
    yield floats(3, 2, 5), ints([[4], [0]], [[1], [3]], [[2], [2]]), numbers((2,), (), (2,), (0, 1), (0, 1)), (1, 1, 1)
    yield floats(6), ints([0], [250], [5], dtype=np.uint8), numbers((1,), (), (0,)), (2,)


def gathers():
    axes = [(0, 0), (1, None), (None, 1)]
    for i, (x, at, n, sizes) in enumerate(layouts()):
        for mode in ("clip", "fill"):
            params = {"dimensionNumbers": n, "sliceSizes": list(sizes), "mode": mode}
            yield case("gather", [x, at], params, jvp=mode == "fill", vjp=(0,), vmap=axes if mode == "fill" else axes[i % 3 :][:1])
    x, at, n, sizes = next(layouts())
    for dtype in (np.int32, np.uint8, np.int16, bool):
        whole = (np.abs(x * 8)).astype(dtype)
        yield case("gather", [whole, at], {"dimensionNumbers": n, "sliceSizes": list(sizes), "mode": "fill"})
    yield case("gather", [x, at], {"dimensionNumbers": n, "sliceSizes": list(sizes), "mode": "fill", "fillValue": 7})
    inside = {"dimensionNumbers": n, "sliceSizes": list(sizes), "mode": "promiseInBounds"}
    yield case("gather", [x, ints([1], [4], [1])], inside, jvp=True, vjp=(0,), vmap=axes)


def scatters():
    batches = [(0, 0, 0), (None, 1, None), (None, None, 1), (1, None, None), (0, 0, None)]
    for i, (x, at, n, sizes) in enumerate(layouts()):
        renamed = {SCATTER_NAMES[k]: v for k, v in n.items()}
        shape = gather(x, at, {"dimensionNumbers": n, "sliceSizes": sizes, "mode": "clip"}).shape
        for k, op in enumerate(("scatter", "scatterAdd", "scatterMin", "scatterMax")):
            mode = "clip" if (i + k) % 3 == 0 else "drop"
            # JAX counts ties by the default mode whatever the mode is, so that its tangents of clipped extremes mean nothing.
            jvp = not (mode == "clip" and op in ("scatterMin", "scatterMax"))
            params = {"dimensionNumbers": renamed, "mode": mode}
            yield case(op, [x, at, floats(*shape)], params, jvp=jvp, vjp=(0, 2) if op == "scatterAdd" else (), vmap=[batches[(i + k) % 5]])
        params = {"dimensionNumbers": renamed, "mode": "drop"}
        yield case("scatterMul", [x, at, floats(*shape)], params, vjp=(0,), vmap=[batches[i % 5]])
    rows = {"dimensionNumbers": {"updateWindowDims": [1], "insertedWindowDims": [0], "scatterDimsToOperandDims": [0]}, "mode": "drop"}
    unique = {**rows, "uniqueIndices": True}
    at = ints([3], [0], [9])
    for op in ("scatter", "scatterMul"):
        yield case(op, [floats(5, 3), at, floats(3, 3)], unique, jvp=True, vjp=(0, 2), vmap=batches)
    ties = np.array([[1, 1, 2], [1, 3, 2], [0, 3, 2], [1, 1, 1]], np.float32)
    for op in ("scatterMin", "scatterMax"):
        yield case(op, [np.array([[1, 2, 2], [3, 3, 1]], np.float32), ints([0], [0], [1], [0]), ties], rows, jvp=True)
    for dtype in (np.int32, np.uint32, np.uint8):
        big = np.array([[200, 100, 3], [77, 255, 1]], dtype) * dtype(7)
        for op in ("scatterAdd", "scatterMul", "scatterMin"):
            yield case(op, [big, ints([1], [1], [5]), np.full((3, 3), 97, dtype)], rows)
    half = np.array([[0.1, 0.2], [1000, 3]], np.float16)
    yield case("scatterMax", [half, ints([1], [0]), np.array([[0.3, 4], [5, 0.1]], np.float16)], rows)


def others():
    x = floats(4, 3)
    pads = [((1, 2, 0), (0, 0, 0)), ((-1, 2, 1), (2, -1, 2)), ((-2, -1, 1), (1, 0, 3)), ((0, -9, 3), (-2, 0, 1)), ((3, -4, 0), (-1, 3, 0))]
    for i, config in enumerate(pads):
        axes = [(0, None), (1, 0), (None, 0)][i % 3 :] + [(2, 0)]
        yield case("pad", [x, np.float32(0.5)], {"paddingConfig": [list(axis) for axis in config]}, jvp=True, vjp=(0, 1), vmap=axes)
    for starts, limits, strides in (([1, 0], [4, 2], None), ([0, 1], [4, 3], [3, 2]), ([2, 2], [2, 3], [1, 1]), ([1, 0], [4, 3], [2, 1])):
        params = {"startIndices": starts, "limitIndices": limits, "strides": strides}
        yield case("slice", [x], params, jvp=True, vjp=(0,), vmap=[(0,), (2,)])
    y = floats(2, 3, 4)
    for dims in ([0], [1, 2], [0, 1, 2], []):
        yield case("rev", [y], {"dimensions": dims}, jvp=True, vjp=(0,), vmap=[(0,), (3,)])
    for permutation in ([1, 0, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]):
        yield case("transpose", [y], {"permutation": permutation}, jvp=True, vjp=(0,), vmap=[(1,), (3,)])
    for args, shape, to in ((floats(3), [2, 3], [1]), (floats(1, 3), [2, 4, 3], [0, 2]), (floats(2, 1), [2, 1, 5], [0, 1]), (floats(1), [1], [0])):
        yield case("broadcastInDim", [args], {"shape": shape, "broadcastDimensions": to}, jvp=True, vjp=(0,), vmap=[(0,), (args.ndim,)])
    for axis in (0, 1, 2):
        parts = [floats(2, 3, 4), floats(*np.delete([2, 3, 4], axis).tolist()[:axis], 2, *np.delete([2, 3, 4], axis).tolist()[axis:])]
        yield case("concatenate", parts, {"dimension": axis}, jvp=True, vjp=(0, 1), vmap=[(0, None), (1, 3), (None, 0)])
        yield case("split", [floats(5, 5, 5)], {"sizes": [2, 0, 3], "axis": axis}, jvp=True, vjp=(0,), vmap=[(0,), (2,)])
    for start in (ints(1, 1), ints(-3, 9), ints(2, 0, dtype=np.int8)):
        window = {"sliceSizes": [2, 2]}
        axes = [(0, None, None), (None, 0, None), (1, 0, 0)]
        yield case("dynamicSlice", [x, *start], window, jvp=True, vjp=(0,), vmap=axes)
        axes = [(0, None, None, None), (None, 1, None, None), (None, None, 0, None), (1, 2, 0, 0)]
        yield case("dynamicUpdateSlice", [x, floats(2, 2), *start], {}, jvp=True, vjp=(0, 1), vmap=axes)


def sorts():
    odd = np.array([[0, -0.0, NAN, 1, -INF, 0], [INF, -1, -0.0, 0, NAN, -0.0]], np.float32)
    place = np.arange(12, dtype=np.int32).reshape(2, 6)
    key = ints([2, 1, 2, 0, 1, 2], [0, 0, 1, 1, 0, 0])
    yield case("sort", [odd], {"dimension": 1, "numKeys": 1}, vmap=[(0,), (2,)])
    yield case("sort", [odd, place], {"dimension": 1, "numKeys": 1}, vmap=[(0, None), (None, 1)])
    yield case("sort", [odd, place], {"dimension": 0, "numKeys": 1})
    yield case("sort", [key, odd, place], {"dimension": 1, "numKeys": 2})
    yield case("sort", [key, place], {"dimension": 1, "numKeys": 1})
    yield case("sort", [floats(3, 4)], {"dimension": 0, "numKeys": 1}, jvp=True)
    yield case("sort", [key, floats(2, 6)], {"dimension": 1, "numKeys": 1}, jvp=True)
    yield case("sort", [floats(2, 5), floats(2, 5)], {"dimension": 0, "numKeys": 2}, jvp=True)
    for dtype in (np.uint32, np.uint8, np.int8, bool, np.float16):
        values = np.array([3, 0, 2, 1, 200, 2], np.int64).astype(dtype)
        if dtype is np.uint32:
            values[2] = 4_000_000_000
        yield case("sort", [values, np.arange(6, dtype=np.int32)], {"dimension": 0, "numKeys": 1})
        yield case("sort", [values], {"dimension": 0, "numKeys": 1})
        yield case("topK", [values], {"k": 4, "axis": 0})
    yield case("topK", [np.array([1, NAN, 3, -0.0, 0, INF, 3, -0.0], np.float32)], {"k": 8, "axis": 0})
    yield case("topK", [floats(3, 4)], {"k": 2, "axis": 1}, jvp=True, vmap=[(0,), (1,), (2,)])
    yield case("topK", [floats(3, 4)], {"k": 2, "axis": 0}, jvp=True, vmap=[(0,), (1,)])


def bits():
    for shape, axis in (((5,), 0), ((3, 2), 0), ((3, 2), 1), ((2, 3, 2), 1)):
        x = rng.integers(0, 256, shape, np.uint8)
        for order in ("big", "little"):
            yield case("unpackbits", [x], {"axis": axis, "bitorder": order}, vmap=[(0,), (len(shape),)])


if __name__ == "__main__":
    golden.write("movement", "Movement of elements, indexing, sorting and bits.", {"cases": [*others(), *gathers(), *scatters(), *sorts(), *bits()]})
