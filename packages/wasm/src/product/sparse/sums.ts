/** Sums of listed rows: a few vectors of columns held in registers while a row's list runs, for all rows one after the other. */
import type { FunctionRef } from '../../assembler/function.ts'
import type { ModuleBuilder } from '../../assembler/module.ts'
import { type SumType, advance, lanesOf, loopWhole, parameters, registers } from '../lanes.ts'
import { storeLanes } from '../micro.ts'

/** Vectors that are summed together: more would not stay in registers. */
const most = 8

/** A function (list, ends, right, out, rows, more) for all columns; `more` adds to what is at `out`. */
export function printSums(
  module: ModuleBuilder,
  { type, columns, outRow }: { readonly type: SumType; readonly columns: number; readonly outRow: number },
): FunctionRef {
  const { count: lanes } = lanesOf[type]
  const vectors = Math.ceil(columns / lanes)
  const blocks = Math.ceil(vectors / most)
  const width = Math.ceil(vectors / blocks)
  const whole = Math.floor(columns / (width * lanes))
  const rest = columns - whole * width * lanes
  const f = module.function('sums', new Array(6).fill('i32'))
  const { list, ends, right, out, rows, more } = parameters(f, 0, 'list', 'ends', 'right', 'out', 'rows', 'more')
  const run = (kernel: FunctionRef): void =>
    void f.get(list).get(ends).get(right).get(out).get(rows).get(more).call(kernel)
  if (whole > 0) {
    const kernel = sumsKernel(module, type, width * lanes, outRow)
    const { block, end } = registers(f, 'block', 'end')
    f.i32(0).set(block).i32(whole).set(end)
    loopWhole(f, block, end, 1, () => {
      run(kernel)
      advance(f, right, width * 16)
      advance(f, out, width * 16)
    })
  }
  if (rest > 0) run(sumsKernel(module, type, rest, outRow))
  return f
}

function sumsKernel(module: ModuleBuilder, type: SumType, columns: number, outRow: number): FunctionRef {
  const lanes = lanesOf[type]
  const f = module.function(`sums${columns}`, new Array(6).fill('i32'))
  const { list, ends, right, out, rows, more } = parameters(f, 0, 'list', 'ends', 'right', 'out', 'rows', 'more')
  const { row, stop, from } = registers(f, 'row', 'stop', 'from')
  const sums = Array.from({ length: Math.ceil(columns / lanes.count) }, () => f.register('v128'))
  f.i32(0).set(row)
  loopWhole(f, row, rows, 1, () => {
    for (const sum of sums) f.v128(new Uint8Array(16)).set(sum)
    f.get(list).get(ends).memory('i32.load').tee(stop).op('i32.lt_u')
    f.if(() => {
      f.loop((again) => {
        f.get(list).memory('i32.load').get(right).op('i32.add').set(from)
        sums.forEach((sum, v) =>
          f
            .get(sum)
            .get(from)
            .memory('v128.load', v * 16)
            .op(lanes.add)
            .set(sum),
        )
        f.get(list).i32(4).op('i32.add').tee(list).get(stop).op('i32.lt_u').brIf(again)
      })
    })
    f.get(more).if(() => {
      sums.forEach((sum, v) =>
        f
          .get(sum)
          .get(out)
          .memory('v128.load', v * 16)
          .op(lanes.add)
          .set(sum),
      )
    })
    sums.forEach((sum, v) => storeLanes(f, lanes, out, v * 16, sum, columns - v * lanes.count))
    advance(f, ends, 4)
    advance(f, out, outRow)
  })
  return f
}
