/** A product in the form that the kernels for it want: one variable each for batch, rows, columns and inner, and what is known of its operands. */
import {
  type Buffer,
  type Expr,
  type Local,
  LoopVar,
  type Product,
  type ScalarType,
  type Stmt,
  type Store,
  convert,
  indexAdd,
  indexMul,
  isConst,
  linearIn,
  mapStatement,
  pointsOf,
  substituting,
  unflatten,
  variable,
} from '@fluxion/compiler'
import { computable } from './address.ts'
import { ordered } from './order.ts'

/** An operand that is a load at `base` + Σ stride · variable, in elements; the base depends on the batch alone. */
export interface Plain {
  readonly buffer: Buffer
  readonly base: Expr
  /** Along rows of the left operand, along columns of the right one. */
  readonly outer: number
  readonly inner: number
}
export interface Operand {
  /** In the variables of the form, and in those of its groups. */
  readonly value: Expr
  readonly grouped: Expr
  readonly plain: Plain | undefined
}
export interface Form {
  readonly product: Product
  readonly batch: LoopVar
  readonly rows: LoopVar
  readonly columns: LoopVar
  readonly inner: LoopVar
  /** The variables that each of them stands for, in the order in which they run. */
  readonly groups: Readonly<Record<'batch' | 'rows' | 'columns' | 'inner', readonly LoopVar[]>>
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

/** The values of a group's variables at a place in it. */
export function spread(vars: readonly LoopVar[], at: Expr): Map<LoopVar, Expr> {
  const values = unflatten(
    at,
    vars.map(({ extent }) => extent),
  )
  return new Map(vars.map((v, i) => [v, values[i]!]))
}

/** The product with its groups of variables made into one each. */
export function formOf(product: Product): Form {
  const values = new Map<LoopVar, Expr>()
  const single = (vars: readonly LoopVar[], name: string): LoopVar => {
    const [only, more] = vars
    if (only !== undefined && more === undefined) return only
    const one = new LoopVar(name, pointsOf(vars))
    for (const [v, value] of spread(vars, variable(one))) values.set(v, value)
    return one
  }
  const { type } = product.sum
  const [left, right] = [convert(type, product.left), convert(type, product.right)]
  const kept = (vars: readonly LoopVar[]): readonly LoopVar[] => vars.filter(({ extent }) => extent !== 1)
  const groups = {
    batch: kept(product.batch),
    ...ordered(
      { rows: kept(product.rows), columns: kept(product.columns), inner: kept(product.inner) },
      left,
      right,
      product.body,
    ),
  }
  const batch = single(groups.batch, 'b')
  const rows = single(groups.rows, 'i')
  const columns = single(groups.columns, 'j')
  const inner = single(groups.inner, 'k')
  const substitute = substituting(values)
  const operand = (grouped: Expr, outer: LoopVar): Operand => {
    const value = substitute(grouped)
    return { value, grouped, plain: plainOf(value, type, outer, inner) }
  }
  return {
    product,
    batch,
    rows,
    columns,
    inner,
    groups,
    type,
    sum: product.sum,
    left: operand(left, rows),
    right: operand(right, columns),
    body: product.body.map((statement) => mapStatement(statement, substitute)),
  }
}
function plainOf(x: Expr, type: ScalarType, outer: LoopVar, inner: LoopVar): Plain | undefined {
  if (x.op !== 'load' || x.buffer.dtype !== dtypeOf[type]) return undefined
  const over = linearIn(x.index, outer)
  const along = over && linearIn(over.rest, inner)
  if (over === undefined || along === undefined) return undefined
  // Strides become offsets of instructions, which are not negative: what runs backwards is packed.
  if (over.coefficient < 0 || along.coefficient < 0) return undefined
  return { buffer: x.buffer, base: along.rest, outer: over.coefficient, inner: along.coefficient }
}

/** The same product transposed: rows are columns. */
export const transposed = (form: Form): Form => ({
  ...form,
  rows: form.columns,
  columns: form.rows,
  groups: { ...form.groups, rows: form.groups.columns, columns: form.groups.rows },
  left: form.right,
  right: form.left,
})

/** Where sums go if all that is done with them is to store them, or to add them to what is there, along unit strides of columns. */
export interface Destination {
  readonly buffer: Buffer
  readonly base: Expr
  readonly row: number
  readonly adds: boolean
}
export function destinationOf({ body, sum, type, batch, rows, columns }: Form): Destination | undefined {
  const [store, more] = body
  if (more !== undefined || store?.op !== 'store' || store.buffer.dtype !== dtypeOf[type]) return undefined
  const adds = store.value.op !== 'local'
  const added = adds ? addedTo(store.value, store) : store.value
  if (added?.op !== 'local' || added.local !== sum) return undefined
  const along = linearIn(store.index, columns)
  const over = along && linearIn(along.rest, rows)
  if (over === undefined || along === undefined || (along.coefficient !== 1 && columns.extent !== 1)) return undefined
  if (over.coefficient < 0 || !computable(over.rest, batch)) return undefined
  return { buffer: store.buffer, base: over.rest, row: over.coefficient, adds }
}
/** What a value adds to the element that it is stored at. */
function addedTo(value: Expr, { buffer, index }: Store): Expr | undefined {
  if (value.op !== 'binary' || value.fn !== 'add') return undefined
  const isThere = (x: Expr): boolean =>
    x.op === 'load' && x.buffer === buffer && isConst(indexAdd(x.index, indexMul(index, -1)), 0)
  return isThere(value.x) ? value.y : isThere(value.y) ? value.x : undefined
}
