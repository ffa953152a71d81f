/** Arrays to try lowerings on. */
import { type DType, type HostArray, type Shape, allocate, dtypes, isFloat, sizeOf } from '@fluxion/core'
import { narrowing } from '../../loops/scalars.ts'

/** A host array of numbers, rounded to what the dtype can hold. */
export function hostArray(dtype: DType, shape: Shape, values: Iterable<number>): HostArray {
  const data = allocate(dtype, sizeOf(shape))
  data.set([...values].map(narrowing(dtype)))
  return { shape, dtype, data }
}

export const floats: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16']
export const integers: readonly DType[] = ['int32', 'uint8', 'int8', 'uint32', 'int16', 'uint16']
export const everything: readonly DType[] = [...floats, ...integers, 'bool']

/** A generator of numbers from 0 to below 1, the same at each run. */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
/** Numbers of a dtype of all sizes, with what is special about it among them. */
export function sample(dtype: DType, shape: Shape, random: () => number): HostArray {
  const { min, max, tiny, eps } = dtypes[dtype]
  const special =
    dtype === 'bool'
      ? [0, 1]
      : isFloat(dtype)
        ? [
            0,
            -0,
            1,
            -1,
            0.5,
            -0.5,
            1.5,
            -1.5,
            2.5,
            NaN,
            Infinity,
            -Infinity,
            max,
            min,
            tiny,
            -tiny,
            tiny * eps,
            -tiny * eps,
            1 + eps,
            1 - eps / 2,
            tiny - tiny * eps,
            3 * tiny * eps,
            255.5,
            2 ** 31,
            -(2 ** 31),
            2 ** 32,
          ]
        : [0, 1, min, max, max - 1, min + 1, 2, 3, ...(min < 0 ? [-1, -2] : [])]
  const one = (): number => {
    const kind = random()
    if (kind < 0.3) return special[Math.floor(random() * special.length)]!
    if (dtype === 'bool') return random() < 0.5 ? 0 : 1
    if (!isFloat(dtype))
      return Math.floor(kind < 0.6 ? min + random() * (max - min + 1) : Math.max(min, random() * 20 - 8))
    const sign = random() < 0.5 ? -1 : 1
    const high = Math.log2(max)
    if (kind < 0.5) return sign * (1 + random()) * 2 ** Math.floor(-high + 2 * high * random())
    return sign * (kind < 0.7 ? Math.round(random() * 100) / 4 : random() * 4)
  }
  return hostArray(dtype, shape, Array.from({ length: sizeOf(shape) }, one))
}
/** Numbers near 1, whose sums and products do not overflow. */
export const moderate = (dtype: DType, shape: Shape, random: () => number): HostArray =>
  hostArray(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, () =>
      dtype === 'bool' ? Number(random() < 0.5) : isFloat(dtype) ? random() * 4 - 2 : Math.floor(random() * 100),
    ),
  )
