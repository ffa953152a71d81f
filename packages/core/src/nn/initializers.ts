/** `nn.initializers`: functions that make the first values of parameters from a key and a shape. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype } from '../dtype.ts'
import { OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import * as raw from '../primitive/elementwise.ts'
import { moveAxis, pad, reshape } from '../primitive/movement.ts'
import { full } from '../numpy/create.ts'
import type { Key } from '../random/key.ts'
import { normal as drawNormal, truncatedNormal as drawTruncated } from '../random/normal.ts'
import { orthogonal as drawOrthogonal } from '../random/vectors.ts'
import { uniform as drawUniform } from '../random/uniform.ts'
import { scalarLike } from '../primitive/rules.ts'
import { type Shape, normalAxis, sizeOf, without } from '../shape.ts'
import { scalar } from '../trace.ts'

/** The dtype of what is made: float32 by default. */
export interface DtypeChoice {
  dtype?: DType
}
/** Makes an array from a key and a shape; its `dtype` overrides the one that it was made with. */
export type Initializer = (key: Key, shape: Shape, options?: DtypeChoice) => NDArray

const initializer =
  (where: string, chosen: DType | undefined, make: (key: Key, shape: Shape, dtype: DType) => NDArray): Initializer =>
  (key, shape, options = {}) => {
    checkOptions(`initializers.${where}`, options, ['dtype'])
    return make(key, shape, checkDtype(`initializers.${where}`, options.dtype ?? chosen ?? 'float32'))
  }
const scaled = (x: NDArray, factor: number): NDArray => raw.mul(x, scalar(factor, x.dtype))

/**
 * Zeros.
 *
 * @example
 * ```ts
 * import { nn, random } from 'fluxion'
 * nn.initializers.zeros(random.key(0), [2]) // => [0, 0]
 * ```
 */
export const zeros: Initializer = initializer('zeros', undefined, (_, shape, dtype) => full(shape, 0, { dtype }))
/** Ones. */
export const ones: Initializer = initializer('ones', undefined, (_, shape, dtype) => full(shape, 1, { dtype }))

/** Elements equal to a value that broadcasts to the shape. */
export function constant(value: ArrayLike, options: DtypeChoice = {}): Initializer {
  checkOptions('initializers.constant', options, ['dtype'])
  return initializer('constant', options.dtype, (_, shape, dtype) => full(shape, value, { dtype }))
}

/**
 * Uniform between 0 and `scale`.
 *
 * @param options `scale`: 0.01 by default
 */
export function uniform(options: DtypeChoice & { scale?: number } = {}): Initializer {
  checkOptions('initializers.uniform', options, ['scale', 'dtype'])
  return initializer('uniform', options.dtype, (key, shape, dtype) =>
    scaled(drawUniform(key, shape, { dtype }), options.scale ?? 0.01),
  )
}
/**
 * Normal of mean 0.
 *
 * @param options `stddev`: 0.01 by default
 */
export function normal(options: DtypeChoice & { stddev?: number } = {}): Initializer {
  checkOptions('initializers.normal', options, ['stddev', 'dtype'])
  return initializer('normal', options.dtype, (key, shape, dtype) =>
    scaled(drawNormal(key, shape, { dtype }), options.stddev ?? 0.01),
  )
}
/**
 * Normal of mean 0, cut off at `lower` and `upper` times `stddev`.
 *
 * @param options `stddev`: of the normal before it is cut, 0.01 by default; `lower`: −2 by default; `upper`: 2 by default
 */
export function truncatedNormal(
  options: DtypeChoice & { stddev?: number; lower?: number; upper?: number } = {},
): Initializer {
  checkOptions('initializers.truncatedNormal', options, ['stddev', 'lower', 'upper', 'dtype'])
  const { stddev = 0.01, lower = -2, upper = 2 } = options
  return initializer('truncatedNormal', options.dtype, (key, shape, dtype) =>
    scaled(drawTruncated(key, lower, upper, shape, { dtype }), stddev),
  )
}

