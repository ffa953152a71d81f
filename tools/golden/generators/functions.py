"""Functions of lax and nn that are made of operations: convolutions by name, windows, associative scans, softmax with masks, attention, initializers."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

import golden

rng = np.random.default_rng(7)
# of the sum whose gradients are taken: not all equal, since the gradient of the plain sum of a softmax is zero
WEIGHTS = (np.arange(4096) % 5 - 1.5).astype(np.float32)


def f32(*shape):
    """Multiples of 1/8 of small size, so that sums are exact in any order."""
    return (rng.integers(-16, 17, shape) / 8).astype(np.float32)


def encode(x):
    if isinstance(x, (np.ndarray, jax.Array)):
        return golden.array(x)
    if isinstance(x, dict):
        return {k: encode(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [encode(v) for v in x]
    return golden.number(np.float64(x)) if isinstance(x, float) and not np.isfinite(x) else x


def case(fn, run, args, options=None, arrays=1, tolerance=4):
    """One call: `run` takes the first `arrays` of `args`; gradients are those of a weighted sum of the results."""
    primals = args[:arrays]
    out = run(*primals)
    entry = {"fn": fn, "args": encode(args), "expected": golden.tree(out), "ulps": tolerance}
    if options:
        entry["options"] = encode(options)
    if all(np.asarray(p).dtype == np.float32 for p in primals):
        weighted = lambda o: jnp.sum(jnp.where(jnp.isfinite(o), o, 0).reshape(-1) * WEIGHTS[: o.size])
        sums = lambda *p: sum(weighted(o) for o in jax.tree.leaves(run(*p)))
        grads = jax.grad(sums, argnums=tuple(range(arrays)))(*map(jnp.asarray, primals))
        entry["gradients"] = [golden.array(g) for g in grads]
    return entry


def convolutions():
    x1, k1 = f32(2, 3, 8), f32(4, 3, 3)
    x2, k2 = f32(1, 6, 5, 2), f32(3, 2, 2, 4)
    nhwc = ("NHWC", "HWIO", "NHWC")
    cases = []
    for padding in ["SAME", "VALID", "SAME_LOWER", ((2, -1),)]:
        for stride in [1, 3]:
            cases.append(case("lax.convGeneralDilated", lambda x, k: lax.conv_general_dilated(x, k, (stride,), padding), [x1, k1, [stride], padding], arrays=2))
    for options, snake in [
        ({"dimensionNumbers": nhwc}, dict(dimension_numbers=nhwc)),
        ({"dimensionNumbers": nhwc, "rhsDilation": [2, 1]}, dict(dimension_numbers=nhwc, rhs_dilation=(2, 1))),
    ]:
        cases.append(case("lax.convGeneralDilated", lambda x, k: lax.conv_general_dilated(x, k, (2, 1), "SAME", **snake), [x2, k2, [2, 1], "SAME"], options, arrays=2))
    grouped = f32(4, 1, 2, 6)
    cases.append(case("lax.convGeneralDilated", lambda x, k: lax.conv_general_dilated(x, k, (1, 1), "VALID", dimension_numbers=("NHWC", "OIHW", "NCHW"), feature_group_count=2),
                      [x2, grouped, [1, 1], "VALID"], {"dimensionNumbers": ["NHWC", "OIHW", "NCHW"], "featureGroupCount": 2}, arrays=2))
    for padding in ["SAME", "VALID", ((1, 2), (0, 1))]:
        for strides in [(2, 2), (3, 1)]:
            cases.append(case("lax.convTranspose", lambda x, k: lax.conv_transpose(x, k, strides, padding), [x2, k2, list(strides), padding], arrays=2))
    turned = f32(3, 2, 4, 2)
    cases.append(case("lax.convTranspose", lambda x, k: lax.conv_transpose(x, k, (2, 2), "SAME", transpose_kernel=True, rhs_dilation=(2, 1)), [x2, turned, [2, 2], "SAME"],
                      {"transposeKernel": True, "rhsDilation": [2, 1]}, arrays=2))
    return cases


def windows():
    x = f32(5, 6)
    sets = [
        ({}, {}),
        ({"windowStrides": [2, 1], "padding": "SAME"}, dict(window_strides=(2, 1), padding="SAME")),
        ({"padding": [[1, 2], [0, 1]], "windowDilation": [2, 1]}, dict(padding=((1, 2), (0, 1)), window_dilation=(2, 1))),
        ({"padding": "SAME", "baseDilation": [2, 1]}, dict(padding="SAME", base_dilation=(2, 1))),
    ]
    cases = []
    for name, op, init in [("add", lax.add, 0.0), ("max", lax.max, -np.inf), ("min", lax.min, np.inf), ("mul", lax.mul, 1.0), ("add", lax.add, 1.5)]:
        for options, snake in sets:
            run = lambda x: lax.reduce_window(x, np.float32(init), op, (2, 3), **({"window_strides": (1, 1), "padding": "VALID"} | snake))
            if name in ("mul",) or init == 1.5:
                out = run(x)
                cases.append({"fn": "lax.reduceWindow", "computation": name, "args": encode([x, init, [2, 3]]), "options": options, "expected": golden.tree(out), "ulps": 4})
            elif name in ("max", "min") and ("windowDilation" in options or "baseDilation" in options):
                cases.append({"fn": "lax.reduceWindow", "computation": name, "args": encode([x, init, [2, 3]]), "options": options, "expected": golden.tree(run(x)), "ulps": 0})
            else:
                cases.append({"computation": name, **case("lax.reduceWindow", run, [x, init, [2, 3]], options)})
    return cases


def scans():
    cases = []
    for n in [1, 2, 3, 7, 8]:
        x = f32(2, n)
        for options in [{"axis": 1}, {"axis": 1, "reverse": True}]:
            for name, op in [("add", lax.add), ("mul", lax.mul), ("max", lax.max)]:
                cases.append({"computation": name, **case("lax.associativeScan", lambda x: lax.associative_scan(op, x, **options), [x], options)})
    return cases


def normalisation():
    x = f32(3, 4)
    mask = np.array([[True, True, False, True], [False, True, False, False], [True, True, True, True]])
    empty = np.array([[True, False, True, True], [False, False, False, False], [True, True, True, True]])
    extreme = np.array([[1000, 1000, -1000], [-np.inf, 0, 1], [-np.inf, -np.inf, 3]], np.float32)
    cases = []
    for fn, f in [("nn.softmax", nn.softmax), ("nn.logSoftmax", nn.log_softmax)]:
        for options in [{}, {"axis": 0}, {"axis": [0, 1]}, {"axis": None}]:
            axis = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
            cases.append(case(fn, lambda x: f(x, **axis), [x], options))
        cases.append(case(fn, lambda x: f(x, where=mask), [x], {"where": mask}))
        cases.append(case(fn, lambda x: f(x), [extreme]))
    for fn, f in [("nn.logsumexp", nn.logsumexp), ("nn.logmeanexp", nn.logmeanexp)]:
        for options in [{}, {"axis": 1}, {"axis": 0, "keepdims": True}, {"axis": 1, "where": mask}, {"axis": 1, "where": empty}]:
            cases.append(case(fn, lambda x: f(x, **options), [x], options))
        cases.append(case(fn, lambda x: f(x, axis=1), [extreme], {"axis": 1}))
    b = f32(3, 4)
    for options in [{"axis": 1, "b": b}, {"axis": 1, "b": b, "returnSign": True}, {"b": b, "where": mask, "axis": 0}]:
        snake = {("return_sign" if k == "returnSign" else k): v for k, v in options.items()}
        cases.append(case("nn.logsumexp", lambda x: nn.logsumexp(x, **snake), [x], options, tolerance=16))
    # spread around zero, since the fast variance cancels digits elsewhere
    x = np.array([[-2, 1, 0.5, -1], [1, -1.5, 2, 0.25], [0.5, 1.5, -1, 1]], np.float32)
    mask = np.array([[True, True, False, True], [False, True, True, False], [True, True, True, True]])
    for options in [{}, {"axis": 0}, {"where": mask}, {"algorithm": "stable"}, {"mean": np.float32(0.5), "variance": np.float32(2), "epsilon": 0.25}, {"axis": None, "epsilon": 0.001}]:
        cases.append(case("nn.standardize", lambda x: nn.standardize(x, **options), [x], {k: float(v) if isinstance(v, np.float32) else v for k, v in options.items()}, tolerance=16))
    for axis in [0, -1]:
        cases.append(case("nn.glu", lambda x: nn.glu(x, axis=axis), [f32(4, 6)], {"axis": axis}))
    line = np.array([-3, -1.5, -1, -0.25, 0, 0.5, 1, 2.5], np.float32)
    for fn, f in [("nn.sparsePlus", nn.sparse_plus), ("nn.sparseSigmoid", nn.sparse_sigmoid), ("nn.swish", nn.swish), ("nn.hardSwish", nn.hard_swish), ("nn.identity", nn.identity), ("nn.tanh", nn.tanh)]:
        cases.append(case(fn, f, [line]))
    cases.append(case("nn.log1mexp", nn.log1mexp, [np.array([1e-4, 0.1, 0.6931, 0.7, 2, 20], np.float32)], tolerance=8))
    cases.append(case("nn.elu", lambda x: nn.elu(x, 0.5), [line], {"alpha": 0.5}))
    cases.append(case("nn.celu", lambda x: nn.celu(x, 0.5), [line], {"alpha": 0.5}))
    cases.append(case("nn.leakyRelu", lambda x: nn.leaky_relu(x, 0.25), [line], {"negativeSlope": 0.25}))
    cases.append(case("nn.squareplus", lambda x: nn.squareplus(x, 1), [line], {"b": 1}))
    index = np.array([[0, 2], [3, -1]], np.int32)
    for options in [{}, {"axis": 0}, {"axis": 1, "dtype": "int8"}]:
        cases.append(case("nn.oneHot", lambda x: nn.one_hot(x, 3, **options), [index, 3], options))
    return cases


def attention():
    q, k, v = f32(2, 3, 4, 2), f32(2, 5, 2, 2), f32(2, 5, 2, 2)
    bias = f32(1, 4, 3, 5)
    mask = rng.integers(0, 2, (2, 1, 3, 5)).astype(bool)
    lengths = {"query_seq_lengths": np.array([2, 3], np.int32), "key_value_seq_lengths": np.array([4, 1], np.int32)}
    camel = {"query_seq_lengths": "querySeqLengths", "key_value_seq_lengths": "keyValueSeqLengths", "is_causal": "isCausal", "local_window_size": "localWindowSize", "return_residual": "returnResidual"}
    cases = []
    for options in [{}, {"bias": bias, "scale": 0.25}, {"mask": mask}, {"is_causal": True}, lengths, {"local_window_size": (1, 0)}, {"local_window_size": 1, "return_residual": True}]:
        cases.append(case("nn.dotProductAttention", lambda q, k, v: nn.dot_product_attention(q, k, v, **options), [q, k, v],
                          {camel.get(name, name): value for name, value in options.items()}, arrays=3, tolerance=64))
    return cases


def initializers():
    key = jax.random.key_data(jax.random.key(3))
    I = nn.initializers
    rows = [
        ("uniform", I.uniform(), [{}], [4, 3]),
        ("normal", I.normal(0.5), [{"stddev": 0.5}], [4, 3]),
        ("truncatedNormal", I.truncated_normal(0.5, lower=-1.0, upper=3.0), [{"stddev": 0.5, "lower": -1, "upper": 3}], [4, 3]),
        ("constant", I.constant(2.5), [2.5], [2]),
        ("glorotUniform", I.glorot_uniform(), [{}], [4, 3]),
        ("glorotNormal", I.glorot_normal(), [{}], [4, 3]),
        ("lecunUniform", I.lecun_uniform(), [{}], [2, 2, 4, 3]),
        ("lecunNormal", I.lecun_normal(), [{}], [4, 3]),
        ("heUniform", I.he_uniform(in_axis=(0, 1), out_axis=2), [{"inAxis": [0, 1], "outAxis": 2}], [2, 4, 3]),
        ("heNormal", I.he_normal(batch_axis=0), [{"batchAxis": 0}], [2, 4, 3]),
        ("varianceScaling", I.variance_scaling(2.0, "fan_geo_avg", "normal"), [2, "fanGeoAvg", "normal", {}], [4, 3]),
        ("varianceScaling", I.variance_scaling(2.0, "fan_out", "uniform"), [2, "fanOut", "uniform", {}], [4, 3]),
        ("orthogonal", I.orthogonal(), [{}], [3, 3]),
        ("orthogonal", I.orthogonal(2.0, column_axis=0), [{"scale": 2, "columnAxis": 0}], [2, 2, 3]),
        ("deltaOrthogonal", I.delta_orthogonal(), [{}], [3, 2, 2, 3]),
    ]
    return [{"fn": name, "args": args, "key": golden.array(key), "shape": shape, "expected": golden.array(init(jax.random.wrap_key_data(key), tuple(shape)))} for name, init, args, shape in rows]


if __name__ == "__main__":
    golden.write(
        "functions",
        "Functions of lax and nn that are made of operations, called with args and then options; `computation` names the lax operation that is the second "
        "argument of windows (after the initial value) and the first of scans. gradients are those of the sum of all finite elements of the results times i % 5 - 1.5, i being the index into the flat result. "
        "initializers: nn.initializers[fn](...args)(key, shape).",
        {"convolutions": convolutions(), "windows": windows(), "scans": scans(), "normalisation": normalisation(), "attention": attention(), "initializers": initializers()},
    )
