/** Whether all numbers of a matrix are finite: what a factor of 0 makes 0. */
import type { FunctionRef } from '../../assembler/function.ts'
import type { ModuleBuilder } from '../../assembler/module.ts'
import { advance, lanesOf, loopWhole, parameters, registers } from '../lanes.ts'

const together = 8
/**
 * A function (address, rows) that says so of rows of `columns` floats that lie `stride` bytes apart: times 0 they are all 0, and so is their sum.
 */
export function printFinite(
  module: ModuleBuilder,
  type: 'f32' | 'f64',
  columns: number,
  stride: number,
  relaxed: boolean,
): FunctionRef {
  const { bytes, count, scalar, multiply, add, fused } = lanesOf[type]
  const f = module.function('finite', ['i32', 'i32'], ['i32'])
  const { address, rows } = parameters(f, 0, 'address', 'rows')
  const { row, at, from, end } = registers(f, 'row', 'at', 'from', 'end')
  const zero = f.register('v128')
  const sums = Array.from({ length: together }, () => f.register('v128'))
  const rest = f.register(type)
  const none = (): void => void (type === 'f32' ? f.f32(0) : f.f64(0))
  f.v128(new Uint8Array(16)).set(zero)
  for (const sum of sums) f.get(zero).set(sum)
  // Rows without gaps are one.
  const gapless = stride === columns * bytes
  f.i32(0).set(row).i32(columns).set(end)
  if (gapless) f.get(rows).i32(columns).op('i32.mul').set(end).i32(1).set(rows)
  loopWhole(f, row, rows, 1, () => {
    f.get(address).set(from).i32(0).set(at)
    for (const turns of [together, 1]) {
      loopWhole(f, at, end, turns * count, () => {
        for (let turn = 0; turn < turns; turn++) {
          const sum = sums[turn % together]!
          f.get(from)
            .memory('v128.load', turn * 16)
            .get(zero)
          if (relaxed && fused !== undefined) f.get(sum).op(fused)
          else f.op(multiply).get(sum).op(add)
          f.set(sum)
        }
        advance(f, from, turns * 16)
      })
    }
    loopWhole(f, at, end, 1, () => {
      f.get(from).memory(scalar.load)
      none()
      f.op(scalar.multiply).get(rest).op(scalar.add).set(rest)
      advance(f, from, bytes)
    })
    advance(f, address, stride)
  })
  sums.forEach((sum, i) => {
    f.get(sum)
    if (i > 0) f.op(add)
  })
  // Each lane is equal to 0 unless it is NaN.
  f.get(zero).op(type === 'f32' ? 'f32x4.eq' : 'f64x2.eq', type === 'f32' ? 'i32x4.all_true' : 'i64x2.all_true')
  f.get(rest)
  none()
  f.op(type === 'f32' ? 'f32.eq' : 'f64.eq', 'i32.and')
  return f
}
