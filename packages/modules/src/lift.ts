/** Loops inside of transformed functions: parameters are made before the loop, state and keys travel in its carry. */
import { type NDArray, lax, np, tree } from '@fluxion/core'
import { type Frame, currentFrame, nameRewinder } from './frame.ts'

/** State and keys of the frame, as a tree for the carry. */
const save = (frame: Frame): unknown => [
  Object.fromEntries(
    Object.entries(frame.state).map(([module, entries]) => [
      module,
      Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, entry.current])),
    ]),
  ),
  frame.rng?.state ?? null,
]
function restore(frame: Frame, saved: unknown): void {
  const [state, keys] = saved as [Record<string, Record<string, NDArray>>, readonly NDArray[] | null]
  for (const [module, entries] of Object.entries(state)) {
    for (const [name, value] of Object.entries(entries)) frame.state[module]![name]!.current = value
  }
  if (keys !== null && frame.rng !== undefined) frame.rng.state = keys
}

/** A tree with bare numbers made into arrays as loops make them: the carry of a loop that has no steps. */
const asCarry = (given: unknown): unknown =>
  lax.scan(((carry: unknown) => [carry, null]) as never, given as never, null as never, { length: 0 })[0]

type Step = (carry: unknown, x: unknown) => readonly [unknown, unknown]
/**
 * `lax.scan` for bodies that use modules: parameters are made outside of the loop, by a first step that runs by itself while `init` runs;
 * state and random keys travel in the loop's carry. Modules that the body makes are shared by all steps.
 *
 * @throws ModuleError outside of a transformed function
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * const sums = hk.transform((xs) => hk.scan((sum, x) => [sum.add(hk.linear(1)(x)), null], np.zeros([1]), xs)[0])
 * Object.keys(sums.init(random.key(0), np.ones([5, 2]))) // => ['linear']
 * ```
 */
export const scan: typeof lax.scan = scanModules as never
function scanModules(
  body: Step,
  init: unknown,
  xs: unknown,
  options: { length?: number; reverse?: boolean; unroll?: number | boolean } = {},
): [unknown, unknown] {
  const frame = currentFrame('hk.scan')
  // Modules that the body makes are the same ones in every step, however often it is traced.
  const rewind = nameRewinder('hk.scan')
  const f: Step = (carry, x) => {
    rewind()
    return body(carry, x)
  }
  const length = options.length ?? tree.leaves(xs)[0]?.shape[0] ?? 0
  if (!frame.initialising) return scanWithState(frame, f, init, xs, options)
  if (length === 0) {
    // No step would run, but the parameters of one are wanted.
    const before = save(frame)
    f(
      asCarry(init),
      tree.map((leaf: NDArray) => np.zeros(leaf.shape.slice(1), { dtype: leaf.dtype }), xs as NDArray),
    )
    restore(frame, before)
    return scanWithState(frame, f, init, xs, options)
  }

  const reverse = options.reverse === true
  const pick = (from: number, to: number): unknown =>
    tree.map((leaf: NDArray) => leaf.get(`${from}:${to}`), xs as NDArray)
  const first = tree.map((leaf: NDArray) => leaf.get(reverse ? length - 1 : 0), xs as NDArray)
  const [carry, y] = f(asCarry(init), first).map(asCarry)
  const asRow = tree.map((leaf: NDArray) => leaf.reshape([1, ...leaf.shape]), y as NDArray)
  if (length === 1) return [carry, asRow]
  const rest = { ...options, length: length - 1 }
  const [last, ys] = scanWithState(frame, f, carry, reverse ? pick(0, length - 1) : pick(1, length), rest)
  const joined = tree.map(
    (a: NDArray, b: NDArray) => lax.concatenate(reverse ? [b, a] : [a, b], 0),
    asRow,
    ys as NDArray,
  )
  return [last, joined]
}
function scanWithState(frame: Frame, f: Step, init: unknown, xs: unknown, options: object): [unknown, unknown] {
  const body = ([carry, inner]: readonly [unknown, unknown], x: unknown): unknown => {
    restore(frame, inner)
    const [next, y] = f(carry, x)
    return [[next, save(frame)], y]
  }
  const before = save(frame)
  try {
    const [[carry, after], ys] = lax.scan(body as never, [init, before] as never, xs as never, options) as unknown as [
      [unknown, unknown],
      unknown,
    ]
    restore(frame, after)
    return [carry, ys]
  } catch (error) {
    restore(frame, before)
    throw error
  }
}
