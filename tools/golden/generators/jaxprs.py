"""Printed jaxprs of small functions, each beside its source, so that the same function can be written elsewhere."""

import inspect
import re
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.ad_checkpoint import checkpoint_name

import golden

CASES = []
# an array that functions close over: a constant of their programs
TABLE = jnp.array([1.0, 2.0, 3.0], jnp.float32)


def f32(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def i32(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.int32)


def of(dtype, *shape):
    return jax.ShapeDtypeStruct(shape, jnp.dtype(dtype))


def case(*args):
    def register(f):
        CASES.append((f, args))
        return f

    return register


# ------------------------------------------------------------------------------------------------------------------ elementwise


@case(f32(3))
def unary(x):
    return lax.sin(lax.exp(lax.neg(x)))


@case(f32(3))
def more_unary(x):
    return lax.tanh(x), lax.logistic(x), lax.log1p(x), lax.expm1(x), lax.sqrt(x), lax.rsqrt(x), lax.abs(x), lax.sign(x), lax.floor(x), lax.erf(x), lax.square(x)


@case(f32(3), f32(3))
def binary(x, y):
    return lax.div(lax.mul(lax.add(x, y), lax.sub(x, y)), lax.max(x, lax.min(x, y)))


@case(f32(3), f32(3))
def powers(x, y):
    return lax.pow(x, y), lax.integer_pow(x, 3), lax.integer_pow(y, -2), lax.atan2(x, y), lax.rem(x, y)


@case(f32(3), f32(3))
def comparisons(x, y):
    return lax.lt(x, y), lax.le(x, y), lax.gt(x, y), lax.ge(x, y), lax.eq(x, y), lax.ne(x, y)


@case(i32(3), i32(3))
def bitwise(x, y):
    return lax.bitwise_and(x, y), lax.bitwise_or(x, y), lax.bitwise_xor(x, y), lax.bitwise_not(x), lax.shift_left(x, y), lax.shift_right_logical(x, y), lax.shift_right_arithmetic(x, y)


@case(of("bool", 3), f32(3), f32(3))
def select(p, x, y):
    return lax.select(p, x, y)


@case(f32(3))
def clamp(x):
    return lax.clamp(0.0, x, 1.0)


@case(f32(3))
def literals(x):
    return lax.add(lax.mul(x, jnp.float32(2.0)), jnp.float32(1.5))


@case(f32(3))
def python_scalars(x):
    return 2 * x + 1.5


@case(i32(3))
def integer_scalars(x):
    return x * 2 + 1


@case(f32())
def scalar(x):
    return lax.mul(x, x)


@case(f32(3))
def rounding(x):
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN), lax.is_finite(x), lax.stop_gradient(x)


@case(f32(3))
def casts(x):
    return lax.convert_element_type(x, jnp.int32), lax.convert_element_type(x, jnp.float16), lax.bitcast_convert_type(x, jnp.uint32)


@case(f32(3))
def unused(x):
    lax.sin(x)
    return lax.cos(x)


@case(f32(3), f32(2))
def identity(x, y):
    return y, x, y


@case(f32(3))
def tree(x):
    return {"b": lax.sin(x), "a": [lax.cos(x), x]}


@case({"w": f32(2, 3), "b": f32(3)}, f32(2))
def tree_inputs(p, x):
    return lax.add(lax.dot(x, p["w"]), p["b"])


@case()
def constants():
    return jnp.float32(1.0), 2


# ------------------------------------------------------------------------------------------------------------ products, reductions


@case(f32(2, 3), f32(3, 4))
def dot(x, y):
    return lax.dot(x, y)


@case(f32(5, 2, 3), f32(5, 4, 3))
def dot_general(x, y):
    return lax.dot_general(x, y, (((2,), (2,)), ((0,), (0,))))


@case(of("float16", 2, 3), of("float16", 3, 4))
def dot_half(x, y):
    return lax.dot_general(x, y, (((1,), (0,)), ((), ())), preferred_element_type=jnp.float32)


@case(f32(2, 3))
def reductions(x):
    return lax.reduce_sum(x, (1,)), lax.reduce_max(x, (0, 1)), lax.reduce_min(x, (0,)), lax.reduce_prod(x, (0,))


