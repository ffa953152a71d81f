/** Adafactor: the average of squares of a matrix kept as its row and column means. */
import { type DType, type NDArray, checkOptions, np, tree } from '@fluxion/core'
import { ema } from './accumulate.ts'
import { chain } from './chain.ts'
import { clipByBlockRms } from './clip.ts'
import { addDecayedWeights } from './decay.ts'
import type { Mask } from './labels.ts'
import { type Scalar, negate } from './scalars.ts'
import { scale, scaleByLearningRate, scaleByParamBlockRms } from './scale.ts'
import { type Rate, type Transformation, mapTrees, requireParams, safeIncrement, zeroCount } from './transformation.ts'

export interface FactoredState {
  readonly count: NDArray // i32[]
  /** For each factored leaf the averages of squares over its longest axis, else zeros f32[1]. */
  readonly vRow: unknown
  /** For each factored leaf the averages of squares over its second longest axis, else zeros f32[1]. */
  readonly vCol: unknown
  /** For each other leaf the average of squares, else zeros f32[1]. */
  readonly v: unknown
}
export interface FactoredRmsOptions {
  /** Keep row and column means where a leaf is large enough: the default. */
  factored?: boolean
  /** The exponent r of the decay 1 − t^−r. */
  decayRate?: Scalar
  /** How many steps to count from. */
  stepOffset?: number
  /** How long the second longest axis of a leaf must be for it to be factored. */
  minDimSizeToFactor?: number
  /** Added to squares. */
  epsilon?: Scalar
}
const factoredNames = ['factored', 'decayRate', 'stepOffset', 'minDimSizeToFactor', 'epsilon']

/** What is kept of one leaf. */
interface Averages {
  readonly vRow: NDArray
  readonly vCol: NDArray
  readonly v: NDArray
}
/** The second longest and the longest axis, if the leaf is to be factored by them. */
function factoredAxes({ shape, ndim }: NDArray, least: number): readonly [number, number] | undefined {
  const order = shape.map((_, axis) => axis).sort((a, b) => shape[a]! - shape[b]!)
  if (ndim < 2 || shape[order.at(-2)!]! < least) return undefined
  return [order.at(-2)!, order.at(-1)!]
}

/**
 * Divide gradients by the root of the average of their squares, which for a matrix is kept as row and column means: with
 * s = g² + ε and β = 1 − t^−r, R ← β R + (1 − β) mean_col s, C ← β C + (1 − β) mean_row s, u = g / √(R C / mean R).
 *
 * @throws TreeError if `update` is not given the parameters
 * @see Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { scaleByFactoredRms } from '@fluxion/optim'
 * const rms = scaleByFactoredRms({ minDimSizeToFactor: 2 })
 * const params = np.ones([2, 3])
 * rms.init(params).vRow.shape // => [2]
 * np.round(rms.update(params.mul(-7), rms.init(params), params)[0]) // => [[-1, -1, -1], [-1, -1, -1]]
 * ```
 */
