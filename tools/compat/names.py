"""Write jax-names.json: the public functions of JAX's array modules, and which of them are other names for the same thing."""

import importlib
import inspect
import json
import re
import typing
from pathlib import Path

import jax
from jax.extend.core import Primitive

MODULES = [
    "jax.numpy",
    "jax.numpy.linalg",
    "jax.numpy.fft",
    "jax.lax",
    "jax.lax.linalg",
    "jax.random",
    "jax.nn",
    "jax.nn.initializers",
]
ALIAS = re.compile(r"\s*Alias (?:of|for) :(?:func|data):`~?(?:[\w.]+\.)?(\w+)`")


def is_function(x: object) -> bool:
    """Neither a class (dtypes among them), nor a type expression, nor a primitive, nor one of the objects made to be indexed."""
    return callable(x) and not inspect.isclass(x) and typing.get_origin(x) is None and not isinstance(x, Primitive)


def aliases(functions: dict[str, object]) -> dict[str, str]:
    """Names that are documented as aliases of another one, or stand for the same object as one that comes before."""
    found = {}
    for name, function in functions.items():
        documented = ALIAS.match(inspect.getdoc(function) or "")
        same = [other for other, value in functions.items() if value is function]
        own = getattr(function, "__name__", "")
        first = own if own in same else same[0]
        if documented and documented[1] in functions and documented[1] != name:
            found[name] = documented[1]
        elif first != name:
            found[name] = first
    return found


def names(module: str) -> dict[str, object]:
    loaded = importlib.import_module(module)
    public = [name for name in sorted(dir(loaded)) if not name.startswith("_")]
    functions = {name: getattr(loaded, name) for name in public if is_function(getattr(loaded, name))}
    return {"functions": list(functions), "aliases": aliases(functions)}


if __name__ == "__main__":
    table = {"jax": jax.__version__, "modules": {module: names(module) for module in MODULES}}
    Path(__file__).with_name("jax-names.json").write_text(json.dumps(table, indent=1) + "\n")
