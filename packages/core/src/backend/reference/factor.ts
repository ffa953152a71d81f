/** Factorisations by elimination and reflection, of one row-major matrix of float64: Cholesky, LU, QR, and triangular systems. */

/** The lower L with LLᵀ = A, from A's lower triangle; all NaN if A is not positive definite. */
export function choleskyOf(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j]!
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!
      if (i > j) l[i * n + j] = sum / l[j * n + j]!
      else if (sum > 0) l[i * n + i] = Math.sqrt(sum)
      else return l.fill(NaN)
    }
  }
  return l
}

/** L below the diagonal (whose own is 1) and U above, with the rows exchanged: row i with `pivots[i]`, so that `order[i]` comes i-th. */
export function luOf(a: Float64Array, m: number, n: number): { lu: Float64Array; pivots: number[]; order: number[] } {
  const lu = a.slice()
  const order = Array.from({ length: m }, (_, i) => i)
  const pivots: number[] = []
  for (let k = 0; k < Math.min(m, n); k++) {
    let pivot = k
    for (let i = k + 1; i < m; i++) if (Math.abs(lu[i * n + k]!) > Math.abs(lu[pivot * n + k]!)) pivot = i
    pivots.push(pivot)
    if (pivot !== k) {
      ;[order[k], order[pivot]] = [order[pivot]!, order[k]!]
      for (let j = 0; j < n; j++) [lu[k * n + j], lu[pivot * n + j]] = [lu[pivot * n + j]!, lu[k * n + j]!]
    }
    // a column of zeros leaves nothing to eliminate
    if (lu[k * n + k] === 0) continue
    for (let i = k + 1; i < m; i++) {
      const factor = (lu[i * n + k]! /= lu[k * n + k]!)
      for (let j = k + 1; j < n; j++) lu[i * n + j]! -= factor * lu[k * n + j]!
    }
  }
  return { lu, pivots, order }
}

/**
 * Q of m × `columns` and R of `columns` × n by Householder reflections, with LAPACK's signs: a column becomes −sign(its first
 * element) times its norm, except where it is zero below the diagonal already.
 */
export function qrOf(a: Float64Array, m: number, n: number, columns: number): { q: Float64Array; r: Float64Array } {
  const work = a.slice()
  const reflections: { from: number; v: Float64Array; scale: number }[] = []
  for (let k = 0; k < Math.min(m, n); k++) {
    let tail = 0
    for (let i = k + 1; i < m; i++) tail = Math.hypot(tail, work[i * n + k]!)
    if (tail === 0) continue
    const first = work[k * n + k]!
    const norm = Math.hypot(first, tail)
    const v = new Float64Array(m - k)
    v[0] = first < 0 || Object.is(first, -0) ? first - norm : first + norm
    for (let i = k + 1; i < m; i++) v[i - k] = work[i * n + k]!
    const reflection = { from: k, v, scale: 2 / v.reduce((sum, x) => sum + x * x, 0) }
    reflect(work, n, reflection)
    for (let i = k + 1; i < m; i++) work[i * n + k] = 0
    reflections.push(reflection)
  }
  const q = new Float64Array(m * columns)
  for (let i = 0; i < columns; i++) q[i * columns + i] = 1
  for (const reflection of reflections.toReversed()) reflect(q, columns, reflection)
  return { q, r: work.slice(0, columns * n) }
}

/** Multiply by 1 − scale · v vᵀ from the left, from row `from` on. */
function reflect(
  a: Float64Array,
  n: number,
  { from, v, scale }: { from: number; v: Float64Array; scale: number },
): void {
  for (let j = 0; j < n; j++) {
    let dot = 0
    for (let i = 0; i < v.length; i++) dot += v[i]! * a[(from + i) * n + j]!
    dot *= scale
    for (let i = 0; i < v.length; i++) a[(from + i) * n + j]! -= dot * v[i]!
  }
}

export interface Triangle {
  readonly lower: boolean
  readonly transposeA: boolean
  readonly unitDiagonal: boolean
}

/** Solve op(A) x = b in place for one vector, whose elements lie `stride` apart from `at` on. */
export function solveTriangle(
  a: Float64Array,
  n: number,
  { lower, transposeA, unitDiagonal }: Triangle,
  x: Float64Array,
  at: number,
  stride: number,
): void {
  const forwards = lower !== transposeA
  const [rowStride, columnStride] = transposeA ? [1, n] : [n, 1]
  for (let step = 0; step < n; step++) {
    const i = forwards ? step : n - 1 - step
    let sum = x[at + i * stride]!
    for (let s = 0; s < step; s++) {
      const j = forwards ? s : n - 1 - s
      sum -= a[i * rowStride + j * columnStride]! * x[at + j * stride]!
    }
    x[at + i * stride] = unitDiagonal ? sum : sum / a[i * n + i]!
  }
}
