"""Numeric edges: signs, NaN, infinities, overflow, ties, casts, cumulative operations, out-of-bounds access, special functions."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import golden

INF, NAN = np.inf, np.nan
f32 = lambda *v: jnp.array(v, jnp.float32)
i32 = lambda *v: jnp.array(v, jnp.int32)


class Table:
    def __init__(self):
        self.rows = []

    def add(self, fn, f, *inputs, options=None, gradient=None, about=None):
        """One call; `gradient` lists the inputs with respect to which the VJP of a cotangent of ones is taken."""
        row = {"fn": fn, "inputs": [golden.array(x) for x in inputs]}
        if options:
            row["options"] = options
        if about:
            row["about"] = about
        row["expected"] = golden.tree(f(*inputs))
        if gradient is not None:
            _, pullback = jax.vjp(f, *inputs)
            ones = jax.tree.map(jnp.ones_like, f(*inputs))
            grads = pullback(ones)
            row["vjpOfOnes"] = [golden.array(grads[i]) if i in gradient else None for i in range(len(inputs))]
        self.rows.append(row)


# ------------------------------------------------------------------------------------------------------- division and remainder


def division():
    t = Table()
    signed = [(7, 3), (-7, 3), (7, -3), (-7, -3), (6, 3), (-6, 3), (0, 5), (0, -5), (-(2**31), -1), (-(2**31), 3), (5, 0), (-5, 0), (0, 0), (2**31 - 1, 2)]
    a, b = (i32(*v) for v in zip(*signed))
    ops = [("floorDivide", jnp.floor_divide), ("remainder", jnp.remainder), ("fmod", jnp.fmod), ("lax.div", lax.div), ("lax.rem", lax.rem), ("divide", jnp.divide)]
    for name, f in ops:
        t.add(name, f, a, b)
    unsigned = jnp.array([7, 250, 0, 5], jnp.uint8), jnp.array([3, 7, 9, 0], jnp.uint8)
    for name, f in ops:
        t.add(name, f, *unsigned)
    edges = [0.0, -0.0, 1.5, -1.5, 7.0, -7.0, INF, -INF, NAN, 1e-30, 5.5]
    x, y = np.meshgrid(np.float32(edges), np.float32([3.0, -3.0, 0.0, -0.0, INF, -INF, NAN, 0.1]), indexing="ij")
    for name, f in ops[:5]:
        t.add(name, f, jnp.asarray(x.ravel()), jnp.asarray(y.ravel()))
    smooth = f32(7.0, -7.0, 7.0, -7.0, 0.5, 5.5), f32(3.0, 3.0, -3.0, -3.0, 0.2, 2.0)
    for name, f in [("remainder", jnp.remainder), ("fmod", jnp.fmod), ("floorDivide", jnp.floor_divide), ("divide", jnp.divide), ("lax.rem", lax.rem)]:
        t.add(name, f, *smooth, gradient=[0, 1])
    t.add("divmod", lambda p, q: jnp.divmod(p, q), *smooth)
    return t.rows


# ------------------------------------------------------------------------------------------------------------------- integers


def integers():
    t = Table()
    for dtype, top in [("int8", 127), ("int16", 32767), ("int32", 2**31 - 1), ("uint8", 255), ("uint16", 65535), ("uint32", 2**32 - 1)]:
        low = 0 if dtype[0] == "u" else -top - 1
        a, b = jnp.array([top, low, top, 3], dtype), jnp.array([1, 1, top, top], dtype)
        for name, f in [("add", jnp.add), ("subtract", jnp.subtract), ("multiply", jnp.multiply)]:
            t.add(name, f, a, b)
        t.add("negative", jnp.negative, a)
        t.add("square", jnp.square, a)
        if dtype[0] != "u":
            t.add("abs", jnp.abs, a)
        width = np.dtype(dtype).itemsize * 8
        values = jnp.array([1, top, low, 5], dtype)
        for shift in [0, 1, width - 1, width, width + 1]:
            s = jnp.full((4,), shift, dtype)
            for name, f in [("leftShift", jnp.left_shift), ("rightShift", jnp.right_shift), ("lax.shiftRightLogical", lax.shift_right_logical), ("lax.shiftRightArithmetic", lax.shift_right_arithmetic)]:
                t.add(name, f, values, s)
        t.add("bitwiseNot", jnp.bitwise_not, values)
        t.add("bitwiseCount", jnp.bitwise_count, values)
        t.add("lax.clz", lax.clz, values)
    t.add("leftShift", jnp.left_shift, i32(1, 1), i32(-1, -33), about="negative shifts")
    t.add("rightShift", jnp.right_shift, i32(-8, 8), i32(-1, 40), about="negative shifts")
    t.add("power", jnp.power, i32(2, -2, 3, 0, 7), i32(10, 3, 21, 0, 12))
    t.add("power", lambda x: jnp.power(x, 3), jnp.array([7, -7, 100], jnp.int8), about="exponent: the number 3")
    t.add("sum", jnp.sum, jnp.array([200, 100], jnp.uint8))
    t.add("sum", lambda x: jnp.sum(x, dtype=x.dtype), jnp.array([200, 100], jnp.uint8), options={"dtype": "uint8"})
    t.add("cumsum", jnp.cumsum, jnp.array([200, 100, 7], jnp.uint8))
    t.add("prod", jnp.prod, i32(65536, 65536, 3))
    t.add("mean", jnp.mean, i32(2**31 - 1, 2**31 - 1), about="means of integers are taken in float32")
    t.add("unpackbits", jnp.unpackbits, jnp.array([1, 128, 255, 10], jnp.uint8))
    t.add("unpackbits", lambda x: jnp.unpackbits(x, bitorder="little"), jnp.array([1, 10], jnp.uint8), options={"bitorder": "little"})
    t.add("unpackbits", lambda x: jnp.unpackbits(x, axis=0), jnp.array([[1, 128], [3, 7]], jnp.uint8), options={"axis": 0})
    t.add("unpackbits", lambda x: jnp.unpackbits(x, axis=1, count=11), jnp.array([[1, 128], [3, 7]], jnp.uint8), options={"axis": 1, "count": 11})
    t.add("unpackbits", lambda x: jnp.unpackbits(x, count=-3), jnp.array([1, 128], jnp.uint8), options={"count": -3})
    t.add("packbits", jnp.packbits, jnp.array([1, 0, 1, 1, 0, 0, 0, 1, 1, 1], jnp.uint8))
    t.add("packbits", lambda x: jnp.packbits(x, bitorder="little"), jnp.array([1, 0, 1, 1, 0, 0, 0, 1, 1, 1], jnp.uint8), options={"bitorder": "little"})
    t.add("packbits", lambda x: jnp.packbits(x, axis=0), jnp.array([[1, 0], [0, 1], [2, 0]], jnp.int32), options={"axis": 0})
    return t.rows


# ---------------------------------------------------------------------------------------------------------------------- casts


def casts():
    t = Table()
    x = f32(0.0, -0.0, 0.5, 1.5, -0.5, -1.9, 127.9, 128.5, 255.9, 256.0, -128.9, 300.7, -300.2, 32768.0, 65536.5, 2147483520.0, 2147483648.0, -2147483648.0, 4294967040.0, 4294967296.0, 1e20, -1e20, INF, -INF, NAN)
    for dtype in ["int8", "uint8", "int16", "uint16", "int32", "uint32", "bool", "float16", "bfloat16"]:
        t.add("astype", jax.jit(lambda v: v.astype(dtype)), x, options={"dtype": dtype}, about="as XLA converts on the CPU; integers saturate and NaN is 0")
    wide = i32(0, 1, -1, 127, 128, 255, 256, -129, 65535, 2**31 - 1, -(2**31), 16777217)
    for dtype in ["int8", "uint8", "uint16", "uint32", "bool", "float16", "bfloat16", "float32"]:
        t.add("astype", lambda v: v.astype(dtype), wide, options={"dtype": dtype})
    t.add("astype", lambda v: v.astype(jnp.int32), jnp.array([0, 2**31, 2**32 - 1], jnp.uint32), options={"dtype": "int32"})
    t.add("astype", lambda v: v.astype(jnp.float32), jnp.array([0, 2**31, 2**32 - 1], jnp.uint32), options={"dtype": "float32"})
    rounding = f32(1.0, 1.0009765, 1.00048828125, 1.00146484375, 65504.0, 65519.0, 65520.0, 1e-8, 5.9604645e-8, 2.9802322e-8, 2.98023259e-8, 8.940697e-8, 6.1e-5, 6.09755516e-5, 0.1, 1 / 3, -2049.0, 2051.0, 3.4e38, 3.3961e38, 1e-40, INF, -INF, NAN, -0.0)
    for dtype in ["float16", "bfloat16"]:
        halves = rounding.astype(dtype)
        t.add("astype", lambda v: v.astype(dtype), rounding, options={"dtype": dtype})
        t.add("lax.bitcastConvertType", lambda v: lax.bitcast_convert_type(v, jnp.uint16), halves[:-2], options={"dtype": "uint16"})
        t.add("lax.bitcastConvertType", lambda v: lax.bitcast_convert_type(v, jnp.dtype(dtype)), jnp.array([0, 1, 0x3C00, 0x7C00, 0x8000, 0xFC00, 0x0400, 0x3F80, 0x7F80, 0xFBFF], jnp.uint16), options={"dtype": dtype})
    t.add("lax.bitcastConvertType", lambda v: lax.bitcast_convert_type(v, jnp.uint32), f32(0.0, -0.0, 1.0, -2.5, INF, 1e-45, 3.4028235e38), options={"dtype": "uint32"})
    t.add("lax.bitcastConvertType", lambda v: lax.bitcast_convert_type(v, jnp.float32), jnp.array([0, 1, 0x3F800000, 0x80000000, 0x7F800000, 0x7FC00000, 0x00800000], jnp.uint32), options={"dtype": "float32"})
    t.add("lax.bitcastConvertType", lambda v: lax.bitcast_convert_type(v, jnp.int32), jnp.array([0, 2**31, 2**32 - 1], jnp.uint32), options={"dtype": "int32"})
    t.add("lax.bitcastConvertType", lambda v: lax.bitcast_convert_type(v, jnp.uint8), jnp.array([0x01020304, 0xFF], jnp.uint32), options={"dtype": "uint8"})
    t.add("lax.bitcastConvertType", lambda v: lax.bitcast_convert_type(v, jnp.uint32), jnp.array([[4, 3, 2, 1]], jnp.uint8), options={"dtype": "uint32"})
    t.add("lax.reducePrecision", lambda v: lax.reduce_precision(v, 5, 10), rounding[:20], options={"exponentBits": 5, "mantissaBits": 10})
    return t.rows


# ---------------------------------------------------------------------------------------------------- order: sorting and extremes


def order():
    t = Table()
    mixed = f32(3.0, NAN, -0.0, 0.0, -INF, 1.0, 0.0, -0.0, NAN, INF, 1.0)
    for name, f in [("sort", jnp.sort), ("argsort", jnp.argsort)]:
        t.add(name, f, mixed)
        t.add(name, lambda x: f(x, descending=True), mixed, options={"descending": True})
    for name, f in [("argmax", jnp.argmax), ("argmin", jnp.argmin)]:
        t.add(name, f, f32(1.0, 3.0, 3.0, -2.0, -2.0))
        t.add(name, f, f32(1.0, NAN, 3.0, NAN))
        t.add(name, f, f32(-0.0, 0.0))
        t.add(name, f, f32(0.0, -0.0))
        t.add(name, f, f32(NAN, INF))
        t.add(name, lambda x: f(x, axis=0), f32([1.0, NAN], [1.0, 2.0]), options={"axis": 0})
        t.add(name, lambda x: f(x, axis=-1, keepdims=True), i32([1, 5, 5], [7, 7, 0]), options={"axis": -1, "keepdims": True})
        t.add(name, f, jnp.array([False, True, True]))
    t.add("nanargmax", jnp.nanargmax, f32(NAN, 1.0, 4.0, NAN))
    t.add("nanargmin", jnp.nanargmin, f32(NAN, 1.0, 4.0, NAN))
    a, b = f32(-0.0, 0.0, NAN, 1.0, INF, NAN), f32(0.0, -0.0, 1.0, NAN, NAN, NAN)
    for name, f in [("maximum", jnp.maximum), ("minimum", jnp.minimum), ("fmax", jnp.fmax), ("fmin", jnp.fmin)]:
        t.add(name, f, a, b)
    for name, f in [("max", jnp.max), ("min", jnp.min)]:
        t.add(name, f, f32(1.0, NAN, 2.0))
        t.add(name, lambda x: f(x, axis=1), f32([2.0, 2.0, 1.0], [5.0, -1.0, -1.0]), options={"axis": 1}, gradient=[0], about="ties share the gradient")
        t.add(name, f, f32(3.0, 3.0, 3.0, 1.0), gradient=[0])
        t.add(name, lambda x: f(x, initial=9.0), f32(1.0, 2.0), options={"initial": 9.0})
    for name, f in [("maximum", jnp.maximum), ("minimum", jnp.minimum)]:
        t.add(name, f, f32(1.0, 2.0, 3.0, NAN), f32(2.0, 2.0, 1.0, 0.0), gradient=[0, 1])
    t.add("lax.sort", lambda k, v: lax.sort((k, v), num_keys=1), i32(2, 1, 2, 1, 0), i32(0, 1, 2, 3, 4), options={"numKeys": 1}, about="stable")
    t.add("lax.sort", lambda k, v: lax.sort((k, v), num_keys=2), i32(2, 1, 2, 1, 0), i32(9, 1, 2, 0, 4), options={"numKeys": 2})
    t.add("lax.topK", lambda x: lax.top_k(x, 3), f32(1.0, 5.0, NAN, 5.0, -1.0), options={"k": 3})
    t.add("searchsorted", jnp.searchsorted, f32(1.0, 2.0, 2.0, 4.0), f32(0.0, 2.0, 3.0, 9.0, NAN))
    t.add("searchsorted", lambda x, v: jnp.searchsorted(x, v, side="right"), f32(1.0, 2.0, 2.0, 4.0), f32(0.0, 2.0, 3.0, 9.0, NAN), options={"side": "right"})
    t.add("digitize", jnp.digitize, f32(0.0, 1.0, 2.5, 9.0), f32(1.0, 2.0, 4.0))
    t.add("unique", jnp.unique, i32(3, 1, 3, 2, 1))
    t.add("bincount", lambda x: jnp.bincount(x, length=4), i32(3, 1, 3, 0, 9), options={"length": 4})
    t.add("median", jnp.median, f32(3.0, 1.0, 2.0, 10.0))
    t.add("quantile", lambda x: jnp.quantile(x, jnp.float32(0.3)), f32(3.0, 1.0, 2.0, 10.0), options={"q": 0.3})
    return t.rows


# --------------------------------------------------------------------------------------------------- rounding, signs, nan reductions


def rounding():
    t = Table()
    x = f32(-2.5, -1.5, -0.5, -0.4, -0.0, 0.0, 0.4, 0.5, 1.5, 2.5, 3.5, 8388609.0, INF, -INF, NAN)
    for name, f in [("round", jnp.round), ("rint", jnp.rint), ("floor", jnp.floor), ("ceil", jnp.ceil), ("trunc", jnp.trunc), ("fix", jnp.trunc), ("sign", jnp.sign), ("signbit", jnp.signbit), ("abs", jnp.abs), ("isfinite", jnp.isfinite)]:
        t.add(name, f, x)
    t.add("round", lambda v: jnp.round(v, 1), f32(0.25, 0.35, -0.25, 2.675, 10.05), options={"decimals": 1})
    t.add("sign", jnp.sign, i32(-5, 0, 7))
    t.add("sign", jnp.sign, jnp.array([0, 7], jnp.uint8))
    t.add("abs", jnp.abs, f32(-2.0, -0.0, 0.0, 3.0, NAN), gradient=[0])
    t.add("sign", jnp.sign, f32(-2.0, 0.0, 3.0), gradient=[0])
    t.add("floor", jnp.floor, f32(-2.5, 3.0), gradient=[0])
    t.add("copysign", jnp.copysign, f32(1.0, -1.0, 0.0, NAN), f32(-0.0, 0.0, -1.0, -1.0))
    t.add("nextafter", jnp.nextafter, f32(0.0, 1.0, 1.0, -0.0, INF), f32(1.0, 2.0, 0.0, -1.0, 0.0))
    t.add("nanToNum", jnp.nan_to_num, f32(NAN, INF, -INF, 1.0))
    t.add("heaviside", jnp.heaviside, f32(-1.0, 0.0, -0.0, 2.0, NAN), f32(0.5, 0.5, 0.25, 0.5, 0.5))
    holes = f32([1.0, NAN, 3.0], [NAN, NAN, NAN])
    for name, f in [("nansum", jnp.nansum), ("nanmean", jnp.nanmean), ("nanmax", jnp.nanmax), ("nanmin", jnp.nanmin), ("nanprod", jnp.nanprod), ("nanvar", jnp.nanvar), ("nanstd", jnp.nanstd), ("nanmedian", jnp.nanmedian)]:
        t.add(name, lambda v: f(v, axis=1), holes, options={"axis": 1})
    empty = jnp.zeros((0,), jnp.float32)
    for name, f in [("sum", jnp.sum), ("prod", jnp.prod), ("mean", jnp.mean), ("var", jnp.var), ("any", jnp.any), ("all", jnp.all)]:
        t.add(name, f, empty)
    spread = f32(1.0, 2.0, 4.0, 9.0)
    for ddof in [0, 1]:
        t.add("var", lambda v: jnp.var(v, ddof=ddof), spread, options={"ddof": ddof}, gradient=[0])
        t.add("std", lambda v: jnp.std(v, ddof=ddof), spread, options={"ddof": ddof}, gradient=[0])
    t.add("std", jnp.std, f32(2.0, 2.0), gradient=[0], about="no spread")
    t.add("prod", jnp.prod, f32(2.0, 0.0, 3.0), gradient=[0])
    t.add("prod", jnp.prod, f32(0.0, 0.0, 3.0), gradient=[0])
    t.add("prod", jnp.prod, f32(2.0, 5.0, 3.0), gradient=[0])
    t.add("linalg.norm", jnp.linalg.norm, f32(3.0, 4.0), gradient=[0])
    t.add("linalg.norm", jnp.linalg.norm, f32(0.0, 0.0), gradient=[0])
    return t.rows


# ------------------------------------------------------------------------------------------------------ functions with delicate edges


def edges():
    t = Table()
    wide = f32(-INF, -1e4, -104.0, -88.8, -20.0, -1.0, -1e-4, -1e-8, -0.0, 0.0, 1e-8, 1e-4, 1.0, 20.0, 88.8, 104.0, 1e4, INF, NAN)
    for name, f in [
        ("nn.softplus", jax.nn.softplus), ("expm1", jnp.expm1), ("sinc", jnp.sinc), ("nn.sigmoid", jax.nn.sigmoid), ("nn.logSigmoid", jax.nn.log_sigmoid), ("tanh", jnp.tanh), ("nn.relu", jax.nn.relu),
        ("nn.relu6", jax.nn.relu6), ("nn.elu", jax.nn.elu), ("nn.selu", jax.nn.selu), ("nn.celu", jax.nn.celu), ("nn.leakyRelu", jax.nn.leaky_relu), ("nn.silu", jax.nn.silu), ("nn.gelu", jax.nn.gelu),
        ("nn.hardSigmoid", jax.nn.hard_sigmoid), ("nn.hardTanh", jax.nn.hard_tanh), ("nn.hardSilu", jax.nn.hard_silu), ("nn.softSign", jax.nn.soft_sign), ("nn.mish", jax.nn.mish), ("nn.squareplus", jax.nn.squareplus),
        ("arctan", jnp.arctan), ("arcsinh", jnp.arcsinh), ("cbrt", jnp.cbrt),
    ]:
        t.add(name, f, wide, gradient=[0])
    t.add("nn.gelu", lambda x: jax.nn.gelu(x, approximate=False), wide, options={"approximate": False}, gradient=[0])
    kinks = f32(-3.0, -1.0, 0.0, 1.0, 3.0, 6.0)
    for name, f in [("nn.relu", jax.nn.relu), ("nn.relu6", jax.nn.relu6), ("nn.hardSigmoid", jax.nn.hard_sigmoid), ("nn.hardTanh", jax.nn.hard_tanh), ("nn.leakyRelu", jax.nn.leaky_relu), ("nn.elu", jax.nn.elu)]:
        t.add(name, f, kinks, gradient=[0], about="at the kinks")
    t.add("log1p", jnp.log1p, f32(-2.0, -1.0, -0.5, -1e-8, -0.0, 0.0, 1e-8, 1.0, 1e30, INF, NAN), gradient=[0])
    positive = f32(0.0, -0.0, 1e-45, 1e-38, 0.25, 1.0, 4.0, INF, -1.0, NAN)
    for name, f in [("sqrt", jnp.sqrt), ("log", jnp.log), ("log2", jnp.log2), ("log10", jnp.log10), ("lax.rsqrt", lax.rsqrt), ("reciprocal", jnp.reciprocal)]:
        t.add(name, f, positive, gradient=[0])
    unit = f32(-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, NAN)
    for name, f in [("arcsin", jnp.arcsin), ("arccos", jnp.arccos), ("arctanh", jnp.arctanh)]:
        t.add(name, f, unit, gradient=[0])
    t.add("arccosh", jnp.arccosh, f32(1.0, 2.0, 1e10, 0.5), gradient=[0])
    base, exponent = np.meshgrid(np.float32([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, INF, -INF, NAN]), np.float32([0.0, 1.0, 2.0, -1.0, 0.5, 3.0, INF, -INF, NAN]), indexing="ij")
    t.add("power", jnp.power, jnp.asarray(base.ravel()), jnp.asarray(exponent.ravel()))
    t.add("power", jnp.power, f32(0.0, 0.0, 0.0, 2.0, -2.0, 0.0), f32(0.0, 1.0, 2.0, 3.0, 2.0, 0.5), gradient=[0, 1])
    for n in [0, 1, 2, 3, -1, -2]:
        t.add("lax.integerPow", lambda x: lax.integer_pow(x, n), f32(0.0, -2.0, 3.0), options={"n": n}, gradient=[0])
    y, x = np.meshgrid(np.float32([0.0, -0.0, 1.0, -1.0, INF]), np.float32([0.0, -0.0, 1.0, -1.0, INF, -INF]), indexing="ij")
    t.add("arctan2", jnp.arctan2, jnp.asarray(y.ravel()), jnp.asarray(x.ravel()))
    t.add("arctan2", jnp.arctan2, f32(1.0, -1.0, 0.0), f32(2.0, -3.0, 1.0), gradient=[0, 1])
    t.add("hypot", jnp.hypot, f32(3.0, 1e30, 0.0, INF), f32(4.0, 1e30, 0.0, NAN))
    t.add("logaddexp", jnp.logaddexp, f32(-INF, -INF, INF, 0.0, 1000.0, NAN), f32(-INF, 0.0, INF, 0.0, 999.0, 0.0), gradient=[0, 1])
    rows = f32([0.0, 1.0, 2.0], [1000.0, 1000.0, -1000.0], [-INF, -INF, -INF], [-INF, 0.0, 1.0], [INF, 0.0, 1.0], [NAN, 0.0, 1.0], [-1e38, 1e38, 0.0])
    for name, f in [("nn.logsumexp", jax.nn.logsumexp), ("nn.logSoftmax", jax.nn.log_softmax), ("nn.softmax", jax.nn.softmax)]:
        t.add(name, lambda v: f(v, axis=-1), rows, options={"axis": -1}, gradient=[0])
    t.add("nn.logSoftmax, first entry", lambda v: jax.nn.log_softmax(v, axis=-1)[:, 0], rows[:4], gradient=[0])
    t.add("nn.softmax, first entry", lambda v: jax.nn.softmax(v, axis=-1)[:, 0], rows[:2], gradient=[0])
    t.add("nn.logsumexp", lambda v: jax.nn.logsumexp(v, axis=0, b=jnp.array([1.0, -1.0, 2.0], jnp.float32)), f32(1.0, 0.5, 2.0), options={"axis": 0, "b": [1, -1, 2]}, gradient=[0])
    t.add("clip", lambda v, lo, hi: jnp.clip(v, lo, hi), f32(-1.0, 0.0, 0.5, 1.0, 2.0, NAN), f32(0.0, 0.0, 0.0, 0.0, 0.0, 0.0), f32(1.0, 1.0, 1.0, 1.0, 1.0, 1.0), gradient=[0, 1, 2], about="bounds are arrays; ties share the gradient")
    t.add("clip(x, 0, 1)", lambda v: jnp.clip(v, 0, 1), f32(-1.0, 0.0, 0.5, 1.0, 2.0, NAN), gradient=[0])
    t.add("clip(x, 1, 0)", lambda v: jnp.clip(v, 1, 0), f32(-1.0, 0.5, 2.0))
    t.add("lax.clamp", lambda lo, v, hi: lax.clamp(lo, v, hi), f32(0.0, 0.0, 0.0, 0.0, 0.0), f32(-1.0, 0.0, 0.5, 1.0, 2.0), f32(1.0, 1.0, 1.0, 1.0, 1.0), gradient=[0, 1, 2])
    t.add("where(x > 0, log(x), 0)", lambda v: jnp.where(v > 0, jnp.log(v), 0.0), f32(-1.0, 0.0, 2.0), gradient=[0], about="the gradient of the branch not taken leaks as NaN")
    t.add("where(x > 0, log(where(x > 0, x, 1)), 0)", lambda v: jnp.where(v > 0, jnp.log(jnp.where(v > 0, v, 1.0)), 0.0), f32(-1.0, 0.0, 2.0), gradient=[0], about="the cure: where inside where")
    t.add("where", jnp.where, jnp.array([True, False, True]), f32(1.0, NAN, 3.0), f32(NAN, 5.0, 6.0))
    t.add("isclose", jnp.isclose, f32(1.0, NAN, INF, 1.0), f32(1.000001, NAN, INF, 1.1))
    return t.rows


# ------------------------------------------------------------------------------------------------------------------- cumulative


def cumulative():
    t = Table()
    x = f32([1.0, 3.0, -2.0, 3.0, 0.5], [0.0, 2.0, 0.0, -1.0, 4.0])
    for name, f in [("lax.cumsum", lax.cumsum), ("lax.cumprod", lax.cumprod), ("lax.cummax", lax.cummax), ("lax.cummin", lax.cummin), ("lax.cumlogsumexp", lax.cumlogsumexp)]:
        for axis in [0, 1]:
            for reverse in [False, True]:
                t.add(name, lambda v: f(v, axis=axis, reverse=reverse), x, options={"axis": axis, "reverse": reverse}, gradient=[0])
    t.add("cumsum", jnp.cumsum, x, about="flattened", gradient=[0])
    t.add("cumprod", lambda v: jnp.cumprod(v, axis=-1), x, options={"axis": -1}, gradient=[0])
    t.add("lax.cummax", lambda v: lax.cummax(v, axis=0), f32(1.0, NAN, 3.0), options={"axis": 0})
    t.add("lax.cumlogsumexp", lambda v: lax.cumlogsumexp(v, axis=0), f32(-INF, -INF, 1000.0, 1000.0), options={"axis": 0}, gradient=[0])
    t.add("diff", jnp.diff, x, gradient=[0])
    t.add("interp", jnp.interp, f32(-1.0, 0.5, 2.0, 9.0), f32(0.0, 1.0, 3.0), f32(10.0, 20.0, 0.0))
    t.add("convolve", jnp.convolve, f32(1.0, 2.0, 3.0), f32(0.0, 1.0, 0.5))
    return t.rows


# ------------------------------------------------------------------------------------------------------------------ out of bounds


def bounds():
    t = Table()
    x, ids = f32(10.0, 20.0, 30.0), i32(-4, -3, -1, 0, 2, 3, 100)
    for mode in [None, "fill", "clip", "wrap"]:
        t.add("take", lambda v, i: jnp.take(v, i, mode=mode), x, ids, options={"mode": mode} if mode else {}, gradient=[0])
    t.add("take", lambda v, i: jnp.take(v, i, mode="fill", fill_value=-1.0), x, ids, options={"mode": "fill", "fillValue": -1})
    t.add("take", lambda v, i: jnp.take(v, i), i32(10, 20, 30), ids, about="integers fill with the smallest value")
    t.add("take", lambda v, i: jnp.take(v, i), jnp.array([10, 20, 30], jnp.uint8), ids, about="unsigned integers fill with the largest value")
    t.add("take", lambda v, i: jnp.take(v, i, axis=1), f32([1.0, 2.0], [3.0, 4.0]), i32([0, 1], [1, 5]), options={"axis": 1})
    t.add("x.get(ids)", lambda v, i: v[i], x, ids, gradient=[0], about="plain indexing clamps")
    t.add("takeAlongAxis", lambda v, i: jnp.take_along_axis(v, i, axis=1), f32([1.0, 2.0], [3.0, 4.0]), i32([0, 1, -1], [1, 5, -3]), options={"axis": 1})
    t.add("x.at(ids).set(1..7)", lambda v, i: v.at[i].set(jnp.arange(1.0, 8.0)), x, ids, about="drops what is out of bounds")
    t.add("x.at(ids).add(1)", lambda v, i: v.at[i].add(1.0), x, ids, gradient=[0])
    t.add("lax.dynamicSlice", lambda v, i: lax.dynamic_slice(v, (i,), (2,)), x, jnp.int32(9), options={"sizes": [2]}, about="starts are clamped")
    t.add("lax.dynamicSlice", lambda v, i: lax.dynamic_slice(v, (i,), (2,)), x, jnp.int32(-1), options={"sizes": [2]}, about="negative starts wrap once")
    t.add("lax.dynamicSlice", lambda v, i: lax.dynamic_slice(v, (i,), (2,)), x, jnp.int32(-9), options={"sizes": [2]})
    t.add("lax.dynamicUpdateSlice", lambda v, u, i: lax.dynamic_update_slice(v, u, (i,)), x, f32(1.0, 2.0), jnp.int32(9))
    t.add("lax.dynamicIndexInDim", lambda v, i: lax.dynamic_index_in_dim(v, i, 0, keepdims=False), x, jnp.int32(7), options={"axis": 0, "keepdims": False})
    t.add("nn.oneHot", lambda i: jax.nn.one_hot(i, 3), i32(-1, 0, 2, 3), options={"classes": 3})
    t.add("roll", lambda v: jnp.roll(v, 4), x, options={"shift": 4})
    t.add("roll", lambda v: jnp.roll(v, (1, -1), (0, 1)), f32([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), options={"shift": [1, -1], "axis": [0, 1]})
    t.add("segmentSum", lambda v, i: jax.ops.segment_sum(v, i, 3), f32(1.0, 2.0, 4.0, 8.0), i32(0, 2, 2, 7), options={"numSegments": 3})
    return t.rows


# -------------------------------------------------------------------------------------------------------------- special functions

REAL = [-30.0, -10.0, -4.5, -3.0, -2.5, -1.5, -1.0, -0.5, -0.1, -1e-3, -1e-6, 0.0, 1e-6, 1e-3, 0.1, 0.5, 1.0, 1.5, 2.5, 4.5, 9.0, 10.0, 30.0]
POSITIVE = [1e-6, 1e-3, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0, 1.1, 1.4616321, 1.5, 2.0, 2.5, 3.0, 5.0, 7.5, 10.0, 25.0, 50.0, 100.0, 1e4]
UNIT = [-0.9999, -0.99, -0.9, -0.75, -0.5, -0.25, -0.1, -1e-3, 0.0, 1e-3, 0.1, 0.25, 0.5, 0.7, 0.9, 0.99, 0.9999]
SPECIAL = {
    "lax.erf": (lax.erf, REAL), "lax.erfc": (lax.erfc, REAL), "lax.erfInv": (lax.erf_inv, UNIT), "lax.lgamma": (lax.lgamma, [-2.5, -1.5, -0.5, *POSITIVE]), "lax.digamma": (lax.digamma, [-2.5, -1.5, -0.5, *POSITIVE]),
    "lax.logistic": (lax.logistic, REAL), "tanh": (jnp.tanh, REAL), "expm1": (jnp.expm1, REAL), "log1p": (jnp.log1p, [v for v in REAL if v > -1]), "exp": (jnp.exp, REAL), "exp2": (jnp.exp2, REAL), "log": (jnp.log, POSITIVE),
    "sin": (jnp.sin, REAL + [100.0, 1e4]), "cos": (jnp.cos, REAL + [100.0, 1e4]), "tan": (jnp.tan, REAL), "arctan": (jnp.arctan, REAL), "arcsin": (jnp.arcsin, UNIT), "arccos": (jnp.arccos, UNIT), "sinh": (jnp.sinh, REAL), "cosh": (jnp.cosh, REAL),
    "arcsinh": (jnp.arcsinh, REAL), "arccosh": (jnp.arccosh, [v for v in POSITIVE if v >= 1]), "arctanh": (jnp.arctanh, UNIT), "cbrt": (jnp.cbrt, REAL), "sqrt": (jnp.sqrt, POSITIVE), "lax.rsqrt": (lax.rsqrt, POSITIVE), "sinc": (jnp.sinc, REAL),
    "nn.softplus": (jax.nn.softplus, REAL), "nn.silu": (jax.nn.silu, REAL), "nn.gelu": (jax.nn.gelu, REAL), "nn.logSigmoid": (jax.nn.log_sigmoid, REAL), "scipy.special.ndtri": (jax.scipy.special.ndtri, [0.01, 0.1, 0.3, 0.5, 0.9, 0.999]),
    "scipy.special.i0e": (jax.scipy.special.i0e, REAL), "scipy.special.i1e": (jax.scipy.special.i1e, REAL),
}


def special_in(dtype):
    rows = {}
    for name, (f, points) in SPECIAL.items():
        x = jnp.asarray(np.float32(points), dtype)
        rows[name] = [golden.array(x)["data"], golden.array(f(x))["data"], golden.array(jax.vmap(jax.grad(f))(x))["data"]]
    return rows


def special64():
    return special_in("float64")


def special():
    """Each function at float32 points: its values and derivatives in float32, and in float64 at the same points."""
    single, double = special_in("float32"), golden.in_x64("generators.numbers", "special64")
    return [{"fn": k, "x": v[0], "float32": v[1], "float64": double[k][1], "derivative32": v[2], "derivative64": double[k][2]} for k, v in single.items()]


def main():
    golden.write("numbers", "Values at numeric edges. Functions without a prefix are np's. Inputs are positional; vjpOfOnes is the cotangent of each input for a cotangent of ones.", {
        "division": division(), "integers": integers(), "casts": casts(), "order": order(), "rounding": rounding(), "edges": edges(), "cumulative": cumulative(), "bounds": bounds(), "special": special(),
    })


if __name__ == "__main__":
    main()
