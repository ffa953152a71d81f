/** Matrix factorisations and triangular systems over leading batch axes, with the derivatives that JAX has for them. */
import type { NDArray } from '../array.ts'
import type { HostArray } from '../backend/interface.ts'
import { choleskyOf, luOf, qrOf, solveTriangle } from '../backend/reference/factor.ts'
import { hostZeros, roundTo } from '../backend/reference/host.ts'
import { eighOf, svdOf } from '../backend/reference/spectrum.ts'
import { isFloat } from '../dtype.ts'
import { DtypeError, MissingRuleError, ShapeError, misuse } from '../errors.ts'
import { type Aval, aval, showAval } from '../ir/aval.ts'
import { sameShape } from '../shape.ts'
import { bind, bind1 } from '../trace.ts'
import { leading } from './axes.ts'
import { type BatchDim, type Primitive, type Tangent, Zero, definePrimitive } from './define.ts'
import { add, convert, div, eq, integerPow, mul, neg, sub } from './elementwise.ts'
import * as matrix from './matrix.ts'
import { batchInFront, concatenate, moveAxis, pad } from './movement.ts'
import { isLinear, isZero, known, scalarLike } from './rules.ts'
import { addTangents, instantiate, zerosLike } from './zeros.ts'

const { matmul, product, transposed, lowerTriangle, upperTriangle, identity, block } = matrix

/** Check an operand that is a matrix of floats, or several; give its last two sizes and the axes before. */
function matrixSizes(where: string, x: Aval, square = false): { m: number; n: number; leading: readonly number[] } {
  if (!isFloat(x.dtype)) throw new DtypeError(misuse(where, 'floats', showAval(x), "x.astype('float32') converts"))
  const [m, n] = x.shape.slice(-2)
  if (m === undefined || n === undefined || (square && m !== n)) {
    throw new ShapeError(misuse(where, `${square ? 'square matrices' : 'matrices'} in the last two axes`, showAval(x)))
  }
  return { m, n, leading: x.shape.slice(0, -2) }
}

/** Run a kernel for each matrix of `x`; its results go, one after the other, into arrays of the given types. */
function eachMatrix(
  x: HostArray,
  outs: readonly Aval[],
  kernel: (a: Float64Array, m: number, n: number) => readonly (ArrayLike<number> & Iterable<number>)[],
): HostArray[] {
  const [m, n] = x.shape.slice(-2) as [number, number]
  const results = outs.map(hostZeros)
  const count = x.shape.slice(0, -2).reduce((size, dim) => size * dim, 1)
  for (let i = 0; i < count; i++) {
    const parts = kernel(Float64Array.from(x.data.subarray(i * m * n, (i + 1) * m * n)), m, n)
    parts.forEach((part, j) => results[j]!.data.set(part, i * part.length))
  }
  for (const result of results) roundTo(result.dtype, result.data)
  return results
}

/** A factorisation of one operand: its leading axes are batch axes, so batching moves the axis to the front. */
function factorisation<P extends object>(
  row: Omit<Primitive<P>, 'batch' | 'axes'>,
): (x: NDArray, params: P) => NDArray[] {
  const run = (x: NDArray, params: P): NDArray[] => [...bind(primitive, [x], params)]
  const primitive: Primitive<P> = definePrimitive<P>({
    ...row,
    batch([x], [dim], params): [NDArray[], BatchDim[]] {
      const outs = run(moveAxis(x!, dim!, 0), params)
      return [outs, outs.map(() => 0)]
    },
    axes: leading,
  })
  return run
}

const runCholesky = factorisation<Record<never, never>>({
  name: 'cholesky',
  type([x]) {
    matrixSizes('cholesky', x!, true)
    return [x!]
  },
  // Murray, 2016, "Differentiation of the Cholesky decomposition": L' = L φ(L⁻¹ A' L⁻ᵀ), φ takes the lower triangle and half the diagonal
  jvp([x], [t]): [NDArray[], Tangent[]] {
    const l = cholesky(x!)
    const right = triangularSolve(l, instantiate(t!), { leftSide: false, lower: true, transposeA: true })
    const inner = lowerTriangle(triangularSolve(l, right, { leftSide: true, lower: true }))
    const phi = div(inner, add(identity(l.dtype, l.shape), scalarLike(l, 1)))
    return [[l], [matmul(l, phi)]]
  },
  reference: ([x], _, outs) => eachMatrix(x!, outs, (a, n) => [choleskyOf(a, n)]),
})
/** The lower triangular L with LLᵀ = x, from x's lower triangle; NaN where x is not positive definite. */
export const cholesky = (x: NDArray): NDArray => runCholesky(x, {})[0]!

