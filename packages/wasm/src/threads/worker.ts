/**
 * What a worker of a pool does. The function's text is all that a worker has of this package, so that no bundler or loader has to find a file for it: nothing
 * outside of it may be named in it.
 */
import type { Words } from './control.ts'

export interface WorkerData {
  readonly memory: WebAssembly.Memory
  readonly control: SharedArrayBuffer
  readonly words: Words
  readonly mostText: number
  /** Among the runners of jobs: the caller is number 0. */
  readonly runner: number
  /** How long to look for more work before going to sleep: steps of a program follow each other quickly. */
  readonly spinMilliseconds: number
}

/* istanbul ignore next */
/** Take parts of jobs as they come, for ever. */
export function serve({ memory, control, words, mostText, runner, spinMilliseconds }: WorkerData): void {
  type Part = (frame: number, arena: number, own: number, part: number) => void
  const shared = new Int32Array(control)
  const loaded = new Map<number, Record<string, WebAssembly.ExportValue>>()
  const mostLoaded = 64
  const unexpected = () => {
    throw new Error('a job called the host')
  }
  const load = (id: number, bytes: Uint8Array<ArrayBuffer>): void => {
    const clock = () => performance.timeOrigin + performance.now()
    const imports = { env: { memory, callback: unexpected, parallel: unexpected, clock }, host: Math as never }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
    loaded.set(id, exports)
    if (loaded.size > mostLoaded) loaded.delete(loaded.keys().next().value!)
  }
  const leave = (): void => {
    Atomics.sub(shared, words.active, 1)
    Atomics.notify(shared, words.active)
  }
  /** The bytes of the module, if this thread knows already that memory has grown so far. */
  const bytesOf = (): Uint8Array<ArrayBuffer> | undefined => {
    const [from, length] = [shared[words.bytes]! >>> 0, shared[words.length]!]
    const { buffer } = memory
    return from + length <= buffer.byteLength ? new Uint8Array(buffer, from, length).slice() : undefined
  }
  const runParts = (run: Part): void => {
    const [frame, arena, parts] = [shared[words.frame]!, shared[words.arena]!, shared[words.parts]!]
    const own = shared[words.runners]! + runner * shared[words.runnerBytes]!
    try {
      for (;;) {
        const part = Atomics.add(shared, words.next, 1)
        if (part >= parts) return
        run(frame, arena, own, part)
      }
    } catch (error) {
      // Nobody takes further parts.
      Atomics.store(shared, words.next, parts)
      const text = String(error).slice(0, mostText)
      for (let i = 0; i < text.length; i++) shared[words.text + i] = text.charCodeAt(i)
      Atomics.store(shared, words.failed, text.length)
    }
  }

  let seen = 0
  Atomics.add(shared, words.ready, 1)
  Atomics.notify(shared, words.ready)
  for (;;) {
    let turn = Atomics.load(shared, words.turn)
    const since = performance.now()
    while (turn === seen || turn % 2 === 0) {
      if (performance.now() - since > spinMilliseconds) {
        Atomics.add(shared, words.sleeping, 1)
        Atomics.wait(shared, words.turn, turn)
        Atomics.sub(shared, words.sleeping, 1)
      }
      turn = Atomics.load(shared, words.turn)
    }
    Atomics.add(shared, words.active, 1)
    // From here on the turn does not end without this worker, if it has not ended before.
    if (Atomics.load(shared, words.turn) === turn) {
      const id = shared[words.module]!
      const exports = loaded.get(id)
      if (exports === undefined) {
        // The caller goes on without this worker while it compiles, which may join later in the same turn.
        const bytes = bytesOf()
        leave()
        if (bytes !== undefined) load(id, bytes)
        continue
      }
      runParts(exports[`job${shared[words.job]!}`] as Part)
    }
    seen = turn
    leave()
  }
}

/** The source of a worker's script: in Node it finds its data, in a page it is sent. */
export const workerSource: string = `
var __name = (f) => f
const serve = ${serve.toString()}
const node = typeof process === 'object' ? process.getBuiltinModule?.('node:worker_threads') : undefined
if (node?.workerData) serve(node.workerData)
else onmessage = ({ data }) => serve(data)
`
