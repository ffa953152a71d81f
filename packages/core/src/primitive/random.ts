/**
 * Random bits from keys: u32[..., 2] arrays whose leading axes are axes of keys. The counters of an array are its flat indices,
 * JAX's partitionable layout, so that an element's bits depend on the key and its position alone.
 */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { hostZeros } from '../backend/reference/host.ts'
import { threefry2x32, threefryCounters } from '../backend/reference/threefry.ts'
import { type DType, isInteger } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { type Shape, range, sameShape, sizeOf } from '../shape.ts'
import { bind1 } from '../trace.ts'
import { shared } from './axes.ts'
import { type Factor, type Primitive, definePrimitive } from './define.ts'
import { batchInFront, moveAxis } from './movement.ts'

/** Check a key, or an array of keys, and give the axes that are axes of keys. */
function keyAxes(where: string, key: Aval): Shape {
  if (key.dtype !== 'uint32' || key.shape.at(-1) !== 2) {
    throw new DtypeError(
      misuse(where, 'a key u32[2] or an array of keys u32[...,2]', showAval(key), 'random.key(seed) makes a key'),
    )
  }
  return key.shape.slice(0, -1)
}

/** The keys of an array of them. */
function* keysOf({ data }: HostArray): Generator<readonly [number, number]> {
  for (let i = 0; i < data.length; i += 2) yield [data[i]!, data[i + 1]!]
}

const dtypeOfWidth: Readonly<Record<number, DType>> = { 8: 'uint8', 16: 'uint16', 32: 'uint32', 64: 'uint32' }

/** Keys are split; along the shape itself, counters go on from where a part starts. The words of one key are not. */
const keyedAxes = ([key]: readonly Aval[], { shape }: { readonly shape: Shape }): Factor[] => {
  const keys = key!.shape.length - 1
  return [
    ...range(keys).map((dim): Factor => ({ operands: [dim], results: [dim] })),
    ...shape.map((_, i): Factor => ({ operands: [null], results: [keys + i], offset: true })),
  ]
}

interface BitsParams {
  readonly shape: Shape
  readonly bitWidth: 8 | 16 | 32 | 64
}
const randomBitsPrimitive: Primitive<BitsParams> = definePrimitive<BitsParams>({
  name: 'random_bits',
  type([key], { shape, bitWidth }) {
    const dtype = dtypeOfWidth[bitWidth]
    if (dtype === undefined)
      throw new OptionError(misuse('randomBits', 'a width of 8, 16, 32 or 64 bits', String(bitWidth)))
    return [aval([...keyAxes('randomBits', key!), ...shape, ...(bitWidth === 64 ? [2] : [])], dtype)]
  },
  batch: ([key], [dim], { shape, bitWidth }) => [[randomBits(moveAxis(key!, dim!, 0), shape, bitWidth)], [0]],
  axes: keyedAxes,
  reference([keys], { shape, bitWidth }, [out]) {
    const result = hostZeros(out!)
    const count = sizeOf(shape)
    let at = 0
    for (const [key0, key1] of keysOf(keys!)) {
      const [high, low] = threefryCounters(key0, key1, count)
      // narrower words are the low bits of the wide one: the typed array drops the others
      if (bitWidth !== 64) for (let i = 0; i < count; i++) result.data[at++] = high[i]! ^ low[i]!
      else {
        for (let i = 0; i < count; i++) {
          result.data[at++] = high[i]!
          result.data[at++] = low[i]!
        }
      }
    }
    return [result]
  },
})
/** Uniform bits, as unsigned integers of that width; of 64 bits as u32[..., 2], the high word first. */
export const randomBits = (key: NDArray, shape: Shape, bitWidth: 8 | 16 | 32 | 64): NDArray =>
  bind1(randomBitsPrimitive, [key], { shape, bitWidth })

const randomSplitPrimitive: Primitive<{ readonly shape: Shape }> = definePrimitive<{ readonly shape: Shape }>({
  name: 'random_split',
  type: ([key], { shape }) => [aval([...keyAxes('randomSplit', key!), ...shape, 2], 'uint32')],
  batch: ([key], [dim], { shape }) => [[randomSplit(moveAxis(key!, dim!, 0), shape)], [0]],
  axes: keyedAxes,
  reference: ([keys], { shape }, [out], run) =>
    randomBitsPrimitive.reference([keys!], { shape, bitWidth: 64 }, [out!], run),
})
/** New keys u32[..., ...shape, 2]: a split is the 64 random bits of every position. */
export const randomSplit = (key: NDArray, shape: Shape): NDArray => bind1(randomSplitPrimitive, [key], { shape })

const randomFoldInPrimitive: Primitive = definePrimitive({
  name: 'random_fold_in',
  type([key, data]) {
    const axes = keyAxes('randomFoldIn', key!)
    if (!isInteger(data!.dtype)) throw new DtypeError(misuse('randomFoldIn', 'integers', showAval(data!)))
    if (!sameShape(axes, data!.shape)) {
      throw new ShapeError(misuse('randomFoldIn', 'one integer a key', `${showAval(data!)} for keys ${showAval(key!)}`))
    }
    return [aval(key!.shape, 'uint32')]
  },
  batch: ([key, data], [keyDim, dataDim], _, { size }) => [
    [randomFoldIn(batchInFront(key!, keyDim!, size), batchInFront(data!, dataDim!, size))],
    [0],
  ],
  axes: ([key, data], _, outs) => shared([key!, data!], outs, range(data!.shape.length)),
  reference([keys, data], _, [out]) {
    const result = hostZeros(out!)
    let i = 0
    for (const [key0, key1] of keysOf(keys!)) {
      const [high, low] = [new Uint32Array(1), new Uint32Array([data!.data[i]!])]
      threefry2x32(key0, key1, high, low)
      result.data.set([high[0]!, low[0]!], 2 * i++)
    }
    return [result]
  },
})
/** The key that a key and an integer make together. */
export const randomFoldIn = (key: NDArray, data: NDArray): NDArray => bind1(randomFoldInPrimitive, [key, data], {})
