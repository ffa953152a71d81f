/** What samplers are given, checked: keys, dtypes, shapes and parameters of distributions. */
import { type ArrayLike, NDArray } from '../array.ts'
import { type DType, checkDtype, dtypes, isFloat, isInteger, promote } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, checkOptions, misuse } from '../errors.ts'
import { showAval } from '../ir/aval.ts'
import { asArray, typesOf } from '../numpy/promote.ts'
import { checkShape } from '../numpy/create.ts'
import { convert } from '../primitive/elementwise.ts'
import { reshape, slice } from '../primitive/movement.ts'
import { randomSplit } from '../primitive/random.ts'
import { type Shape, broadcastShapes, range, sameShape } from '../shape.ts'
import { scalar } from '../trace.ts'

/** What all samplers of floats take. */
export interface FloatOptions {
  /** A float dtype; float32 by default. */
  dtype?: DType
}
/** What all samplers of integers take. */
export interface IntegerOptions {
  /** An integer dtype; int32 by default. */
  dtype?: DType
}
/** The shape of the samples; if it is left out, or `null`, parameters alone give it. */
export type SampleShape = Shape | null

const aKey = 'random.key(seed) makes a key'
/** Check a key, or an array of keys u32[...,2]. */
export function checkKeys(where: string, key: unknown): NDArray {
  const expectation = 'a key, that is an array u32[2]'
  if (!(key instanceof NDArray)) {
    const got = typeof key === 'number' ? `the number ${key}` : Array.isArray(key) ? 'a list' : String(key)
    throw new DtypeError(
      misuse(where, expectation, got, typeof key === 'number' ? `random.key(${key}) makes a key of a seed` : aKey),
    )
  }
  if (key.dtype !== 'uint32') throw new DtypeError(misuse(where, expectation, showAval(key.aval), aKey))
  if (key.shape.at(-1) !== 2) throw new ShapeError(misuse(where, expectation, showAval(key.aval), aKey))
  return key
}
/** Check that there is one key only. */
export function checkKey(where: string, key: unknown): NDArray {
  const checked = checkKeys(where, key)
  if (checked.ndim > 1) {
    const got = `an array of keys ${showAval(checked.aval)}`
    throw new ShapeError(
      misuse(where, 'one key u32[2]', got, `vmap((key) => ${where}(key, …))(keys) takes one key after the other`),
    )
  }
  return checked
}

/** The dtype of float samples. */
export function floatDtype(where: string, options: FloatOptions, known: readonly string[] = []): DType {
  checkOptions(where, options, ['dtype', ...known])
  const dtype = checkDtype(where, options.dtype ?? 'float32')
  if (!isFloat(dtype)) throw new DtypeError(misuse(where, 'a float dtype', dtype, 'x.astype(dtype) converts samples'))
  return dtype
}
/** The dtype of integer samples. */
export function integerDtype(where: string, options: IntegerOptions, known: readonly string[] = []): DType {
  checkOptions(where, options, ['dtype', ...known])
  const dtype = checkDtype(where, options.dtype ?? 'int32')
  if (!isInteger(dtype))
    throw new DtypeError(misuse(where, 'an integer dtype', dtype, 'x.astype(dtype) converts samples'))
  return dtype
}
/** Check that an option is one of a few words. */
export function checkChoice<T extends string>(where: string, name: string, value: T, choices: readonly T[]): T {
  if (!choices.includes(value)) {
    throw new OptionError(
      misuse(where, `${name} to be one of ${choices.map((one) => `'${one}'`).join(', ')}`, `'${value}'`),
    )
  }
  return value
}
/** Check a whole number that decides a shape. */
export function checkCount(where: string, name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw new OptionError(
    misuse(where, `${name} to be a whole number`, String(value), `${name} decides a shape, so it cannot be traced`),
  )
}

/** The shape of samples: the one asked for, to which the parameters must broadcast, or else theirs together. */
export function sampleShape(where: string, shape: SampleShape | undefined, ...params: readonly Shape[]): Shape {
  if (shape === undefined || shape === null) return broadcastShapes(where, ...params)
  const asked = checkShape(where, shape)
  if (!sameShape(broadcastShapes(where, asked, ...params), asked)) {
    const got = params.map((param) => `[${param.join(',')}]`).join(' and ')
    throw new ShapeError(misuse(where, `parameters that broadcast to the shape [${asked.join(',')}]`, got))
  }
  return asked
}
/** The shape of a parameter that may be a number. */
export const shapeOf = (x: ArrayLike): Shape => (x instanceof NDArray ? x.shape : [])

/** A parameter in the dtype of the samples: numbers become scalars, which broadcast by themselves. */
export function parameter(where: string, x: ArrayLike, dtype: DType): NDArray {
  if (typeof x === 'number' && isFloat(dtype)) return scalar(x, dtype)
  return convert(asArray(where, x), dtype)
}
/** The same, refusing arrays of which the conversion would lose range or precision. */
export function safeParameter(where: string, x: ArrayLike, dtype: DType): NDArray {
  const types = [...typesOf([x]), { dtype, weakType: false }]
  if (promote(types).dtype !== dtype) {
    const got = showAval(asArray(where, x).aval)
    throw new DtypeError(
      misuse(
        where,
        `parameters that ${dtypes[dtype].short} holds`,
        got,
        `pass { dtype: '${types[0]!.dtype}' }, or convert the parameter`,
      ),
    )
  }
  return parameter(where, x, dtype)
}

/** Checked arguments of a distribution of floats. */
export interface Sampling {
  readonly key: NDArray
  readonly shape: Shape
  readonly dtype: DType
  readonly params: readonly NDArray[]
}
/** Check what a distribution of floats was given; `take` makes parameters of its dtype. */
export function sampling(
  where: string,
  key: unknown,
  shape: SampleShape | undefined,
  options: FloatOptions,
  params: readonly ArrayLike[] = [],
  known: readonly string[] = [],
  take: typeof parameter = safeParameter,
): Sampling {
  const dtype = floatDtype(where, options, known)
  const checked = checkKey(where, key)
  return {
    key: checked,
    shape: sampleShape(where, shape, ...params.map(shapeOf)),
    dtype,
    params: params.map((param) => take(where, param, dtype)),
  }
}
/** Two keys of a checked one, or as many as asked for. */
export function keysOf(key: NDArray, count = 2): NDArray[] {
  const keys = randomSplit(key, [count])
  return range(count).map((i) => reshape(slice(keys, [i, 0], [i + 1, 2]), [2]))
}
