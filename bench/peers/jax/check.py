"""Computes loss and gradients of one network for given inputs: `python check.py FILE`, prints them as JSON.

The file has {task, params, packed, labels}; arrays are {dtype, shape, base64} of their little-endian bytes, float16 as float32."""

import base64
import json
import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np

import network


def is_array(node):
    return isinstance(node, dict) and "base64" in node


def read(node):
    if not is_array(node):
        return {name: read(child) for name, child in node.items()}
    return jnp.asarray(np.frombuffer(base64.b64decode(node["base64"]), node["dtype"]).reshape(node["shape"]))


def written(x):
    x = np.asarray(x, np.float32)
    return {"dtype": "float32", "shape": x.shape, "base64": base64.b64encode(x.tobytes()).decode()}


def main():
    with open(sys.argv[1]) as file:
        given = json.load(file)
    f = jax.jit(network.value_and_grad(given["task"], 1))
    dtype = jnp.float16 if given["task"]["precision"] == "half" else jnp.float32
    params = jax.tree.map(lambda leaf: leaf.astype(dtype), read(given["params"]))
    value, gradients = f(params, read(given["packed"]), read(given["labels"]))
    print(json.dumps({"loss": float(value), "gradients": jax.tree.map(written, gradients)}))


if __name__ == "__main__":
    main()