@case(of("bool", 2, 3))
def logical_reductions(x):
    return lax.reduce_and(x, (1,)), lax.reduce_or(x, (0,)), lax.reduce_xor(x, (0,))


@case(f32(2, 3))
def indices(x):
    return lax.argmax(x, 1, jnp.int32), lax.argmin(x, 0, jnp.int32)


@case(f32(2, 3))
def cumulative(x):
    return lax.cumsum(x, 1), lax.cumprod(x, 0), lax.cummax(x, 1, reverse=True), lax.cummin(x, 0), lax.cumlogsumexp(x, 1)


@case(f32(4))
def sort(x):
    return lax.sort(x)


@case(f32(4), i32(4))
def sort_pairs(k, v):
    return lax.sort((k, v), num_keys=1)


@case(f32(2, 6))
def top_k(x):
    return lax.top_k(x, 2)


@case(f32(1, 8, 8, 3), f32(3, 3, 3, 4))
def conv(x, w):
    return lax.conv_general_dilated(x, w, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


@case(f32(1, 4, 4, 1))
def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


# ------------------------------------------------------------------------------------------------------------------------ shapes


@case(f32(3))
def broadcast(x):
    return lax.broadcast(x, (2,)), lax.broadcast_in_dim(x, (3, 4), (0,))


@case(f32(2, 3))
def reshape(x):
    return lax.reshape(x, (3, 2)), lax.transpose(x, (1, 0)), lax.rev(x, (1,)), lax.squeeze(lax.reshape(x, (6, 1)), (1,)), lax.expand_dims(x, (0,))


@case(f32(5, 4))
def slices(x):
    return lax.slice(x, (1, 0), (4, 4), (1, 2)), lax.slice_in_dim(x, 1, 3, axis=1)


@case(f32(5), f32(2), i32())
def dynamic_slices(x, u, i):
    return lax.dynamic_slice(x, (i,), (2,)), lax.dynamic_update_slice(x, u, (i,))


@case(f32(2, 3), f32(1, 3))
def concatenate(x, y):
    return lax.concatenate([x, y], 0)


@case(f32(2, 3))
def pad(x):
    return lax.pad(x, jnp.float32(0.0), ((1, 0, 0), (0, 2, 1)))


@case()
def iota():
    return lax.iota(jnp.int32, 4), lax.broadcasted_iota(jnp.float32, (2, 3), 1)


@case(f32(5, 3), i32(2, 1))
def gather(x, i):
    dims = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))
    return lax.gather(x, i, dims, (1, 3), mode="clip")


