/** Arbitraries for shapes, dtypes and arrays. */
import { type DType, type NDArray, dtypes as known, isFloat, np } from '@fluxion/core'
import fc from 'fast-check'

export interface ShapeOptions {
  /** 0 and 3 by default. */
  readonly minRank?: number
  readonly maxRank?: number
  /** The largest size of an axis; 4 by default. */
  readonly maxSize?: number
  /** Let axes be empty; true by default. */
  readonly zeros?: boolean
}
/**
 * Shapes of arrays, rank 0 and empty axes included.
 *
 * @example
 * ```ts
 * import fc from 'fast-check'
 * import { shapes } from '@fluxion/testing'
 * import { np } from 'fluxion'
 * fc.assert(fc.property(shapes(), (shape) => np.zeros(shape).ndim === shape.length))
 * ```
 */
export function shapes({ minRank = 0, maxRank = 3, maxSize = 4, zeros = true }: ShapeOptions = {}): fc.Arbitrary<
  number[]
> {
  return fc.array(fc.integer({ min: zeros ? 0 : 1, max: maxSize }), { minLength: minRank, maxLength: maxRank })
}

/**
 * Dtypes of the given kinds; of all kinds if none is given.
 *
 * @example
 * ```ts
 * import fc from 'fast-check'
 * import { dtypes } from '@fluxion/testing'
 * import { np } from 'fluxion'
 * fc.assert(fc.property(dtypes('signed', 'float'), (dtype) => np.array(-1, { dtype }).item() === -1))
 * ```
 */
export function dtypes(...kinds: readonly ('bool' | 'unsigned' | 'signed' | 'float')[]): fc.Arbitrary<DType> {
  const all = Object.keys(known) as DType[]
  return fc.constantFrom(...all.filter((dtype) => kinds.length === 0 || kinds.includes(known[dtype].kind)))
}

export interface ArrayOptions {
  /** A shape or an arbitrary for one; `shapes()` by default. */
  readonly shape?: readonly number[] | fc.Arbitrary<readonly number[]>
  /** A dtype or an arbitrary for one; float32 by default. */
  readonly dtype?: DType | fc.Arbitrary<DType>
  /** The range of elements: by default −10 to 10 for floats, −100 to 100 as far as the dtype goes for integers. */
  readonly min?: number
  readonly max?: number
  /** Multiples of 1/8 between −4 and 4, so that sums and short products are exact in any order. */
  readonly dyadic?: boolean
}
/** One element. */
function element(dtype: DType, { min, max, dyadic = false }: ArrayOptions): fc.Arbitrary<number> {
  if (dtype === 'bool') return fc.integer({ min: 0, max: 1 })
  if (!isFloat(dtype)) {
    const { min: lowest, max: highest } = known[dtype]
    return fc.integer({ min: Math.max(lowest, Math.ceil(min ?? -100)), max: Math.min(highest, Math.floor(max ?? 100)) })
  }
  if (dyadic) return fc.integer({ min: Math.ceil((min ?? -4) * 8), max: Math.floor((max ?? 4) * 8) }).map((n) => n / 8)
  return fc.double({ min: min ?? -10, max: max ?? 10, noNaN: true, noDefaultInfinity: true })
}
const arbitraryOf = <T>(given: T | fc.Arbitrary<T>): fc.Arbitrary<T> =>
  given instanceof fc.Arbitrary ? given : fc.constant(given)

/**
 * Arrays with finite elements.
 *
 * @example
 * ```ts
 * import fc from 'fast-check'
 * import { arrays, expectClose } from '@fluxion/testing'
 * const values = arrays({ dtype: 'float64', dyadic: true })
 * fc.assert(fc.property(values, (x) => expectClose(x.sub(x), x.mul(0))))
 * ```
 */
export function arrays(options: ArrayOptions = {}): fc.Arbitrary<NDArray> {
  const { shape = shapes(), dtype = 'float32' } = options
  return fc.tuple(arbitraryOf<readonly number[]>(shape), arbitraryOf<DType>(dtype)).chain(([sizes, of]) => {
    const count = sizes.reduce((a, b) => a * b, 1)
    return fc
      .array(element(of, options), { minLength: count, maxLength: count })
      .map((values) => np.array(Float64Array.from(values), { dtype: of }).reshape([...sizes]))
  })
}
