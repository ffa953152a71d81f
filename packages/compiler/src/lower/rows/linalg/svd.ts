/** Singular values by Jacobi rotations that make columns orthogonal. */
import {
  abs,
  add,
  and,
  assign,
  constant,
  div,
  gt,
  i32,
  le,
  local,
  lt,
  min,
  mul,
  neg,
  not,
  or,
  scalarType,
  select,
  sub,
  truth,
  unary,
  variable,
  when,
} from '../../../loops/build.ts'
import { type Expr, Local, LoopVar, type Stmt } from '../../../loops/ir.ts'
import type { KernelBuilder, KernelRow } from '../../lowering.ts'
import {
  type Batch,
  type Matrices,
  batchOf,
  fillMatrices,
  identityElement,
  loopFrom,
  matricesIn,
  precision,
  resultElement,
  sumFrom,
  workDtype,
  workElement,
  workMatrices,
} from './matrix.ts'
import { Rotation, measure, sortValues, sweeps, type SortedValues } from './rotation.ts'
import { descending } from '../sort/order.ts'

interface SvdParams {
  readonly fullMatrices: boolean
  readonly computeUv: boolean
}
export const svd: KernelRow<SvdParams> = {
  kind: 'kernels',
  emit(build, [x], { fullMatrices, computeUv }, [sOut, uOut, vtOut]) {
    const { shape, dtype } = x!.aval
    const [rows, columns] = shape.slice(-2) as [number, number]
    const k = Math.min(rows, columns)
    const batch = batchOf(shape)
    const [uColumns, vRows] = fullMatrices ? [rows, columns] : [k, k]
    if (shape.includes(0)) {
      if (!computeUv) return
      for (const [out, height, width] of [
        [uOut!, rows, uColumns],
        [vtOut!, vRows, columns],
      ] as const)
        fillMatrices(build, 'svd_identity', batch, matricesIn(out, batch, height, width), (i, j) =>
          identityElement(i, j, dtype),
        )
      return
    }
    const work = workDtype(build.target)
    const type = scalarType(work) as 'f32' | 'f64'
    const number = (value: number): Expr => constant(type, value)
    // Of a wide matrix the transposed one is decomposed.
    const isWide = rows < columns
    const [m, n] = isWide ? [columns, rows] : [rows, columns]
    const [a, v] = [workMatrices(build, batch, m, n), workMatrices(build, batch, n, n)]
    fillMatrices(build, 'svd_fill', batch, a, (i, j) =>
      workElement(build, x!, [...batch.index, ...(isWide ? [j, i] : [i, j])]),
    )
    // Squares of elements of size 1 neither overflow nor vanish.
    const { isFinite, largest } = measure(build, 'svd_finite', batch, a)
    const scale = select(gt(largest, number(0)), largest, number(1))
    fillMatrices(build, 'svd_scale', batch, a, (i, j) => div(a.get(i, j), scale))
    fillMatrices(build, 'svd_identity', batch, v, (i, j) => identityElement(i, j, work))
    rotateToOrthogonal(build, batch, a, v, isFinite)

    const norms = workMatrices(build, batch, 1, n)
    const [column, sum] = [new LoopVar('j', n), new Local('sum', type)]
    build.nest(
      'svd_norms',
      [...batch.grid, column],
      [
        ...sumFrom(sum, number(0), 0, m, (i) => mul(a.get(i, variable(column)), a.get(i, variable(column)))),
        norms.set(i32(0), variable(column), unary('sqrt', local(sum))),
      ],
    )
    const sorted = sortValues(build, 'svd_sort', batch, n, (j) => norms.get(i32(0), j), descending(build.target))
    const result = (value: Expr): Expr => resultElement(build, select(isFinite, value, number(NaN)), dtype)
    fillMatrices(build, 'svd_values', batch, matricesIn(sOut!, batch, 1, n), (_, j) =>
      result(mul(sorted.values(j), scale)),
    )
    if (!computeUv) return
    const [left, right] = [
      orthonormal(build, batch, a, sorted, fullMatrices ? m : n),
      { get: (i: Expr, j: Expr): Expr => v.get(i, sorted.order(j)) },
    ]
    const [u, w] = isWide ? [right, left] : [left, right]
    fillMatrices(build, 'svd_u', batch, matricesIn(uOut!, batch, rows, uColumns), (i, j) => result(u.get(i, j)))
    fillMatrices(build, 'svd_vt', batch, matricesIn(vtOut!, batch, vRows, columns), (i, j) => result(w.get(j, i)))
  },
}