@case(f32(5, 3), i32(2, 1), f32(2, 3))
def scatter_add(x, i, u):
    dims = lax.ScatterDimensionNumbers(update_window_dims=(1,), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    return lax.scatter_add(x, i, u, dims)


@case(f32(6))
def split(x):
    return lax.split(x, (2, 4))


# --------------------------------------------------------------------------------------------------------------- transformations


@case(f32())
def grad_sin(x):
    return jax.grad(lax.sin)(x)


@case(f32())
def grad_grad(x):
    return jax.grad(jax.grad(lambda y: lax.mul(lax.sin(y), y)))(x)


@case(f32(3))
def grad_sum(x):
    return jax.grad(lambda y: lax.reduce_sum(lax.mul(lax.tanh(y), y), (0,)))(x)


@case(f32(2, 3), f32(3, 4))
def grad_dot(x, w):
    return jax.grad(lambda v: lax.reduce_sum(lax.dot(x, v), (0, 1)))(w)


@case(f32(4))
def value_and_grad_max(x):
    return jax.value_and_grad(lambda y: lax.reduce_max(y, (0,)))(x)


@case(f32(3), f32(3))
def jvp(x, t):
    return jax.jvp(lambda y: lax.mul(lax.sin(y), y), (x,), (t,))


@case(f32(3), f32(3))
def vjp(x, ct):
    out, pullback = jax.vjp(lax.exp, x)
    return out, pullback(ct)


@case(f32(5, 3))
def vmap(x):
    return jax.vmap(lambda r: lax.reduce_sum(lax.sin(r), (0,)))(x)


@case(f32(5, 3), f32(3, 4))
def vmap_dot(x, w):
    return jax.vmap(lambda r, v: lax.dot(r, v), in_axes=(0, None))(x, w)


@case(f32(5))
def vmap_grad(x):
    return jax.vmap(jax.grad(lambda y: lax.mul(y, lax.cos(y))))(x)


@case(f32(3))
def inner_jit(x):
    @jax.jit
    def inner(y):
        return lax.sin(y)

    return lax.add(inner(x), inner(lax.neg(x)))


@case(f32())
def grad_inner_jit(x):
    @jax.jit
    def inner(y):
        return lax.mul(lax.sin(y), y)

    return jax.grad(inner)(x)


@case(f32())
def custom_jvp(x):
    @jax.custom_jvp
    def f(y):
        return lax.sin(y)

    f.defjvp(lambda primals, tangents: (f(*primals), lax.mul(tangents[0], lax.cos(primals[0]))))
    return f(x)


@case(f32(3))
def custom_vjp(x):
    @jax.custom_vjp
    def spike(y):
        return lax.convert_element_type(lax.gt(y, jnp.float32(0.0)), jnp.float32)

    spike.defvjp(lambda y: (spike(y), y), lambda y, ct: (lax.div(ct, lax.add(lax.mul(y, y), jnp.float32(1.0))),))
    return spike(x)


@case(f32(3))
def grad_custom_vjp(x):
    @jax.custom_vjp
    def spike(y):
        return lax.convert_element_type(lax.gt(y, jnp.float32(0.0)), jnp.float32)

    spike.defvjp(lambda y: (spike(y), y), lambda y, ct: (lax.div(ct, lax.add(lax.mul(y, y), jnp.float32(1.0))),))
    return jax.grad(lambda y: lax.reduce_sum(spike(y), (0,)))(x)


@case(f32(3))
def checkpoint(x):
    return jax.checkpoint(lambda y: lax.sin(lax.sin(y)))(x)


@case(f32())
def grad_checkpoint(x):
    return jax.grad(jax.checkpoint(lambda y: lax.sin(lax.sin(y))))(x)


# ------------------------------------------------------------------------------------------------------------------ control flow


@case(f32(), f32(4))
def scan(init, xs):
    def body(carry, x):
        carry = lax.add(carry, lax.sin(x))
        return carry, lax.mul(carry, x)

    return lax.scan(body, init, xs)


@case(f32(3), f32(3, 3), f32(4, 3))
def scan_consts(init, w, xs):
    def body(carry, x):
        carry = lax.tanh(lax.add(lax.dot(carry, w), x))
        return carry, carry

    return lax.scan(body, init, xs)


@case(f32())
def scan_length(init):
    return lax.scan(lambda carry, _: (lax.mul(carry, carry), None), init, None, length=5, reverse=True, unroll=2)


@case(f32(4))
def grad_scan(xs):
    def loss(v):
        carry, _ = lax.scan(lambda c, x: (lax.mul(lax.sin(c), x), None), jnp.float32(1.0), v)
        return carry

    return jax.grad(loss)(xs)


@case(f32(3, 3), f32(3), f32(4, 3))
def grad_scan_weights(w, init, xs):
    def loss(v):
        def body(carry, x):
            carry = lax.tanh(lax.add(lax.dot(carry, v), x))
            return carry, lax.reduce_sum(carry, (0,))

        return lax.reduce_sum(lax.scan(body, init, xs)[1], (0,))

    return jax.grad(loss)(w)


@case(f32(2), f32(4))
def vmap_scan(init, xs):
    return jax.vmap(lambda i: lax.scan(lambda c, x: (lax.add(c, x), c), i, xs))(init)


@case(f32())
def while_loop(x):
    return lax.while_loop(lambda v: lax.lt(v, jnp.float32(10.0)), lambda v: lax.mul(v, jnp.float32(2.0)), x)


@case(f32())
def fori_loop(x):
    return lax.fori_loop(0, 5, lambda i, v: lax.mul(v, jnp.float32(2.0)), x)


@case(f32(), i32())
def fori_loop_dynamic(x, n):
    return lax.fori_loop(0, n, lambda i, v: lax.mul(v, jnp.float32(2.0)), x)


@case(of("bool"), f32())
def cond(p, x):
    return lax.cond(p, lax.sin, lax.cos, x)


@case(i32(), f32())
def switch(i, x):
    return lax.switch(i, [lax.sin, lax.cos, lambda y: y], x)


@case(of("bool"), f32())
def grad_cond(p, x):
    return jax.grad(lambda y: lax.cond(p, lax.sin, lambda z: lax.mul(z, jnp.float32(2.0)), y))(x)


@case(of("bool", 3), f32(3))
def vmap_cond(p, x):
    return jax.vmap(lambda q, y: lax.cond(q, lax.sin, lax.cos, y))(p, x)


@case(f32(3))
def vmap_while(x):
    return jax.vmap(lambda y: lax.while_loop(lambda v: lax.lt(v, jnp.float32(10.0)), lambda v: lax.mul(v, jnp.float32(2.0)), y))(x)


@case(f32(3))
def collectives(x):
    return jax.vmap(lambda y: lax.div(y, lax.psum(y, "batch")), axis_name="batch")(x)


# -------------------------------------------------------------------------------------------------------------------- parameters


@case(f32(3), f32(3), f32(3))
def special_functions(a, b, x):
    unary = lax.erf_inv(x), lax.erfc(x), lax.lgamma(x), lax.digamma(x), lax.bessel_i0e(x), lax.bessel_i1e(x)
    return *unary, lax.igamma(a, x), lax.igammac(a, x), lax.betainc(a, b, x), lax.polygamma(a, x), lax.zeta(a, x), lax.nextafter(a, x)


@case(f32(3), i32(3))
def representations(x, n):
    return lax.reduce_precision(x, 5, 10), lax.population_count(n), lax.clz(n), lax.ceil(x), lax.exp2(x), lax.cbrt(x), jnp.copy(x)


@case(f32(5))
def windows(x):
    return lax.reduce_window(x, 0.0, lax.add, (2,), (1,), "VALID"), lax.reduce_window(x, jnp.inf, lax.min, (2,), (1,), "SAME")


@case(f32(4))
def grad_pool(x):
    return jax.grad(lambda y: lax.reduce_sum(lax.reduce_window(y, -jnp.inf, lax.max, (2,), (2,), "VALID"), (0,)))(x)


@case(f32(4), f32(4))
def jvp_pool(x, t):
    return jax.jvp(lambda y: lax.reduce_window(y, -jnp.inf, lax.max, (2,), (2,), "VALID"), (x,), (t,))


@case(f32(5, 3), i32(2, 1), f32(2, 3))
def scatters(x, i, u):
    dims = lax.ScatterDimensionNumbers(update_window_dims=(1,), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    put = lax.scatter(x, i, u, dims, mode="clip", unique_indices=True, indices_are_sorted=True)
    return put, lax.scatter_mul(x, i, u, dims), lax.scatter_min(x, i, u, dims), lax.scatter_max(x, i, u, dims)


@case(f32(5, 3), i32(2, 1))
def gathers(x, i):
    dims = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))
    return lax.gather(x, i, dims, (1, 3), mode="fill", fill_value=0), lax.gather(x, i, dims, (1, 3), mode="promise_in_bounds")