export interface TriangularSolveOptions {
  readonly leftSide?: boolean
  readonly lower?: boolean
  readonly transposeA?: boolean
  readonly unitDiagonal?: boolean
}
type TriangularSolveParams = Required<TriangularSolveOptions>

/** The tangent of the solution that comes from the matrix: −A⁻¹ A' X or −X A' A⁻¹, in the cheaper order. */
function triangularTangent(t: NDArray, out: NDArray, a: NDArray, b: NDArray, params: TriangularSolveParams): NDArray {
  const { leftSide, lower, transposeA, unitDiagonal } = params
  const offset = unitDiagonal ? 1 : 0
  const used = neg(lower ? lowerTriangle(t, -offset) : upperTriangle(t, offset))
  const da = transposeA ? transposed(used) : used
  const solve = (x: NDArray) => triangularSolve(a, x, params)
  const [m, n] = b.shape.slice(-2) as [number, number]
  if (leftSide) return m > n ? solve(matmul(da, out)) : matmul(solve(da), out)
  return m < n ? solve(matmul(out, da)) : matmul(out, solve(da))
}

const triangularSolvePrimitive: Primitive<TriangularSolveParams> = definePrimitive<TriangularSolveParams>({
  name: 'triangular_solve',
  type([a, b], { leftSide }) {
    const where = 'triangularSolve'
    const { n, leading } = matrixSizes(where, a!, true)
    const right = matrixSizes(where, b!)
    if (n !== (leftSide ? right.m : right.n) || !sameShape(leading, right.leading) || a!.dtype !== b!.dtype) {
      const side = leftSide ? 'rows' : 'columns'
      throw new ShapeError(
        misuse(
          where,
          `as many ${side} on the right as the matrix has, and equal leading axes and dtypes`,
          `${showAval(a!)} and ${showAval(b!)}`,
        ),
      )
    }
    return [{ ...b!, weakType: a!.weakType && b!.weakType }]
  },
  jvp([a, b], [da, db], params): [NDArray[], Tangent[]] {
    const out = triangularSolve(a!, b!, params)
    const zero = new Zero(out.aval)
    const fromMatrix = isZero(da!) ? zero : triangularTangent(da!, out, a!, b!, params)
    return [[out], [addTangents(fromMatrix, isZero(db!) ? zero : triangularSolve(a!, db!, params))]]
  },
  transpose([ct], [a, b], params) {
    if (!isLinear(b!)) return [null, null]
    if (isZero(ct!)) return [null, new Zero(b!.aval)]
    return [null, triangularSolve(known('triangularSolve', a!), ct!, { ...params, transposeA: !params.transposeA })]
  },
  batch: ([a, b], [aDim, bDim], params, { size }): [NDArray[], BatchDim[]] => [
    [triangularSolve(batchInFront(a!, aDim!, size), batchInFront(b!, bDim!, size), params)],
    [0],
  ],
  // the systems of a batch, and the right sides of each
  axes: (args, params, outs, derive) => {
    const free = args[1]!.shape.length - (params.leftSide ? 1 : 2)
    return [...leading(args, params, outs, derive), { operands: [null, free], results: [free] }]
  },
  reference([a, b], params, outs) {
    const n = a!.shape.at(-1)!
    let i = 0
    return eachMatrix(b!, outs, (x, rows, columns) => {
      const factor = Float64Array.from(a!.data.subarray(i * n * n, ++i * n * n))
      // x A = b is Aᵀ xᵀ = bᵀ, one row of b after the other
      const triangle = { ...params, transposeA: params.leftSide === params.transposeA }
      if (params.leftSide) for (let j = 0; j < columns; j++) solveTriangle(factor, n, triangle, x, j, columns)
      else for (let j = 0; j < rows; j++) solveTriangle(factor, n, triangle, x, j * columns, 1)
      return [x]
    })
  },
  show: ({ leftSide, lower, transposeA, unitDiagonal }) => ({
    conjugateA: false,
    leftSide,
    lower,
    transposeA,
    unitDiagonal,
  }),
})
/** Solve op(a) x = b, or x op(a) = b unless `leftSide`, where `a` is triangular and op may transpose it. */
export const triangularSolve = (a: NDArray, b: NDArray, options: TriangularSolveOptions = {}): NDArray =>
  bind1(triangularSolvePrimitive, [a, b], {
    leftSide: false,
    lower: false,
    transposeA: false,
    unitDiagonal: false,
    ...options,
  })

