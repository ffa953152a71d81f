/** LU factorisation by elimination with the largest pivot of each column. */
import {
  abs,
  assign,
  constant,
  div,
  gt,
  load,
  local,
  mul,
  ne,
  scalarType,
  select,
  store,
  sub,
  when,
} from '../../../loops/build.ts'
import { indexAdd, indexMul } from '../../../loops/indices.ts'
import { type Expr, Local, type Stmt } from '../../../loops/ir.ts'
import type { KernelRow } from '../../lowering.ts'
import {
  batchOf,
  fillMatrices,
  loopFrom,
  matricesIn,
  resultElement,
  workDtype,
  workElement,
  workMatrices,
} from './matrix.ts'

export const lu: KernelRow<object> = {
  kind: 'kernels',
  emit(build, [x], _, [out, pivots, order]) {
    const { shape, dtype } = x!.aval
    const [m, n] = shape.slice(-2) as [number, number]
    const steps = Math.min(m, n)
    const batch = batchOf(shape)
    const type = scalarType(workDtype(build.target))
    const orderAt = (i: Expr): Expr => indexAdd(indexMul(batch.number, m), i)
    const inOrder = loopFrom('i', 0, m, (i) => [store(order!, orderAt(i), i)])
    if (shape.includes(0)) {
      build.nest('lu', batch.grid, [inOrder])
      return
    }
    const a = workMatrices(build, batch, m, n)
    fillMatrices(build, 'lu_fill', batch, a, (i, j) => workElement(build, x!, [...batch.index, i, j]))
    const [pivot, other] = [new Local('pivot', 'i32'), new Local('other', 'i32')]
    const [most, value, factor] = [new Local('most', type), new Local('value', type), new Local('factor', type)]

    const findPivot = (k: Expr): Stmt[] => [
      assign(pivot, k),
      assign(most, abs(a.get(k, k))),
      loopFrom('i', indexAdd(k, 1), m, (i) => [
        assign(value, abs(a.get(i, k))),
        assign(pivot, select(gt(local(value), local(most)), i, local(pivot))),
        assign(most, select(gt(local(value), local(most)), local(value), local(most))),
      ]),
      store(pivots!, indexAdd(indexMul(batch.number, steps), k), local(pivot)),
    ]
    const exchange = (k: Expr): Stmt =>
      when(ne(local(pivot), k), [
        assign(other, load(order!, orderAt(k))),
        store(order!, orderAt(k), load(order!, orderAt(local(pivot)))),
        store(order!, orderAt(local(pivot)), local(other)),
        loopFrom('j', 0, n, (j) => [
          assign(value, a.get(k, j)),
          a.set(k, j, a.get(local(pivot), j)),
          a.set(local(pivot), j, local(value)),
        ]),
      ])
    const eliminate = (k: Expr): Stmt[] => [
      assign(most, a.get(k, k)),
      // a column of zeros leaves nothing to eliminate
      when(ne(local(most), constant(type, 0)), [
        loopFrom('i', indexAdd(k, 1), m, (i) => [
          assign(factor, div(a.get(i, k), local(most))),
          a.set(i, k, local(factor)),
          loopFrom('j', indexAdd(k, 1), n, (j) => [a.set(i, j, sub(a.get(i, j), mul(local(factor), a.get(k, j))))]),
        ]),
      ]),
    ]
    build.nest('lu', batch.grid, [
      inOrder,
      loopFrom('k', 0, steps, (k) => [...findPivot(k), exchange(k), ...eliminate(k)]),
    ])
    fillMatrices(build, 'lu_result', batch, matricesIn(out!, batch, m, n), (i, j) =>
      resultElement(build, a.get(i, j), dtype),
    )
  },
}
