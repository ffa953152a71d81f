/** An arbitrary for well-typed programs: loops, conditions and custom rules nested in each other, over vectors. */
import type { DType, NDArray } from '@fluxion/core'
import fc from 'fast-check'
import { arrays } from './arrays.ts'
import type { GradMode } from './checkGrads.ts'
import { type Operation, operations } from './operations.ts'

export interface ProgramOptions {
  /** Only operations with derivatives of every order, for checks of gradients. */
  readonly smooth?: boolean
  /** Only operations that are exact on multiples of 1/8, with such as arguments: results do not depend on the order of sums. */
  readonly exact?: boolean
  /** Modes in which the program must be differentiable; both by default. Fewer allow `customVjp` and `whileLoop`. */
  readonly modes?: readonly GradMode[]
  /** How deep programs nest, and how many operations each has at most; 2 and 5 by default. */
  readonly depth?: number
  readonly steps?: number
  readonly dtype?: DType
}
/** A program of two vectors of one length. */
export interface Program {
  readonly f: (x: NDArray, y: NDArray) => NDArray
  readonly args: [NDArray, NDArray]
  toString(): string
}

/** An operation by number and its operands, counted back from the last value. */
interface Step {
  readonly operation: number
  readonly operands: readonly [number, number, number]
  readonly inner: readonly Step[]
}
const stepsOf = (depth: number, count: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      operation: fc.nat(999),
      operands: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)),
      inner: depth === 0 ? fc.constant([]) : stepsOf(depth - 1, Math.max(1, count - 2)),
    }),
    { minLength: 1, maxLength: count },
  )

/** Run the steps: each adds a value to those there are. */
function run(steps: readonly Step[], allowed: readonly Operation[], x: NDArray, y: NDArray): NDArray {
  const values = [x, y]
  for (const { operation, operands, inner } of steps) {
    const chosen = choose(operation, inner, allowed)
    const [a, b, c] = operands.map((back) => values[values.length - 1 - (back % values.length)]!) as [
      NDArray,
      NDArray,
      NDArray,
    ]
    values.push(chosen.apply(a, b, c, (p, q) => run(inner, allowed, p, q)))
  }
  return values.at(-1)!
}
function choose(operation: number, inner: readonly Step[], allowed: readonly Operation[]): Operation {
  const possible = allowed.filter(({ holds }) => !holds || inner.length > 0)
  return possible[operation % possible.length]!
}
function show(steps: readonly Step[], allowed: readonly Operation[], indent: string): string {
  return steps
    .map(({ operation, operands, inner }, i) => {
      const chosen = choose(operation, inner, allowed)
      const names = operands.map((back) => `v${i + 1 - (back % (i + 2))}`).join(', ')
      const body = chosen.holds ? ` {\n${show(inner, allowed, `${indent}  `)}\n${indent}}` : ''
      return `${indent}v${i + 2} = ${chosen.name}(${names})${body}`
    })
    .join('\n')
}

/**
 * Programs of two vectors, whose values stay small; `f` is pure, so that any transformation may be applied to it.
 *
 * @example
 * ```ts
 * import fc from 'fast-check'
 * import { expectClose, programs } from '@fluxion/testing'
 * import { jit } from 'fluxion'
 * const same = ({ f, args }) => expectClose(jit(f)(...args), f(...args))
 * fc.assert(fc.property(programs({ depth: 1 }), same), { numRuns: 10 })
 * ```
 */
export function programs(options: ProgramOptions = {}): fc.Arbitrary<Program> {
  const { smooth = false, exact = false, modes = ['fwd', 'rev'], depth = 2, steps = 5, dtype = 'float32' } = options
  const allowed = operations.filter(
    (row) => (!smooth || row.smooth) && (!exact || row.exact) && modes.every((mode) => row.modes.includes(mode)),
  )
  const vectors = fc.integer({ min: 1, max: 4 }).chain((size) => {
    const vector = arrays({ shape: [size], dtype, dyadic: exact, min: exact ? -4 : -2, max: exact ? 4 : 2 })
    return fc.tuple(vector, vector)
  })
  return fc.tuple(stepsOf(depth, steps), vectors).map(([list, args]) => ({
    f: (x: NDArray, y: NDArray) => run(list, allowed, x, y),
    args,
    toString: () => `v0 = ${String(args[0])}\nv1 = ${String(args[1])}\n${show(list, allowed, '')}`,
    [fc.toStringMethod]: () => `\nv0 = ${String(args[0])}\nv1 = ${String(args[1])}\n${show(list, allowed, '')}\n`,
  }))
}
