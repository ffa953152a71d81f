/** Recurrent cores: stacks of them, and running them over time. */
import { type NDArray, ShapeError, TreeError, checkOptions, lax, misuse, np, showAval, tree } from '@fluxion/core'
import { insideTransform } from './frame.ts'
import { type AnyCore, type Core, module } from './module.ts'
import { scan } from './lift.ts'

export type Layer = ((x: NDArray) => NDArray) | AnyCore
/** States of the cores among the layers, in order; layers built in a loop (no tuple) give a plain list. */
export type States<L extends readonly unknown[]> = number extends L['length']
  ? NDArray[]
  : L extends readonly [infer H, ...infer T]
    ? H extends { initialState(batch: number | null): infer S }
      ? [S, ...States<T>]
      : States<T>
    : []

const isCore = (layer: Layer): layer is AnyCore => 'initialState' in layer

/**
 * Stack cores and stateless functions into one core, whose state is the list of the cores' states.
 *
 * @param layers cores (neurons, `lstm`), modules and functions, applied in order
 */
export const deepRNN: <const L extends readonly Layer[]>(layers: L, options?: { name?: string }) => Core<States<L>> =
  module('deep_rnn', (layers: readonly Layer[], options: { name?: string } = {}) => {
    checkOptions('deepRNN', options, ['name'])
    const cores = layers.filter(isCore)
    return {
      call(x: NDArray, state: readonly unknown[]): readonly [NDArray, unknown[]] {
        if (!Array.isArray(state) || state.length !== cores.length) {
          const got = Array.isArray(state) ? `a list of ${state.length}` : typeof state
          throw new TreeError(
            misuse(
              'deepRNN',
              `a list of ${cores.length} states, one for each core`,
              got,
              'start from initialState of this stack',
            ),
          )
        }
        const next: unknown[] = []
        let value = x
        for (const layer of layers) {
          if (!isCore(layer)) {
            value = layer(value)
            continue
          }
          const [out, own] = layer(value, state[next.length] as never)
          next.push(own)
          value = out
        }
        return [value, next]
      },
      initialState: (batch: number | null): unknown[] => cores.map((layer) => layer.initialState(batch)),
    }
  }) as never

export interface StaticUnrollOptions {
  /** The input's first axis is time (the default); else the second, after the batch. */
  timeMajor?: boolean
}
export interface UnrollOptions extends StaticUnrollOptions {
  /** Run from the last step to the first. */
  reverse?: boolean
  /** How many steps the compiler lays out at once (`true`: all): a hint, which changes no result. */
  unroll?: number | boolean
}
type AnyStep<S> = (x: NDArray, state: S) => readonly [NDArray, S]

const swap = <T>(x: T): T => tree.map((leaf: NDArray) => np.swapaxes(leaf, 0, 1), x as NDArray) as T
function checkTime(where: string, xs: NDArray, timeMajor: boolean): void {
  if (xs.ndim < (timeMajor ? 1 : 2))
    throw new ShapeError(
      `${where}: expected an input with ${timeMajor ? 'a time axis' : 'axes for batch and time'}, got ${showAval(xs.aval)}`,
    )
}

/**
 * Run a core over time as a compiled loop.
 *
 * @param xs f[time, batch, ...], or with `timeMajor: false` f[batch, time, ...]
 * @returns outputs in the same layout, and the last state; with `returnAllStates`, the states of all steps
 */
export function dynamicUnroll<S>(
  core: AnyStep<S>,
  xs: NDArray,
  initial: NoInfer<S>,
  options: UnrollOptions & { returnAllStates?: boolean } = {},
): [NDArray, S] {
  checkOptions('dynamicUnroll', options, ['timeMajor', 'reverse', 'unroll', 'returnAllStates'])
  const { timeMajor = true, reverse = false, unroll = 1, returnAllStates = false } = options
  checkTime('dynamicUnroll', xs, timeMajor)
  const step = (state: S, x: NDArray): readonly [S, unknown] => {
    const [y, next] = core(x, state)
    return [next, returnAllStates ? [y, next] : y]
  }
  const run = insideTransform() ? scan : lax.scan
  const [last, ys] = run(step as never, initial as never, (timeMajor ? xs : swap(xs)) as never, {
    reverse,
    unroll,
  }) as [S, unknown]
  const outs = timeMajor ? ys : swap(ys)
  return returnAllStates ? (outs as [NDArray, S]) : [outs as NDArray, last]
}

/** The same as a JavaScript loop: each step becomes part of the program by itself. */
export function staticUnroll<S>(
  core: AnyStep<S>,
  xs: NDArray,
  initial: NoInfer<S>,
  options: StaticUnrollOptions = {},
): [NDArray, S] {
  checkOptions('staticUnroll', options, ['timeMajor'])
  const { timeMajor = true } = options
  checkTime('staticUnroll', xs, timeMajor)
  const axis = timeMajor ? 0 : 1
  const outs: NDArray[] = []
  let state: S = initial
  for (let t = 0; t < xs.shape[axis]!; t++) {
    const [y, next] = core(timeMajor ? xs.get(t) : xs.get(':', t), state)
    outs.push(y)
    state = next
  }
  return [np.stack(outs, { axis }), state]
}
