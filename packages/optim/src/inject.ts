/** Hyperparameters in the state of an optimiser, where they can be read and changed between steps. */
import { type DType, NDArray, checkOptions, isFloat, np, promote, tree } from '@fluxion/core'
import type { Scalar } from './scalars.ts'
import {
  type CountState,
  type Rate,
  type Schedule,
  type Transformation,
  safeIncrement,
  zeroCount,
} from './transformation.ts'

export interface InjectHyperparamsState<S = unknown> {
  readonly count: NDArray // i32[]
  /** The values that the next step would use, or for schedules the last step did; each f32[]. */
  readonly hyperparams: Readonly<Record<string, NDArray>>
  /** The count of each hyperparameter that is a schedule. */
  readonly hyperparamsStates: Readonly<Record<string, CountState>>
  readonly innerState: S
}
export interface InjectOptions {
  /** Names of hyperparameters that are left alone, such as functions that are no schedules. */
  staticArgs?: readonly string[]
  /** The dtype of hyperparameters; else the widest float of the parameters. */
  hyperparamDtype?: DType
}
type Values = Readonly<Record<string, unknown>>
const only = <T>(given: Values, test: (value: unknown, name: string) => boolean): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(given).filter(([name, value]) => test(value, name))) as Readonly<Record<string, T>>
const mapValues = <A, B>(
  given: Readonly<Record<string, A>>,
  f: (value: A, name: string) => B,
): Readonly<Record<string, B>> =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, f(value, name)]))

/** Bare numbers and weak floats take the dtype of the parameters; other arrays keep theirs. */
const inDtype = (value: Scalar, dtype: DType): NDArray => {
  const x = np.asarray(value)
  return x.weakType && isFloat(x.dtype) ? np.array(x, { dtype }) : x
}
function widestFloat(params: unknown): DType {
  const floats = tree
    .leaves(params)
    .map((leaf) => np.asarray(leaf))
    .filter(({ dtype }) => isFloat(dtype))
  return floats.length === 0 ? 'float32' : promote(floats).dtype
}

/** Options in which schedules and arrays may stand where numbers do. */
export type Injectable<O> = { [K in keyof O]: number extends O[K] ? O[K] | Rate : O[K] }

/**
 * Keep the hyperparameters of an optimiser in its state: numbers and schedules become arrays, which can be logged, or replaced between
 * steps without compiling anew; those that are not given keep their defaults and are not in the state. Booleans, strings and what
 * `staticArgs` names stay as they are; any other function is a schedule.
 *
 * @param factory makes the optimiser of a learning rate and options, as `adam` does
 * @returns a function of the learning rate and the options in one object
 * @example
 * ```ts
 * import { np } from 'fluxion'
 * import { injectHyperparams, sgd } from '@fluxion/optim'
 * const optimiser = injectHyperparams(sgd)({ learningRate: 0.5 })
 * const state = optimiser.init(np.array([0]))
 * state.hyperparams // => { learningRate: 0.5 }
 * const changed = { ...state, hyperparams: { learningRate: np.array(0.25) } }
 * optimiser.update(np.array([8]), changed)[0] // => [-2]
 * ```
 */
export function injectHyperparams<O extends object, S>(
  factory: (learningRate: Rate, options?: O) => Transformation<S>,
  options: InjectOptions = {},
): (hyperparams: { learningRate: Rate } & Injectable<O>) => Transformation<InjectHyperparamsState<S>> {
  checkOptions('injectHyperparams', options, ['staticArgs', 'hyperparamDtype'])
  const { staticArgs = [], hyperparamDtype } = options
  return (given) => {
    const isStatic = (name: string): boolean => staticArgs.includes(name)
    const isNumeric = (value: unknown, name: string): boolean =>
      !isStatic(name) && (typeof value === 'number' || value instanceof NDArray)
    const isSchedule = (value: unknown, name: string): boolean => !isStatic(name) && typeof value === 'function'
    const values: Values = { ...given }
    const numbers = only<Scalar>(values, isNumeric)
    const schedules = only<Schedule>(values, isSchedule)
    const others = only<unknown>(values, (value, name) => !isNumeric(value, name) && !isSchedule(value, name))
    const make = (hyperparams: Readonly<Record<string, NDArray>>): Transformation<S> => {
      const { learningRate, ...rest } = { ...others, ...hyperparams } as { learningRate: Rate }
      return factory(learningRate, rest as O)
    }
    return {
      init(params) {
        const dtype = hyperparamDtype ?? widestFloat(params)
        const count = zeroCount()
        const hyperparams = {
          ...mapValues(numbers, (value) => inDtype(value, dtype)),
          ...mapValues(schedules, (schedule) => inDtype(schedule(count), dtype)),
        }
        return {
          count,
          hyperparams,
          hyperparamsStates: mapValues(schedules, () => ({ count })),
          innerState: make(hyperparams).init(params),
        }
      },
      update(grads, state, params) {
        const hyperparams = {
          ...state.hyperparams,
          ...mapValues(schedules, (schedule, name) =>
            inDtype(schedule(state.hyperparamsStates[name]!.count), state.hyperparams[name]!.dtype),
          ),
        }
        const [updates, innerState] = make(hyperparams).update(grads, state.innerState, params)
        const hyperparamsStates = mapValues(state.hyperparamsStates, ({ count }) => ({ count: safeIncrement(count) }))
        return [updates, { count: safeIncrement(state.count), hyperparams, hyperparamsStates, innerState }]
      },
    }
  }
}
