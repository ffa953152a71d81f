/** QR factorisation by Householder reflections, with LAPACK's signs. */
import {
  abs,
  add,
  assign,
  constant,
  div,
  load,
  local,
  lt,
  max,
  mul,
  ne,
  neg,
  or,
  scalarType,
  select,
  store,
  sub,
  unary,
  variable,
  when,
} from '../../../loops/build.ts'
import { indexAdd, indexMul } from '../../../loops/indices.ts'
import { type Expr, Local, LoopVar, type Stmt } from '../../../loops/ir.ts'
import type { KernelRow } from '../../lowering.ts'
import {
  type Matrices,
  batchOf,
  fillMatrices,
  identityElement,
  loopFrom,
  matricesIn,
  resultElement,
  sumFrom,
  workDtype,
  workElement,
  workMatrices,
} from './matrix.ts'
import { isNegativeZero } from '../sort/order.ts'

const isNegative = (x: Expr): Expr => or(lt(x, constant(x.type, 0)), isNegativeZero(x))

interface QrParams {
  readonly fullMatrices: boolean
}
export const qr: KernelRow<QrParams> = {
  kind: 'kernels',
  emit(build, [x], { fullMatrices }, [q, r]) {
    const { shape, dtype } = x!.aval
    const [m, n] = shape.slice(-2) as [number, number]
    const steps = Math.min(m, n)
    const columns = fullMatrices ? m : steps
    const batch = batchOf(shape)
    const [qOut, rOut] = [matricesIn(q!, batch, m, columns), matricesIn(r!, batch, columns, n)]
    if (shape.includes(0)) {
      fillMatrices(build, 'qr_identity', batch, qOut, (i, j) => identityElement(i, j, dtype))
      return
    }
    const work = workDtype(build.target)
    const type = scalarType(work)
    const [a, qWork] = [workMatrices(build, batch, m, n), workMatrices(build, batch, m, columns)]
    fillMatrices(build, 'qr_fill', batch, a, (i, j) => workElement(build, x!, [...batch.index, i, j]))
    fillMatrices(build, 'qr_identity', batch, qWork, (i, j) => identityElement(i, j, work))
    /** Row k has the vector v of reflection number k, 1 − scale · v vᵀ. */
    const vectors = workMatrices(build, batch, steps, m)
    const scales = build.temporary(work, batch.count * steps)
    const scaleAt = (k: Expr): Expr => indexAdd(indexMul(batch.number, steps), k)
    const [size, total, first, dot] = ['size', 'total', 'first', 'dot'].map((name) => new Local(name, type)) as [
      Local,
      Local,
      Local,
      Local,
    ]
    /** Multiply a column from the left by reflection number k. */
    const reflect = (to: Matrices, k: Expr, j: Expr): Stmt[] => [
      ...sumFrom(dot, constant(type, 0), k, m, (i) => mul(vectors.get(k, i), to.get(i, j))),
      assign(dot, mul(local(dot), load(scales, scaleAt(k)))),
      loopFrom('i', k, m, (i) => [to.set(i, j, sub(to.get(i, j), mul(local(dot), vectors.get(k, i))))]),
    ]
    const step = (k: Expr): Stmt[] => {
      const below = indexAdd(k, 1)
      const scaled = (i: Expr): Expr => div(a.get(i, k), local(size))
      return [
        store(scales, scaleAt(k), constant(type, 0)),
        assign(size, constant(type, 0)),
        loopFrom('i', below, m, (i) => [assign(size, max(local(size), abs(a.get(i, k))))]),
        // zero below the diagonal: nothing to reflect
        when(ne(local(size), constant(type, 0)), [
          // The column is divided by its largest element, so that its norm neither overflows nor vanishes.
          assign(size, max(local(size), abs(a.get(k, k)))),
          assign(first, scaled(k)),
          ...sumFrom(total, constant(type, 0), k, m, (i) => mul(scaled(i), scaled(i))),
          assign(total, unary('sqrt', local(total))),
          assign(first, add(local(first), select(isNegative(local(first)), neg(local(total)), local(total)))),
          vectors.set(k, k, local(first)),
          loopFrom('i', below, m, (i) => [vectors.set(k, i, scaled(i))]),
          ...sumFrom(total, constant(type, 0), k, m, (i) => mul(vectors.get(k, i), vectors.get(k, i))),
          store(scales, scaleAt(k), div(constant(type, 2), local(total))),
          loopFrom('j', k, n, (j) => reflect(a, k, j)),
          loopFrom('i', below, m, (i) => [a.set(i, k, constant(type, 0))]),
        ]),
      ]
    }
    build.nest('qr', batch.grid, [loopFrom('k', 0, steps, step)])
    // Columns of Q do not depend on each other: those of the identity, reflected in reverse.
    const column = new LoopVar('j', columns)
    build.nest(
      'qr_q',
      [...batch.grid, column],
      [
        loopFrom('step', 0, steps, (back) => {
          const k = indexAdd(steps - 1, indexMul(back, -1))
          return [when(ne(load(scales, scaleAt(k)), constant(type, 0)), reflect(qWork, k, variable(column)))]
        }),
      ],
    )
    fillMatrices(build, 'qr_result_q', batch, qOut, (i, j) => resultElement(build, qWork.get(i, j), dtype))
    fillMatrices(build, 'qr_result_r', batch, rOut, (i, j) => resultElement(build, a.get(i, j), dtype))
  },
}
