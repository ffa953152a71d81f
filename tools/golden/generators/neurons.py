"""Spiking neurons as Haiku cores, written from their update equations, and the surrogates that they fire through."""

import haiku as hk
import jax
import jax.numpy as jnp


def surrogate(gradient):
    """A strict Heaviside step whose cotangent is multiplied by gradient(x)."""

    @jax.custom_vjp
    def fire(x):
        return (x > 0).astype(x.dtype)

    fire.defvjp(lambda x: (fire(x), x), lambda x, ct: (ct * gradient(x),))
    return fire


def arctan(k=2):
    return lambda x: 1 / (jnp.pi * (1 + (jnp.pi * k * x) ** 2))


def superspike(k=25):
    return lambda x: 1 / (1 + k * jnp.abs(x)) ** 2


def triangular(k=2):
    return lambda x: jnp.maximum(0, 1 - jnp.abs(k * x))


def tanh(k=1):
    return lambda x: 4 / (jnp.exp(-k * x) + jnp.exp(k * x)) ** 2


def boxcar(width=2, height=0.5):
    return lambda x: jnp.where(jnp.abs(x) < width / 2, jnp.asarray(height, x.dtype), jnp.zeros((), x.dtype))


def sigmoid(k=4):
    def gradient(x):
        s = jax.nn.sigmoid(k * x)
        return s * (1 - s)

    return gradient


def straight_through():
    return jnp.ones_like


class Neuron(hk.RNNCore):
    """What all neurons share: a hidden shape, a threshold, decays, and a log of what came near the threshold.

    `decay` is "hardSigmoid" (a given decay is a constant) or "clip" (every decay is a parameter, a given one a scalar).
    `doubled` neurons keep two variables side by side on the last axis of their state.
    """

    doubled = False
    log = None  # a list, while somebody collects (membrane - threshold, spikes) step by step

    def __init__(self, shape, decay="hardSigmoid", threshold=1.0, activation=None, name=None, **decays):
        super().__init__(name=name or type(self).__name__)
        self.shape, self.decay, self.threshold, self.decays = tuple(shape), decay, threshold, decays
        self.activation = activation or surrogate(arctan())

    def initial_state(self, batch_size):
        shape = self.shape[:-1] + (2 * self.shape[-1],) if self.doubled else self.shape
        return jnp.zeros((batch_size,) + shape)

    def rate(self, name):
        given = self.decays.get(name)
        if given is not None and self.decay == "hardSigmoid":
            return given
        if given is None:
            value = hk.get_parameter(name, self.shape, init=hk.initializers.TruncatedNormal(0.25, 0.5))
        else:
            value = hk.get_parameter(name, [], init=hk.initializers.Constant(given))
        return jnp.clip(value, 0, 1) if self.decay == "clip" else jax.nn.hard_sigmoid(value)

    def fire(self, excess):
        spikes = self.activation(excess)
        if Neuron.log is not None:
            Neuron.log.append((excess, spikes))
        return spikes

    def recurrent(self, spikes, dense):
        w = hk.get_parameter("w", self.shape * 2 if dense else self.shape, init=hk.initializers.TruncatedNormal(1.0, 0.0))
        return spikes @ w if dense else w * spikes


class IF(Neuron):
    def __call__(self, x, v):
        s = self.fire(v - self.threshold)
        return s, v + x - s * self.threshold


class LIF(Neuron):
    def __call__(self, x, v):
        beta = self.rate("beta")
        s = self.fire(v - self.threshold)
        return s, beta * v + x - s * self.threshold


class ALIF(Neuron):
    doubled = True

    def __call__(self, x, state):
        v, t = jnp.split(state, 2, axis=-1)
        gamma = self.rate("gamma")
        beta = self.rate("beta")
        threshold = self.threshold + t
        s = self.fire(v - threshold)
        return s, jnp.concatenate([beta * v + x - s * threshold, gamma * t + (1 - gamma) * s], axis=-1)


class RLIF(Neuron):
    dense = False

    def __call__(self, x, v):
        s = self.fire(v - self.threshold)
        feedback = self.recurrent(s, self.dense)
        beta = self.rate("beta")
        return s, beta * v + x + feedback - s * self.threshold


class DenseRLIF(RLIF):
    dense = True


class RIF(Neuron):
    def __call__(self, x, v):
        s = self.fire(v - self.threshold)
        return s, v + x + self.recurrent(s, True) - s * self.threshold


class CuBaLIF(Neuron):
    """The reset is subtracted once, before the leak."""

    doubled = True

    def __call__(self, x, state):
        v, i = jnp.split(state, 2, axis=-1)
        alpha = self.rate("alpha")
        beta = self.rate("beta")
        s = self.fire(v - self.threshold)
        i = alpha * i + x
        return s, jnp.concatenate([beta * (v - s * self.threshold) + i, i], axis=-1)


class RCuBaLIF(Neuron):
    doubled = True

    def __call__(self, x, state):
        v, i = jnp.split(state, 2, axis=-1)
        s = self.fire(v - self.threshold)
        feedback = self.recurrent(s, True)
        alpha = self.rate("alpha")
        beta = self.rate("beta")
        i = alpha * i + x + feedback
        return s, jnp.concatenate([beta * (v - s * self.threshold) + i, i], axis=-1)


class LI(hk.RNNCore):
    """A leaky readout: its output is its new membrane. `learned` makes the decay a parameter for each unit, clipped."""

    def __init__(self, shape, beta=0.8, learned=False, name="LI"):
        super().__init__(name=name)
        self.shape, self.beta, self.learned = tuple(shape), beta, learned

    def initial_state(self, batch_size):
        return jnp.zeros((batch_size,) + self.shape)

    def __call__(self, x, v):
        beta = self.beta
        if self.learned:
            beta = jnp.clip(hk.get_parameter("beta", self.shape, init=hk.initializers.Constant(self.beta)), 0, 1)
        v = beta * v + x
        return v, v
