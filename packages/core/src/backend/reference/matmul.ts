/** Matrix products on host arrays: `out[b,m,n] = Σ_k lhs[b,m,k] · rhs[b,k,n]`, whatever the strides. Knows nothing of dimension numbers. */
import type { TypedArray } from '../interface.ts'

/** A matrix among elements: row `i`, column `j` is `data[base + rows[i] + columns[j]]`. */
export interface Matrix<D extends TypedArray = TypedArray> {
  readonly data: D
  readonly base: number
  readonly rows: Int32Array
  readonly columns: Int32Array
}
type Floats = Float32Array | Float64Array

const transposed = <D extends TypedArray>(m: Matrix<D>): Matrix<D> => ({ ...m, rows: m.columns, columns: m.rows })

/** Offsets of all elements over axes of the given sizes and strides, in row-major order. */
export function offsetsOf(sizes: readonly number[], strides: readonly number[]): Int32Array {
  let offsets = new Int32Array(1)
  for (let axis = 0; axis < sizes.length; axis++) {
    const [size, stride] = [sizes[axis]!, strides[axis]!]
    const next = new Int32Array(offsets.length * size)
    for (let i = 0, at = 0; i < offsets.length; i++)
      for (let j = 0; j < size; j++) next[at++] = offsets[i]! + j * stride
    offsets = next
  }
  return offsets
}

/** Elements that are neither float32 nor float64 as float64: the kernels then see two classes of array only, and stay fast. */
export const asFloats = (data: TypedArray): Floats =>
  data instanceof Float32Array || data instanceof Float64Array ? data : new Float64Array(data)

/** Rows with fewer elements that are not zero than this share are multiplied element by element. */
const sparse = 0.35

/**
 * Multiply floats, accumulating in float64. Of the forms measured (256×256×128, float32, one core) four by four accumulators over
 * packed panels do 4.4 GFLOP/s, rows of accumulators with eight unrolled multiplicands 3.2, with four 1.5 to 2.6. Where one operand
 * consists mostly of zeros, as spikes do, rows that leave the zeros out win; that is done only if the other operand is finite, so
 * that no NaN can be lost (0 · ∞).
 */
export function multiplyFloats(lhs: Matrix<Floats>, rhs: Matrix<Floats>, out: TypedArray, outBase: number): void {
  const [m, n] = [lhs.rows.length, rhs.columns.length]
  if (m < 4 || density(lhs) < sparse) multiplyRows(lhs, rhs, out, outBase, n, 1)
  else if (n < 4 || density(rhs) < sparse) multiplyRows(transposed(rhs), transposed(lhs), out, outBase, 1, n)
  else multiplyBlocks(lhs, rhs, out, outBase)
}

/** The share of elements that are not zero, from at most some thousand of them. */
function density({ data, base, rows, columns }: Matrix<Floats>): number {
  const stride = Math.max(1, Math.floor(rows.length / 64))
  let [seen, found] = [0, 0]
  for (let i = 0; i < rows.length; i += stride) {
    const row = base + rows[i]!
    for (let j = i & 3; j < columns.length; j += 4, seen++) if (data[row + columns[j]!] !== 0) found++
  }
  return seen === 0 ? 1 : found / seen
}

/** The elements packed row by row as float64. */
function packed({ data, base, rows, columns }: Matrix<Floats>): Float64Array {
  const [m, n] = [rows.length, columns.length]
  const pack = new Float64Array(m * n)
  for (let i = 0, at = 0; i < m; i++) {
    const row = base + rows[i]!
    for (let j = 0; j < n; j++) pack[at++] = data[row + columns[j]!]!
  }
  return pack
}

/** Row by row, out[i,:] = Σ_k lhs[i,k] · rhs[k,:], leaving out zeros of `lhs` where `rhs` is finite. */
function multiplyRows(
  lhs: Matrix<Floats>,
  rhs: Matrix<Floats>,
  out: TypedArray,
  outBase: number,
  rowStride: number,
  columnStride: number,
): void {
  const [depth, n] = [lhs.columns.length, rhs.columns.length]
  const dense = packed(rhs)
  // the sum of x − x is NaN exactly if some x is not finite
  let check = 0
  for (let i = 0; i < dense.length; i++) check += dense[i]! - dense[i]!
  const skip = check === 0
  const row = new Float64Array(n)
  const starts = new Int32Array(depth)
  const factors = new Float64Array(depth)
  for (let i = 0; i < lhs.rows.length; i++) {
    const base = lhs.base + lhs.rows[i]!
    let count = 0
    for (let k = 0; k < depth; k++) {
      const factor = lhs.data[base + lhs.columns[k]!]!
      if (skip && factor === 0) continue
      starts[count] = k * n
      factors[count++] = factor
    }
    addRows(row.fill(0), dense, starts, factors, count)
    for (let j = 0, at = outBase + i * rowStride; j < n; j++, at += columnStride) out[at] = row[j]!
  }
}