/** L' + U' with L' = L tril(M, −1) and U' = triu(M) U, where M = L⁻¹ P A' U⁻¹ (de Hoog, Anderssen and Lukas, 2011). */
function luTangent(factors: NDArray, order: NDArray, t: NDArray): NDArray {
  const [m, n] = factors.shape.slice(-2) as [number, number]
  const k = Math.min(m, n)
  const { dtype } = factors
  const leading = factors.shape.slice(0, -2)
  const padded = (a: NDArray, rows: number, columns: number, where: 'before' | 'after') => {
    const edge = (count: number) => (where === 'after' ? ([0, count, 0] as const) : ([count, 0, 0] as const))
    return pad(a, scalarLike(a, 0), [...leading.map(() => [0, 0, 0] as const), edge(rows), edge(columns)])
  }
  const strictlyLower = lowerTriangle(block(factors, [0, m], [0, k]), -1)
  const l = add(padded(strictlyLower, 0, m - k, 'after'), identity(dtype, [...leading, m, m]))
  const u = add(
    padded(upperTriangle(block(factors, [0, k], [0, n])), n - k, 0, 'after'),
    padded(identity(dtype, [...leading, n - k, n - k]), k, k, 'before'),
  )
  const left = triangularSolve(l, matmul(matrix.permutationMatrix(order, dtype), t), {
    leftSide: true,
    lower: true,
    unitDiagonal: true,
  })
  const inner = triangularSolve(u, left, { leftSide: false })
  return add(matmul(l, lowerTriangle(inner, -1)), matmul(upperTriangle(inner), u))
}

const runLu = factorisation<Record<never, never>>({
  name: 'lu',
  type([x]) {
    const { m, n, leading } = matrixSizes('lu', x!)
    return [x!, aval([...leading, Math.min(m, n)], 'int32'), aval([...leading, m], 'int32')]
  },
  jvp([x], [t]): [NDArray[], Tangent[]] {
    const [factors, pivots, order] = runLu(x!, {}) as [NDArray, NDArray, NDArray]
    return [
      [factors, pivots, order],
      [luTangent(factors, order, instantiate(t!)), new Zero(pivots.aval), new Zero(order.aval)],
    ]
  },
  reference: ([x], _, outs) =>
    eachMatrix(x!, outs, (a, m, n) => {
      const { lu: factors, pivots, order } = luOf(a, m, n)
      return [factors, pivots, order]
    }),
})
/** L and U in one matrix, the rows exchanged step by step, and the order of rows that they end in: x[order] = L U. */
export const lu = (x: NDArray): [factors: NDArray, pivots: NDArray, order: NDArray] =>
  runLu(x, {}) as [NDArray, NDArray, NDArray]

interface QrParams {
  readonly fullMatrices: boolean
}

/** The derivative for m ≥ n columns (Townsend, 2018, "Differentiating the QR decomposition"). */
function thinQrTangents(q: NDArray, r: NDArray, t: NDArray): [dq: NDArray, dr: NDArray] {
  const right = triangularSolve(r, t)
  const inner = matmul(transposed(q), right)
  const lower = lowerTriangle(inner, -1)
  const skew = sub(lower, transposed(lower))
  return [add(matmul(q, sub(skew, inner)), right), matmul(sub(inner, skew), r)]
}

/** The tangent of the columns that complete Q to a square, given that of the others: arXiv 2409.13374, equations 32 and 33. */
function completionTangent(q: NDArray, dq: NDArray, n: number): NDArray {
  const m = q.shape.at(-2)!
  const [top, bottom] = [block(q, [0, n], [0, n]), block(q, [n, m], [0, n])]
  const [factors, , order] = lu(sub(top, identity(q.dtype, top.shape)))
  // (Q₁ − 1)ᵀ Z = Q₂ᵀ, by the transposed factors
  const y = triangularSolve(factors, transposed(bottom), { leftSide: true, transposeA: true })
  const exchanged = triangularSolve(factors, y, { leftSide: true, lower: true, transposeA: true, unitDiagonal: true })
  const z = matmul(transposed(matrix.permutationMatrix(order, q.dtype)), exchanged)
  const thin = block(q, [0, m], [0, n])
  const rest = add(thin, matmul(block(q, [0, m], [n, m]), transposed(z)))
  const correction = sub(block(dq, [n, m], [0, n]), matmul(transposed(z), block(dq, [0, n], [0, n])))
  return sub(matmul(dq, z), matmul(rest, transposed(correction)))
}

