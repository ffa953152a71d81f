/** Concatenation writes each operand to its part of the result; only a few elements are worth a choice for each. */
import type { Equation } from '@fluxion/core'
import { store, variable } from '../loops/build.ts'
import { flatIndex, indexAdd } from '../loops/indices.ts'
import { LoopVar } from '../loops/ir.ts'
import type { Block } from './block.ts'
import { sizeOf } from './builder.ts'
import { Value } from './value.ts'

/** Up to so many elements are fused into their consumer instead. */
const few = 16

export function concatenate(block: Block, { outputs: [out], params }: Equation, operands: readonly Value[]): boolean {
  if (out === null || out === undefined) return true
  const { shape } = out.aval
  if (sizeOf(shape) <= few) return false
  const { builder } = block
  const { dimension } = params as { readonly dimension: number }
  const place = block.destinationOf(out) ?? builder.temporary(out.aval)
  const buffer = builder.bufferAt(place, sizeOf(shape), 'out')
  let start = 0
  for (const operand of operands) {
    const from = start
    start += operand.aval.shape[dimension]!
    block.demandUnits(operand)
    const grid = operand.aval.shape.map((size, axis) => new LoopVar('ijklmn'[axis] ?? `i${axis}`, size))
    builder.inKernels(() => {
      const index = grid.map(variable)
      const element = builder.element(operand, index)
      const at = index.map((x, axis) => (axis === dimension ? indexAdd(x, from) : x))
      builder.nest('concatenate', grid, [store(buffer, flatIndex(at, shape), element)])
    })
  }
  block.define(out, new Value(out.aval, { place }))
  return true
}
