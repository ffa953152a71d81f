"""Indexing: reads x[index] as NumPy defines them, and writes x.at[index] with their modes."""

import itertools

import jax.numpy as jnp
import numpy as np

import golden

S = slice
ALL = slice(None)
E = Ellipsis
N = None


def encode(part):
    """One part of an index as JSON."""
    if part is None:
        return {"newaxis": True}
    if part is Ellipsis:
        return {"ellipsis": True}
    if isinstance(part, slice):
        return {"slice": [part.start, part.stop, part.step]}
    if isinstance(part, (bool, np.bool_)):
        return {"bools": bool(part)}
    if isinstance(part, int):
        return {"int": part}
    part = np.asarray(part)
    if part.dtype == bool:
        return {"bools": part.tolist()}
    return {"array": part.tolist(), "dtype": str(part.dtype)}


def ints(*values, dtype=np.int32):
    return np.array(values, dtype)


MASK2 = np.array([True, False, True])
READS = {
    (5,): [
        (0,), (4,), (-1,), (-5,), (ALL,), (S(1, 4),), (S(1, None),), (S(None, 2),), (S(-2, None),), (S(None, -2),), (S(None, None, 2),), (S(None, None, -1),), (S(4, 0, -2),), (S(None, None, -3),), (S(3, 1),),
        (S(10, 20),), (S(-20, 3),), (S(2, 100),), (S(-1, -100, -1),), (S(100, None, -2),), (S(1, 4, 5),), (S(2, 2),), (N,), (E,), (N, 2), (N, ALL), (ALL, N), (E, N), (N, E, N), (S(1, 3), N, N),
        (ints(0, 2, 4),), (ints(-1, 0),), (ints(3, 3, 3),), (ints([0, 1], [2, 3]),), (ints(1, dtype=np.uint8),), (ints(0, 4, dtype=np.int8),), (np.zeros((0,), np.int32),), (np.zeros((2, 0), np.int32),), (ints(9, -9, 2),),
        (np.array([True, False, True, True, False]),), (np.zeros(5, bool),), (N, ints(1, 2)), (ints(1, 2), N), (E, ints(1, 2)), (np.array(3, np.int32),), (True,), (False,),
    ],
    (3, 4): [
        (1,), (-1,), (1, 2), (-1, -1), (ALL, 1), (1, ALL), (S(1, None), S(None, 2)), (S(None, None, -1), S(None, None, -1)), (E, 0), (0, E), (E, ALL), (1, E, 2), (ALL, N, 2), (N, 1, N, ALL), (2, N), (S(0, 3, 2), S(3, None, -2)),
        (ints(0, 2),), (ALL, ints(0, 2)), (ints(0, 2), ints(1, 3)), (ints(0, 2), 1), (1, ints(0, 2)), (ints([0], [2]), ints(1, 3)), (ints([0, 1], [2, 0]),), (ALL, ints([0, 1], [2, 0])), (ints(0, 2), S(None, None, 2)), (S(1, None), ints(3, 0, 0)),
        (ints(-1, -3), ints(-4, -1)), (MASK2,), (MASK2, 1), (MASK2, S(1, 3)), (ALL, np.array([True, False, False, True])), (MASK2, ints(0, 3)), (np.arange(12).reshape(3, 4) % 3 == 0,), (MASK2, N), (N, MASK2), (ints(0, 2), N, ints(1, 3)), (ints(0, 2), ints(1)),
        (S(5, None),), (S(5, None), 0), (ints(0, 1, 2), ints(0, 1, 2)),
    ],
    (2, 3, 4): [
        (1,), (E, 1), (0, E, 1), (ALL, 1), (ALL, ALL, -1), (1, 2, 3), (S(None, None, -1), ALL, S(None, None, 2)), (N, E, N), (0, N, ALL, N, 1), (E, S(1, 3), 0),
        (ints(0, 1), ALL, ints(2, 3)), (ALL, ints(0, 2), ints(2, 3)), (ints(0, 1), ints(0, 2)), (0, ALL, ints(2, 3)), (ints(0, 1), ALL, 2), (ALL, ints(0, 2)), (ALL, ints([0, 2], [1, 1])), (ints([0], [1]), ALL, ints(2, 3)), (ints(0, 1), S(0, 2), ints(2, 3)),
        (0, ints(0, 2)), (E, ints(0, 2)), (ints(0, 1), E), (ints(0, 1), E, ints(1, 1)), (N, ints(0, 1), ALL, ints(2, 3)), (ALL, N, ints(0, 2)), (ints(0, 1), N, ALL, ints(2, 3)), (ALL, 1, ints(0, 3)), (ALL, ints(0, 2), 1), (1, ALL, np.array([True, False, True, True])),
        (ALL, MASK2), (np.arange(6).reshape(2, 3) % 2 == 1,), (np.arange(6).reshape(2, 3) % 2 == 1, S(1, 3)), (ALL, np.arange(12).reshape(3, 4) > 8), (np.array([True, False]), ALL, ints(2, 3)), (np.array([False, True]), MASK2), (ints(1, 0), S(None, None, -1), S(3, None, -2)),
    ],
    (2, 1, 3, 2): [(0, 0, 0, 0), (ints(0, 1), ALL, ALL, ints(1, 0)), (ALL, 0, ints(0, 2), ALL), (E, ints(1, 0), ALL), (ALL, ints(0), S(1, None), ints([1], [0])), (1, E, N, 0), (N, E), (ALL, ints(0, 0), ints(2, 1))],
    (): [(), (N,), (E,), (E, N), (True,)],
    (0, 3): [(ALL, 1), (S(None, None, -1),), (ALL, ints(2, 0)), (N,)],
}


