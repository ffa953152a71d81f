/** Bits packed into bytes and unpacked from them. */
import type { ArrayLike, NDArray } from '../../array.ts'
import { isFloat } from '../../dtype.ts'
import { DtypeError, OptionError, checkOptions, misuse } from '../../errors.ts'
import { showAval } from '../../ir/aval.ts'
import { type BitOrder, unpackbits as unpack } from '../../primitive/bits.ts'
import { convert, ne } from '../../primitive/elementwise.ts'
import * as lax from '../../primitive/movement.ts'
import { reduceSum } from '../../primitive/reduce.ts'
import { scalarLike } from '../../primitive/rules.ts'
import { inserted, normalAxis } from '../../shape.ts'
import { fromHost, scalar } from '../../trace.ts'
import { asArray } from '../promote.ts'
import { multiply } from '../ufuncs/arithmetic.ts'
import { ravel } from './shapes.ts'

export interface PackOptions {
  /** The axis along which the bits of a byte lie; without it the flattened array is taken. */
  axis?: number | null
  /** Which bit of a byte comes first: the highest (`big`, the default) or the lowest (`little`). */
  bitorder?: BitOrder
}
export interface UnpackOptions extends PackOptions {
  /** How many bits to keep: missing ones are zero; negative counts drop bits at the end. */
  count?: number | null
}

function target(where: string, x: NDArray, axis: number | null | undefined): [x: NDArray, axis: number] {
  return axis === null || axis === undefined || x.ndim === 0 ? [ravel(x), 0] : [x, normalAxis(where, axis, x.ndim)]
}

/**
 * The bits of bytes as elements 0 and 1: eight times as many along the axis.
 *
 * @param x u8[...]
 *
 * @throws DtypeError for other dtypes than uint8
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.unpackbits(np.array([5], { dtype: 'uint8' })) // => [0, 0, 0, 0, 0, 1, 0, 1]
 * np.unpackbits(np.array([5], { dtype: 'uint8' }), { bitorder: 'little', count: 4 }) // => [1, 0, 1, 0]
 * ```
 */
export function unpackbits(x: ArrayLike, options: UnpackOptions = {}): NDArray {
  checkOptions('unpackbits', options, ['axis', 'bitorder', 'count'])
  const [a, axis] = target('unpackbits', asArray('unpackbits', x), options.axis)
  const bits = unpack(a, axis, options.bitorder)
  const { count = null } = options
  if (count === null) return bits
  const size = bits.shape[axis]!
  if (!Number.isInteger(count)) throw new OptionError(misuse('unpackbits', 'a count that is an integer', String(count)))
  const kept = count < 0 ? Math.max(0, size + count) : count
  const change = bits.shape.map((_, i): [number, number, number] => [0, i === axis ? kept - size : 0, 0])
  return kept === size ? bits : lax.pad(bits, scalar(0, 'uint8'), change)
}

/**
 * Elements as bits, eight to a byte: what is not zero is 1. The last byte is filled up with zeros.
 *
 * @throws DtypeError for floats
 *
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * np.packbits(np.array([0, 0, 0, 0, 0, 1, 0, 1], { dtype: 'uint8' })) // => [5]
 * np.packbits(np.array([true, false, true]), { bitorder: 'little' }) // => [5]
 * ```
 */
export function packbits(x: ArrayLike, options: PackOptions = {}): NDArray {
  checkOptions('packbits', options, ['axis', 'bitorder'])
  const { bitorder = 'big' } = options
  if (bitorder !== 'big' && bitorder !== 'little') {
    throw new OptionError(misuse('packbits', "a bitorder of 'big' or 'little'", `'${String(bitorder)}'`))
  }
  const given = asArray('packbits', x)
  if (isFloat(given.dtype))
    throw new DtypeError(misuse('packbits', 'integers or booleans', showAval(given.aval), 'compare: x.ne(0)'))
  const [a, axis] = target('packbits', given, options.axis)
  const bits = convert(ne(a, scalarLike(a, 0)), 'uint8')
  const bytes = Math.ceil(a.shape[axis]! / 8)
  const padding = a.shape.map((size, i): [number, number, number] => [0, i === axis ? bytes * 8 - size : 0, 0])
  const grouped = lax.reshape(
    lax.pad(bits, scalar(0, 'uint8'), padding),
    inserted(a.shape.with(axis, bytes), axis + 1, 8),
  )
  const weights = Uint8Array.from({ length: 8 }, (_, bit) => 1 << (bitorder === 'big' ? 7 - bit : bit))
  const along = grouped.shape.map((_, i) => (i === axis + 1 ? 8 : 1))
  const weighed = multiply(grouped, lax.reshape(fromHost({ shape: [8], dtype: 'uint8', data: weights }), along))
  return reduceSum(weighed, [axis + 1])
}