function qrTangents(
  x: NDArray,
  t: NDArray,
  q: NDArray,
  r: NDArray,
  { fullMatrices }: QrParams,
): [dq: NDArray, dr: NDArray] {
  const [m, n] = x.shape.slice(-2) as [number, number]
  const last = x.ndim - 1
  if (m < n) {
    // X = [X₁ X₂] = Q [R₁ R₂]: the square part has the derivative of its own, and R₂ = Qᵀ X₂
    const [dq, dr1] = thinQrTangents(q, block(r, [0, m], [0, m]), block(t, [0, m], [0, m]))
    const dr2 = add(matmul(transposed(dq), block(x, [0, m], [m, n])), matmul(transposed(q), block(t, [0, m], [m, n])))
    return [dq, concatenate([dr1, dr2], last)]
  }
  const [dq, dr] = thinQrTangents(block(q, [0, m], [0, n]), block(r, [0, n], [0, n]), t)
  if (!fullMatrices || m === n) return [dq, dr]
  const zeros = zerosLike({ ...dr.aval, shape: [...dr.shape.slice(0, -2), m - n, n] })
  return [concatenate([dq, completionTangent(q, dq, n)], last), concatenate([dr, zeros], last - 1)]
}

const runQr = factorisation<QrParams>({
  name: 'qr',
  type([x], { fullMatrices }) {
    const { m, n, leading } = matrixSizes('qr', x!)
    const columns = fullMatrices ? m : Math.min(m, n)
    return [
      { ...x!, shape: [...leading, m, columns] },
      { ...x!, shape: [...leading, columns, n] },
    ]
  },
  jvp([x], [t], params): [NDArray[], Tangent[]] {
    const [q, r] = runQr(x!, params) as [NDArray, NDArray]
    return [[q, r], qrTangents(x!, instantiate(t!), q, r, params)]
  },
  reference: ([x], { fullMatrices }, outs) =>
    eachMatrix(x!, outs, (a, m, n) => {
      const { q, r } = qrOf(a, m, n, fullMatrices ? m : Math.min(m, n))
      return [q, r]
    }),
  show: ({ fullMatrices }) => ({ fullMatrices, pivoting: false, useMagma: null }),
})
/** x = Q R with orthonormal columns of Q and upper triangular R; `fullMatrices` makes Q square. */
export const qr = (x: NDArray, fullMatrices = true): [q: NDArray, r: NDArray] =>
  runQr(x, { fullMatrices }) as [NDArray, NDArray]

interface EighParams {
  readonly lower: boolean
}
const runEigh = factorisation<EighParams>({
  name: 'eigh',
  type([x]) {
    const { n, leading } = matrixSizes('eigh', x!, true)
    return [x!, { ...x!, shape: [...leading, n] }]
  },
  // first-order perturbation of distinct eigenvalues: V' = V (F ∘ Vᵀ A' V) with F_ij = 1 / (w_j − w_i) off the diagonal
  jvp([x], [t], params): [NDArray[], Tangent[]] {
    const symmetric = div(add(x!, transposed(x!)), scalarLike(x!, 2))
    const [v, w] = runEigh(symmetric, params) as [NDArray, NDArray]
    const n = w.shape.at(-1)!
    const one = identity(x!.dtype, x!.shape)
    const gaps = sub(add(one, matrix.asRows(w, n)), matrix.asColumns(w, n))
    const inner = product(transposed(v), instantiate(t!), v)
    return [
      [v, w],
      [matmul(v, mul(sub(integerPow(gaps, -1), one), inner)), matrix.diagonalOf(inner)],
    ]
  },
  reference: ([x], { lower }, outs) =>
    eachMatrix(x!, outs, (a, n) => {
      const { vectors, values } = eighOf(a, n, lower)
      return [vectors, values]
    }),
  show: ({ lower }) => ({ algorithm: null, lower, sortEigenvalues: true, subsetByIndex: null }),
})
/** Eigenvectors, as columns, and ascending eigenvalues of symmetric matrices, of which one triangle is read. */
export const eigh = (x: NDArray, lower = true): [vectors: NDArray, values: NDArray] =>
  runEigh(x, { lower }) as [NDArray, NDArray]

