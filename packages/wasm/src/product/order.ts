/** The order of a product's variables: sums may run in any, and the one in which operands lie in memory lets them be read in vectors. */
import {
  type Expr,
  LoopVar,
  type Stmt,
  linearIn,
  pointsOf,
  substituting,
  unflatten,
  variable,
  walk,
} from '@fluxion/compiler'

/** The least distance at which loads of an expression step with a variable, in elements; infinite where that is no constant. */
function strideOf(x: Expr, v: LoopVar): number {
  let least = Infinity
  walk(x, (part) => {
    if (part.op !== 'load') return
    const linear = linearIn(part.index, v)
    if (linear !== undefined && linear.coefficient !== 0) least = Math.min(least, Math.abs(linear.coefficient))
  })
  return least
}
/** As they are, with the one of unit stride last, or by strides, all in turn; those first that change least. */
function* orders(vars: readonly LoopVar[], operands: readonly Expr[]): Generator<readonly LoopVar[]> {
  yield vars
  if (vars.length < 2) return
  for (const x of operands) {
    const strides = new Map(vars.map((v) => [v, strideOf(x, v)]))
    const unit = vars.find((v) => strides.get(v) === 1)
    if (unit !== undefined) yield [...vars.filter((v) => v !== unit), unit]
    yield vars.toSorted((a, b) => (strides.get(a) === strides.get(b) ? 0 : strides.get(b)! - strides.get(a)!))
  }
}
/** Whether an index is a constant times the place in the loops together. */
function stepsAsOne(index: Expr, vars: readonly LoopVar[]): boolean {
  const one = new LoopVar('one', pointsOf(vars))
  const values = unflatten(
    variable(one),
    vars.map(({ extent }) => extent),
  )
  return linearIn(substituting(new Map(vars.map((v, i) => [v, values[i]!])))(index), one) !== undefined
}
/** What packing an operand costs by element: nothing if it lies as the loops run, little if vectors of it do. */
function costOf(x: Expr, inner: readonly LoopVar[], outer: readonly LoopVar[]): number {
  if (x.op === 'load' && stepsAsOne(x.index, inner) && stepsAsOne(x.index, outer)) return 0
  const along = (vars: readonly LoopVar[]): boolean => vars.length > 0 && strideOf(x, vars.at(-1)!) === 1
  return along(inner) ? 1 : along(outer) ? 2 : 6
}

interface Ordered {
  readonly rows: readonly LoopVar[]
  readonly columns: readonly LoopVar[]
  readonly inner: readonly LoopVar[]
}

/** The best order of rows, columns and inner variables, each among themselves. */
export function ordered(vars: Ordered, left: Expr, right: Expr, body: readonly Stmt[]): Ordered {
  const [store] = body
  const byResult = (group: readonly LoopVar[]): readonly LoopVar[] => {
    if (group.length < 2 || body.length !== 1 || store?.op !== 'store') return group
    const strides = new Map(group.map((v) => [v, linearIn(store.index, v)?.coefficient]))
    if ([...strides.values()].some((stride) => stride === undefined)) return group
    return group.toSorted((a, b) => strides.get(b)! - strides.get(a)!)
  }
  const [rows, columns] = [byResult(vars.rows), byResult(vars.columns)]
  let best: { readonly inner: readonly LoopVar[]; readonly cost: number } | undefined
  for (const inner of orders(vars.inner, [left, right])) {
    const cost = costOf(left, inner, rows) * pointsOf(rows) + costOf(right, inner, columns) * pointsOf(columns)
    if (best === undefined || cost < best.cost) best = { inner, cost }
  }
  return { rows, columns, inner: best!.inner }
}
/** Whether loads of an expression lie side by side along the last of some variables, but not along the last of others. */
export const liesAlong = (x: Expr, vars: readonly LoopVar[], others: readonly LoopVar[]): boolean =>
  costOf(x, others, vars) === 2
