/** Products that are small or of types without micro-kernels, as loop nests with a reduction, or with the sum written out. */
import {
  type Expr,
  LoopVar,
  type Nest,
  type Product,
  type Stmt,
  add,
  and,
  assign,
  buffersOf,
  constant,
  convert,
  i32,
  mul,
  or,
  pointsOf,
  substituting,
} from '@fluxion/compiler'

/** Sums of up to so many products are written out. */
const writtenOut = 8

export function productAsNest(product: Product): Nest {
  const { name, batch, rows, columns, inner, left, right, sum, body } = product
  const truth = sum.type === 'bool'
  const [x, y] = [convert(sum.type, left), convert(sum.type, right)]
  const term = truth ? and(x, y) : mul(x, y)
  const count = pointsOf(inner)
  const total = (): Stmt => {
    if (count === 0) return assign(sum, constant(sum.type, 0))
    if (count > writtenOut) {
      return {
        op: 'reduce',
        variables: inner.filter(({ extent }) => extent !== 1),
        accumulators: [{ into: sum, combine: truth ? 'or' : 'add', value: term }],
      }
    }
    // Sums start from zero, also the sum of one product: −0 becomes 0.
    const zero: Expr = constant(sum.type, 0)
    const terms = points(inner).map((values) => substituting(values)(term))
    return assign(sum, terms.reduce(truth ? or : add, zero))
  }
  const grid = [...batch, ...rows, ...columns]
  const nest = {
    kind: 'nest',
    name,
    grid: grid.length === 0 ? [new LoopVar('once', 1)] : grid,
    body: [total(), ...body],
  } as const
  return { ...nest, params: buffersOf(nest) }
}
/** All values that variables take together. */
function points(variables: readonly LoopVar[]): Map<LoopVar, Expr>[] {
  return variables.reduce<Map<LoopVar, Expr>[]>(
    (done, v) => done.flatMap((values) => Array.from({ length: v.extent }, (_, at) => new Map(values).set(v, i32(at)))),
    [new Map()],
  )
}
