// A progress bar that is drawn by whoever reports progress, synchronously.
//
// The library cli-progress cannot do this: it redraws from a timer, which does not run while a compiled program holds the
// thread and keeps the process alive after an error, and without a terminal it draws from that timer alone.
import { formatLine } from './format.ts'

/** Where a bar is drawn: `process.stderr`, or anything like it. */
export interface ProgressStream {
  readonly write: (text: string) => unknown
  /** Whether a line can be overwritten by the next. */
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export interface ProgressBarOptions {
  /** Text before the bar. */
  readonly message?: string
  /** What is counted, in the singular: `it` by default. */
  readonly unit?: string
  readonly stream?: ProgressStream
  /** The time in seconds, from any start. */
  readonly now?: () => number
}

/** A bar that has been started. */
export interface ProgressBar {
  /** Report how many steps are done, and numbers to show after the bar; draws at most ten times a second. */
  readonly update: (done: number, metrics?: Readonly<Record<string, number>>) => void
}

const options = ['message', 'unit', 'stream', 'now']
const secondsBetweenDraws = 0.1
/** Weight of the latest step in the rate: old steps fade, so that a slow first one, which compiles, is soon forgotten. */
const smoothing = 0.3

const defaultStream = (): ProgressStream => {
  // In a page there is no process: whole lines go to the console.
  const stderr = (globalThis as { process?: { stderr?: ProgressStream } }).process?.stderr
  // oxlint-disable-next-line no-console -- the console is all there is
  return stderr ?? { write: (text) => console.info(text.trimEnd()) }
}

/**
 * Start a progress bar of `total` steps on standard error.
 *
 * On a terminal one line is redrawn in place; the cursor is never hidden and no signal is caught, so that Ctrl-C ends
 * the process at once and leaves a usable terminal. Elsewhere, as in a log file, a line is printed at each tenth.
 *
 * @throws RangeError if `total` is not a whole number of zero and more; TypeError for an unknown option.
 * @example
 * ```ts
 * import { progressBar } from '@fluxion/progress'
 * const lines: string[] = []
 * const bar = progressBar(2, { message: 'epochs', now: () => 0, stream: { write: (line: string) => lines.push(line) } })
 * bar.update(1, { loss: 0.5 })
 * lines[1] // => 'epochs:  50%|███████████████               | 1/2 [00:00<?, ? it/s, loss=0.5000]\n'
 * ```
 */
export const progressBar = (total: number, given: ProgressBarOptions = {}): ProgressBar => {
  if (!Number.isInteger(total) || total < 0) {
    throw new RangeError(`progressBar: expected a whole number of steps, zero or more, got ${total}`)
  }
  const unknown = Object.keys(given).find((key) => !options.includes(key))
  if (unknown !== undefined) {
    throw new TypeError(`progressBar: expected options among ${options.join(', ')}, got '${unknown}'`)
  }
  const { message = '', unit = 'it', stream = defaultStream(), now = () => performance.now() / 1000 } = given
  const start = now()
  let [last, lastDone, rate] = [start, 0, NaN]
  let [drawnAt, drawnTenth, drawnLength] = [-Infinity, -1, 0]
  let finished = false
  let latest: Readonly<Record<string, number>> = {}

  const draw = (done: number, time: number): void => {
    const progress = { message, done, total, elapsed: time - start, rate, unit, metrics: latest }
    if (!stream.isTTY) {
      stream.write(`${formatLine(progress, 200)}\n`)
      return
    }
    // A terminal wraps a line that fills its last column, and the next draw would then leave a copy behind.
    const line = formatLine(progress, (stream.columns ?? 80) - 1)
    stream.write(`\r${line.padEnd(Math.min(drawnLength, (stream.columns ?? 80) - 1))}${done >= total ? '\n' : ''}`)
    drawnLength = line.length
  }

  const update = (done: number, metrics?: Readonly<Record<string, number>>): void => {
    if (finished) return
    const time = now()
    latest = metrics ?? latest
    if (done > lastDone) {
      const current = (done - lastDone) / (time - last)
      if (Number.isFinite(current)) {
        rate = Number.isNaN(rate) ? current : smoothing * current + (1 - smoothing) * rate
        last = time
        lastDone = done
      }
    }
    finished = done >= total
    const tenth = total === 0 ? 10 : Math.floor((done * 10) / total)
    const due = stream.isTTY ? time - drawnAt >= secondsBetweenDraws : tenth > drawnTenth
    if (!due && !finished) return
    drawnAt = time
    drawnTenth = tenth
    draw(done, time)
  }

  update(0)
  return { update }
}
