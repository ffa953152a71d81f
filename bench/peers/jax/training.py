"""Training in one compiled program, as the tutorial does it: scans over epochs, batches and time, with augmentation and validation."""

import functools

import jax
import jax.numpy as jnp

import network

RATE = 3e-4


def packed_noise(key, shape):
    """Packed events, 7 % of the bits set."""
    count, steps, channels = shape
    events = jax.random.bernoulli(key, 0.07, (count, steps, channels)).astype(jnp.uint8)
    return jnp.packbits(events, axis=1)


def centralized(gradient):
    if gradient.ndim < 2:
        return gradient
    return gradient - jnp.mean(gradient, axis=tuple(range(1, gradient.ndim)), keepdims=True)


def lion(param, gradient, moment):
    """One update of Lion: rate, decays 0.9 and 0.99, weight decay 1e-3."""
    gradient = centralized(gradient)
    direction = jnp.sign(0.9 * moment + 0.1 * gradient)
    return param - RATE * (direction + 1e-3 * param), 0.99 * moment + 0.01 * gradient


def training(task, unroll):
    """The program and its arguments: the start, and the epochs' numbers."""
    net = task["network"]
    batch, batches, channels = net["batch"], task["batches"], net["channels"]
    recordings = packed_noise(jax.random.key(0), (batches * batch, net["steps"], channels))
    labels = jax.random.randint(jax.random.key(1), (batches * batch,), 0, network.CLASSES)
    held_out = packed_noise(jax.random.key(2), (task["validation"] * batch, net["steps"], channels))
    held_out = held_out.reshape(task["validation"], batch, -1, channels)
    held_out_labels = jax.random.randint(jax.random.key(3), (task["validation"], batch), 0, network.CLASSES)
    gradients = jax.value_and_grad(functools.partial(network.loss, net, unroll))
    shift = max(1, round(channels / 32))

    def train(state, given):
        params, moments = state
        packed, wanted = given
        key = jax.random.fold_in(jax.random.key(0), jnp.sum(wanted))
        by = jax.random.randint(key, (1,), -shift, shift)
        value, grads = gradients(params, jnp.roll(jnp.unpackbits(packed, axis=1), by, axis=(-1,)), wanted)
        leaves, tree = jax.tree.flatten(params)
        both = [lion(*each) for each in zip(leaves, tree.flatten_up_to(grads), tree.flatten_up_to(moments))]
        return (tree.unflatten([p for p, _ in both]), tree.unflatten([m for _, m in both])), value

    def validate(params, given):
        packed, wanted = given
        readout = network.traces(net, unroll, params, jnp.unpackbits(packed, axis=1))
        right = jnp.argmax(jnp.sum(readout, axis=1), axis=-1) == wanted
        return params, jnp.stack([jnp.mean(right), network.cross_entropy(readout, wanted)])

    def epoch(state, i):
        order = jax.random.permutation(jax.random.fold_in(jax.random.key(4), i), batches * batch)
        shuffled = recordings[order].reshape(batches, batch, -1, channels), labels[order].reshape(batches, batch)
        state, losses = jax.lax.scan(train, state, shuffled)
        _, metrics = jax.lax.scan(validate, state[0], (held_out, held_out_labels))
        return state, jnp.concatenate([jnp.mean(losses)[None], jnp.mean(metrics, axis=0)])

    params = network.initial(net, jax.random.key(5))
    start = params, jax.tree.map(jnp.zeros_like, params)
    return lambda state, epochs: jax.lax.scan(epoch, state, epochs), (start, jnp.arange(task["epochs"]))
