/** A product in the form that the kernels for it want: one variable each for batch, rows, columns and inner, and what is known of its operands. */
import {
  type Buffer,
  type Expr,
  LoopVar,
  type Local,
  type Product,
  type ScalarType,
  type Stmt,
  convert,
  linearIn,
  mapStatement,
  substituting,
  unflatten,
  variable,
} from '@fluxion/compiler'

/** An operand that is a load at `base` + Σ stride · variable, in elements; the base depends on the batch alone. */
export interface Plain {
  readonly buffer: Buffer
  readonly base: Expr
  /** Along rows of the left operand, along columns of the right one. */
  readonly outer: number
  readonly inner: number
}
export interface Operand {
  readonly value: Expr
  readonly plain: Plain | undefined
}
export interface Form {
  readonly product: Product
  readonly batch: LoopVar
  readonly rows: LoopVar
  readonly columns: LoopVar
  readonly inner: LoopVar
  /** Varies with rows, or columns if `swapped`. */
  readonly left: Operand
  readonly right: Operand
  readonly body: readonly Stmt[]
  readonly sum: Local
  readonly type: ScalarType
}

const dtypeOf: Readonly<Partial<Record<ScalarType, string>>> = {
  f32: 'float32',
  f64: 'float64',
  i32: 'int32',
  u32: 'uint32',
}

/** The product with its groups of variables made into one each. */
export function formOf(product: Product): Form {
  const values = new Map<LoopVar, Expr>()
  const single = (vars: readonly LoopVar[], name: string): LoopVar => {
    const kept = vars.filter(({ extent }) => extent !== 1)
    if (kept.length === 1) return kept[0]!
    const extents = kept.map(({ extent }) => extent)
    const one = new LoopVar(
      name,
      extents.reduce((a, b) => a * b, 1),
    )
    unflatten(variable(one), extents).forEach((value, axis) => values.set(kept[axis]!, value))
    return one
  }
  const batch = single(product.batch, 'b')
  const rows = single(product.rows, 'i')
  const columns = single(product.columns, 'j')
  const inner = single(product.inner, 'k')
  const substitute = substituting(values)
  const { type } = product.sum
  const operand = (x: Expr, outer: LoopVar): Operand => {
    const value = convert(type, substitute(x))
    return { value, plain: plainOf(value, type, outer, inner) }
  }
  return {
    product,
    batch,
    rows,
    columns,
    inner,
    type,
    sum: product.sum,
    left: operand(product.left, rows),
    right: operand(product.right, columns),
    body: product.body.map((statement) => mapStatement(statement, substitute)),
  }
}
function plainOf(x: Expr, type: ScalarType, outer: LoopVar, inner: LoopVar): Plain | undefined {
  if (x.op !== 'load' || x.buffer.dtype !== dtypeOf[type]) return undefined
  const over = linearIn(x.index, outer)
  const along = over && linearIn(over.rest, inner)
  if (over === undefined || along === undefined) return undefined
  return { buffer: x.buffer, base: along.rest, outer: over.coefficient, inner: along.coefficient }
}

/** The same product transposed: rows are columns. */
export const transposed = (form: Form): Form => ({
  ...form,
  rows: form.columns,
  columns: form.rows,
  left: form.right,
  right: form.left,
})

/** Where sums go if all that is done with them is to store them, along unit strides of columns. */
export interface Destination {
  readonly buffer: Buffer
  readonly base: Expr
  readonly row: number
}
export function destinationOf({ body, sum, type, rows, columns }: Form): Destination | undefined {
  const [store, more] = body
  if (more !== undefined || store?.op !== 'store' || store.buffer.dtype !== dtypeOf[type]) return undefined
  if (store.value.op !== 'local' || store.value.local !== sum) return undefined
  const along = linearIn(store.index, columns)
  const over = along && linearIn(along.rest, rows)
  if (over === undefined || along === undefined || (along.coefficient !== 1 && columns.extent !== 1)) return undefined
  return { buffer: store.buffer, base: over.rest, row: over.coefficient }
}
