"""Modules: the tutorial's parameters at full size, names, initialisers, layers, unrolls and the order of keys."""

import inspect
import textwrap

import haiku as hk
import jax
import jax.numpy as jnp
import jmp
import numpy as np

import golden
from generators import neurons

KEY = jax.random.PRNGKey(42)
X = np.asarray(np.random.default_rng(0).normal(size=(3, 4)), np.float32)


# ------------------------------------------------------------------------------------------------------ the tutorial's network


def summary(x):
    """A leaf too large to keep: its first values, its exact sums, and a sum that depends on the order."""
    flat = np.asarray(x).reshape(-1)
    wide = flat.astype(np.float64)
    return {
        "dtype": str(x.dtype), "shape": list(x.shape), "first": golden.array(flat[:8])["data"], "last": golden.array(flat[-4:])["data"],
        "sum": float(wide.sum()), "sumOfSquares": float((wide**2).sum()), "sumOfIndexTimesValue": float((np.arange(wide.size) * wide).sum()),
    }


def tutorial(x):
    x = hk.BatchApply(hk.Linear(128, with_bias=False))(x)
    core = hk.DeepRNN([
        neurons.RLIF((128,)), hk.Linear(128, with_bias=False), neurons.RLIF((128,)), hk.Linear(20, with_bias=False), neurons.LI((20,)),
    ])
    return hk.dynamic_unroll(core, x, core.initial_state(x.shape[0]), time_major=False)


def full_size():
    rows = []
    for policy in [None, "half", "full", "params=float32,compute=float16,output=float32", "bfloat16"]:
        if policy == "bfloat16":
            policy = "params=bfloat16,compute=bfloat16,output=bfloat16"
        classes = [hk.Linear, neurons.RLIF, neurons.LI]
        if policy:
            for c in classes:
                hk.mixed_precision.set_policy(c, jmp.get_policy(policy))
        x = jnp.zeros((256, 16, 256), jnp.uint8 if policy else jnp.float32)
        net = hk.without_apply_rng(hk.transform(tutorial))
        params = net.init(jax.random.PRNGKey(0), x)
        out = jax.eval_shape(net.apply, params, x)
        rows.append({
            "policy": policy, "seed": 0, "input": {"dtype": str(x.dtype), "shape": list(x.shape)},
            "params": {m: {k: summary(v) for k, v in leaves.items()} for m, leaves in sorted(params.items())},
            "creationOrder": [f"{m}/{k}" for m, leaves in params.items() for k in leaves],
            "output": jax.tree.map(lambda a: {"dtype": str(a.dtype), "shape": list(a.shape)}, out),
        })
        for c in classes:
            hk.mixed_precision.clear_policy(c)
    return rows


# -------------------------------------------------------------------------------------------------------------------- names