def base(shape, dtype=jnp.int32):
    return jnp.arange(int(np.prod(shape)), dtype=dtype).reshape(shape)


def reads():
    rows = []
    for shape, indices in READS.items():
        x = base(shape)
        for index in indices:
            out = x[index]
            in_bounds = True
            try:
                expected = np.asarray(x)[index]
            except IndexError:
                in_bounds = False
            if in_bounds:
                np.testing.assert_array_equal(out, expected)
            rows.append({"shape": list(shape), "index": [encode(p) for p in index], "expected": golden.array(out)})
    return rows


BAD = {(3, 4): [(0, 0, 0), (E, E), (np.array([0.0, 1.0], np.float32),), (np.array([True, False]),), (7,), (-4,), (ints(0, 1, 2), ints(0, 1))]}


def errors():
    rows = []
    for shape, indices in BAD.items():
        for index in indices:
            try:
                out = base(shape)[index]
            except (IndexError, TypeError, ValueError) as e:
                rows.append({"shape": list(shape), "index": [encode(p) for p in index], "error": type(e).__name__})
            else:
                rows.append({"shape": list(shape), "index": [encode(p) for p in index], "expected": golden.array(out)})
    return rows


def writes():
    rows = []

    def add(shape, index, op, value=None, dtype=jnp.int32, **options):
        x = base(shape, dtype)
        named = {"mode": options.get("mode"), "fill_value": options.get("fillValue"), "unique_indices": options.get("uniqueIndices", False)}
        at = x.at[index]
        if op == "get":
            out = at.get(**{k: v for k, v in named.items() if v})
        else:
            out = getattr(at, op)(value, mode=named["mode"], unique_indices=named["unique_indices"])
        row = {"shape": list(shape), "dtype": str(jnp.dtype(dtype)), "index": [encode(p) for p in index], "op": op}
        if op != "get":
            row["value"] = value if isinstance(value, (int, float)) else golden.array(value)
        if options:
            row["options"] = options
        row["expected"] = golden.array(out)
        rows.append(row)

    for op, value in [("set", 100), ("add", 100), ("multiply", 3), ("min", 2), ("max", 2), ("subtract", 7)]:
        add((5,), (1,), op, value)
        add((5,), (S(1, None, 2),), op, value)
        add((3, 4), (ints(0, 2), ints(1, 3)), op, value)
        add((3, 4), (ALL, ints(0, 0, 2)), op, value) if op != "set" else None
    repeated = ints(1, 1, 1, 3)
    for op in ["add", "multiply", "min", "max"]:
        add((5,), (repeated,), op, jnp.array([2, 3, 4, 5], jnp.int32))
    for mode, op in itertools.product([None, "drop", "fill", "clip", "promise_in_bounds"], ["set", "add"]):
        index = ints(0, 2) if mode == "promise_in_bounds" else ints(0, 4, 7, -1, -9)
        add((5,), (index,), op, 50, **({"mode": mode} if mode else {}))
    for mode in [None, "fill", "clip", "drop"]:
        add((5,), (ints(0, 4, 7, -1, -9),), "get", **({"mode": mode} if mode else {}))
    add((5,), (ints(0, 7, -9),), "get", mode="fill", fillValue=-1)
    add((5,), (ints(0, 7),), "get", dtype=jnp.float32, mode="fill")
    add((3, 4), (ints(0, 5), ints(1, 1)), "get", mode="fill", fillValue=99)
    add((3, 4), (1,), "set", jnp.array([9, 8, 7, 6], jnp.int32))
    add((3, 4), (E, 2), "set", jnp.array([9, 8, 7], jnp.int32))
    add((3, 4), (S(1, None), S(None, None, -2)), "add", jnp.array([10, 20], jnp.int32))
    add((3, 4), (ints([0, 1], [2, 0]),), "add", 1)
    add((3, 4), (MASK2,), "set", 0)
    add((3, 4), (np.arange(12).reshape(3, 4) % 2 == 0,), "multiply", -1)
    add((3, 4), (np.arange(12).reshape(3, 4) % 2 == 0,), "set", 55)
    add((2, 3, 4), (ints(0, 1), ALL, ints(2, 3)), "set", jnp.array([[1, 2, 3], [4, 5, 6]], jnp.int32) * 100)
    add((2, 3, 4), (ALL, ints(0, 2), 1), "add", jnp.array([100, 200], jnp.int32))
    add((2, 3, 4), (0, N, ALL, 1), "set", jnp.array([[7, 8, 9]], jnp.int32))
    add((2, 3, 4), (E, S(None, None, -1)), "set", jnp.array([1, 2, 3, 4], jnp.int32))
    add((5,), (S(None, None, -1),), "set", jnp.array([1, 2, 3, 4, 5], jnp.int32))
    add((5,), (S(3, 1),), "set", 9)
    add((5,), (E,), "add", 1)
    add((), (), "set", 4)
    add((5,), (ints(0, 3),), "set", 2.75, dtype=jnp.float32)
    add((5,), (ints(0, 3),), "divide", 4.0, dtype=jnp.float32)
    add((5,), (ints(2, 3),), "power", 2.0, dtype=jnp.float32)
    add((5,), (ints(2, 0), ), "add", 0.5, dtype=jnp.float16, uniqueIndices=True)
    return rows


def main():
    golden.write("indexing", "Reads of x = arange(size).reshape(shape), int32 where no dtype is given, and writes x.at(index).op(value). An index is a list of parts: int, slice [start, stop, step], newaxis, ellipsis, array (with its dtype), bools (a concrete mask).", {
        "reads": reads(), "errors": errors(), "writes": writes(),
    })


if __name__ == "__main__":
    main()
