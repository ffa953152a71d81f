/** What is recorded while a trace runs: spans of time on tracks, which devices add to, and the JSON that trace viewers open. */

/** A row of the viewer: a thread of a process, or the kernels of a device. */
export interface Track {
  readonly process: string
  readonly thread: string
}
/** Something that took time, from `start` to `end` in milliseconds of this process's `performance.now()`. */
export interface TimeSpan {
  readonly name: string
  readonly category: 'trace' | 'compile' | 'call' | 'kernel'
  readonly start: number
  readonly end: number
  /** The thread of the caller, if not said otherwise. */
  readonly track?: Track
  readonly args?: Readonly<Record<string, number | string>>
}

/** An event of the trace event format: a span (`X`), with times in microseconds, or the name of a track (`M`). */
export interface TraceEvent {
  readonly name: string
  readonly ph: 'X' | 'M'
  readonly pid: number
  readonly tid: number
  readonly cat?: TimeSpan['category']
  readonly ts?: number
  readonly dur?: number
  readonly args?: Readonly<Record<string, number | string>>
}
export interface Trace {
  readonly traceEvents: readonly TraceEvent[]
  readonly displayTimeUnit: 'ms'
  /** Spans that came when there were as many as are kept. */
  readonly otherData: { readonly dropped: number }
}
/** As many spans are kept, the first ones: viewers open no more. */
const mostSpans = 2 ** 20

export const mainTrack: Track = { process: 'host', thread: 'main' }

export class Recording {
  readonly path: string | undefined
  readonly #start: number = performance.now()
  readonly #spans: TimeSpan[] = []
  #dropped = 0
  readonly #hooks = new Map<object, () => Promise<void>>()

  constructor(path: string | undefined) {
    this.path = path
  }
  add(span: TimeSpan): void {
    if (this.#spans.length < mostSpans) this.#spans.push(span)
    else this.#dropped++
  }
  /** Run something before the trace ends, once for each owner: a device waits for what runs on it, and adds its spans. */
  beforeEnd(owner: object, hook: () => Promise<void>): void {
    this.#hooks.set(owner, hook)
  }
  /** Let everyone add what they still have. */
  async settle(): Promise<void> {
    await Promise.all([...this.#hooks.values()].map((hook) => hook()))
  }
  trace(): Trace {
    const processes: string[] = []
    const threads: string[] = []
    const names: TraceEvent[] = []
    const numbersOf = ({ process, thread }: Track): { readonly pid: number; readonly tid: number } => {
      const numberIn = (list: string[], name: string): number => {
        const known = list.indexOf(name)
        return known < 0 ? list.push(name) : known + 1
      }
      const [processesBefore, threadsBefore] = [processes.length, threads.length]
      const pid = numberIn(processes, process)
      const tid = numberIn(threads, `${process}\n${thread}`)
      if (processes.length > processesBefore)
        names.push({ name: 'process_name', ph: 'M', pid, tid, args: { name: process } })
      if (threads.length > threadsBefore) names.push({ name: 'thread_name', ph: 'M', pid, tid, args: { name: thread } })
      return { pid, tid }
    }
    const events = this.#spans.map(({ name, category, start, end, track = mainTrack, args }): TraceEvent => {
      const [from, to] = [microseconds(start - this.#start), microseconds(end - this.#start)]
      const times = { ts: from, dur: Math.max(0, to - from) }
      return { name, ph: 'X', cat: category, ...numbersOf(track), ...times, ...(args === undefined ? {} : { args }) }
    })
    // A viewer nests what begins together by the order in which it comes: the longest first.
    events.sort((a, b) => a.ts! - b.ts! || b.dur! - a.dur!)
    return { traceEvents: [...names, ...events], displayTimeUnit: 'ms', otherData: { dropped: this.#dropped } }
  }
}
/** Of milliseconds, in whole nanoseconds: no clock has finer ones. */
const microseconds = (milliseconds: number): number => Math.round(1e6 * milliseconds) / 1e3

let current: Recording | undefined
/** The recording, while a trace runs. */
export const recording = (): Recording | undefined => current
export const setRecording = (next: Recording | undefined): void => {
  current = next
}
/** Run `f`, and record how long it took if a trace runs. */
export function recorded<T>(span: Pick<TimeSpan, 'name' | 'category' | 'args'>, f: () => T): T {
  if (current === undefined) return f()
  const start = performance.now()
  try {
    return f()
  } finally {
    current?.add({ ...span, start, end: performance.now() })
  }
}
