// Runs operations on a device of choice, and compares what two of them give.
import type { TileLimits } from '@fluxion/compiler'
import { createWasm } from '@fluxion/wasm'
import {
  type Backend,
  type DType,
  type DeviceName,
  NDArray,
  backend,
  isFloat,
  setBackend,
  setDevice,
  tree,
} from 'fluxion'

/** The back end of a device, without making it the one in use. */
export async function deviceOf(name: DeviceName): Promise<Backend> {
  const before = backend()
  try {
    await setDevice(name)
    return backend()
  } finally {
    setBackend(before)
  }
}
/** Limits under which all that can runs in tiles. */
export const everyTile: TileLimits = { loops: 0, work: 0, cache: -1, tile: 100, rows: 2, byte: 0, share: 0, tiles: 4 }
/** WebAssembly on so many threads, where all that can runs in tiles, and all that can be is shared. */
export const sharing = (threads: number): Backend =>
  createWasm({ threads, shareFrom: 0, tiles: everyTile, budget: 2 ** 24 })
/** Run `f` with operations on a device. */
export function on<T>(device: Backend, f: () => T): T {
  const before = backend()
  setBackend(device)
  try {
    return f()
  } finally {
    setBackend(before)
  }
}

/** The values of a tree's arrays, read from wherever they are. */
export interface Read {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly weakType: boolean
  readonly data: readonly number[]
}
export const read = (arrays: unknown): Promise<Read[]> =>
  Promise.all(
    tree.leaves(arrays).map(async (x) => {
      if (!(x instanceof NDArray)) throw new Error('expected arrays only')
      const { shape, dtype, weakType } = x
      return { shape: [...shape], dtype, weakType, data: Array.from(await x.data()) }
    }),
  )

/** How far two elements of a dtype may be apart; 0 for equal bits, NaN and signs of zeros included. */
export type Allowed = (expected: number, at: number, result: number) => number
export const exactly: Allowed = () => 0
/** What exact results must be on a device: WGSL lets implementations ignore the signs of zeros, and they do. */
export const exactlyOn = ({ name }: Backend): Allowed => (name === 'webgpu' ? () => Number.MIN_VALUE : exactly)
const same = (x: number, y: number, allowed: number): boolean => {
  if (Object.is(x, y)) return true
  if (allowed === 0) return false
  return x === y || (Number.isFinite(x) && Number.isFinite(y) && Math.abs(x - y) <= allowed)
}
/** Where results differ by more than is allowed, in words; only floats may differ at all. */
export function difference(
  actual: readonly Read[],
  expected: readonly Read[],
  allowed: Allowed = exactly,
): string | undefined {
  if (actual.length !== expected.length) return `expected ${expected.length} results, got ${actual.length}`
  for (const [result, wanted] of expected.entries()) {
    const got = actual[result]!
    const [a, b] = [got, wanted].map(({ shape, dtype, weakType }) => `${dtype}${weakType ? '*' : ''}[${shape.join()}]`)
    if (a !== b) return `result ${result}: expected ${b}, got ${a}`
    if (got.data.length !== wanted.data.length) return `result ${result} ${b}: got ${got.data.length} elements`
    const bound = isFloat(wanted.dtype) ? allowed : exactly
    const wrong = wanted.data.flatMap((y, at) => (same(got.data[at]!, y, bound(y, at, result)) ? [] : [at]))
    const first = wrong[0]
    if (first === undefined) continue
    const show = (x: number): string => (Object.is(x, -0) ? '-0' : `${x}`)
    return `result ${result} ${b}: expected ${show(wanted.data[first]!)} at ${first}, got ${show(got.data[first]!)} (${wrong.length} of ${wanted.data.length} differ)`
  }
  return undefined
}
