/** An arbitrary for programs of values of any shapes and dtypes. */
import { type DType, type NDArray, evalShape, isFloat } from '@fluxion/core'
import fc from 'fast-check'
import { arrays } from '../arrays.ts'
import type { GradMode } from '../checkGrads.ts'
import { elementwise } from './elementwise.ts'
import { sizeOf } from './fitting.ts'
import { folds } from './folds.ts'
import { holdingRules } from './holding.ts'
import { indexing } from './indexing.ts'
import { movement } from './movement.ts'
import { products } from './products.ts'
import { Notes, type Rule, Scope, type Settings, type Step } from './site.ts'

const plain: readonly Rule[] = [...elementwise, ...movement, ...folds, ...indexing, ...products, ...products]
/** Every third operation of a program that may hold others does. */
const rules: readonly Rule[] = [
  ...plain,
  ...Array.from({ length: Math.round(plain.length / holdingRules.length / 2) }, () => holdingRules).flat(),
]

export interface TypedProgramOptions {
  /** Only operations that are exact on what such programs compute with, so that results are equal bit for bit however they are computed. */
  readonly exact?: boolean
  /** The dtypes that values may have; of programs that are not exact, each has one of the floats. */
  readonly dtypes?: readonly DType[]
  /** Modes in which the program must be differentiable; none by default. */
  readonly modes?: readonly GradMode[]
  /** How deep programs nest, and how many operations each has at most; 2 and 6 by default. */
  readonly depth?: number
  readonly steps?: number
  /** Sizes that shapes are made of. */
  readonly sizes?: readonly number[]
  /** The largest number of elements of a value; 3000 by default. */
  readonly limit?: number
  /** Leave out operations, by name. */
  readonly without?: readonly string[]
}
/** A program of some arrays, with its arguments. */
export interface TypedProgram {
  readonly f: (...args: NDArray[]) => NDArray[]
  readonly args: readonly NDArray[]
  readonly exact: boolean
  toString(): string
}

const allDtypes: readonly DType[] = ['float32', 'float16', 'float64', 'bfloat16', 'int32', 'uint8', 'bool']
/** Nothing, one, primes, and all remainders by the widths of vectors. */
const allSizes: readonly number[] = [1, 2, 3, 4, 5, 7, 8, 0, 13, 17, 31, 33, 64, 67]

const stepsOf = (depth: number, count: number): fc.Arbitrary<Step[]> => {
  const body = depth === 0 ? fc.constant([]) : stepsOf(depth - 1, Math.max(1, count - 2))
  const step = fc.record({
    rule: fc.nat(9999),
    choices: fc.array(fc.nat(2 ** 20), { minLength: 8, maxLength: 8 }),
    inner: depth === 0 ? fc.constant([]) : fc.tuple(body, body),
  })
  return fc.array(step, { minLength: 1, maxLength: count })
}
/** Two to four arguments, with shapes of few sizes, so that they fit each other. */
function argumentsOf(settings: Settings): fc.Arbitrary<NDArray[]> {
  const { sizes, dtypes, exact, limit } = settings
  const shapeOf = (rank: number): fc.Arbitrary<number[]> =>
    fc.array(fc.constantFrom(...sizes), { minLength: rank, maxLength: rank })
  const shape = fc
    .constantFrom(1, 2, 2, 3, 2, 0, 3)
    .chain(shapeOf)
    .map((dims) => {
      let fitting = dims
      while (sizeOf(fitting) > Math.min(limit, 700)) fitting = fitting.slice(1)
      return fitting
    })
  const dtype = fc.constantFrom(...dtypes)
  const array = fc.tuple(shape, dtype).chain(([dims, of]) => {
    const range = exact ? { min: -4, max: 4 } : { min: -1, max: 1 }
    return arrays({ shape: dims, dtype: of, dyadic: true, ...(isFloat(of) ? range : {}) })
  })
  return fc.array(array, { minLength: 2, maxLength: 4 })
}

/**
 * Programs over arrays of any shapes and dtypes, well-typed by construction: loops, conditions, custom rules, maps and derivatives nested
 * in each other, over elementwise operations, movements, folds, orders, products, and positions known at run time only. `f` is pure.
 *
 * Programs are lists of numbers that choose operations and operands among those that fit, so that any part of one is a program:
 * fast-check shrinks them.
 *
 * @example
 * ```ts
 * import fc from 'fast-check'
 * import { allClose, typedPrograms } from '@fluxion/testing'
 * import { jit } from 'fluxion'
 * const same = ({ f, args }) => allClose(jit(f)(...args), f(...args))
 * fc.assert(fc.property(typedPrograms({ depth: 1, exact: true }), same), { numRuns: 10 })
 * ```
 */
export function typedPrograms(options: TypedProgramOptions = {}): fc.Arbitrary<TypedProgram> {
  const { exact = false, dtypes = allDtypes, modes = [], depth = 2, steps = 6, sizes = allSizes } = options
  const { limit = 3000, without = [] } = options
  const allowed = rules.filter(({ name }) => !without.includes(name))
  // Few dtypes, so that values find each other; of a program that is not exact, one float beside whole numbers.
  const floats = dtypes.filter(isFloat)
  const others = exact ? [...dtypes] : dtypes.filter((dtype) => !isFloat(dtype))
  const some = fc.shuffledSubarray(others, { maxLength: Math.min(2, others.length) })
  const chosenDtypes =
    floats.length === 0
      ? some.map((list) => (list.length === 0 ? dtypes.slice(0, 1) : list))
      : fc.tuple(fc.constantFrom(...floats), some).map(([float, list]): readonly DType[] => [float, float, ...list])
  const chosenSizes = fc.array(fc.constantFrom(...sizes), { minLength: 2, maxLength: 3 })
  return fc
    .tuple(chosenDtypes, chosenSizes)
    .chain(([own, few]) => {
      const settings: Settings = { exact, dtypes: own, sizes: few, limit }
      return fc.tuple(
        fc.constant(settings),
        argumentsOf(settings),
        stepsOf(depth, steps),
        fc.integer({ min: 1, max: 3 }),
      )
    })
    .map(([settings, args, list, count]) => programOf(settings, args, list, count, allowed, modes))
}

function programOf(
  settings: Settings,
  args: readonly NDArray[],
  list: readonly Step[],
  count: number,
  allowed: readonly Rule[],
  modes: readonly GradMode[],
): TypedProgram {
  const run = (given: readonly NDArray[], notes?: Notes): NDArray[] => {
    const scope = new Scope(given, settings, allowed, modes, '', notes)
    scope.run(list)
    return scope.values.slice(-count)
  }
  const show = (): string => {
    const notes = new Notes()
    const inputs: string[] = []
    evalShape(
      (...given: NDArray[]) => {
        inputs.push(...given.map((x, i) => `${notes.name(x)} = ${String(args[i])}`))
        const outs = run(given, notes)
        notes.lines.push(`return ${outs.map((x) => notes.name(x)).join(', ')}`)
        return outs
      },
      ...args,
    )
    return [...inputs, ...notes.lines].join('\n')
  }
  return {
    f: (...given) => run(given),
    args,
    exact: settings.exact,
    toString: show,
    [fc.toStringMethod]: () => `\n${show()}\n`,
  } as TypedProgram
}
