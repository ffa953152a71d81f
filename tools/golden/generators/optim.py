"""Optimisers: ten steps on given gradients, schedules, combinators and losses."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import golden

STEPS = 10
RNG = np.random.default_rng(0)


def draw(*shape):
    """Multiples of 1/64 of small size and away from zero, so that no sign hangs on rounding."""
    magnitude = RNG.integers(8, 129, shape) / 64
    return (magnitude * RNG.choice([-1, 1], shape)).astype(np.float32)


def some_tree():
    return {"bias": draw(3), "kernel": draw(4, 3), "stack": draw(2, 2, 3)}


PARAMS = some_tree()
GRADS = [some_tree() for _ in range(STEPS)]


def steps(optimiser, params=PARAMS, grads=GRADS):
    """Updates of each step, the parameters after the last, and the last state."""
    optimiser = optax.with_extra_args_support(optimiser)
    params = jax.tree.map(jnp.asarray, params)
    state = optimiser.init(params)
    update = jax.jit(optimiser.update)
    updates = []
    for g in grads:
        u, state = update(g, state, params)
        updates.append(u)
        params = optax.apply_updates(params, u)
    return updates, params, state


def signs_are_safe(grads, b1=0.9, b2=0.99, smallest=1e-4):
    """Lion takes the sign of b1·mu + (1−b1)·g: no entry may be so small that rounding decides it, centralized or not."""
    for transform in [optax.identity(), optax.centralize()]:
        mu = jax.tree.map(lambda g: np.zeros(g.shape), grads[0])
        for g in grads:
            g = jax.tree.map(lambda x: np.asarray(x, np.float64), transform.update(g, transform.init(g))[0])
            direction = jax.tree.map(lambda m, x: b1 * m + (1 - b1) * x, mu, g)
            if min(float(np.abs(leaf).min()) for leaf in jax.tree.leaves(direction)) < smallest:
                return False
            mu = jax.tree.map(lambda m, x: b2 * m + (1 - b2) * x, mu, g)
    return True


def optimisers():
    rows = []
    assert signs_are_safe(GRADS) and signs_are_safe(GRADS, 0.95, 0.98)
    linear = lambda: optax.linear_schedule(1e-3, 1e-2, 5)

    def add(name, optimiser, params=None, grads=None, about=None, **options):
        updates, final, state = steps(optimiser, *([params, grads] if params is not None else []))
        keep = [0, 1, len(updates) - 1]
        row = {"optimiser": name, "options": options}
        if about:
            row["about"] = about
        if params is not None:
            row["initialParams"], row["grads"] = golden.tree(params), golden.tree(grads)
        row["updates"] = {f"step {i}": golden.tree(updates[i]) for i in keep}
        row["params"] = golden.tree(final)
        rows.append(row)

    add("chain(centralize(), lion(1e-4))", optax.chain(optax.centralize(), optax.lion(1e-4)))
    add("chain(centralize(), lion(linearSchedule(1e-3, 1e-2, 5)))", optax.chain(optax.centralize(), optax.lion(linear())))
    add("lion", optax.lion(1e-3), learningRate=1e-3)
    add("lion", optax.lion(1e-2, b1=0.95, b2=0.98, weight_decay=0.1), learningRate=1e-2, b1=0.95, b2=0.98, weightDecay=0.1)
    add("sgd", optax.sgd(0.1), learningRate=0.1)
    add("sgd", optax.sgd(0.1, momentum=0.9), learningRate=0.1, momentum=0.9)
    add("sgd", optax.sgd(0.1, momentum=0.9, nesterov=True), learningRate=0.1, momentum=0.9, nesterov=True)
    add("sgd(linearSchedule(1e-3, 1e-2, 5))", optax.sgd(linear()))
    add("adam", optax.adam(1e-2), learningRate=1e-2)
    add("adam", optax.adam(1e-2, b1=0.8, b2=0.99, eps=1e-3, eps_root=1e-2), learningRate=1e-2, b1=0.8, b2=0.99, eps=1e-3, epsRoot=1e-2)
    add("adam", optax.adam(1e-2, nesterov=True), learningRate=1e-2, nesterov=True)
    add("adamw", optax.adamw(1e-2), learningRate=1e-2)
    add("adamw", optax.adamw(1e-2, weight_decay=0.1, mask={"bias": False, "kernel": True, "stack": True}), learningRate=1e-2, weightDecay=0.1, mask={"bias": False, "kernel": True, "stack": True})
    add("nadam", optax.nadam(1e-2), learningRate=1e-2)
    add("nadamw", optax.nadamw(1e-2, weight_decay=0.01), learningRate=1e-2, weightDecay=0.01)
    add("adamax", optax.adamax(1e-2), learningRate=1e-2)
    add("adamaxw", optax.adamaxw(1e-2, weight_decay=0.01), learningRate=1e-2, weightDecay=0.01)
    add("radam", optax.radam(1e-2), learningRate=1e-2)
    add("radam", optax.radam(1e-2, b2=0.9, threshold=3.0), learningRate=1e-2, b2=0.9, threshold=3.0)
    add("amsgrad", optax.amsgrad(1e-2), learningRate=1e-2)
    add("adabelief", optax.adabelief(1e-2), learningRate=1e-2)
    add("rmsprop", optax.rmsprop(1e-2), learningRate=1e-2)
    add("rmsprop", optax.rmsprop(1e-2, decay=0.8, eps=1e-3, centered=True, momentum=0.9), learningRate=1e-2, decay=0.8, eps=1e-3, centered=True, momentum=0.9)
    add("rmsprop", optax.rmsprop(1e-2, initial_scale=1.0, nesterov=True, momentum=0.5), learningRate=1e-2, initialScale=1.0, nesterov=True, momentum=0.5)
    add("adagrad", optax.adagrad(0.1), learningRate=0.1)
    add("adagrad", optax.adagrad(0.1, initial_accumulator_value=0.0, eps=1e-3), learningRate=0.1, initialAccumulatorValue=0.0, eps=1e-3)
    add("adadelta", optax.adadelta(1.0), learningRate=1.0)
    add("lamb", optax.lamb(1e-2), learningRate=1e-2)
    add("lamb", optax.lamb(1e-2, weight_decay=0.1), learningRate=1e-2, weightDecay=0.1)
    add("lars", optax.lars(0.1, weight_decay=0.01), learningRate=0.1, weightDecay=0.01)
    add("yogi", optax.yogi(1e-2), learningRate=1e-2)
    add("novograd", optax.novograd(1e-2), learningRate=1e-2)
    add("signSgd", optax.sign_sgd(1e-2), learningRate=1e-2)
    add("fromage", optax.fromage(1e-2), learningRate=1e-2)

    add("identity", optax.identity())
    add("setToZero", optax.set_to_zero())
    add("scale", optax.scale(-0.5), stepSize=-0.5)
    add("scaleByLearningRate", optax.scale_by_learning_rate(0.5), learningRate=0.5)
    add("scaleBySchedule(linearSchedule(1e-3, 1e-2, 5))", optax.scale_by_schedule(linear()))
    add("centralize", optax.centralize())
    add("clip", optax.clip(0.75), maxDelta=0.75)
    add("clipByGlobalNorm", optax.clip_by_global_norm(1.0), maxNorm=1.0)
    add("clipByGlobalNorm", optax.clip_by_global_norm(100.0), maxNorm=100.0)
    add("clipByBlockRms", optax.clip_by_block_rms(0.5), threshold=0.5)
    add("adaptiveGradClip", optax.adaptive_grad_clip(0.1), clipping=0.1)
    add("adaptiveGradClip", optax.adaptive_grad_clip(0.5, 0.2), clipping=0.5, eps=0.2)
    add("normalizeByUpdateNorm", optax.normalize_by_update_norm())
    add("addDecayedWeights", optax.add_decayed_weights(0.1), weightDecay=0.1)
    add("addDecayedWeights", optax.add_decayed_weights(0.1, {"bias": False, "kernel": True, "stack": False}), weightDecay=0.1, mask={"bias": False, "kernel": True, "stack": False})
    add("ema", optax.ema(0.9), decay=0.9)
    add("ema", optax.ema(0.9, debias=False), decay=0.9, debias=False)
    add("trace", optax.trace(0.9), decay=0.9)
    add("trace", optax.trace(0.9, nesterov=True), decay=0.9, nesterov=True)
    add("scaleByRms", optax.scale_by_rms())
    add("scaleByStddev", optax.scale_by_stddev())
    add("scaleByAdam", optax.scale_by_adam())
    add("scaleByLion", optax.scale_by_lion())
    add("scaleBySign", optax.scale_by_sign())
    add("scaleByTrustRatio", optax.scale_by_trust_ratio())
    add("keepParamsNonnegative", optax.chain(optax.scale(-0.5), optax.keep_params_nonnegative()), about="chain(scale(-0.5), keepParamsNonnegative())")
    add("zeroNans", optax.zero_nans())

    mask = {"bias": False, "kernel": True, "stack": False}
    add("masked(scale(2), mask)", optax.masked(optax.scale(2.0), mask), mask=mask)
    add("masked(adam(1e-2), mask)", optax.masked(optax.adam(1e-2), mask), mask=mask)
    labels = {"bias": "slow", "kernel": "fast", "stack": "fast"}
    add("multiTransform({ slow: sgd(0.01), fast: adam(0.1) }, labels)", optax.multi_transform({"slow": optax.sgd(0.01), "fast": optax.adam(0.1)}, labels), labels=labels)
    add("multiSteps(sgd(0.1), 3)", optax.MultiSteps(optax.sgd(0.1), 3).gradient_transformation(), about="updates are zero but at each third step, where the mean of three gradients goes in")
    add("multiSteps(adam(0.1), 2)", optax.MultiSteps(optax.adam(0.1), 2).gradient_transformation())
    add("multiSteps(sgd(0.1), 2, { useGradMean: false })", optax.MultiSteps(optax.sgd(0.1), 2, use_grad_mean=False).gradient_transformation())
    add("injectHyperparams(adam)({ learningRate: linearSchedule(1e-3, 1e-2, 5) })", optax.inject_hyperparams(optax.adam)(learning_rate=linear()))
    add("injectHyperparams(sgd)({ learningRate: 0.1, momentum: 0.9 })", optax.inject_hyperparams(optax.sgd)(learning_rate=0.1, momentum=0.9))

    bad = [{"w": draw(3)} for _ in range(6)]
    bad[1]["w"][1] = np.nan
    bad[3]["w"][0] = np.inf
    bad[4]["w"][2] = np.nan
    add("applyIfFinite(sgd(0.1), 1)", optax.apply_if_finite(optax.sgd(0.1), 1), {"w": draw(3)}, bad, about="steps 1, 3 and 4 are not finite; more than one in succession is let through")
    add("applyIfFinite(adam(0.1), 5)", optax.apply_if_finite(optax.adam(0.1), 5), {"w": draw(3)}, bad)
    add("zeroNans", optax.zero_nans(), {"w": draw(3)}, bad)

    half_params = {"w": draw(2, 3).astype(np.float16)}
    half_grads = None
    while half_grads is None or not signs_are_safe(half_grads, smallest=1e-3):
        half_grads = [{"w": draw(2, 3).astype(np.float16)} for _ in range(4)]
    add("lion", optax.lion(1e-2), half_params, half_grads, about="float16 parameters and gradients", learningRate=1e-2)
    add("adam", optax.adam(1e-2), half_params, half_grads, about="float16 parameters and gradients", learningRate=1e-2)
    add("chain(centralize(), lion(linearSchedule(1e-3, 1e-2, 5)))", optax.chain(optax.centralize(), optax.lion(linear())), half_params, half_grads, about="float16 parameters and gradients")
    add("adam", optax.adam(1e-2, mu_dtype=jnp.float32), half_params, half_grads, about="float16 parameters and gradients, float32 first moment", learningRate=1e-2, muDtype="float32")
    return rows


def states():
    """The names and types of some states, as Optax has them."""
    rows = []
    for name, o in {"adam(1e-2)": optax.adam(1e-2), "lion(1e-4)": optax.lion(1e-4), "chain(centralize(), lion(constantSchedule(1e-4)))": optax.chain(optax.centralize(), optax.lion(optax.constant_schedule(1e-4))),
                    "sgd(0.1, { momentum: 0.9 })": optax.sgd(0.1, momentum=0.9), "rmsprop(0.1)": optax.rmsprop(0.1)}.items():
        rows.append({"optimiser": name, "repr": str(jax.tree.map(lambda x: jax.typeof(x).str_short(), o.init({"w": jnp.zeros((2, 3))})))})
    return rows


def schedules():
    o = optax
    table = {
        "constantSchedule(0.3)": o.constant_schedule(0.3),
        "linearSchedule(1e-5, 1e-2, 10)": o.linear_schedule(1e-5, 1e-2, 10),
        "linearSchedule(1, 0.1, 8, { transitionBegin: 5 })": o.linear_schedule(1.0, 0.1, 8, 5),
        "linearSchedule(1, 0.1, 0)": o.linear_schedule(1.0, 0.1, 0),
        "polynomialSchedule({ initValue: 1, endValue: 0.1, power: 2, transitionSteps: 10 })": o.polynomial_schedule(1.0, 0.1, 2, 10),
        "polynomialSchedule({ initValue: 1, endValue: 0.1, power: 0.5, transitionSteps: 10, transitionBegin: 4 })": o.polynomial_schedule(1.0, 0.1, 0.5, 10, 4),
        "exponentialDecay({ initValue: 1, transitionSteps: 5, decayRate: 0.5 })": o.exponential_decay(1.0, 5, 0.5),
        "exponentialDecay({ initValue: 1, transitionSteps: 5, decayRate: 0.5, staircase: true, transitionBegin: 3 })": o.exponential_decay(1.0, 5, 0.5, 3, True),
        "exponentialDecay({ initValue: 1, transitionSteps: 4, decayRate: 0.5, endValue: 0.2 })": o.exponential_decay(1.0, 4, 0.5, end_value=0.2),
        "exponentialDecay({ initValue: 1, transitionSteps: 4, decayRate: 2, endValue: 8 })": o.exponential_decay(1.0, 4, 2.0, end_value=8.0),
        "cosineDecaySchedule(1, 15)": o.cosine_decay_schedule(1.0, 15),
        "cosineDecaySchedule(1, 15, { alpha: 0.1, exponent: 2 })": o.cosine_decay_schedule(1.0, 15, 0.1, 2.0),
        "warmupConstantSchedule({ initValue: 0, peakValue: 1, warmupSteps: 5 })": o.warmup_constant_schedule(0.0, 1.0, 5),
        "warmupCosineDecaySchedule({ initValue: 0, peakValue: 1, warmupSteps: 5, decaySteps: 15, endValue: 0.1 })": o.warmup_cosine_decay_schedule(0.0, 1.0, 5, 15, 0.1),
        "warmupExponentialDecaySchedule({ initValue: 0, peakValue: 1, warmupSteps: 5, transitionSteps: 4, decayRate: 0.5 })": o.warmup_exponential_decay_schedule(0.0, 1.0, 5, 4, 0.5),
        "piecewiseConstantSchedule(1, { 3: 0.5, 10: 0.1 })": o.piecewise_constant_schedule(1.0, {3: 0.5, 10: 0.1}),
        "piecewiseInterpolateSchedule('linear', 1, { 4: 0.5, 12: 2 })": o.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 12: 2.0}),
        "piecewiseInterpolateSchedule('cosine', 1, { 4: 0.5, 12: 2 })": o.piecewise_interpolate_schedule("cosine", 1.0, {4: 0.5, 12: 2.0}),
        "joinSchedules([linearSchedule(0, 1, 5), constantSchedule(0.5), exponentialDecay({ initValue: 0.5, transitionSteps: 2, decayRate: 0.5 })], [5, 12])":
            o.join_schedules([o.linear_schedule(0.0, 1.0, 5), o.constant_schedule(0.5), o.exponential_decay(0.5, 2, 0.5)], [5, 12]),
        "cosineOnecycleSchedule(16, 1)": o.cosine_onecycle_schedule(16, 1.0),
        "cosineOnecycleSchedule(16, 2, { pctStart: 0.25, divFactor: 10, finalDivFactor: 100 })": o.cosine_onecycle_schedule(16, 2.0, 0.25, 10.0, 100.0),
        "linearOnecycleSchedule(16, 1)": o.linear_onecycle_schedule(16, 1.0),
        "linearOnecycleSchedule(20, 2, { pctStart: 0.25, pctFinal: 0.75, divFactor: 10, finalDivFactor: 100 })": o.linear_onecycle_schedule(20, 2.0, 0.25, 0.75, 10.0, 100.0),
        "sgdrSchedule([{ initValue: 0, peakValue: 1, decaySteps: 8, warmupSteps: 3, endValue: 0.1 }, { initValue: 0.1, peakValue: 0.5, decaySteps: 10, warmupSteps: 2, endValue: 0 }])":
            o.sgdr_schedule([dict(init_value=0.0, peak_value=1.0, decay_steps=8, warmup_steps=3, end_value=0.1), dict(init_value=0.1, peak_value=0.5, decay_steps=10, warmup_steps=2, end_value=0.0)]),
    }
    return [{"schedule": k, "counts": "0 to 20", "expected": [golden.number(np.float32(f(jnp.asarray(c, jnp.int32)))) for c in range(21)]} for k, f in table.items()]


def losses():
    rows = []
    logits, other = jnp.asarray(draw(3, 4)), jnp.asarray(draw(3, 4))
    labels = jnp.array([1, 0, 3], jnp.int32)
    hot = jax.nn.one_hot(labels, 4)
    soft = jax.nn.softmax(other)

    def add(fn, f, *inputs, argnums=0, **options):
        value = f(*inputs, **{snake(k): v for k, v in options.items()})
        g = jax.grad(lambda *a: jnp.sum(f(*a, **{snake(k): v for k, v in options.items()})), argnums)(*inputs)
        rows.append({"fn": fn, "inputs": golden.tree(inputs), "options": options, "expected": golden.array(value), "gradientOfSum": golden.array(g), "withRespectTo": argnums})

    add("softmaxCrossEntropy", optax.softmax_cross_entropy, logits, hot)
    add("softmaxCrossEntropy", optax.softmax_cross_entropy, logits, soft)
    add("softmaxCrossEntropy", optax.softmax_cross_entropy, logits * 100, hot)
    add("softmaxCrossEntropy", optax.softmax_cross_entropy, logits.at[0, 1].set(-jnp.inf), hot.at[0, 1].set(0).at[0, 0].set(1))
    add("softmaxCrossEntropy", optax.softmax_cross_entropy, logits.astype(jnp.float16), hot)
    add("softmaxCrossEntropyWithIntegerLabels", optax.softmax_cross_entropy_with_integer_labels, logits, labels)
    add("sigmoidBinaryCrossEntropy", optax.sigmoid_binary_cross_entropy, logits, (other > 0).astype(jnp.float32))
    add("sigmoidBinaryCrossEntropy", optax.sigmoid_binary_cross_entropy, jnp.array([-200.0, 0.0, 200.0]), jnp.array([0.0, 0.5, 0.0]))
    add("squaredError", optax.squared_error, logits, other)
    add("squaredError", optax.squared_error, logits)
    add("l2Loss", optax.l2_loss, logits, other)
    add("l2Loss", optax.l2_loss, logits)
    add("huberLoss", optax.huber_loss, logits, other)
    add("huberLoss", optax.huber_loss, logits, other, delta=0.5)
    add("huberLoss", optax.huber_loss, jnp.array([-1.0, 0.0, 1.0, 2.0]))
    add("smoothLabels", optax.smooth_labels, hot, alpha=0.3)
    add("cosineSimilarity", optax.cosine_similarity, logits, other)
    add("cosineSimilarity", optax.cosine_similarity, logits, other, epsilon=1e-3)
    add("cosineDistance", optax.cosine_distance, logits, other)
    add("logCosh", optax.log_cosh, logits, other)
    add("logCosh", optax.log_cosh, jnp.array([-100.0, 0.0, 100.0]))
    add("hingeLoss", optax.hinge_loss, logits, jnp.sign(other))
    add("klDivergence", optax.kl_divergence, jax.nn.log_softmax(logits), soft)
    add("klDivergence", optax.kl_divergence, jax.nn.log_softmax(logits), hot)
    add("klDivergenceWithLogTargets", optax.losses.kl_divergence_with_log_targets, jax.nn.log_softmax(logits), jax.nn.log_softmax(other))
    return rows


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def utilities():
    tree = jax.tree.map(jnp.asarray, PARAMS)
    return {
        "globalNorm of params": golden.array(optax.global_norm(tree)),
        "applyUpdates keeps float16": golden.array(optax.apply_updates(jnp.array([1.0, 2.0], jnp.float16), jnp.array([1e-3, 0.25], jnp.float32))),
        "incrementalUpdate(params, step 0's grads, 0.1)": golden.tree(optax.incremental_update(tree, GRADS[0], 0.1)),
        "safeInt32Increment at the maximum": golden.array(optax.safe_int32_increment(jnp.asarray(2**31 - 1, jnp.int32))),
        "biasCorrection of params with decay 0.9 at count 3": golden.tree(optax.tree_utils.tree_bias_correction(tree, 0.9, jnp.asarray(3, jnp.int32))),
    }


def main():
    golden.write("optim", (
        "Optax. Each optimiser starts from params, takes the ten trees of grads one after another (or its own initialParams and grads), applies its updates to the parameters, "
        "and is recorded by its updates at the first, second and last step and by the parameters after the last. Schedules are called with int32 counts from 0 to 20."), {
        "params": golden.tree(PARAMS), "grads": golden.tree(GRADS), "optimisers": optimisers(), "states": states(), "schedules": schedules(), "losses": losses(), "utilities": utilities(),
    })


if __name__ == "__main__":
    main()
