/** Products of one or two rows whose operands both lie along the inner dimension: dot products, a few columns at a time, with vectors along the inner dimension. */
import type { FunctionRef, ValueType } from '../assembler/function.ts'
import { computable, emitIndex } from './address.ts'
import { destinationOf, type Form } from './form.ts'
import { dtypeOf } from './gemm.ts'
import { type SumType, advance, lanesOf, loopWhole, parameters, registers } from './lanes.ts'
import { multiplyAdd } from './micro.ts'
import { epilogue } from './pack.ts'
import type { PrintedProduct, ProductContext } from './print.ts'

/** Columns that share the loads of the left operand. */
const together = 4

export function printDots(context: ProductContext, form: Form): PrintedProduct | undefined {
  const { module, relaxed } = context
  const type = form.type as SumType
  const lanes = lanesOf[type]
  const { bytes } = lanes
  const [left, right] = [form.left.plain!, form.right.plain!]
  if (!computable(left.base, form.batch) || !computable(right.base, form.batch)) return undefined
  const [rows, columns, inner] = [form.rows.extent, form.columns.extent, form.inner.extent]
  const found = destinationOf(form)
  const destination = found?.adds === true ? undefined : found
  const outRow = (destination?.row ?? columns) * bytes

  const { params } = form.product
  const f = module.function(form.product.name, [...params.map((): ValueType => 'i32'), 'i32', 'i32', 'i32'])
  const { begin, end, scratch } = parameters(f, params.length, 'begin', 'end', 'scratch')
  const { leftAt, rightAt, outAt, column, until } = registers(f, 'leftAt', 'rightAt', 'outAt', 'column', 'until')
  const shape = { type, rows, inner, leftRow: left.outer * bytes, rightColumn: right.outer * bytes, outRow, relaxed }
  const dots = [together, ...(columns % together > 0 ? [columns % together] : [])].map((count) =>
    dotKernel(context, { ...shape, columns: count }),
  )
  const place = (buffer: number, base: () => void): void => {
    f.get(f.param(buffer))
    base()
    f.i32(bytes).op('i32.mul', 'i32.add')
  }
  const finish = destination === undefined ? epilogue(form, dtypeOf[type], columns) : undefined
  const finished = finish && context.printNest(finish.nest)
  loopWhole(f, begin, end, 1, () => {
    place(params.indexOf(left.buffer), () => emitIndex(f, left.base, begin))
    f.set(leftAt)
    place(params.indexOf(right.buffer), () => emitIndex(f, right.base, begin))
    f.set(rightAt)
    if (destination === undefined) f.get(scratch)
    else place(params.indexOf(destination.buffer), () => emitIndex(f, destination.base, begin))
    f.set(outAt)
    f.i32(0).set(column).i32(columns).set(until)
    loopWhole(f, column, until, together, () => {
      f.get(leftAt).get(rightAt).get(outAt).call(dots[0]!)
      advance(f, rightAt, together * right.outer * bytes)
      advance(f, outAt, together * bytes)
    })
    if (dots[1] !== undefined) f.get(leftAt).get(rightAt).get(outAt).call(dots[1])
    if (finish === undefined) return
    const t = (more: number): void => {
      f.get(begin)
      if (more > 0) f.i32(more).op('i32.add')
      f.i32(rows).op('i32.mul')
    }
    for (const buffer of finish.nest.params) {
      if (buffer !== finish.sums) f.get(f.param(params.indexOf(buffer)))
      else {
        f.get(scratch)
        t(0)
        f.i32(columns * bytes).op('i32.mul', 'i32.sub')
      }
    }
    t(0)
    t(1)
    f.call(finished!)
  })
  return {
    callee: f,
    blocks: form.batch.extent,
    blocksPerCall: form.batch.extent,
    scratchBytes: destination === undefined ? rows * columns * bytes + 64 : 0,
  }
}

interface DotShape {
  readonly type: SumType
  readonly rows: number
  readonly columns: number
  readonly inner: number
  readonly leftRow: number
  readonly rightColumn: number
  readonly outRow: number
  readonly relaxed: boolean
}
/** A function (left, right, out) of a few dot products. */
function dotKernel({ module }: ProductContext, shape: DotShape): FunctionRef {
  const { type, rows, columns, inner, leftRow, rightColumn, outRow, relaxed } = shape
  const lanes = lanesOf[type]
  const { bytes, count, scalar } = lanes
  const f = module.function(`dot${rows}x${columns}`, ['i32', 'i32', 'i32'])
  const { left, right, out } = parameters(f, 0, 'left', 'right', 'out')
  // Two sums by turns hide the latency of adding where there is one row.
  const turns = rows === 1 ? 2 : 1
  const sums = Array.from({ length: turns }, () =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => f.register('v128'))),
  )
  const { at, until } = registers(f, 'at', 'until')
  const lefts = Array.from({ length: rows }, () => f.register('v128'))
  const vector = f.register('v128')
  const step = (turn: number): void => {
    lefts.forEach((register, r) =>
      f
        .get(left)
        .memory('v128.load', r * leftRow + turn * 16)
        .set(register),
    )
    for (let c = 0; c < columns; c++) {
      f.get(right)
        .memory('v128.load', c * rightColumn + turn * 16)
        .set(vector)
      lefts.forEach((register, r) => multiplyAdd(f, lanes, relaxed, register, vector, sums[turn]![r]![c]!))
    }
  }
  f.i32(0).set(at).i32(inner).set(until)
  for (const number of turns === 2 ? [2, 1] : [1]) {
    loopWhole(f, at, until, number * count, () => {
      for (let turn = 0; turn < number; turn++) step(turn)
      advance(f, left, number * 16)
      advance(f, right, number * 16)
    })
  }
  const rest = inner % count
  const [number, whole] = [
    f.register(scalarTypeOf[type]),
    type === 'f64' ? 'f64x2' : type === 'f32' ? 'f32x4' : 'i32x4',
  ] as const
  const extract = `${whole}.extract_lane` as const
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const sum = sums[0]![r]![c]!
      if (turns === 2) f.get(sum).get(sums[1]![r]![c]!).op(lanes.add).set(sum)
      for (let half = 8; half >= bytes; half /= 2) {
        f.get(sum).get(sum).get(sum)
        f.shuffle(Array.from({ length: 16 }, (_, i) => (i + half) % 16))
        f.op(lanes.add).set(sum)
      }
      f.get(sum).lane(extract, 0).set(number)
      for (let i = 0; i < rest; i++) {
        f.get(left).memory(scalar.load, r * leftRow + i * bytes)
        f.get(right).memory(scalar.load, c * rightColumn + i * bytes)
        f.op(scalar.multiply).get(number).op(scalar.add).set(number)
      }
      f.get(out)
        .get(number)
        .memory(scalar.store, r * outRow + c * bytes)
    }
  }
  return f
}
const scalarTypeOf = { f32: 'f32', f64: 'f64', i32: 'i32', u32: 'i32' } as const
