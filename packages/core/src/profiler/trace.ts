/** The `profiler` namespace: starts and stops traces of what programs do, and when. */
import { OptionError, misuse } from '../errors.ts'
import { setting } from '../setting.ts'
import { checkPath, processHere, writeTrace } from './file.ts'
import { Recording, type Trace, recording, setRecording } from './recording.ts'

export type { Trace, TraceEvent } from './recording.ts'

/**
 * Record from now on what is traced, compiled and called, and each kernel that runs, until `stopTrace`. Kernels of WebGPU are timed by the
 * GPU where it can; on the CPU a program is compiled once more for it, with a clock before and after each kernel.
 *
 * @param path the file that `stopTrace` writes; none in a page
 * @throws OptionError if a trace runs already, or if there is a path and no files
 * @see jax.profiler.start_trace
 * @example
 * ```ts
 * import { jit, np, profiler } from 'fluxion'
 * const grow = (x) => np.tanh(x).sum()
 * profiler.startTrace()
 * jit(grow, { device: 'wasm' })(np.ones([64])).item()
 * const { traceEvents } = await profiler.stopTrace()
 * traceEvents.filter(({ cat }) => cat === 'call').map(({ name }) => name) // => ['jit(grow)']
 * traceEvents.some(({ cat, dur }) => cat === 'kernel' && dur >= 0) // => true
 * ```
 */
export function startTrace(path?: string): void {
  if (recording() !== undefined) {
    const hint = 'await profiler.stopTrace() ends the one that runs'
    throw new OptionError(misuse('startTrace', 'no other trace at the same time', 'one that runs already', hint))
  }
  checkPath('startTrace', path)
  setRecording(new Recording(path))
}

/**
 * End the trace that runs, when all that was called before is done; write its file if it has one. What comes back is in the trace event
 * format, as JSON: `chrome://tracing` and ui.perfetto.dev open it.
 *
 * @throws OptionError if none runs
 * @see jax.profiler.stop_trace
 */
export async function stopTrace(): Promise<Trace> {
  const running = recording()
  if (running === undefined) {
    throw new OptionError(misuse('stopTrace', 'a trace that runs', 'none', 'profiler.startTrace() begins one'))
  }
  try {
    await running.settle()
  } finally {
    if (recording() === running) setRecording(undefined)
  }
  const trace = running.trace()
  if (running.path !== undefined) writeTrace(running.path, trace)
  return trace
}

/**
 * Record what a function does to a file.
 *
 * @param f may be asynchronous; the trace ends when its result is there
 * @returns what `f` gives
 * @throws OptionError as `startTrace` does
 * @see jax.profiler.trace
 * @example
 * ```ts
 * import { jit, np, profiler } from 'fluxion'
 * const step = jit((x) => x.mul(2).sum())
 * const profiled = () => profiler.trace('traces/step.json', () => step(np.ones([64])))
 * ```
 */
export async function trace<R>(path: string, f: () => R | Promise<R>): Promise<R> {
  startTrace(path)
  try {
    return await f()
  } finally {
    await stopTrace()
  }
}

/** Record the whole process if `FLUXION_PROFILE` names a file: until it has nothing left to do, or exits. */
export function traceProcess(): void {
  const path = setting('FLUXION_PROFILE')
  const process = processHere()
  if (path === undefined || process === undefined || recording() !== undefined) return
  startTrace(path)
  const running = recording()!
  process.on('beforeExit', () => {
    if (recording() === running) void stopTrace()
  })
  // Nothing can be waited for any more: what a GPU still had to tell is left out.
  process.on('exit', () => {
    if (recording() !== running) return
    setRecording(undefined)
    writeTrace(path, running.trace())
  })
}