export function scaleByFactoredRms(options: FactoredRmsOptions = {}): Transformation<FactoredState> {
  const where = 'scaleByFactoredRms'
  checkOptions(where, options, factoredNames)
  const { factored = true, decayRate = 0.8, stepOffset = 0, minDimSizeToFactor = 128, epsilon = 1e-30 } = options
  const axesOf = (p: NDArray): readonly [number, number] | undefined =>
    factored ? factoredAxes(p, minDimSizeToFactor) : undefined
  const without = ({ shape, dtype }: NDArray, axis: number): NDArray =>
    np.zeros(
      shape.filter((_, i) => i !== axis),
      { dtype },
    )

  /** The state of all leaves, in the structure of the parameters. */
  const gather = (count: NDArray, of: unknown, leaves: readonly Averages[]): FactoredState => {
    const def = tree.structure(of)
    const each = (name: keyof Averages): unknown =>
      tree.unflatten(
        def,
        leaves.map((leaf) => leaf[name]),
      )
    return { count, vRow: each('vRow'), vCol: each('vCol'), v: each('v') }
  }
  const start = (p: NDArray): Averages => {
    const none = np.zeros([1], { dtype: p.dtype })
    const axes = axesOf(p)
    if (axes === undefined) return { vRow: none, vCol: none, v: np.zerosLike(p) }
    return { vRow: without(p, axes[1]), vCol: without(p, axes[0]), v: none }
  }
  const step = (g: NDArray, before: Averages, p: NDArray, decay: NDArray): [NDArray, Averages] => {
    const squares = np.add(np.square(g), epsilon)
    const averaged = (old: NDArray, x: NDArray): NDArray =>
      decay.mul(old).add(np.subtract(1, decay).mul(x)).astype(p.dtype)
    const axes = axesOf(p)
    if (axes === undefined) {
      const v = averaged(before.v, squares)
      return [g.mul(np.power(v, -0.5)), { ...before, v }]
    }
    const [short, long] = axes
    const vRow = averaged(before.vRow, np.mean(squares, { axis: long }))
    const vCol = averaged(before.vCol, np.mean(squares, { axis: short }))
    const rowMean = np.mean(vRow, { axis: short > long ? short - 1 : short, keepdims: true })
    const rowFactor = np.expandDims(np.power(vRow.div(rowMean), -0.5), long)
    const colFactor = np.expandDims(np.power(vCol, -0.5), short)
    return [g.mul(rowFactor).mul(colFactor), { ...before, vRow, vCol }]
  }
  return {
    init: (params) =>
      gather(
        zeroCount(),
        params,
        tree.leaves(params).map((p) => start(np.asarray(p))),
      ),
    update(grads, state, params) {
      const decay = np.subtract(1, np.power(state.count.sub(stepOffset).add(1).astype('float32'), negate(decayRate)))
      const kept: Averages[] = []
      const updates = mapTrees(
        where,
        (g, vRow, vCol, v, p) => {
          const [u, next] = step(g, { vRow: vRow!, vCol: vCol!, v: v! }, p!, decay)
          kept.push(next)
          return u
        },
        grads,
        state.vRow,
        state.vCol,
        state.v,
        requireParams(where, params),
      )
      return [updates, gather(safeIncrement(state.count), grads, kept)]
    },
  }
}

export interface AdafactorOptions extends Omit<FactoredRmsOptions, 'stepOffset' | 'epsilon'> {
  /** The rate, a number or a schedule; without one steps are scaled by the parameters alone. */
  learningRate?: Rate
  decayOffset?: number
  /** Scale each leaf's updates by the root mean square of its parameters: the default. */
  multiplyByParameterScale?: boolean
  /** The largest root mean square of a leaf's updates; `null` for none. */
  clippingThreshold?: Scalar | null
  /** The decay of an average of updates; none by default. */
  momentum?: Scalar
  dtypeMomentum?: DType
  weightDecayRate?: Rate
  weightDecayMask?: Mask
  eps?: Scalar
}
const adafactorNames = [
  'learningRate',
  'minDimSizeToFactor',
  'decayRate',
  'decayOffset',
  'multiplyByParameterScale',
  'clippingThreshold',
  'momentum',
  'dtypeMomentum',
  'weightDecayRate',
  'eps',
  'factored',
  'weightDecayMask',
]
/**
 * Adafactor, Adam's adaptivity in less memory: `scaleByFactoredRms`, clipped by the root mean square of each leaf, times the learning
 * rate and the root mean square of the parameters.
 *
 * @throws TreeError if `update` is not given the parameters
 * @see Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { adafactor } from '@fluxion/optim'
 * const optimiser = adafactor({ learningRate: 0.5 })
 * const params = np.array([2, -2])
 * optimiser.update(np.array([3, -3]), optimiser.init(params), params)[0] // => [-1, 1]
 * ```
 */
export function adafactor(options: AdafactorOptions = {}): Transformation<readonly unknown[]> {
  checkOptions('adafactor', options, adafactorNames)
  const { learningRate, decayOffset = 0, multiplyByParameterScale = true, clippingThreshold = 1 } = options
  const { momentum, dtypeMomentum = 'float32', weightDecayRate, weightDecayMask, eps = 1e-30 } = options
  const { factored = true, decayRate = 0.8, minDimSizeToFactor = 128 } = options
  const rms = { factored, decayRate, minDimSizeToFactor, stepOffset: decayOffset, epsilon: eps }
  const parts: (Transformation | undefined)[] = [
    scaleByFactoredRms(rms),
    clippingThreshold === null ? undefined : clipByBlockRms(clippingThreshold),
    learningRate === undefined ? undefined : scaleByLearningRate(learningRate, { flipSign: false }),
    multiplyByParameterScale ? scaleByParamBlockRms() : undefined,
    momentum === undefined ? undefined : ema(momentum, { debias: false, accumulatorDtype: dtypeMomentum }),
    weightDecayRate === undefined ? undefined : addDecayedWeights(weightDecayRate, weightDecayMask),
    scale(-1),
  ]
  return chain(...parts.filter((part) => part !== undefined))
}
