/** The loops right around micro-kernels: over panels of columns, and over tiles of rows inside, so that a panel stays in the first cache. */
import type { FunctionRef } from '../assembler/function.ts'
import { advance, lanesOf, loopWhole, parameters, registers } from './lanes.ts'
import { microKernel, type MicroShape } from './micro.ts'
import type { ProductContext } from './print.ts'

/** A function (left, right, out, rows, count, more) that runs micro-kernels over all panels of columns, and over rows inside. */
export function printPanels(
  { module }: ProductContext,
  shape: MicroShape,
  { columns, tailRows, panel }: { columns: number; tailRows: number; panel: number },
): FunctionRef {
  const f = module.function('panels', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const { left, right, out, rows, count, more } = parameters(f, 0, 'left', 'right', 'out', 'rows', 'count', 'more')
  const { from, to, at, number, end } = registers(f, 'from', 'to', 'at', 'number', 'end')
  const width = shape.columns
  const { bytes } = lanesOf[shape.type]
  const rowsOf = (columnCount: number): void => {
    const run = (kernel: FunctionRef): void => {
      f.get(from).get(right).get(to).get(count).get(more).call(kernel)
    }
    f.get(left).set(from).get(out).set(to).i32(0).set(at)
    const whole = microKernel(module, { ...shape, columns: columnCount })
    loopWhole(f, at, rows, shape.rows, () => {
      run(whole)
      advance(f, from, shape.rows * shape.leftRow)
      advance(f, to, shape.rows * shape.outRow)
    })
    if (tailRows === 0) return
    const rest = microKernel(module, { ...shape, rows: tailRows, columns: columnCount })
    f.get(at).get(rows).op('i32.lt_s')
    f.if(() => run(rest))
  }
  const wholePanels = Math.floor(columns / width)
  if (wholePanels > 0) {
    f.i32(0).set(number).i32(wholePanels).set(end)
    loopWhole(f, number, end, 1, () => {
      rowsOf(width)
      advance(f, right, panel)
      advance(f, out, width * bytes)
    })
  }
  if (columns % width > 0) rowsOf(columns % width)
  return f
}
