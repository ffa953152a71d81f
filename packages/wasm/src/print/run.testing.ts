/** Runs printed nests on host arrays, for tests. */
import type { Nest } from '@fluxion/compiler'
import { type DType, type TypedArray, allocate, bytesOf } from '@fluxion/core'
import { ModuleBuilder } from '../assembler/module.ts'
import { bytesFor, readElements, writeElements } from '../heap/elements.ts'
import { printNest } from './nest.ts'

export const dtypes: readonly DType[] = [
  'bool',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float16',
  'bfloat16',
  'float32',
  'float64',
]

/** A host array of a dtype whose elements a function gives. */
export function hostArray(dtype: DType, length: number, element: (i: number) => number): TypedArray {
  const data = allocate(dtype, length)
  for (let i = 0; i < length; i++) data[i] = element(i)
  return data
}
/** Run a printed nest on host arrays, its outermost loop in parts; results come back in the arrays. */
export function runPrinted(
  nest: Nest,
  data: readonly TypedArray[],
  relaxed: boolean,
  cuts: readonly number[] = [],
): void {
  const module = new ModuleBuilder({ initial: 1 })
  module.export('run', printNest(module, nest, { relaxed }))
  const bytes = module.encode()
  let top = 64
  const addresses = nest.params.map((buffer) => {
    const at = Math.ceil(top / bytesOf(buffer.dtype)) * bytesOf(buffer.dtype)
    // elements are aligned, vectors need not be
    top = at + bytesFor(buffer.dtype, buffer.length) + bytesOf(buffer.dtype)
    return at
  })
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(top / 65536)) })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory },
    host: Math as unknown as Record<string, WebAssembly.ExportValue>,
  })
  nest.params.forEach((buffer, i) => writeElements(memory.buffer, addresses[i]!, buffer.dtype, data[i]!))
  const extent = nest.grid[0]?.extent ?? 1
  const marks = [0, ...cuts.filter((cut) => cut < extent).sort((a, b) => a - b), extent]
  for (let i = 1; i < marks.length; i++) {
    ;(instance.exports['run'] as (...args: number[]) => void)(...addresses, marks[i - 1]!, marks[i]!)
  }
  nest.params.forEach((buffer, i) =>
    data[i]!.set(readElements(memory.buffer, addresses[i]!, buffer.dtype, buffer.length) as never),
  )
}
