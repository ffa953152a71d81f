/** How long a nest takes, roughly: so that no call of a hot function lasts much longer than a millisecond. */
import { type Nest, type Stmt, expressionsOf, pointsOf, walk } from '@fluxion/compiler'

/** Nanoseconds for one operation of one element, vectors and loads taken together. */
const perOperation = 0.4
const longestCall = 1e6

function operationsOf(body: readonly Stmt[]): number {
  let total = 0
  for (const statement of body) {
    let own = 1
    const seen = new Set<never>()
    for (const x of expressionsOf(statement)) {
      walk(
        x,
        ({ op }) =>
          (own += op === 'const' || op === 'var' || op === 'local' ? 0 : op === 'host' || op === 'call' ? 50 : 1),
        seen,
      )
    }
    switch (statement.op) {
      case 'for':
        own += statement.variable.extent * operationsOf(statement.body)
        break
      case 'while':
        own += 16 * operationsOf(statement.body)
        break
      case 'if':
        own += operationsOf(statement.yes) + operationsOf(statement.no)
        break
      case 'reduce':
        own *= pointsOf(statement.variables)
        break
      default:
    }
    total += own
  }
  return total
}

/** How long all of a nest takes. */
export const nanosecondsOf = ({ grid, body }: Nest): number => perOperation * pointsOf(grid) * operationsOf(body)
/** How many turns of a nest's outermost loop make a call. */
export function turnsPerCall({ grid, body }: Nest): number {
  const inner = pointsOf(grid.slice(1))
  return Math.max(1, Math.floor(longestCall / (perOperation * Math.max(1, inner * operationsOf(body)))))
}
