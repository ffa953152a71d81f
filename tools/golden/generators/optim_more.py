"""Further optimisers: options, rarer optimisers and combinators, losses with axes and masks; beside what `optim` covers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import golden

RNG = np.random.default_rng(1)
STEPS = 6


def draw(*shape):
    """Multiples of 1/64 away from zero, so that no sign hangs on rounding."""
    magnitude = RNG.integers(8, 129, shape) / 64
    return (magnitude * RNG.choice([-1, 1], shape)).astype(np.float32)


def some_tree():
    return {"head": {"b": draw(3), "w": draw(4, 3)}, "body": [draw(2, 3, 4), draw(5, 2)]}


PARAMS = some_tree()
GRADS = [some_tree() for _ in range(STEPS)]


def steps(optimiser, grads=GRADS):
    optimiser = optax.with_extra_args_support(optimiser)
    params = jax.tree.map(jnp.asarray, PARAMS)
    state = optimiser.init(params)
    update = jax.jit(optimiser.update)
    updates = []
    for g in grads:
        u, state = update(g, state, params)
        updates.append(u)
        params = optax.apply_updates(params, u)
    return updates, params


def optimisers():
    o = optax
    linear = o.linear_schedule(1e-3, 1e-2, 4)
    mask = {"head": {"b": False, "w": True}, "body": True}
    spoilt = [jax.tree.map(np.copy, g) for g in GRADS]
    spoilt[1]["head"]["b"][0] = np.nan
    table = {
        "scaleByFactoredRms({ minDimSizeToFactor: 2 })": o.scale_by_factored_rms(min_dim_size_to_factor=2),
        "scaleByFactoredRms({ factored: false, decayRate: 0.5 })": o.scale_by_factored_rms(factored=False, decay_rate=0.5),
        "adafactor({ learningRate: 0.1, minDimSizeToFactor: 3 })": o.adafactor(0.1, min_dim_size_to_factor=3),
        "adafactor({ learningRate: linear, minDimSizeToFactor: 2, momentum: 0.9, weightDecayRate: 0.01, clippingThreshold: null })":
            o.adafactor(linear, min_dim_size_to_factor=2, momentum=0.9, weight_decay_rate=0.01, clipping_threshold=None),
        "adan(0.01)": o.adan(0.01),
        "adan(linear, { b1: 0.9, b2: 0.8, b3: 0.7, weightDecay: 0.1 })": o.adan(linear, 0.9, 0.8, 0.7, weight_decay=0.1),
        "adamw(linear, { weightDecay: linear, mask })": o.adamw(linear, weight_decay=linear, mask=mask),
        "lion(linear, { weightDecay: linear })": o.lion(linear, weight_decay=linear),
        "lion(0.01, { mask: false, b1: 0.5 })": o.lion(0.01, mask=False, b1=0.5),
        "scaleByLion({ mode: 'smooth', smoothBeta: 2 })": o.scale_by_lion(mode="smooth", smooth_beta=2.0),
        "scaleByLion({ mode: 'refined' })": o.scale_by_lion(mode="refined"),
        "adabelief(0.01, { nesterov: true })": o.adabelief(0.01, nesterov=True),
        "radam(0.01, { nesterov: true, b2: 0.8, threshold: 2 })": o.radam(0.01, nesterov=True, b2=0.8, threshold=2.0),
        "amsgrad(0.01, { biasCorrectionMu: false, biasCorrectionNu: false, epsRoot: 0.01 })":
            o.amsgrad(0.01, bias_correction_mu=False, bias_correction_nu=False, eps_root=0.01),
        "scaleByYogi({ initialAccumulatorValue: 0.1, epsRoot: 0.01 })": o.scale_by_yogi(initial_accumulator_value=0.1, eps_root=0.01),
        "rmsprop(0.01, { epsInSqrt: false, biasCorrection: true })": o.rmsprop(0.01, eps_in_sqrt=False, bias_correction=True),
        "rmsprop(linear, { epsInSqrt: false, eps: 0.1, biasCorrection: true, centered: true, initialScale: 1 })":
            o.rmsprop(linear, eps_in_sqrt=False, eps=0.1, bias_correction=True, centered=True, initial_scale=1.0),
        "adadelta(linear, { rho: 0.8, weightDecay: 0.1, weightDecayMask: mask })": o.adadelta(linear, 0.8, weight_decay=0.1, weight_decay_mask=mask),
        "lamb(linear, { weightDecay: linear, mask })": o.lamb(linear, weight_decay=linear, mask=mask),
        "lars(linear, { weightDecay: 0.1, weightDecayMask: mask, trustRatioMask: mask, eps: 0.1, nesterov: true })":
            o.lars(linear, 0.1, mask, eps=0.1, trust_ratio_mask=mask, nesterov=True),
        "novograd(linear, { weightDecay: 0.1, b2: 0.5 })": o.novograd(linear, weight_decay=0.1, b2=0.5),
        # at small rates 1 / sqrt(1 + rate²) − 1 cancels, and jit, which takes rsqrt, differs there from eager in the third digit
        "fromage(linearSchedule(1, 3, 4), { minNorm: 0.1 })": o.fromage(o.linear_schedule(1.0, 3.0, 4), 0.1),
        "signum(linear)": o.signum(linear),
        "noisySgd(0.1, random.key(3))": o.noisy_sgd(0.1, key=3),
        "addNoise(0.5, 0.7, random.key(4))": o.add_noise(0.5, 0.7, 4),
        "addDecayedWeights(linear)": o.add_decayed_weights(linear),
        "scaleByLearningRate(linear, { flipSign: false })": o.scale_by_learning_rate(linear, flip_sign=False),
        "scaleByTrustRatio({ minNorm: 5, trustCoefficient: 0.5, eps: 0.1 })": o.scale_by_trust_ratio(5.0, 0.5, 0.1),
        "scaleByParamBlockNorm(3)": o.scale_by_param_block_norm(3.0),
        "scaleByParamBlockRms()": o.scale_by_param_block_rms(),
        "normalizeByUpdateNorm({ scaleFactor: 2, eps: 0.1 })": o.normalize_by_update_norm(2.0, 0.1),
        "adaptiveGradClip(0.1, { axis: 0 })": o.adaptive_grad_clip(0.1, axis=0),
        "freeze(mask)": o.transforms.freeze({"head": {"b": False, "w": True}, "body": [True, True]}),
        "partition({ a: sgd(linear, { momentum: 0.5 }), b: setToZero() }, { head: 'a', body: ['b', 'a'] })":
            o.partition({"a": o.sgd(linear, momentum=0.5), "b": o.set_to_zero()}, {"head": {"b": "a", "w": "a"}, "body": ["b", "a"]}),
        "masked(adam(0.1), (of) => tree.map((x) => x.ndim > 1, of))": o.masked(o.adam(0.1), lambda t: jax.tree.map(lambda x: x.ndim > 1, t)),
        "namedChain(['clip', clip(0.5)], ['sgd', sgd(linear, { momentum: 0.9, nesterov: true })])":
            o.named_chain(("clip", o.clip(0.5)), ("sgd", o.sgd(linear, momentum=0.9, nesterov=True))),
        "multiSteps(adam(0.1), (step) => step.add(1))": o.MultiSteps(o.adam(0.1), lambda step: step + 1).gradient_transformation(),
        "injectHyperparams(sgd, { staticArgs: ['nesterov'] })({ learningRate: linear, momentum: linear, nesterov: true })":
            o.inject_hyperparams(o.sgd, "nesterov")(learning_rate=linear, momentum=linear, nesterov=True),
    }
    rows = []
    for name, optimiser in table.items():
        updates, params = steps(optimiser)
        rows.append({"optimiser": name, "first": golden.tree(updates[0]), "last": golden.tree(updates[-1]), "params": golden.tree(params)})
    skipping = o.MultiSteps(o.adam(0.1), 2, should_skip_update_fn=o.skip_not_finite).gradient_transformation()
    updates, params = steps(skipping, spoilt)
    name = "multiSteps(adam(0.1), 2, { shouldSkip: skipNotFinite })"
    rows.append({"optimiser": name, "grads": golden.tree(spoilt), "first": golden.tree(updates[0]), "last": golden.tree(updates[-1]), "params": golden.tree(params)})
    return rows


def losses():
    o = optax
    logits, other = jnp.asarray(draw(3, 4, 2)), jnp.asarray(draw(3, 4, 2))
    labels = jnp.array([[1, 0], [3, 2], [0, 0]], jnp.int32)
    soft = jax.nn.softmax(other, 1)
    where = jnp.asarray(RNG.random((3, 4, 2)) < 0.7).at[:, 0].set(True)
    names = {"logits": golden.array(logits), "other": golden.array(other), "labels": golden.array(labels), "soft": golden.array(soft), "where": golden.array(where)}
    table = {
        "softmaxCrossEntropy(logits, soft, { axis: 1 })": lambda x: o.softmax_cross_entropy(x, soft, axis=1),
        "softmaxCrossEntropy(logits, soft, { axis: [1, 2] })": lambda x: o.softmax_cross_entropy(x, soft, axis=(1, 2)),
        "softmaxCrossEntropyWithIntegerLabels(logits, labels, { axis: 1 })": lambda x: o.softmax_cross_entropy_with_integer_labels(x, labels, axis=1),
        "softmaxCrossEntropyWithIntegerLabels(logits, labels.sub(4), { axis: -2 })": lambda x: o.softmax_cross_entropy_with_integer_labels(x, labels - 4, axis=-2),
        "softmaxCrossEntropyWithIntegerLabels(logits, labels.mul(0), { axis: 1, where })":
            lambda x: o.softmax_cross_entropy_with_integer_labels(x, labels * 0, axis=1, where=where),
        "polyLossCrossEntropy(logits, soft, { axis: 1 })": lambda x: o.losses.poly_loss_cross_entropy(x, soft, axis=1),
        "polyLossCrossEntropy(logits, soft, { axis: 1, epsilon: -1 })": lambda x: o.losses.poly_loss_cross_entropy(x, soft, axis=1, epsilon=-1.0),
        "cosineSimilarity(logits, other, { axis: 1, where })": lambda x: o.cosine_similarity(x, other, axis=1, where=where),
        "cosineDistance(logits, other, { axis: [0, 2], epsilon: 20 })": lambda x: o.cosine_distance(x, other, axis=(0, 2), epsilon=20.0),
        "klDivergence(logits, soft, { axis: 1, where })": lambda x: o.kl_divergence(x, soft, axis=1, where=where),
        "klDivergenceWithLogTargets(logits, other, { axis: null })": lambda x: o.losses.kl_divergence_with_log_targets(x, other, axis=None),
        "smoothLabels(logits, 0.2, { axis: 1 })": lambda x: o.smooth_labels(x, 0.2, axis=1),
        "smoothLabels(logits, 0.2, { axis: [1, 2] })": lambda x: o.smooth_labels(x, 0.2, axis=(1, 2)),
        "smoothLabels(logits, 0.2, { axis: 1, where })": lambda x: o.smooth_labels(x, 0.2, axis=1, where=where),
    }
    rows = []
    for name, f in table.items():
        rows.append({"loss": name, "expected": golden.array(f(logits)), "gradientOfSum": golden.array(jax.grad(lambda x: jnp.sum(f(x)))(logits))})
    return names, rows


def main():
    names, rows = losses()
    golden.write("optim_more", (
        "Optax, more of it. Each optimiser starts from params and takes the trees of grads one after another (or its own); recorded are its updates at the first and the "
        "last step and the parameters after the last. `linear` is linearSchedule(1e-3, 1e-2, 4), `mask` is { head: { b: false, w: true }, body: true }. Losses are of the named inputs, "
        "their gradients with respect to logits."), {
        "params": golden.tree(PARAMS), "grads": golden.tree(GRADS), "optimisers": optimisers(), "inputs": names, "losses": rows,
    })


if __name__ == "__main__":
    main()