@case(f32(3, 3), f32(3, 2))
def factorizations(x, y):
    solved = lax.linalg.triangular_solve(x, y, left_side=True, lower=True)
    return solved, lax.linalg.lu(x), lax.linalg.qr(x, full_matrices=False), lax.linalg.eigh(x, symmetrize_input=False), lax.linalg.svd(x, full_matrices=False)


@case(f32(3), f32(3))
def sort_keys(x, y):
    return lax.sort((x, y), num_keys=2, is_stable=False)


@case(of("float16", 1, 1, 4), of("float16", 1, 1, 2))
def conv_preferred(x, w):
    return lax.conv_general_dilated(x, w, (1,), [(0, 0)], preferred_element_type=jnp.float32)


@case(f32(3))
def named(x):
    return checkpoint_name(x, "here")


@case(f32(), f32())
def custom_jvp_closed(x, w):
    @jax.custom_jvp
    def f(y):
        return lax.mul(y, w)

    @f.defjvp
    def rule(primals, tangents):
        return f(*primals), tangents[0]

    return f(x)


# ---------------------------------------------------------------------------------------------------------------------- printing


@case(f32())
def many_names(x):
    for _ in range(30):
        x = lax.sin(x)
    return x


@case(f32(3))
def literal_kinds(x):
    for value in (1e-5, 0.0001, 1e16, 123456789.0, 0.1, -0.0, np.inf, -np.inf, np.nan, 1e-40):
        x = lax.add(x, jnp.float32(value))
    return x, jnp.int32(-7), jnp.bool_(True), jnp.float16(0.1)