export interface FanOptions extends DtypeChoice {
  /** The axes of inputs: −2 by default. */
  inAxis?: number | readonly number[]
  /** The axes of outputs: −1 by default. */
  outAxis?: number | readonly number[]
  /** Axes that count for neither: none by default. */
  batchAxis?: number | readonly number[]
}
export type FanMode = 'fanIn' | 'fanOut' | 'fanAvg' | 'fanGeoAvg'
export type Distribution = 'truncatedNormal' | 'normal' | 'uniform'
const fanOptions = ['inAxis', 'outAxis', 'batchAxis', 'dtype']

/** How many numbers enter and leave one output and one input: all axes beside inputs, outputs and batch are a receptive field. */
function fansOf(
  shape: Shape,
  { inAxis = -2, outAxis = -1, batchAxis = [] }: FanOptions,
): [fanIn: number, fanOut: number] {
  if (inAxis === -2 && shape.length < 2) {
    throw new ShapeError(
      misuse(
        'initializers.varianceScaling',
        'a shape of rank 2 at least',
        `[${shape.join(',')}]`,
        'set inAxis and outAxis for others',
      ),
    )
  }
  const along = (axes: number | readonly number[]): number =>
    [axes]
      .flat()
      .reduce((size, axis) => size * shape[normalAxis('initializers.varianceScaling', axis, shape.length)]!, 1)
  const [inputs, outputs] = [along(inAxis), along(outAxis)]
  const field = sizeOf(shape) / inputs / outputs / along(batchAxis)
  return [inputs * field, outputs * field]
}
const fanOf: Readonly<Record<FanMode, (fanIn: number, fanOut: number) => number>> = {
  fanIn: (fanIn) => fanIn,
  fanOut: (_, fanOut) => fanOut,
  fanAvg: (fanIn, fanOut) => (fanIn + fanOut) / 2,
  fanGeoAvg: (fanIn, fanOut) => Math.sqrt(fanIn * fanOut),
}
const drawers: Readonly<Record<Distribution, (key: Key, shape: Shape, dtype: DType, variance: NDArray) => NDArray>> = {
  truncatedNormal: (key, shape, dtype, variance) =>
    // the constant is the standard deviation of a standard normal that is cut off at −2 and 2
    raw.mul(
      drawTruncated(key, -2, 2, shape, { dtype }),
      raw.div(raw.sqrt(variance), scalarLike(variance, 0.8796256610342398)),
    ),
  normal: (key, shape, dtype, variance) => raw.mul(drawNormal(key, shape, { dtype }), raw.sqrt(variance)),
  uniform: (key, shape, dtype, variance) =>
    raw.mul(drawUniform(key, shape, { dtype, minval: -1 }), raw.sqrt(raw.mul(scalarLike(variance, 3), variance))),
}

/**
 * Random numbers of mean 0 and variance `scale` / fan, where the fan is the number of inputs, of outputs, or their mean.
 *
 * @throws OptionError for an unknown mode or distribution; the initializer throws ShapeError for a shape that lacks the axes
 */
export function varianceScaling(
  scale: number,
  mode: FanMode,
  distribution: Distribution,
  options: FanOptions = {},
): Initializer {
  const where = 'initializers.varianceScaling'
  checkOptions(where, options, fanOptions)
  if (!Object.hasOwn(fanOf, mode))
    throw new OptionError(misuse(where, `a mode of ${Object.keys(fanOf).join(', ')}`, `'${String(mode)}'`))
  if (!Object.hasOwn(drawers, distribution)) {
    throw new OptionError(
      misuse(where, `a distribution of ${Object.keys(drawers).join(', ')}`, `'${String(distribution)}'`),
    )
  }
  return initializer('varianceScaling', options.dtype, (key, shape, dtype) => {
    const variance = scalar(scale / fanOf[mode](...fansOf(shape, options)), dtype)
    return drawers[distribution](key, shape, dtype, variance)
  })
}
type Scaling = (options?: FanOptions) => Initializer
const scaling =
  (scale: number, mode: FanMode, distribution: Distribution): Scaling =>
  (options = {}) =>
    varianceScaling(scale, mode, distribution, options)

