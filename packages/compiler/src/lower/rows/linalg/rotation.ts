/** Jacobi rotations of pairs of columns, in the reference's order, so that signs agree with it. */
import {
  abs,
  add,
  and,
  assign,
  constant,
  div,
  i32,
  load,
  local,
  lt,
  max,
  mul,
  scalarType,
  select,
  store,
  sub,
  truth,
  unary,
  whilst,
} from '../../../loops/build.ts'
import { indexAdd, indexMul } from '../../../loops/indices.ts'
import { type Expr, Local, type Stmt } from '../../../loops/ir.ts'
import type { KernelBuilder } from '../../lowering.ts'
import { finite } from '../elementwise/arithmetic.ts'
import { type Batch, type Matrices, loopFrom, workDtype } from './matrix.ts'
import { sortLines } from '../sort/sortLines.ts'
import type { After } from '../sort/order.ts'

/** Rotations beyond this many sweeps would change nothing: Jacobi's method converges quadratically, in about ten. */
const maxSweeps = 60

/** The locals of a rotation, with the statements that compute it: what makes two columns orthogonal, by half the difference of norms over the product. */
export class Rotation {
  readonly #cosine: Local
  readonly #sine: Local
  readonly #x: Local
  readonly #y: Local
  constructor(type: 'f32' | 'f64') {
    this.#cosine = new Local('cosine', type)
    this.#sine = new Local('sine', type)
    this.#x = new Local('x', type)
    this.#y = new Local('y', type)
  }
  /** From θ, half the difference of norms over the product: t = sign θ / (|θ| + √(θ² + 1)), cosine = 1 / √(t² + 1), sine = t · cosine. */
  find(theta: Expr): Stmt[] {
    const number = (value: number): Expr => constant(this.#x.type, value)
    const root = (x: Expr): Expr => unary('sqrt', add(mul(x, x), number(1)))
    const [x, y] = [local(this.#x), local(this.#y)]
    return [
      assign(this.#x, theta),
      assign(this.#y, div(select(lt(x, number(0)), number(-1), number(1)), add(abs(x), root(x)))),
      assign(this.#cosine, div(number(1), root(y))),
      assign(this.#sine, mul(y, local(this.#cosine))),
    ]
  }
  /** Elements at p and q become c · p − s · q and s · p + c · q. */
  apply(to: Matrices, p: readonly [Expr, Expr], q: readonly [Expr, Expr]): Stmt[] {
    const [c, s, x, y] = [local(this.#cosine), local(this.#sine), local(this.#x), local(this.#y)]
    return [
      assign(this.#x, to.get(...p)),
      assign(this.#y, to.get(...q)),
      to.set(...p, sub(mul(c, x), mul(s, y))),
      to.set(...q, add(mul(s, x), mul(c, y))),
    ]
  }
  columns(to: Matrices, p: Expr, q: Expr): Stmt {
    return loopFrom('i', 0, to.rows, (i) => this.apply(to, [i, p], [i, q]))
  }
  rows(to: Matrices, p: Expr, q: Expr): Stmt {
    return loopFrom('j', 0, to.columns, (j) => this.apply(to, [p, j], [q, j]))
  }
}

/** Go through all pairs of columns, p < q, again and again while `pair` sets `rotated`. */
export function sweeps(
  columns: number,
  begin: Expr,
  rotated: Local,
  pair: (p: Expr, q: Expr) => readonly Stmt[],
): Stmt[] {
  const sweep = new Local('sweep', 'i32')
  return [
    assign(sweep, i32(0)),
    assign(rotated, begin),
    whilst(and(local(rotated), lt(local(sweep), i32(maxSweeps))), [
      assign(rotated, truth(false)),
      assign(sweep, add(local(sweep), i32(1))),
      loopFrom('p', 0, columns - 1, (p) => [loopFrom('q', indexAdd(p, 1), columns, (q) => pair(p, q))]),
    ]),
  ]
}

export interface SortedValues {
  readonly values: (at: Expr) => Expr
  /** Where in the matrix they stood. */
  readonly order: (at: Expr) => Expr
}
/** Sort the values of each matrix. */
export function sortValues(
  build: KernelBuilder,
  name: string,
  { grid, number, count }: Batch,
  length: number,
  read: (at: Expr) => Expr,
  after: After,
): SortedValues {
  const work = workDtype(build.target)
  const values = build.temporary(work, count * length)
  const order = build.temporary('int32', count * length)
  const place = (at: Expr): Expr => indexAdd(indexMul(number, length), at)
  const columns = [
    { dtype: work, out: values, read },
    { dtype: 'int32' as const, out: order, read: (at: Expr) => at },
  ]
  sortLines(build, { name, grid, length, kept: length, columns, after, place, isContiguous: true })
  return { values: (at) => load(values, place(at)), order: (at) => load(order, place(at)) }
}

/** Whether all elements of each matrix are finite, and the largest of their sizes. */
export function measure(
  build: KernelBuilder,
  name: string,
  batch: Batch,
  a: Matrices,
): { readonly isFinite: Expr; readonly largest: Expr } {
  const work = workDtype(build.target)
  const [flags, sizes] = [build.temporary('bool', batch.count), build.temporary(work, batch.count)]
  const [all, most] = [new Local('all', 'bool'), new Local('most', scalarType(work))]
  build.nest(name, batch.grid, [
    assign(all, truth(true)),
    assign(most, constant(most.type, 0)),
    loopFrom('i', 0, a.rows, (i) => [
      loopFrom('j', 0, a.columns, (j) => [
        assign(all, and(local(all), finite(a.get(i, j)))),
        assign(most, max(local(most), abs(a.get(i, j)))),
      ]),
    ]),
    store(flags, batch.number, local(all)),
    store(sizes, batch.number, local(most)),
  ])
  return { isFinite: load(flags, batch.number), largest: load(sizes, batch.number) }
}
