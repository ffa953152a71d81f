/** Matrix factorisations and triangular systems: a batch's matrices beside each other, the steps of one after the other. */
import {
  assign,
  constant,
  div,
  gt,
  le,
  load,
  local,
  mul,
  neg,
  scalarType,
  select,
  store,
  truth,
  unary,
  variable,
  when,
} from '../../../loops/build.ts'
import { indexAdd, indexMul } from '../../../loops/indices.ts'
import { type Expr, Local, LoopVar } from '../../../loops/ir.ts'
import type { KernelRow, Rows } from '../../lowering.ts'
import { converted } from '../elementwise/convert.ts'
import { eigh } from './eigh.ts'
import { lu } from './lu.ts'
import {
  batchOf,
  fillMatrices,
  loopFrom,
  matricesIn,
  resultElement,
  sumFrom,
  workDtype,
  workElement,
  workMatrices,
} from './matrix.ts'
import { qr } from './qr.ts'
import { svd } from './svd.ts'

const cholesky: KernelRow<object> = {
  kind: 'kernels',
  emit(build, [x], _, [out], [outAval]) {
    const { shape, dtype } = outAval!
    const n = shape.at(-1)!
    if (shape.includes(0)) return
    const batch = batchOf(shape)
    const l = workMatrices(build, batch, n, n)
    const type = scalarType(workDtype(build.target))
    fillMatrices(build, 'cholesky_fill', batch, l, (i, j) => workElement(build, x!, [...batch.index, i, j]))
    // A column is computed from those before it; of a matrix that is not positive definite nothing is left.
    const definite = build.temporary('bool', batch.count)
    const [isDefinite, sum, pivot] = [new Local('isDefinite', 'bool'), new Local('sum', type), new Local('pivot', type)]
    const less = (i: Expr, j: Expr) => sumFrom(sum, l.get(i, j), 0, j, (k) => neg(mul(l.get(i, k), l.get(j, k))))
    const column = (j: Expr) => [
      ...less(j, j),
      assign(isDefinite, gt(local(sum), constant(type, 0))),
      assign(pivot, unary('sqrt', local(sum))),
      l.set(j, j, local(pivot)),
      loopFrom('i', indexAdd(j, 1), n, (i) => [...less(i, j), l.set(i, j, div(local(sum), local(pivot)))]),
    ]
    build.nest('cholesky', batch.grid, [
      assign(isDefinite, truth(true)),
      loopFrom('j', 0, n, (j) => [when(local(isDefinite), column(j))]),
      store(definite, batch.number, local(isDefinite)),
    ])
    fillMatrices(build, 'cholesky_result', batch, matricesIn(out!, batch, n, n), (i, j) => {
      const element = select(le(j, i), l.get(i, j), constant(type, 0))
      return resultElement(build, select(load(definite, batch.number), element, constant(type, NaN)), dtype)
    })
  },
}

interface TriangularSolveParams {
  readonly leftSide: boolean
  readonly lower: boolean
  readonly transposeA: boolean
  readonly unitDiagonal: boolean
}
const triangularSolve: KernelRow<TriangularSolveParams> = {
  kind: 'kernels',
  emit(build, [a, b], { leftSide, lower, transposeA, unitDiagonal }, [out], [outAval]) {
    const { shape, dtype } = outAval!
    if (shape.includes(0)) return
    const [rows, columns] = shape.slice(-2) as [number, number]
    const n = leftSide ? rows : columns
    const batch = batchOf(shape)
    const work = workDtype(build.target)
    const matrix = matricesIn(build.buffer(a!), batch, n, n)
    // x A = b is Aᵀ xᵀ = bᵀ, one row of b after the other
    const isTransposed = leftSide === transposeA
    const forwards = lower !== isTransposed
    const element = (i: Expr, j: Expr): Expr =>
      converted(isTransposed ? matrix.get(j, i) : matrix.get(i, j), dtype, work)
    const vector = new LoopVar('v', leftSide ? columns : rows)
    const coordinates = (i: Expr): readonly [Expr, Expr] => (leftSide ? [i, variable(vector)] : [variable(vector), i])
    const x = workMatrices(build, batch, rows, columns)
    const result = matricesIn(out!, batch, rows, columns)
    const sum = new Local('sum', scalarType(work))
    const numberOf = (step: Expr): Expr => (forwards ? step : indexAdd(n - 1, indexMul(step, -1)))
    build.nest(
      'triangular_solve',
      [...batch.grid, vector],
      [
        loopFrom('step', 0, n, (step) => {
          const i = numberOf(step)
          const known = workElement(build, b!, [...batch.index, ...coordinates(i)])
          const less = (s: Expr): Expr => neg(mul(element(i, numberOf(s)), x.get(...coordinates(numberOf(s)))))
          return [
            ...sumFrom(sum, known, 0, step, less),
            ...(unitDiagonal ? [] : [assign(sum, div(local(sum), element(i, i)))]),
            x.set(...coordinates(i), local(sum)),
            result.set(...coordinates(i), resultElement(build, local(sum), dtype)),
          ]
        }),
      ],
    )
  },
}

export const linalgRows: Rows = { cholesky, triangular_solve: triangularSolve, lu, qr, eigh, svd }
