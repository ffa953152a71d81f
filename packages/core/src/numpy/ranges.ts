/** Evenly spaced numbers: `arange`, `linspace` and their like. */
import type { ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, dtypes, inexact, isFloat, isInteger } from '../dtype.ts'
import { DtypeError, OptionError, checkOptions, misuse } from '../errors.ts'
import { convert, floor } from '../primitive/elementwise.ts'
import { concatenate, expandDims, iota, moveAxis, reshape } from '../primitive/movement.ts'
import * as lax from '../primitive/elementwise.ts'
import { scalarLike } from '../primitive/rules.ts'
import { inserted, normalAxis } from '../shape.ts'
import { scalar } from '../trace.ts'
import { asArray, broadcastAll, broadcastTo, commonTypeOf, wide } from './promote.ts'
import { full } from './create.ts'
import type { DtypeOption } from './types.ts'
import { add, multiply } from './ufuncs/arithmetic.ts'
import { log10, power } from './ufuncs/exponential.ts'

/**
 * Numbers from `start` (0 by default) up to, but without, `stop`, in steps of `step` (1 by default): int32 if all of them are
 * integral, else float32.
 *
 * @throws OptionError for arguments that are no finite numbers, and for a step of 0
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.arange(3) // => [0, 1, 2]
 * np.arange(1, 2, 0.25) // => [1, 1.25, 1.5, 1.75]
 * np.arange(3, { dtype: 'float32' }).dtype // => 'float32'
 * ```
 */
export function arange(stop: number, options?: DtypeOption): NDArray
export function arange(start: number, stop: number, options?: DtypeOption): NDArray
export function arange(start: number, stop: number, step: number, options?: DtypeOption): NDArray
export function arange(...args: readonly (number | DtypeOption | undefined)[]): NDArray {
  const last = args.at(-1)
  const options = typeof last === 'object' ? last : {}
  const numbers = args.filter((arg) => typeof arg !== 'object' && arg !== undefined) as readonly number[]
  checkOptions('arange', options, ['dtype'])
  const bad = numbers.find((number) => !Number.isFinite(number))
  if (bad !== undefined || numbers.length === 0) {
    throw new OptionError(
      misuse('arange', 'finite numbers', String(bad), 'of arrays, x.item() is the number; traced ones have none'),
    )
  }
  const [start, stop] = numbers.length === 1 ? [0, numbers[0]!] : [numbers[0]!, numbers[1]!]
  const step = numbers[2] ?? 1
  if (step === 0) throw new OptionError(misuse('arange', 'a step other than 0', '0'))
  const natural: DType = numbers.every(Number.isInteger) ? 'int32' : 'float32'
  const dtype = options.dtype === undefined ? natural : checkDtype('arange', options.dtype)
  const size = Math.max(0, Math.ceil((stop - start) / step))
  if (numbers.length < 3) {
    const counted = iota(dtype, [size], 0)
    return start === 0 ? counted : lax.add(bound(start, dtype), counted)
  }
  const computed = wide(dtype)
  return convert(lax.add(bound(start, computed), lax.mul(bound(step, computed), iota(computed, [size], 0))), dtype)
}

/** A bound of a range, if its dtype holds it. */
function bound(value: number, dtype: DType): NDArray {
  if (isInteger(dtype) && (value < dtypes[dtype].min || value > dtypes[dtype].max)) {
    throw new DtypeError(
      misuse('arange', `numbers that ${dtype} holds`, String(value), "arange(…, { dtype: 'float32' })"),
    )
  }
  return scalar(isInteger(dtype) ? Math.trunc(value) : value, dtype)
}

export interface SpaceOptions extends DtypeOption {
  /** Whether the last number is `stop`; true by default. */
  endpoint?: boolean
  /** Where the new axis stands in the result, if `start` and `stop` are arrays; first by default. */
  axis?: number
}
interface Spaced {
  readonly samples: NDArray
  readonly step: NDArray
}

