/** Loops inside of transformed functions: parameters are made before the loop, state and keys travel in its carry. */
import { type NDArray, lax, tree } from '@fluxion/core'
import { type Frame, currentFrame } from './frame.ts'

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

type Step = (carry: unknown, x: unknown) => readonly [unknown, unknown]
/**
 * `lax.scan` for bodies that use modules. While parameters are made, the first step runs by itself, so that they are made outside of
 * the loop.
 */
export function scan(
  f: Step,
  init: unknown,
  xs: unknown,
  options: { length?: number; reverse?: boolean; unroll?: number | boolean } = {},
): [unknown, unknown] {
  const frame = currentFrame('hk.scan')
  const length = options.length ?? tree.leaves(xs)[0]?.shape[0] ?? 0
  if (!frame.initialising || length === 0) return scanWithState(frame, f, init, xs, options)

  const reverse = options.reverse === true
  const pick = (from: number, to: number): unknown =>
    tree.map((leaf: NDArray) => leaf.get(`${from}:${to}`), xs as NDArray)
  const first = tree.map((leaf: NDArray) => leaf.get(reverse ? length - 1 : 0), xs as NDArray)
  const [carry, y] = f(init, first)
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