@case(f32(3))
def closed_over(x):
    return lax.add(lax.mul(x, TABLE), TABLE)


@case(f32(), f32(4, 3))
def closed_over_scan(init, xs):
    return lax.scan(lambda c, x: (lax.add(c, lax.reduce_sum(lax.mul(x, TABLE), (0,))), c), init, xs)


@case(f32(), f32())
def closed_over_while(x, limit):
    return lax.while_loop(lambda v: lax.lt(v, limit), lambda v: lax.mul(v, limit), x)


@case(of("bool"), f32(), f32())
def closed_over_cond(p, x, y):
    return lax.cond(p, lambda z: lax.mul(z, y), lambda z: lax.sub(x, z), x)


@case(f32(), f32(2))
def long_body(init, xs):
    def body(carry, x):
        for _ in range(6):
            carry = lax.mul(lax.sin(carry), x)
        return carry, carry

    return lax.scan(body, init, xs)


@case(f32(3), f32(2))
def shared_names(x, y):
    @jax.jit
    def inner(a):
        return lax.sin(a)

    first = inner

    @jax.jit
    def inner(a):
        return lax.cos(first(a))

    return inner(inner(x)), inner(y)


@case(f32(), f32(3))
def shared_inside_long(x, xs):
    @jax.jit
    def inner(c):
        return lax.sin(c)

    @jax.jit
    def outer(c):
        for _ in range(11):
            c = lax.cos(c)
        return inner(c)

    return outer(outer(x)), lax.scan(lambda c, y: (lax.add(c, y), None), x, xs)[0]


@case(i32(5), i32(2, 1), i32(2))
def scatter_twice(x, i, u):
    dims = lax.ScatterDimensionNumbers(update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    return lax.scatter_add(lax.scatter_add(x, i, u, dims), i, u, dims)


@case(f32(3))
def jit_once(x):
    @jax.jit
    def outer(a, b):
        @jax.jit
        def inner(c):
            return lax.sin(c), c

        return inner(lax.add(a, b))

    return outer(x, jnp.float32(1.0))


@case(*[f32(100 + i, 200, 300) for i in range(8)])
def wide(*xs):
    total = lax.concatenate(xs, 0)
    return (*xs, total, *xs, *xs)


@case(f32(3), f32(3))
def exactly_80(x, y):
    return lax.exp(x), lax.mul(x, y)


@case(f32(1, 2, 345), f32(1, 2, 345))
def exactly_78(x, y):
    return (lax.expm1(x),)


def describe(arg):
    return {"dtype": str(arg.dtype), "shape": list(arg.shape)}


def source(f):
    """The function's text without its decorator."""
    lines = textwrap.dedent(inspect.getsource(f)).split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("def "))
    return "\n".join(lines[start:]).strip()


def printed(f, args):
    """JAX's text; axes that a batching rule computed with NumPy print there as np.int64(1), which is an accident."""
    return re.sub(r"np\.int64\((\d+)\)", r"\1", str(jax.make_jaxpr(f)(*args)))


def main():
    rows = []
    for f, args in CASES:
        row = {"case": f.__name__, "args": jax.tree.map(describe, list(args), is_leaf=lambda a: isinstance(a, jax.ShapeDtypeStruct)), "source": source(f)}
        rows.append({**row, "jaxpr": printed(f, args)})
    assert len(rows) >= 60
    golden.write("jaxprs", "What make_jaxpr prints. The source of each function is Python; TABLE is the array [1, 2, 3].", {"cases": rows})


if __name__ == "__main__":
    main()