/** Rotate the columns of `a` until they are orthogonal (Hestenes, 1958), and those of `v` with them. */
function rotateToOrthogonal(build: KernelBuilder, batch: Batch, a: Matrices, v: Matrices, isFinite: Expr): void {
  const type = scalarType(workDtype(build.target)) as 'f32' | 'f64'
  const number = (value: number): Expr => constant(type, value)
  const rotation = new Rotation(type)
  const rotated = new Local('rotated', 'bool')
  const [pp, qq, pq] = [new Local('pp', type), new Local('qq', type), new Local('pq', type)]
  const small = number(precision(build.target) * Math.sqrt(a.rows))
  const tiny = number(build.target.host ? 1e-300 : 1e-37)
  const accumulate = (to: Local, x: Expr, y: Expr): Stmt => assign(to, add(local(to), mul(x, y)))
  build.nest(
    'svd',
    batch.grid,
    sweeps(a.columns, isFinite, rotated, (p, q) => [
      ...[pp, qq, pq].map((to) => assign(to, number(0))),
      loopFrom('i', 0, a.rows, (i) => {
        const [x, y] = [a.get(i, p), a.get(i, q)]
        return [accumulate(pp, x, x), accumulate(qq, y, y), accumulate(pq, x, y)]
      }),
      when(
        not(
          or(
            le(abs(local(pq)), mul(small, mul(unary('sqrt', local(pp)), unary('sqrt', local(qq))))),
            lt(abs(local(pq)), tiny),
          ),
        ),
        [
          assign(rotated, truth(true)),
          ...rotation.find(div(sub(local(qq), local(pp)), mul(number(2), local(pq)))),
          rotation.columns(a, p, q),
          rotation.columns(v, p, q),
        ],
      ),
    ]),
  )
}

/** The orthogonal columns of `a` in order, divided by their norms, and as many more as `count` asks for: unit vectors made orthogonal to all before. */
function orthonormal(
  build: KernelBuilder,
  batch: Batch,
  a: Matrices,
  { values, order }: SortedValues,
  count: number,
): Matrices {
  const { rows: m, columns: n } = a
  const work = workDtype(build.target)
  const type = scalarType(work)
  const number = (value: number): Expr => constant(type, value)
  const u = workMatrices(build, batch, m, count)
  const isLarge = (j: Expr): Expr =>
    and(lt(j, i32(n)), gt(values(min(j, i32(n - 1))), mul(values(i32(0)), number(precision(build.target)))))
  fillMatrices(build, 'svd_normalize', batch, u, (i, j) => {
    const inside = min(j, i32(n - 1))
    return select(isLarge(j), div(a.get(i, order(inside)), values(inside)), number(0))
  })
  const axis = new Local('axis', 'i32')
  const [most, left, dot] = [new Local('most', type), new Local('left', type), new Local('dot', type)]
  /** Of the axes the one that keeps most of its length beside the columns before; small differences are chance. */
  const chooseAxis = (c: Expr): Stmt[] => [
    assign(axis, i32(0)),
    assign(most, number(-1)),
    loopFrom('i', 0, m, (i) => [
      ...sumFrom(left, number(1), 0, c, (k) => neg(mul(u.get(i, k), u.get(i, k)))),
      when(gt(local(left), add(local(most), number(build.target.host ? 1e-12 : 1e-5))), [
        assign(axis, i),
        assign(most, local(left)),
      ]),
    ]),
  ]
  /** Take from column c its part along each column before. */
  const orthogonalize = (c: Expr): Stmt =>
    loopFrom('d', 0, c, (d) => [
      ...sumFrom(dot, number(0), 0, m, (i) => mul(u.get(i, d), u.get(i, c))),
      loopFrom('i', 0, m, (i) => [u.set(i, c, sub(u.get(i, c), mul(local(dot), u.get(i, d))))]),
    ])
  build.nest('svd_complete', batch.grid, [
    loopFrom('c', 0, count, (c) => [
      when(not(isLarge(c)), [
        ...chooseAxis(c),
        u.set(local(axis), c, number(1)),
        // twice, since once loses digits where little is left
        orthogonalize(c),
        orthogonalize(c),
        ...sumFrom(dot, number(0), 0, m, (i) => mul(u.get(i, c), u.get(i, c))),
        assign(dot, unary('sqrt', local(dot))),
        loopFrom('i', 0, m, (i) => [u.set(i, c, div(u.get(i, c), local(dot)))]),
      ]),
    ]),
  ])
  return u
}
