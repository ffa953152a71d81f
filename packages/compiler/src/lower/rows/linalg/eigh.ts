/** Eigenvalues and eigenvectors of symmetric matrices by Jacobi rotations. */
import {
  abs,
  assign,
  constant,
  div,
  ge,
  le,
  local,
  lt,
  mul,
  not,
  or,
  scalarType,
  select,
  sub,
  truth,
  unary,
  when,
} from '../../../loops/build.ts'
import { type Expr, Local } from '../../../loops/ir.ts'
import type { KernelRow } from '../../lowering.ts'
import {
  batchOf,
  fillMatrices,
  identityElement,
  matricesIn,
  resultElement,
  workDtype,
  workElement,
  workMatrices,
} from './matrix.ts'
import { Rotation, measure, sortValues, sweeps } from './rotation.ts'
import { ascending } from '../sort/order.ts'

interface EighParams {
  readonly lower: boolean
}
export const eigh: KernelRow<EighParams> = {
  kind: 'kernels',
  emit(build, [x], { lower }, [vectorsOut, valuesOut]) {
    const { shape, dtype } = x!.aval
    const n = shape.at(-1)!
    if (shape.includes(0)) return
    const batch = batchOf(shape)
    const work = workDtype(build.target)
    const type = scalarType(work) as 'f32' | 'f64'
    const number = (value: number): Expr => constant(type, value)
    const [a, vectors] = [workMatrices(build, batch, n, n), workMatrices(build, batch, n, n)]
    fillMatrices(build, 'eigh_fill', batch, a, (i, j) => {
      const at = (row: Expr, column: Expr): Expr => workElement(build, x!, [...batch.index, row, column])
      return lower ? select(le(j, i), at(i, j), at(j, i)) : select(ge(j, i), at(i, j), at(j, i))
    })
    fillMatrices(build, 'eigh_identity', batch, vectors, (i, j) => identityElement(i, j, work))
    const { isFinite } = measure(build, 'eigh_finite', batch, a)

    const rotation = new Rotation(type)
    const rotated = new Local('rotated', 'bool')
    const off = new Local('off', type)
    // beside the diagonal it is lost
    const small = build.target.host ? [2 ** -54, 1e-300] : [2 ** -25, 1e-37]
    build.nest(
      'eigh',
      batch.grid,
      sweeps(n, isFinite, rotated, (p, q) => {
        const size = mul(unary('sqrt', abs(a.get(p, p))), unary('sqrt', abs(a.get(q, q))))
        const negligible = or(le(abs(local(off)), mul(number(small[0]!), size)), lt(abs(local(off)), number(small[1]!)))
        return [
          assign(off, a.get(p, q)),
          when(not(negligible), [
            assign(rotated, truth(true)),
            ...rotation.find(div(sub(a.get(q, q), a.get(p, p)), mul(number(2), local(off)))),
            rotation.columns(a, p, q),
            rotation.rows(a, p, q),
            rotation.columns(vectors, p, q),
            a.set(p, q, number(0)),
            a.set(q, p, number(0)),
          ]),
        ]
      }),
    )
    const sorted = sortValues(build, 'eigh_sort', batch, n, (i) => a.get(i, i), ascending(1, build.target))
    const result = (value: Expr): Expr => resultElement(build, select(isFinite, value, number(NaN)), dtype)
    fillMatrices(build, 'eigh_vectors', batch, matricesIn(vectorsOut!, batch, n, n), (i, j) =>
      result(vectors.get(i, sorted.order(j))),
    )
    fillMatrices(build, 'eigh_values', batch, matricesIn(valuesOut!, batch, 1, n), (_, j) => result(sorted.values(j)))
  },
}
