/** Initialisers, with Haiku's defaults: functions of shape and dtype that draw from the transformed function's keys. */
import {
  DtypeError,
  type DType,
  type NDArray,
  OptionError,
  type Shape,
  ShapeError,
  isFloat,
  misuse,
  np,
  random,
} from '@fluxion/core'
import { nextRngKey } from './frame.ts'

export type Initializer = (shape: Shape, dtype: DType) => NDArray

function checkFloat(where: string, shape: Shape, dtype: DType): void {
  if (isFloat(dtype)) return
  throw new DtypeError(
    `${where}: expected a floating dtype for a parameter of shape (${shape.join(',')}), got ${dtype}\n` +
      "hint: parameters take the dtype of their input: convert it (x.astype('float32')), or set a policy on the module: setPolicy(hk.linear, policy('half'))",
  )
}

/** Always this value, which is broadcast to the shape. */
export const constant =
  (value: NDArray | number): Initializer =>
  (shape, dtype) =>
    np.broadcastTo(np.asarray(value).astype(dtype), shape)
export const zeros: Initializer = (shape, dtype) => np.zeros(shape, { dtype })
export const ones: Initializer = (shape, dtype) => np.ones(shape, { dtype })
/** Normal: mean + stddev · z. */
export const randomNormal =
  (stddev = 1, mean = 0): Initializer =>
  (shape, dtype) => {
    checkFloat('randomNormal', shape, dtype)
    const m = np.asarray(mean).astype(dtype)
    return m.add(
      np
        .asarray(stddev)
        .astype(dtype)
        .mul(random.normal(nextRngKey(), shape, { dtype })),
    )
  }
/** Uniform on [minval, maxval). */
export const randomUniform =
  (minval = 0, maxval = 1): Initializer =>
  (shape, dtype) => {
    checkFloat('randomUniform', shape, dtype)
    return random.uniform(nextRngKey(), shape, { dtype, minval, maxval })
  }
/** mean + stddev · z, where z is normal truncated to [lower, upper]; the variance is not corrected for the truncation. */
export const truncatedNormal =
  (stddev: NDArray | number = 1, mean: NDArray | number = 0, lower = -2, upper = 2): Initializer =>
  (shape, dtype) => {
    checkFloat('truncatedNormal', shape, dtype)
    const m = np.asarray(mean).astype(dtype)
    const s = np.asarray(stddev).astype(dtype)
    return s.mul(random.truncatedNormal(nextRngKey(), lower, upper, shape, { dtype })).add(m)
  }

/** Fan-in and fan-out of a weight: receptive field times channels, or the product of the axes named and that of all others. */
function fansOf(shape: Shape, fanInAxes: readonly number[] | undefined): [fanIn: number, fanOut: number] {
  if (shape.length < 1) return [1, 1]
  if (shape.length === 1) return [shape[0]!, shape[0]!]
  if (fanInAxes !== undefined && shape.length > 2) {
    const sizeOf = (inside: boolean): number =>
      shape.reduce((product, dim, i) => (fanInAxes.includes(i) === inside ? product * dim : product), 1)
    return [sizeOf(true), sizeOf(false)]
  }
  const field = shape.slice(0, -2).reduce((product, dim) => product * dim, 1)
  return [shape.at(-2)! * field, shape.at(-1)! * field]
}
export interface VarianceScalingOptions {
  /** 1 by default. */
  scale?: number
  /** Which fan divides the variance, `fanIn` by default. */
  mode?: 'fanIn' | 'fanOut' | 'fanAvg'
  /** `truncatedNormal` by default. */
  distribution?: 'truncatedNormal' | 'normal' | 'uniform'
  /** The axes of inputs, for shapes of three axes and more: by default all but the last, for kernels [...space, in, out]. */
  fanInAxes?: readonly number[]
}
/** Variance scale / fan (Glorot & Bengio 2010; He et al. 2015). */
export const varianceScaling =
  ({
    scale = 1,
    mode = 'fanIn',
    distribution = 'truncatedNormal',
    fanInAxes,
  }: VarianceScalingOptions = {}): Initializer =>
  (shape, dtype) => {
    const [fanIn, fanOut] = fansOf(shape, fanInAxes)
    const fan = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode]
    if (fan === undefined)
      throw new OptionError(`varianceScaling: expected a mode fanIn, fanOut or fanAvg, got '${mode}'`)
    const variance = scale / Math.max(1, fan)
    switch (distribution) {
      // A normal truncated at two deviations has this deviation itself.
      case 'truncatedNormal':
        return truncatedNormal(Math.sqrt(variance) / 0.87962566103423978)(shape, dtype)
      case 'normal':
        return randomNormal(Math.sqrt(variance))(shape, dtype)
      case 'uniform':
        return randomUniform(-Math.sqrt(3 * variance), Math.sqrt(3 * variance))(shape, dtype)
      default:
        throw new OptionError(
          `varianceScaling: expected truncatedNormal, normal or uniform, got '${String(distribution)}'`,
        )
    }
  }

/** Uniform on ±scale · √(3 / n), with n the product of all sizes but the last: the variance of the output is that of the input. */
export const uniformScaling =
  (scale = 1): Initializer =>
  (shape, dtype) => {
    const bound = Math.sqrt(3 / shape.slice(0, -1).reduce((product, dim) => product * dim, 1)) * scale
    return randomUniform(-bound, bound)(shape, dtype)
  }

/**
 * A matrix with orthonormal rows or columns, whichever are fewer, times `scale`.
 *
 * @param axis the axis of rows, −1 by default; all others together are columns
 * @see Saxe, McClelland & Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear networks (2014)
 */
export const orthogonal =
  (scale = 1, axis = -1): Initializer =>
  (shape, dtype) => {
    checkFloat('orthogonal', shape, dtype)
    if (shape.length < 2 || axis >= shape.length || axis < -shape.length) {
      throw new ShapeError(
        misuse('orthogonal', `a shape of two axes at least with an axis ${axis}`, `[${shape.join(',')}]`),
      )
    }
    const at = (axis + shape.length) % shape.length
    const others = shape.filter((_, i) => i !== at)
    const matrix = random.orthogonal(nextRngKey(), shape[at]!, [], {
      m: others.reduce((product, dim) => product * dim, 1),
      dtype,
    })
    return np.moveaxis(matrix.reshape([shape[at]!, ...others]), 0, at).mul(np.asarray(scale).astype(dtype))
  }

/** The identity times `gain`, for each matrix of the last two axes. */
export const identity =
  (gain: NDArray | number = 1): Initializer =>
  (shape, dtype) => {
    if (shape.length < 2)
      throw new ShapeError(misuse('identity', 'a shape of two axes at least', `[${shape.join(',')}]`))
    return np
      .broadcastTo(np.eye(shape.at(-2)!, { columns: shape.at(-1)!, dtype }), shape)
      .mul(np.asarray(gain).astype(dtype))
  }