interface SvdParams {
  readonly fullMatrices: boolean
  readonly computeUv: boolean
}

/** Tangents of s, U and Vᵀ of the thin decomposition (Giles, 2008, "Collected matrix derivative results"). */
function svdTangents(
  a: NDArray,
  t: NDArray,
  s: NDArray,
  u: NDArray,
  vt: NDArray,
): [ds: NDArray, du: NDArray, dvt: NDArray] {
  const [m, n] = a.shape.slice(-2) as [number, number]
  const k = s.shape.at(-1)!
  const v = transposed(vt)
  const inner = product(transposed(u), t, v)
  const [rows, columns] = [matrix.asRows(s, k), matrix.asColumns(s, k)]
  const one = identity(s.dtype, inner.shape)
  const reciprocal = (x: NDArray, zeros: NDArray) => sub(div(scalarLike(x, 1), add(x, zeros)), zeros)
  // F_ij = 1 / (s_j² − s_i²) off the diagonal, and zero on it
  const f = reciprocal(mul(add(rows, columns), sub(rows, columns)), one)
  const [left, right] = [mul(rows, inner), mul(columns, inner)]
  const inverse = reciprocal(s, convert(eq(s, scalarLike(s, 0)), s.dtype))
  const skew = mul(mul(scalarLike(s, 0.5), sub(inner, transposed(inner))), mul(one, matrix.asRows(inverse, k)))
  let du = matmul(u, add(mul(f, add(left, transposed(left))), skew))
  let dv = matmul(v, mul(f, add(right, transposed(right))))
  // what lies outside of the spaces that the columns of U, or of V, span
  const outside = (x: NDArray, basis: NDArray) => {
    const rest = sub(x, matmul(basis, matmul(transposed(basis), x)))
    return div(rest, matrix.asRows(s, x.shape.at(-2)!))
  }
  if (m > n) du = add(du, outside(matmul(t, v), u))
  if (n > m) dv = add(dv, outside(matmul(transposed(t), u), v))
  return [matrix.diagonalOf(inner), du, transposed(dv)]
}

const runSvd = factorisation<SvdParams>({
  name: 'svd',
  type([x], { fullMatrices, computeUv }) {
    const { m, n, leading } = matrixSizes('svd', x!)
    const k = Math.min(m, n)
    const of = (...sizes: number[]): Aval => ({ ...x!, shape: [...leading, ...sizes] })
    return computeUv ? [of(k), of(m, fullMatrices ? m : k), of(fullMatrices ? n : k, n)] : [of(k)]
  },
  jvp([x], [t], { fullMatrices, computeUv }): [NDArray[], Tangent[]] {
    if (computeUv && fullMatrices && x!.shape.at(-1) !== x!.shape.at(-2)) {
      throw new MissingRuleError(
        'svd: there is no derivative with fullMatrices of a matrix that is not square\nhint: fullMatrices: false',
      )
    }
    const [s, u, vt] = runSvd(x!, { fullMatrices: false, computeUv: true }) as [NDArray, NDArray, NDArray]
    const tangents = svdTangents(x!, instantiate(t!), s, u, vt)
    return computeUv ? [[s, u, vt], tangents] : [[s], [tangents[0]]]
  },
  reference: ([x], { fullMatrices, computeUv }, outs) =>
    eachMatrix(x!, outs, (a, m, n) => {
      const { s, u, v } = svdOf(a, m, n, fullMatrices)
      const columns = v.length / n
      return computeUv ? [s, u, Float64Array.from(v, (_, i) => v[(i % n) * columns + Math.floor(i / n)]!)] : [s]
    }),
  show: ({ fullMatrices, computeUv }) => ({ algorithm: null, computeUv, fullMatrices, subsetByIndex: null }),
})
/** Descending singular values s, U and Vᵀ with x = U diag(s) Vᵀ; `s` alone without `computeUv`. */
export const svd = (x: NDArray, fullMatrices = true, computeUv = true): NDArray[] =>
  runSvd(x, { fullMatrices, computeUv })
