"""Operations by themselves, in JAX: each takes a task and gives a function to compile and its arguments."""

import jax
import jax.numpy as jnp


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def matmul(task):
    batch = () if task["batch"] == 1 else (task["batch"],)
    return jnp.matmul, (normal(0, *batch, task["n"], task["n"]), normal(1, *batch, task["n"], task["n"]))


def chain(task):
    return lambda x: x * 2 + 1, (normal(0, task["n"]),)


def total(task):
    return jnp.sum, (normal(0, task["n"]),)


def tanh_total(task):
    return lambda x: jnp.sum(jnp.tanh(x)), (normal(0, task["n"]),)


def softmax_cross_entropy(task):
    def loss(logits, labels):
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=-1)
        return -jnp.mean(chosen)

    return jax.grad(loss), (normal(0, 256, 1000), jax.random.randint(jax.random.key(1), (256,), 0, 1000))


def layers(x, kernels):
    for kernel in kernels:
        dimensions = ("NHWC", "HWIO", "NHWC")
        x = jnp.maximum(jax.lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=dimensions), 0)
    return x


def convolutions():
    return normal(0, 64, 28, 28, 1), [normal(1, 5, 5, 1, 32), normal(2, 5, 5, 32, 64)]


def conv(task):
    return layers, convolutions()


def conv_grad(task):
    return jax.grad(lambda kernels, x: jnp.sum(layers(x, kernels))), convolutions()[::-1]


def lstm_grad(task):
    steps, batch, units = 100, 32, 128

    def loss(params, xs):
        w, u, b = params

        def step(state, x):
            h, c = state
            i, g, f, o = jnp.split(x @ w + h @ u + b, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((batch, units))
        return jnp.sum(jax.lax.scan(step, (zeros, zeros), xs)[1])

    params = normal(0, units, 4 * units) * 0.1, normal(1, units, 4 * units) * 0.1, jnp.zeros(4 * units)
    return jax.grad(loss), (params, normal(2, steps, batch, units))


def normals(task):
    return lambda key: jax.random.normal(key, (task["n"],)), (jax.random.key(0),)


def sort(task):
    return jnp.sort, (normal(0, task["n"]),)


def dispatch(task):
    return lambda xs: [x + 1 for x in xs], ([normal(i, 4) for i in range(10)],)


KERNELS = {
    "matmul": matmul,
    "chain": chain,
    "sum": total,
    "tanh-sum": tanh_total,
    "softmax-xent": softmax_cross_entropy,
    "conv": conv,
    "conv-grad": conv_grad,
    "lstm-grad": lstm_grad,
    "normal": normals,
    "sort": sort,
    "dispatch": dispatch,
}