/** row += Σ_i factors[i] · dense[starts[i] …], four rows at a time. */
function addRows(
  row: Float64Array,
  dense: Float64Array,
  starts: Int32Array,
  factors: Float64Array,
  count: number,
): void {
  const n = row.length
  let i = 0
  for (; i + 3 < count; i += 4) {
    const [s0, s1, s2, s3] = [starts[i]!, starts[i + 1]!, starts[i + 2]!, starts[i + 3]!]
    const [f0, f1, f2, f3] = [factors[i]!, factors[i + 1]!, factors[i + 2]!, factors[i + 3]!]
    for (let j = 0; j < n; j++)
      row[j]! += f0 * dense[s0 + j]! + f1 * dense[s1 + j]! + f2 * dense[s2 + j]! + f3 * dense[s3 + j]!
  }
  for (; i < count; i++) {
    const [start, factor] = [starts[i]!, factors[i]!]
    for (let j = 0; j < n; j++) row[j]! += factor * dense[start + j]!
  }
}

/** Four rows by four columns at a time; rows and columns beyond the edge multiply zeros, whose results nobody reads. */
function multiplyBlocks(lhs: Matrix<Floats>, rhs: Matrix<Floats>, out: TypedArray, outBase: number): void {
  const [m, depth, n] = [lhs.rows.length, lhs.columns.length, rhs.columns.length]
  const rowPanels: Float64Array[] = []
  for (let i = 0; i < m; i += 4) rowPanels.push(panel(lhs, i, new Float64Array(4 * depth)))
  const columns = transposed(rhs)
  const columnPanel = new Float64Array(4 * depth)
  const block = new Float64Array(16)
  for (let j = 0; j < n; j += 4) {
    panel(columns, j, columnPanel.fill(0))
    const width = Math.min(4, n - j)
    for (let i = 0; i < m; i += 4) {
      multiplyBlock(rowPanels[i >> 2]!, columnPanel, block)
      const height = Math.min(4, m - i)
      for (let r = 0; r < height; r++) {
        const at = outBase + (i + r) * n + j
        for (let c = 0; c < width; c++) out[at + c] = block[4 * r + c]!
      }
    }
  }
}

/** Four rows from row `i` on, interleaved: element k of row i + r at 4k + r. */
function panel({ data, base, rows, columns }: Matrix<Floats>, i: number, pack: Float64Array): Float64Array {
  const height = Math.min(4, rows.length - i)
  if (height === 4) {
    const [r0, r1, r2, r3] = [base + rows[i]!, base + rows[i + 1]!, base + rows[i + 2]!, base + rows[i + 3]!]
    for (let k = 0, at = 0; k < columns.length; k++, at += 4) {
      const column = columns[k]!
      pack[at] = data[r0 + column]!
      pack[at + 1] = data[r1 + column]!
      pack[at + 2] = data[r2 + column]!
      pack[at + 3] = data[r3 + column]!
    }
  } else {
    for (let r = 0; r < height; r++) {
      const row = base + rows[i + r]!
      for (let k = 0; k < columns.length; k++) pack[4 * k + r] = data[row + columns[k]!]!
    }
  }
  return pack
}

/** The sixteen sums of a row panel with a column panel, held in registers. */
function multiplyBlock(a: Float64Array, b: Float64Array, block: Float64Array): void {
  let [c00, c01, c02, c03, c10, c11, c12, c13] = [0, 0, 0, 0, 0, 0, 0, 0]
  let [c20, c21, c22, c23, c30, c31, c32, c33] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let k = 0; k < a.length; k += 4) {
    const b0 = b[k]!
    const b1 = b[k + 1]!
    const b2 = b[k + 2]!
    const b3 = b[k + 3]!
    const a0 = a[k]!
    c00 += a0 * b0
    c01 += a0 * b1
    c02 += a0 * b2
    c03 += a0 * b3
    const a1 = a[k + 1]!
    c10 += a1 * b0
    c11 += a1 * b1
    c12 += a1 * b2
    c13 += a1 * b3
    const a2 = a[k + 2]!
    c20 += a2 * b0
    c21 += a2 * b1
    c22 += a2 * b2
    c23 += a2 * b3
    const a3 = a[k + 3]!
    c30 += a3 * b0
    c31 += a3 * b1
    c32 += a3 * b2
    c33 += a3 * b3
  }
  block[0] = c00
  block[1] = c01
  block[2] = c02
  block[3] = c03
  block[4] = c10
  block[5] = c11
  block[6] = c12
  block[7] = c13
  block[8] = c20
  block[9] = c21
  block[10] = c22
  block[11] = c23
  block[12] = c30
  block[13] = c31
  block[14] = c32
  block[15] = c33
}

/** Multiply integers modulo 2^32; storing narrows further. */
export function multiplyIntegers(
  lhs: Matrix<Int32Array>,
  rhs: Matrix<Int32Array>,
  out: TypedArray,
  outBase: number,
): void {
  const n = rhs.columns.length
  for (let i = 0, at = outBase; i < lhs.rows.length; i++) {
    const row = lhs.base + lhs.rows[i]!
    for (let j = 0; j < n; j++) {
      const column = rhs.base + rhs.columns[j]!
      let sum = 0
      for (let k = 0; k < lhs.columns.length; k++) {
        sum = (sum + Math.imul(lhs.data[row + lhs.columns[k]!]!, rhs.data[column + rhs.rows[k]!]!)) | 0
      }
      out[at++] = sum
    }
  }
}
