"""Encoding of arrays and trees as JSON, and the file format that all generators share."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys

import jax
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent
TARGET = ROOT.parent.parent / "test" / "golden"

ENCODING = (
    'An array is {"dtype","shape","data"} with its elements flat in row-major order, and "weakType": true where it is weak. '
    "float32, float16 and bfloat16 are written as the shortest decimal that gives the same float32 (Math.fround of the number is the exact value), "
    'float64 as the shortest decimal that gives the same double; not-finite values are "NaN", "Infinity", "-Infinity"; '
    "bool is true or false. Objects and lists around arrays are pytrees, null is an empty node."
)


def number(value):
    """A float as a JSON number that round-trips, or the name of a value that is not finite."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    shortest = float(str(value))
    if shortest.is_integer() and abs(shortest) < 1e15 and not (shortest == 0 and np.signbit(value)):
        return int(shortest)
    return shortest


def array(x, weak=None):
    """One array (JAX or NumPy) as {dtype, shape, data}."""
    weak = getattr(x, "weak_type", False) if weak is None else weak
    x = np.asarray(x)
    flat = x.reshape(-1)
    if x.dtype == bool:
        data = [bool(v) for v in flat]
    elif np.issubdtype(x.dtype, np.integer):
        data = [int(v) for v in flat]
    elif x.dtype == np.float64:
        data = [number(v) for v in flat]
    else:
        data = [number(v) for v in flat.astype(np.float32)]
    out = {"dtype": str(x.dtype), "shape": list(x.shape), "data": data}
    if weak:
        out["weakType"] = True
    return out


def tree(x):
    """A pytree of arrays as nested JSON; named tuples become objects, so that their fields keep their names."""
    if x is None or isinstance(x, str):
        return x
    if isinstance(x, dict):
        return {str(k): tree(v) for k, v in x.items()}
    if hasattr(x, "_asdict"):
        return {k: tree(v) for k, v in x._asdict().items()}
    if isinstance(x, (tuple, list)):
        return [tree(v) for v in x]
    return array(x)


def aval(x):
    """Shape, dtype and weak type of a result whose values do not matter."""
    a = jax.typeof(x)
    return {"dtype": str(a.dtype), "shape": list(a.shape), "weakType": bool(a.weak_type)}


def versions():
    names = ["jax", "jaxlib", "numpy", "dm-haiku", "optax", "jmp"]
    return {name: importlib.metadata.version(name) for name in names}


def in_x64(module, function):
    """Call module.function() in a process of its own with 64-bit types on; its JSON comes back."""
    code = f"import json, {module} as m; print(json.dumps(m.{function}()))"
    env = {**os.environ, "JAX_ENABLE_X64": "1"}
    return json.loads(subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE).stdout)


def write(name, about, sections):
    """Write test/golden/NAME.json: a header, then each section with one case on each line."""
    dump = lambda v: json.dumps(v, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    lines = [f'"about":{dump(about)}', f'"encoding":{dump(ENCODING)}', f'"versions":{dump(versions())}']
    for key, value in sections.items():
        if isinstance(value, list):
            lines.append(f"{dump(key)}:[\n" + ",\n".join(map(dump, value)) + "\n]")
        elif isinstance(value, dict):
            lines.append(f"{dump(key)}:{{\n" + ",\n".join(f"{dump(k)}:{dump(v)}" for k, v in value.items()) + "\n}")
        else:
            lines.append(f"{dump(key)}:{dump(value)}")
    TARGET.mkdir(parents=True, exist_ok=True)
    path = TARGET / f"{name}.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")
