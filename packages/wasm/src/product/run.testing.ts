/** Runs products for tests. */
import type { Product } from '@fluxion/compiler'
import type { DType, TypedArray } from '@fluxion/core'
import { expect } from 'vitest'
import { ModuleBuilder } from '../assembler/module.ts'
import { aligned } from '../heap/allocator.ts'
import { bytesFor, readElements, writeElements } from '../heap/elements.ts'
import { printNest } from '../print/nest.ts'
import { printProduct } from './print.ts'

/** Run a product as WebAssembly, its range of blocks cut in two; the last parameter is the result. */
export function runWasm(product: Product, inputs: readonly TypedArray[], relaxed: boolean, cut: number): TypedArray {
  const module = new ModuleBuilder()
  const printed = printProduct({ module, relaxed, printNest: (nest) => printNest(module, nest, { relaxed }) }, product)
  module.export('f', printed.callee)
  let end = 64
  const addresses = product.params.map(({ dtype, length }) => {
    const at = end
    end += aligned(bytesFor(dtype, length))
    return at
  })
  const memory = new WebAssembly.Memory({ initial: Math.ceil((end + printed.scratchBytes + 64) / 65536) })
  new Uint8Array(memory.buffer).fill(0xff)
  inputs.forEach((data, i) => writeElements(memory.buffer, addresses[i]!, product.params[i]!.dtype, data))
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { env: { memory } })
  const f = instance.exports['f'] as (...args: number[]) => void
  const middle = Math.floor(cut * printed.blocks)
  for (const [from, to] of [
    [0, middle],
    [middle, printed.blocks],
  ] as const)
    f(...addresses, from, to, end)
  const out = product.params.at(-1)!
  const result = readElements(memory.buffer, addresses.at(-1)!, out.dtype, out.length)
  // Nothing behind the result was touched.
  const behind = new Uint8Array(
    memory.buffer,
    addresses.at(-1)! + bytesFor(out.dtype, out.length),
    end - addresses.at(-1)! - bytesFor(out.dtype, out.length),
  )
  expect(behind.every((byte) => byte === 0xff)).toBe(true)
  return result
}
const arrays: Record<string, (length: number) => TypedArray> = {
  float64: (length) => new Float64Array(length),
  int32: (length) => new Int32Array(length),
  uint8: (length) => new Uint8Array(length),
  bool: (length) => new Uint8Array(length),
}
export const allocate = (dtype: DType, length: number): TypedArray =>
  (arrays[dtype] ?? ((n) => new Float32Array(n)))(length)