class Block(hk.Module):
    """Makes one child in its constructor, one in its call, one in another method."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.inner = hk.Linear(2)

    def __call__(self, x):
        return hk.Linear(3)(self.inner(x))

    def encode(self, x):
        return hk.Linear(5)(x)


class Outer(hk.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.block = Block()

    def __call__(self, x):
        return Block()(self.block(x))


class Weight(hk.Module):
    def __call__(self, x):
        return x * hk.get_parameter("w", x.shape[-1:], x.dtype, jnp.ones) + hk.get_parameter("w_offset", [], x.dtype, jnp.zeros)


def names():
    def repeated(x):
        return hk.Linear(2)(hk.Linear(3)(hk.Linear(4)(x)))

    def nested(x):
        return Outer()(x)

    def constructor(x):
        return Block()(x)

    def method(x):
        b = Block()
        return b.encode(x), b(x)

    def sequential(x):
        return hk.Sequential([hk.Linear(4), jax.nn.relu, hk.Linear(2), jax.nn.relu])(x)

    def mlp(x):
        return hk.nets.MLP([4, 3, 2])(x)

    def named(x):
        return hk.Linear(2, name="readout")(hk.Linear(3, name="readout")(hk.Linear(4, name="my_layer")(x)))

    def twice(x):
        l = hk.Linear(4)
        return l(l(x))

    def numbered(x):
        return hk.Linear(2)(hk.Linear(3, name="linear_1")(hk.Linear(4)(x)))

    def scoped(x):
        with hk.name_scope("stage"):
            x = hk.Linear(3)(x)
        return hk.Linear(2)(x)

    def raw(x):
        return hk.get_parameter("scale", [4], init=jnp.ones) * x

    def deep(x):
        core = hk.DeepRNN([hk.LSTM(3), jax.nn.relu, hk.GRU(2), hk.Linear(2), hk.VanillaRNN(3)])
        return hk.dynamic_unroll(core, x[:, None], core.initial_state(1))[0]

    def weight(x):
        return Weight()(Weight()(x))

    def nested_sequential(x):
        return hk.Sequential([hk.Linear(4), hk.Sequential([hk.Linear(3), Block()])])(x)

    def inside_sequential(x):
        return hk.Sequential([hk.nets.MLP([3, 2]), hk.nets.MLP([2, 2])])(x)

    def conv(x):
        return hk.Conv2D(2, 3)(hk.Conv1D(2, 3, name="c")(x[None])[..., None])

    def norms(x):
        return hk.LayerNorm(-1, True, True)(hk.BatchNorm(True, True, 0.9)(x, True))

    def residual(x):
        return hk.to_module(lambda y: hk.Linear(4)(y))("block")(x)

    rows = []
    for f in [repeated, nested, constructor, method, sequential, mlp, named, twice, numbered, scoped, raw, deep, weight, nested_sequential, inside_sequential, conv, norms, residual]:
        params, state = hk.transform_with_state(f).init(KEY, X)
        shapes = lambda t: {m: {k: list(v.shape) for k, v in leaves.items()} for m, leaves in t.items()}
        rows.append({"case": f.__name__, "source": textwrap.dedent(inspect.getsource(f)), "creationOrder": [f"{m}:{k}" for m, l in params.items() for k in l], "params": shapes(params), "state": shapes(state)})
    return rows


# ------------------------------------------------------------------------------------------------------------- initialisers


def initialisers():
    i = hk.initializers
    rows = []

    def add(fn, init, shape, dtype="float32", **options):
        value = hk.transform(lambda: hk.get_parameter("w", shape, jnp.dtype(dtype), init)).init(KEY)["~"]["w"]
        rows.append({"fn": fn, "options": options, "shape": list(shape), "dtype": dtype, "seed": 42, "expected": golden.array(value)})

    add("constant", i.Constant(1.5), (2, 2), value=1.5)
    add("constant", i.Constant(1.5), (2,), "float16", value=1.5)
    add("randomNormal", i.RandomNormal(), (3, 2))
    add("randomNormal", i.RandomNormal(0.5, 2.0), (3, 2), stddev=0.5, mean=2.0)
    add("randomNormal", i.RandomNormal(0.5, 2.0), (3, 2), "float16", stddev=0.5, mean=2.0)
    add("randomUniform", i.RandomUniform(), (3, 2))
    add("randomUniform", i.RandomUniform(-1.0, 2.0), (3, 2), minval=-1.0, maxval=2.0)
    add("truncatedNormal", i.TruncatedNormal(), (3, 2))
    add("truncatedNormal", i.TruncatedNormal(0.25, 0.5), (3, 2), stddev=0.25, mean=0.5)
    add("truncatedNormal", i.TruncatedNormal(0.25, 0.5), (3, 2), "float16", stddev=0.25, mean=0.5)
    add("truncatedNormal", i.TruncatedNormal(1.0, 0.0, -1.0, 3.0), (3, 2), stddev=1.0, mean=0.0, lower=-1.0, upper=3.0)
    add("varianceScaling", i.VarianceScaling(), (3, 2))
    for mode in ["fan_in", "fan_out", "fan_avg"]:
        for dist in ["truncated_normal", "normal", "uniform"]:
            add("varianceScaling", i.VarianceScaling(2.0, mode, dist), (4, 3), scale=2.0, mode=mode, distribution=dist)
    add("varianceScaling", i.VarianceScaling(1.0, "fan_in", "uniform"), (2, 2, 3, 2), scale=1.0, mode="fan_in", distribution="uniform")
    add("varianceScaling", i.VarianceScaling(1.0, "fan_out", "uniform"), (2, 2, 3, 2), scale=1.0, mode="fan_out", distribution="uniform")
    add("varianceScaling", i.VarianceScaling(1.0, "fan_avg", "uniform"), (5,), scale=1.0, mode="fan_avg", distribution="uniform")
    add("varianceScaling", i.VarianceScaling(1.0, "fan_in", "truncated_normal", fan_in_axes=[0]), (3, 4), scale=1.0, mode="fan_in", distribution="truncated_normal", fanInAxes=[0])
    add("orthogonal", i.Orthogonal(), (3, 3))
    add("orthogonal", i.Orthogonal(2.0), (2, 4), scale=2.0)
    add("orthogonal", i.Orthogonal(), (4, 2))
    add("orthogonal", i.Orthogonal(1.0, 0), (2, 2, 3), scale=1.0, axis=0)
    add("identity", i.Identity(), (3, 3))
    add("identity", i.Identity(2.0), (2, 3), gain=2.0)
    return rows


# ------------------------------------------------------------------------------------------------------------------- layers


def layers():
    rows = []
    normal = lambda *shape: jnp.asarray(np.random.default_rng(5).normal(size=shape), jnp.float32)

    def add(name, f, *inputs, options=None, apply_key=None, calls=1):
        """Initialise with key 42, apply, and record everything; `calls` applications thread the state."""
        net = hk.transform_with_state(f)
        params, state = net.init(KEY, *inputs)
        # Biases and scales away from their neutral starting values, so that they are seen.
        leaves, treedef = jax.tree.flatten(params)
        rng = np.random.default_rng(6)
        initial = params
        moved = jax.tree.unflatten(treedef, [v + jnp.asarray(rng.normal(0, 0.1, v.shape), v.dtype) for v in leaves])
        outs, s = [], state
        for _ in range(calls):
            out, s = net.apply(moved, s, apply_key, *inputs)
            outs.append(golden.tree(out))
        row = {"layer": name, "options": options or {}, "inputs": [golden.tree(x) for x in inputs], "seed": 42, "initial": golden.tree(dict(initial)), "params": golden.tree(dict(moved)), "outputs": outs}
        if state:
            row["state"], row["stateAfter"] = golden.tree(dict(state)), golden.tree(dict(s))
        rows.append(row)

    x = jnp.asarray(X)
    add("linear", lambda x: hk.Linear(3)(x), x, options={"outputSize": 3})
    add("linear", lambda x: hk.Linear(3, with_bias=False)(x), x, options={"outputSize": 3, "withBias": False})
    add("linear", lambda x: hk.Linear(2)(x), normal(2, 3, 4), options={"outputSize": 2})
    add("linear", lambda x: hk.Linear(2)(x), x.astype(jnp.float16), options={"outputSize": 2})
    add("bias", lambda x: hk.Bias()(x), x)
    add("mlp", lambda x: hk.nets.MLP([3, 2])(x), x, options={"outputSizes": [3, 2]})
    add("mlp", lambda x: hk.nets.MLP([3, 2], with_bias=False, activation=jnp.tanh, activate_final=True)(x), x, options={"outputSizes": [3, 2], "withBias": False, "activation": "tanh", "activateFinal": True})
    image = normal(2, 5, 4, 3)
    add("conv2D", lambda x: hk.Conv2D(2, 3)(x), image, options={"outputChannels": 2, "kernelShape": 3})
    add("conv2D", lambda x: hk.Conv2D(2, (2, 3), stride=2, padding="VALID", with_bias=False)(x), image, options={"outputChannels": 2, "kernelShape": [2, 3], "stride": 2, "padding": "VALID", "withBias": False})
    add("conv2D", lambda x: hk.Conv2D(2, 3, rate=2)(x), image, options={"outputChannels": 2, "kernelShape": 3, "rate": 2})
    add("conv2D", lambda x: hk.Conv2D(4, 3, data_format="NCHW", feature_group_count=2)(x), normal(1, 4, 3, 3), options={"outputChannels": 4, "kernelShape": 3, "dataFormat": "NCHW", "featureGroupCount": 2})
    add("conv1D", lambda x: hk.Conv1D(2, 3, stride=2)(x), normal(2, 6, 3), options={"outputChannels": 2, "kernelShape": 3, "stride": 2})
    add("conv2DTranspose", lambda x: hk.Conv2DTranspose(2, 3, stride=2)(x), normal(1, 3, 3, 2), options={"outputChannels": 2, "kernelShape": 3, "stride": 2})
    add("maxPool", lambda x: hk.MaxPool(2, 2, "SAME")(x), image, options={"windowShape": 2, "strides": 2, "padding": "SAME"})
    add("maxPool", lambda x: hk.MaxPool((3, 2, 1), (2, 1, 1), "VALID")(x), image, options={"windowShape": [3, 2, 1], "strides": [2, 1, 1], "padding": "VALID"})
    add("avgPool", lambda x: hk.AvgPool(2, 2, "SAME")(x), image, options={"windowShape": 2, "strides": 2, "padding": "SAME"})
    add("avgPool", lambda x: hk.AvgPool(2, 1, "VALID")(x), image, options={"windowShape": 2, "strides": 1, "padding": "VALID"})
    add("layerNorm", lambda x: hk.LayerNorm(-1, True, True)(x), x, options={"axis": -1, "createScale": True, "createOffset": True})
    add("layerNorm", lambda x: hk.LayerNorm((1, 2), True, False)(x), normal(2, 3, 4), options={"axis": [1, 2], "createScale": True, "createOffset": False})
    add("rmsNorm", lambda x: hk.RMSNorm(-1)(x), x, options={"axis": -1})
    add("groupNorm", lambda x: hk.GroupNorm(2)(x), normal(2, 3, 4), options={"groups": 2})
    add("instanceNorm", lambda x: hk.InstanceNorm(True, True)(x), normal(2, 3, 4), options={"createScale": True, "createOffset": True})
    add("batchNorm, isTraining true", lambda x: hk.BatchNorm(True, True, 0.9)(x, True), x, options={"createScale": True, "createOffset": True, "decayRate": 0.9}, calls=3)
    add("batchNorm, isTraining false after one true", lambda x: (lambda b: (b(x, True), b(x, False)))(hk.BatchNorm(True, True, 0.9)), x, options={"createScale": True, "createOffset": True, "decayRate": 0.9}, calls=2)
    add("embed", lambda ids: hk.Embed(5, 3)(ids), jnp.array([[0, 4], [2, 2]], jnp.int32), options={"vocabSize": 5, "embedDim": 3})
    add("flatten", lambda x: hk.Flatten()(x), normal(2, 3, 2))
    add("dropout with rate 0.4", lambda x: hk.dropout(hk.next_rng_key(), 0.4, x), normal(3, 5), apply_key=jax.random.PRNGKey(7))
    add("exponentialMovingAverage", lambda x: hk.ExponentialMovingAverage(0.9)(x), x, options={"decay": 0.9}, calls=3)
    add("multiHeadAttention", lambda q, k: hk.MultiHeadAttention(2, 3, w_init=hk.initializers.VarianceScaling(1.0), model_size=4)(q, k, k), normal(2, 3, 4), normal(2, 5, 4), options={"numHeads": 2, "keySize": 3, "modelSize": 4, "wInit": "varianceScaling(1)"})

    sequence = normal(4, 2, 3)
    for name, make, options in [("lstm", lambda: hk.LSTM(3), {"hiddenSize": 3}), ("gru", lambda: hk.GRU(3), {"hiddenSize": 3}), ("vanillaRNN", lambda: hk.VanillaRNN(3), {"hiddenSize": 3}), ("vanillaRNN", lambda: hk.VanillaRNN(3, double_bias=False), {"hiddenSize": 3, "doubleBias": False})]:
        def one(x):
            core = make()
            return core(x, core.initial_state(x.shape[0]))

        def dynamic(x, time_major=True, reverse=False):
            core = make()
            return hk.dynamic_unroll(core, x, core.initial_state(x.shape[1 if time_major else 0]), time_major=time_major, reverse=reverse)

        def static(x):
            core = make()
            return hk.static_unroll(core, x, core.initial_state(x.shape[1]))

        add(f"{name}, one step", one, sequence[0], options=options)
        add(f"{name}, dynamicUnroll", dynamic, sequence, options=options)
        add(f"{name}, staticUnroll", static, sequence, options=options)
        add(f"{name}, dynamicUnroll, timeMajor false", lambda x: dynamic(x, time_major=False), sequence, options=options)
        add(f"{name}, dynamicUnroll, reverse", lambda x: dynamic(x, reverse=True), sequence, options=options)

    def deep(x):
        core = hk.DeepRNN([hk.Linear(4), hk.LSTM(3), jax.nn.relu, hk.GRU(2)])
        return hk.dynamic_unroll(core, x, core.initial_state(2))

    def skip(x):
        core = hk.deep_rnn_with_skip_connections([hk.VanillaRNN(3), hk.VanillaRNN(2)])
        return hk.dynamic_unroll(core, x, core.initial_state(2))

    def states(x):
        core = hk.GRU(2)
        return hk.dynamic_unroll(core, x, core.initial_state(2), return_all_states=True)

    def reset(x, resets):
        core = hk.ResetCore(hk.GRU(2))
        return hk.dynamic_unroll(core, (x, resets), core.initial_state(2))

    add("deepRNN of [linear(4), lstm(3), relu, gru(2)], dynamicUnroll", deep, sequence)
    add("deepRNNWithSkipConnections of [vanillaRNN(3), vanillaRNN(2)], dynamicUnroll", skip, sequence)
    add("gru(2), dynamicUnroll, returnAllStates", states, sequence)
    add("resetCore of gru(2), dynamicUnroll", reset, sequence, jnp.array([[False, True], [False, False], [True, False], [False, True]]))
    return rows


# --------------------------------------------------------------------------------------------------------------------- keys


def key_order():
    rows = []

    def add(case, f, with_params=False):
        net = hk.transform(f)
        params = net.init(KEY)
        rows.append({"case": case, "seed": 42, "params": golden.tree(dict(params)), "expected": golden.tree(net.apply(params, KEY))})

    def three():
        return [hk.next_rng_key() for _ in range(3)]

    def several():
        return [hk.next_rng_key(), list(hk.next_rng_keys(3)), hk.next_rng_key()]

    def reserve():
        hk.reserve_rng_keys(5)
        return [hk.next_rng_key(), hk.next_rng_key()]

    def within():
        with hk.with_rng(jax.random.PRNGKey(1)):
            a = hk.next_rng_key()
        return [a, hk.next_rng_key()]

    class Noisy(hk.Module):
        def __call__(self):
            return hk.next_rng_key(), hk.get_parameter("w", [2], init=hk.initializers.RandomNormal())

    def mixed():
        a = hk.next_rng_key()
        b, w = Noisy()()
        return [a, b, w, hk.next_rng_key()]

    add("nextRngKey three times", three)
    add("nextRngKey, nextRngKeys(3), nextRngKey", several)
    add("reserveRngKeys(5), nextRngKey twice", reserve)
    add("nextRngKey within withRng(key(1)), then outside", within)
    add("nextRngKey, a module that takes a key and a randomNormal parameter of shape [2], nextRngKey: parameters take keys at init only", mixed)
    sequence = hk.PRNGSequence(42)
    rows.append({"case": "prngSequence(42), five keys", "seed": 42, "expected": golden.tree([next(sequence) for _ in range(5)])})
    return rows


def main():
    golden.write("haiku", "Haiku's modules. The seed of each case makes the key of init; apply has no key unless its case says so.", {
        "tutorial": full_size(), "modulesInNames": {c.__name__: inspect.getsource(c) for c in [Block, Outer, Weight]}, "names": names(), "initialisers": initialisers(), "layers": layers(), "keys": key_order(),
    })


if __name__ == "__main__":
    main()