function spaced(where: string, start: ArrayLike, stop: ArrayLike, num: number, options: SpaceOptions): Spaced {
  if (!Number.isInteger(num) || num < 0) throw new OptionError(misuse(where, 'a count of numbers', String(num)))
  const { endpoint = true } = options
  const dtype =
    options.dtype === undefined ? inexact(commonTypeOf(where, [start, stop])).dtype : checkDtype(where, options.dtype)
  const computed = isFloat(dtype) ? dtype : 'float32'
  const [from, to] = broadcastAll(
    where,
    convert(asArray(where, start), computed),
    convert(asArray(where, stop), computed),
  ) as [NDArray, NDArray]
  const axis = normalAxis(where, options.axis ?? 0, from.ndim + 1)
  const shape = inserted(from.shape, axis, 1)
  const divisions = endpoint ? num - 1 : num
  const range = lax.sub(to, from)
  const nan = full([], NaN, { dtype: computed })
  const asked = (x: NDArray) => convert(isFloat(dtype) ? x : floor(x), dtype)
  if (num === 0) return { samples: full(inserted(from.shape, axis, 0), 0, { dtype }), step: nan }
  if (num === 1) return { samples: asked(reshape(from, shape)), step: endpoint ? nan : range }
  // a(1 − t) + b t, which is exact at both ends
  const fractions = lax.div(iota(computed, [divisions], 0), scalar(divisions, computed))
  const t = reshape(
    fractions,
    shape.map((_, i) => (i === axis ? divisions : 1)),
  )
  const inner = add(multiply(reshape(from, shape), lax.sub(scalarLike(t, 1), t)), multiply(reshape(to, shape), t))
  const samples = endpoint ? concatenate([inner, expandDims(to, [axis])], axis) : inner
  return { samples: asked(samples), step: lax.div(range, scalarLike(range, divisions)) }
}

const spaceNames = ['endpoint', 'axis', 'dtype']

/**
 * `num` numbers from `start` to `stop`, both included, at equal distances.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.linspace(0, 1, 5) // => [0, 0.25, 0.5, 0.75, 1]
 * np.linspace(0, 1, 4, { endpoint: false }) // => [0, 0.25, 0.5, 0.75]
 * ```
 */
export function linspace(start: ArrayLike, stop: ArrayLike, num: number, options: SpaceOptions = {}): NDArray {
  checkOptions('linspace', options, spaceNames)
  return spaced('linspace', start, stop, num, options).samples
}

/**
 * The same with the distance of neighbours: `[samples, step]`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * const [samples, step] = np.linspaceWithStep(0, 1, 5)
 * samples.size // => 5
 * step.item() // => 0.25
 * ```
 */
export function linspaceWithStep(
  start: ArrayLike,
  stop: ArrayLike,
  num: number,
  options: SpaceOptions = {},
): [samples: NDArray, step: NDArray] {
  checkOptions('linspaceWithStep', options, spaceNames)
  const { samples, step } = spaced('linspaceWithStep', start, stop, num, options)
  return [samples, step]
}

export interface LogspaceOptions extends SpaceOptions {
  /** 10 by default. */
  base?: ArrayLike
}

/**
 * `num` powers of a base, with exponents at equal distances from `start` to `stop`.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.logspace(0, 3, 4, { base: 2 }) // => [1, 2, 4, 8]
 * ```
 */
export function logspace(start: ArrayLike, stop: ArrayLike, num: number, options: LogspaceOptions = {}): NDArray {
  const { base = 10, dtype, ...rest } = options
  checkOptions('logspace', rest, ['endpoint', 'axis'])
  const computed = dtype !== undefined && isFloat(checkDtype('logspace', dtype)) ? { dtype } : {}
  const { samples } = spaced('logspace', start, stop, num, { ...rest, ...computed })
  const powers = power(asArray('logspace', base), samples)
  return convert(powers, dtype ?? samples.dtype)
}

/**
 * `num` numbers from `start` to `stop` with equal ratios of neighbours.
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.round(np.geomspace(1, 1000, 4)) // => [1, 10, 100, 1000]
 * ```
 */
export function geomspace(start: ArrayLike, stop: ArrayLike, num: number, options: SpaceOptions = {}): NDArray {
  checkOptions('geomspace', options, spaceNames)
  const dtype = options.dtype ?? inexact(commonTypeOf('geomspace', [start, stop])).dtype
  const computed = isFloat(checkDtype('geomspace', dtype)) ? dtype : 'float32'
  const [from, to] = [start, stop].map((x) => convert(asArray('geomspace', x), computed)) as [NDArray, NDArray]
  const sign = lax.sign(from)
  const exponents = [lax.div(from, sign), lax.div(to, broadcastTo(sign, to.shape))].map((x) => log10(x)) as [
    NDArray,
    NDArray,
  ]
  const { endpoint = true, axis = 0 } = options
  const values = multiply(sign, logspace(...exponents, num, { endpoint }))
  return convert(moveAxis(values, 0, normalAxis('geomspace', axis, values.ndim)), dtype)
}
