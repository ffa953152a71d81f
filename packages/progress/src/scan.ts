// A progress bar over the steps of a scan, drawn from inside the compiled program.
import { checkOptions, debug, type NDArray, type Tree } from '@fluxion/core'
import { type ProgressBar, type ProgressStream, progressBar } from './bar.ts'

export interface ScanProgressOptions<Y> {
  /** Text before the bar. */
  message?: string
  /** Numbers to show after the bar, from the body's output of each step: a record of scalars. */
  metrics?: (y: Y) => Readonly<Record<string, NDArray>>
  /** Where to draw; by default `process.stderr`. */
  stream?: ProgressStream
}

/**
 * Wrap the body of a scan over `np.arange(n)`, or over a list that begins with it, so that a bar shows how far it is. The body computes
 * what it computed before; the bar is drawn in order, from callbacks that cost the program nothing else.
 *
 * @param n the number of steps
 * @returns a function from a body `(carry, x) => [carry, y]` to such a body
 * @example
 * ```ts
 * import { lax, np } from 'fluxion'
 * import { scanProgress } from '@fluxion/progress'
 * const body = scanProgress(3, { stream: { write: () => true } })((sum, i) => [sum.add(i), sum])
 * lax.scan(body, 0, np.arange(3))[0].item() // => 3
 * ```
 */
export function scanProgress<Metrics extends Tree = Tree>(
  n: number,
  options: ScanProgressOptions<Metrics> = {},
): <C extends Tree, X extends NDArray | readonly [NDArray, ...unknown[]], Y extends Tree>(
  body: (carry: C, x: X) => readonly [C, Y],
) => (carry: C, x: X) => [C, Y] {
  checkOptions('scanProgress', options, ['message', 'metrics', 'stream'])
  const { message, metrics, stream } = options
  // A compiled program may run many times: each run starts a bar of its own.
  let bar: ProgressBar | undefined
  const start = (step: NDArray): void => {
    if (step.item() === 0 || bar === undefined)
      bar = progressBar(n, {
        ...(message === undefined ? {} : { message }),
        ...(stream === undefined ? {} : { stream }),
      })
  }
  const update = (step: NDArray, values: Readonly<Record<string, NDArray>>): void => {
    bar?.update(
      step.item() + 1,
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.item()])),
    )
  }
  return (body) => (carry, x) => {
    const step: NDArray = Array.isArray(x) ? x[0] : (x as NDArray)
    debug.callback(start, step)
    const [next, y] = body(carry, x)
    debug.callback(update, step, metrics === undefined ? {} : metrics(y as unknown as Metrics))
    return [next, y]
  }
}
