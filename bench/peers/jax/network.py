"""The spiking networks of the bench, in plain JAX: loss and gradients of one batch, for any neuron, depth and precision."""

import functools
import math

import jax
import jax.numpy as jnp

CLASSES = 20
# What the parameters of a neuron are called in a tree, and which of them are decays.
NEURONS = {
    "lif": ("LIF", ("beta",)),
    "rlif": ("RLIF", ("beta",)),
    "alif": ("ALIF", ("gamma", "beta")),
    "cubalif": ("CuBaLIF", ("alpha", "beta")),
    "rcubalif": ("RCuBaLIF", ("alpha", "beta")),
}


@jax.custom_vjp
def spike(x):
    """1 above 0, else 0; its derivative is taken to be 1 / (pi (1 + (2 pi x)^2))."""
    return (x > 0).astype(x.dtype)


def spike_forward(x):
    return spike(x), x


def spike_backward(x, cotangent):
    scaled = x * (math.pi * math.sqrt(math.pi) * 2)
    return (cotangent * (1 / (scaled * scaled + math.pi)),)


spike.defvjp(spike_forward, spike_backward)


def truncated(key, shape, deviation, mean=0.0):
    return jax.random.truncated_normal(key, -2.0, 2.0, shape) * deviation + mean


def name_of(name, index):
    return name if index == 0 else f"{name}_{index}"


def initial(task, key):
    """Parameters as a tree by module name, drawn as the library draws them."""
    dtype = jnp.float16 if task["precision"] == "half" else jnp.float32
    module, decays = NEURONS[task["neuron"]]
    hidden = task["hidden"]
    keys = iter(jax.random.split(key, 5 * task["layers"] + 5))
    params = {}
    for i in range(task["layers"] + 1):
        inputs, outputs = task["channels"] if i == 0 else hidden, hidden if i < task["layers"] else CLASSES
        gain = task["gain"] if i < task["layers"] else 1.0
        params[name_of("linear", i)] = {"w": truncated(next(keys), (inputs, outputs), gain / math.sqrt(inputs))}
    for i in range(task["layers"]):
        weights = {decay: truncated(next(keys), (hidden,), 0.25, 0.5) for decay in decays}
        if task["neuron"].startswith("r"):
            dense = task["recurrence"] == "dense"
            shape, deviation = ((hidden, hidden), 1 / math.sqrt(hidden)) if dense else ((hidden,), 1.0)
            weights["w"] = truncated(next(keys), shape, deviation)
        params[name_of(module, i)] = weights
    return jax.tree.map(lambda leaf: leaf.astype(dtype), params)


def feedback(task, weights, spikes):
    if task["recurrence"] == "dense":
        return spikes @ weights["w"]
    return weights["w"] * spikes


def leaky(task, weights, x, state):
    beta = jax.nn.hard_sigmoid(weights["beta"])
    spikes = spike(state - 1)
    drive = x + feedback(task, weights, spikes) if "w" in weights else x
    return spikes, state * beta + drive - spikes


def adaptive(task, weights, x, state):
    v, rise = jnp.split(state, 2, axis=-1)
    gamma, beta = jax.nn.hard_sigmoid(weights["gamma"]), jax.nn.hard_sigmoid(weights["beta"])
    raised = rise + 1
    spikes = spike(v - raised)
    return spikes, jnp.concatenate([v * beta + x - spikes * raised, rise * gamma + (1 - gamma) * spikes], axis=-1)


def current_based(task, weights, x, state):
    v, current = jnp.split(state, 2, axis=-1)
    alpha, beta = jax.nn.hard_sigmoid(weights["alpha"]), jax.nn.hard_sigmoid(weights["beta"])
    spikes = spike(v - 1)
    current = current * alpha + x
    if "w" in weights:
        current = current + feedback(task, weights, spikes)
    return spikes, jnp.concatenate([(v - spikes) * beta + current, current], axis=-1)


STEPS = {"lif": (leaky, 1), "rlif": (leaky, 1), "alif": (adaptive, 2), "cubalif": (current_based, 2), "rcubalif": (current_based, 2)}


def traces(task, unroll, params, events):
    """Readout membranes f[batch, time, classes] of events u8[batch, time, channels]."""
    batch, steps, channels = events.shape
    dtype = params["linear"]["w"].dtype
    step, variables = STEPS[task["neuron"]]
    module, _ = NEURONS[task["neuron"]]
    inputs = (events.reshape(batch * steps, channels) @ params["linear"]["w"]).reshape(batch, steps, -1)

    def core(states, x):
        after = []
        for i, state in enumerate(states[:-1]):
            x, state = step(task, params[name_of(module, i)], x, state)
            x = x @ params[name_of("linear", i + 1)]["w"]
            after.append(state)
        membrane = states[-1] * 0.8 + x
        return [*after, membrane], membrane

    rest = [jnp.zeros((batch, task["hidden"] * variables), dtype) for _ in range(task["layers"])]
    rest.append(jnp.zeros((batch, CLASSES), dtype))
    _, membranes = jax.lax.scan(core, rest, jnp.swapaxes(inputs, 0, 1), unroll=unroll)
    return jnp.swapaxes(membranes, 0, 1)


def cross_entropy(readout, labels):
    """Mean over the batch, of readouts summed over time, with labels smoothed by 0.3."""
    wanted = jax.nn.one_hot(labels, CLASSES) * 0.7 + 0.3 / CLASSES
    return jnp.mean(-jnp.sum(wanted * jax.nn.log_softmax(jnp.sum(readout, axis=1)), axis=-1))


def loss(task, unroll, params, events, labels):
    return cross_entropy(traces(task, unroll, params, events), labels)


def value_and_grad(task, unroll):
    """A function of parameters, packed events u8[batch, time / 8, channels] and labels."""
    of = jax.value_and_grad(functools.partial(loss, task, unroll))
    return lambda params, packed, labels: of(params, jnp.unpackbits(packed, axis=1), labels)


def inputs(task):
    """The events and labels that the library is measured with, by the same keys: 7 % of the inputs are events."""
    shape = (task["batch"], task["steps"], task["channels"])
    events = jax.random.bernoulli(jax.random.key(0), 0.07, shape).astype(jnp.uint8)
    labels = jax.random.randint(jax.random.key(1), (task["batch"],), 0, CLASSES)
    return jnp.packbits(events, axis=1), labels
