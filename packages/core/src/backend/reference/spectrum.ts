/** Eigenvalues and singular values by Jacobi rotations, of one row-major matrix of float64: short, and accurate to the last bits. */

/** Rotations beyond this many sweeps would change nothing: Jacobi's method converges quadratically, in about ten. */
const maxSweeps = 60

/** The cosine and sine that make two columns orthogonal, given half the difference of their norms over their product. */
function rotation(theta: number): [cosine: number, sine: number] {
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const cosine = 1 / Math.hypot(t, 1)
  return [cosine, t * cosine]
}

/** Columns p and q become c·p − s·q and s·p + c·q. */
function rotateColumns(a: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let i = 0; i < a.length; i += n) {
    const [x, y] = [a[i + p]!, a[i + q]!]
    a[i + p] = c * x - s * y
    a[i + q] = s * x + c * y
  }
}

const identity = (n: number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
const finite = (a: Float64Array): boolean => a.every(Number.isFinite)
const columnsInOrder = (a: Float64Array, n: number, order: readonly number[]): Float64Array =>
  Float64Array.from(
    { length: (a.length / n) * order.length },
    (_, i) => a[Math.floor(i / order.length) * n + order[i % order.length]!]!,
  )

/** Eigenvalues in ascending order, eigenvectors as columns, of a symmetric matrix given by one triangle. */
export function eighOf(
  input: Float64Array,
  n: number,
  lower: boolean,
): { vectors: Float64Array; values: Float64Array } {
  const a = input.slice()
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) a[lower ? j * n + i : i * n + j] = a[lower ? i * n + j : j * n + i]!
  if (!finite(a)) return { vectors: a.fill(NaN), values: new Float64Array(n).fill(NaN) }
  const vectors = identity(n)
  let rotated = true
  for (let sweep = 0; rotated && sweep < maxSweeps; sweep++) {
    rotated = false
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const off = a[p * n + q]!
        const [app, aqq] = [a[p * n + p]!, a[q * n + q]!]
        if (Math.abs(off) <= 2 ** -54 * Math.sqrt(Math.abs(app * aqq)) || Math.abs(off) < 1e-300) continue
        rotated = true
        const [c, s] = rotation((aqq - app) / (2 * off))
        rotateColumns(a, n, p, q, c, s)
        rotateRows(a, n, p, q, c, s)
        rotateColumns(vectors, n, p, q, c, s)
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[i * n + i]! - a[j * n + j]!)
  return { vectors: columnsInOrder(vectors, n, order), values: Float64Array.from(order, (i) => a[i * n + i]!) }
}

function rotateRows(a: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let j = 0; j < n; j++) {
    const [x, y] = [a[p * n + j]!, a[q * n + j]!]
    a[p * n + j] = c * x - s * y
    a[q * n + j] = s * x + c * y
  }
}

export interface Svd {
  /** In descending order. */
  readonly s: Float64Array
  /** m × `columns of U` and n × `columns of V`. */
  readonly u: Float64Array
  readonly v: Float64Array
}

const transposedOf = (a: Float64Array, m: number, n: number): Float64Array =>
  Float64Array.from(a, (_, i) => a[(i % m) * n + Math.floor(i / m)]!)

/** A = U diag(s) Vᵀ: the columns of A are rotated until they are orthogonal (Hestenes, 1958); `full` completes U and V to squares. */
export function svdOf(a: Float64Array, m: number, n: number, full: boolean): Svd {
  if (m < n) {
    const { s, u, v } = svdOf(transposedOf(a, m, n), n, m, full)
    return { s, u: v, v: u }
  }
  if (!finite(a)) {
    return {
      s: new Float64Array(n).fill(NaN),
      u: new Float64Array(m * (full ? m : n)).fill(NaN),
      v: new Float64Array(n * n).fill(NaN),
    }
  }
  const work = a.slice()
  const v = identity(n)
  let rotated = true
  for (let sweep = 0; rotated && sweep < maxSweeps; sweep++) {
    rotated = false
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const [pp, qq, pq] = [columnsDot(work, n, p, p), columnsDot(work, n, q, q), columnsDot(work, n, p, q)]
        if (Math.abs(pq) <= 2 ** -52 * Math.sqrt(pp * qq) || Math.abs(pq) < 1e-300) continue
        rotated = true
        const [c, s] = rotation((qq - pp) / (2 * pq))
        rotateColumns(work, n, p, q, c, s)
        rotateColumns(v, n, p, q, c, s)
      }
    }
  }
  const norms = Array.from({ length: n }, (_, j) => Math.sqrt(columnsDot(work, n, j, j)))
  const order = norms.map((_, j) => j).sort((i, j) => norms[j]! - norms[i]!)
  const sorted = columnsInOrder(work, n, order)
  const s = Float64Array.from(order, (j) => norms[j]!)
  return { s, u: orthonormal(sorted, m, n, s, full ? m : n), v: columnsInOrder(v, n, order) }
}

function columnsDot(a: Float64Array, n: number, p: number, q: number): number {
  let sum = 0
  for (let i = 0; i < a.length; i += n) sum += a[i + p]! * a[i + q]!
  return sum
}

/** The orthogonal columns divided by their norms, and as many more as `count` asks for: unit vectors made orthogonal to all before. */
function orthonormal(a: Float64Array, m: number, n: number, norms: Float64Array, count: number): Float64Array {
  const columns: Float64Array[] = []
  const smallest = (norms[0] ?? 0) * 2 ** -52
  for (let j = 0; j < n && norms[j]! > smallest; j++)
    columns.push(Float64Array.from({ length: m }, (_, i) => a[i * n + j]! / norms[j]!))
  while (columns.length < count) columns.push(further(columns, m))
  return Float64Array.from({ length: m * count }, (_, i) => columns[i % count]![Math.floor(i / count)]!)
}

/** A unit vector orthogonal to the given columns: of the axes the one that keeps most of its length. */
function further(columns: readonly Float64Array[], m: number): Float64Array {
  let axis = 0
  const left = Array.from({ length: m }, (_, i) => 1 - columns.reduce((sum, column) => sum + column[i]! ** 2, 0))
  for (let i = 1; i < m; i++) if (left[i]! > left[axis]! + 1e-12) axis = i
  const vector = new Float64Array(m)
  vector[axis] = 1
  // twice, since once loses digits where little is left
  for (let pass = 0; pass < 2; pass++) {
    for (const column of columns) {
      const dot = column.reduce((sum, x, i) => sum + x * vector[i]!, 0)
      for (let i = 0; i < m; i++) vector[i]! -= dot * column[i]!
    }
  }
  const norm = Math.hypot(...vector)
  return vector.map((x) => x / norm)
}
