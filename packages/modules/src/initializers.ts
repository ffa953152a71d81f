/** Initialisers, with Haiku's defaults: functions of shape and dtype that draw from the transformed function's keys. */
import { DtypeError, type DType, type NDArray, OptionError, type Shape, isFloat, np, random } from '@fluxion/core'
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
    return m.add(np.asarray(stddev).astype(dtype).mul(random.normal(nextRngKey(), shape, { dtype })))
  }
/** Uniform on [minval, maxval). */
export const randomUniform =
  (minval = 0, maxval = 1): Initializer =>
  (shape, dtype) =>
    random.uniform(nextRngKey(), shape, { dtype, minval, maxval })
/** mean + stddev · z, where z is normal truncated to [lower, upper]; the variance is not corrected for the truncation. */
export const truncatedNormal =
  (stddev: NDArray | number = 1, mean: NDArray | number = 0, lower = -2, upper = 2): Initializer =>
  (shape, dtype) => {
    checkFloat('truncatedNormal', shape, dtype)
    const m = np.asarray(mean).astype(dtype)
    const s = np.asarray(stddev).astype(dtype)
    return s.mul(random.truncatedNormal(nextRngKey(), lower, upper, shape, { dtype })).add(m)
  }

/** Fan-in and fan-out of a weight: receptive field times channels. */
export function fansOf(shape: Shape): [fanIn: number, fanOut: number] {
  if (shape.length < 1) return [1, 1]
  if (shape.length === 1) return [shape[0]!, shape[0]!]
  const field = shape.slice(0, -2).reduce((product, dim) => product * dim, 1)
  return [shape.at(-2)! * field, shape.at(-1)! * field]
}
export interface VarianceScalingOptions {
  scale?: number
  mode?: 'fanIn' | 'fanOut' | 'fanAvg'
  distribution?: 'truncatedNormal' | 'normal' | 'uniform'
}
/** Variance scale / fan (Glorot & Bengio 2010; He et al. 2015). */
export const varianceScaling =
  ({ scale = 1, mode = 'fanIn', distribution = 'truncatedNormal' }: VarianceScalingOptions = {}): Initializer =>
  (shape, dtype) => {
    const [fanIn, fanOut] = fansOf(shape)
    const fan = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode]
    if (fan === undefined) throw new OptionError(`varianceScaling: expected a mode fanIn, fanOut or fanAvg, got '${mode}'`)
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
        throw new OptionError(`varianceScaling: expected truncatedNormal, normal or uniform, got '${String(distribution)}'`)
    }
  }