/** Uniform of variance 2 / (inputs + outputs), after Glorot and Bengio, 2010. */
export const glorotUniform: Scaling = scaling(1, 'fanAvg', 'uniform')
/** Truncated normal of variance 2 / (inputs + outputs), after Glorot and Bengio, 2010. */
export const glorotNormal: Scaling = scaling(1, 'fanAvg', 'truncatedNormal')
/** Uniform of variance 1 / inputs, after LeCun et al., 1998. */
export const lecunUniform: Scaling = scaling(1, 'fanIn', 'uniform')
/** Truncated normal of variance 1 / inputs, after LeCun et al., 1998. */
export const lecunNormal: Scaling = scaling(1, 'fanIn', 'truncatedNormal')
/** Uniform of variance 2 / inputs, after He et al., 2015. */
export const heUniform: Scaling = scaling(2, 'fanIn', 'uniform')
/** Truncated normal of variance 2 / inputs, after He et al., 2015. */
export const heNormal: Scaling = scaling(2, 'fanIn', 'truncatedNormal')
/** The other name of `glorotUniform`. */
export const xavierUniform: Scaling = glorotUniform
/** The other name of `glorotNormal`. */
export const xavierNormal: Scaling = glorotNormal
/** The other name of `heUniform`. */
export const kaimingUniform: Scaling = heUniform
/** The other name of `heNormal`. */
export const kaimingNormal: Scaling = heNormal

export interface OrthogonalOptions extends DtypeChoice {
  /** A factor of the result: 1 by default. */
  scale?: number
  /** The axis of the columns; the others together are rows. −1 by default. */
  columnAxis?: number
}
/**
 * Matrices with orthonormal rows or columns, whichever are fewer, uniformly distributed.
 *
 * @throws the initializer throws ShapeError for a shape of rank below 2
 */
export function orthogonal(options: OrthogonalOptions = {}): Initializer {
  checkOptions('initializers.orthogonal', options, ['scale', 'columnAxis', 'dtype'])
  return initializer('orthogonal', options.dtype, (key, shape, dtype) => orthogonalOf(key, shape, dtype, options))
}
function orthogonalOf(
  key: Key,
  shape: Shape,
  dtype: DType,
  { scale = 1, columnAxis = -1 }: OrthogonalOptions,
): NDArray {
  if (shape.length < 2)
    throw new ShapeError(misuse('initializers.orthogonal', 'a shape of rank 2 at least', `[${shape.join(',')}]`))
  if (shape.includes(0)) return full(shape, 0, { dtype })
  const axis = normalAxis('initializers.orthogonal', columnAxis, shape.length)
  const columns = shape[axis]!
  const matrix = drawOrthogonal(key, sizeOf(shape) / columns, [], { m: columns, dtype })
  return scaled(moveAxis(reshape(matrix, [...without(shape, [axis]), columns]), shape.length - 1, axis), scale)
}

/**
 * Kernels of convolutions that are an orthogonal matrix at the centre of space and zero elsewhere.
 *
 * @throws the initializer throws ShapeError for a shape that is not `[...space, inputs, outputs]` with one to three axes of space and at
 * least as many outputs as inputs
 * @see Xiao et al., 2018, "Dynamical isometry and a mean field theory of CNNs"
 */
export function deltaOrthogonal(options: OrthogonalOptions = {}): Initializer {
  checkOptions('initializers.deltaOrthogonal', options, ['scale', 'columnAxis', 'dtype'])
  return initializer('deltaOrthogonal', options.dtype, (key, shape, dtype) => {
    const [inputs, outputs] = shape.slice(-2)
    if (shape.length < 3 || shape.length > 5 || outputs! < inputs!) {
      const expectation = 'a shape of rank 3 to 5 with at least as many outputs, the last axis, as inputs'
      throw new ShapeError(misuse('initializers.deltaOrthogonal', expectation, `[${shape.join(',')}]`))
    }
    const space = shape.slice(0, -2)
    const matrix = orthogonalOf(key, shape.slice(-2), dtype, options)
    const centre = space.map((size): [number, number, number] => [
      Math.floor((size - 1) / 2),
      size - 1 - Math.floor((size - 1) / 2),
      0,
    ])
    return pad(reshape(matrix, [...space.map(() => 1), inputs!, outputs!]), scalarLike(matrix, 0), [
      ...centre,
      [0, 0, 0],
      [0, 0, 0],
    ])
  })
}
