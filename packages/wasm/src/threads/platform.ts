/** What threads need of the platform: starting workers in Node and in pages, and whether there can be any. */
import type { WorkerData } from './worker.ts'

/** A worker as a pool has it. */
export interface Helper {
  stop(): void
}
/** What is used of Node's `worker_threads`, in words of our own: whoever uses the package in a page may not have Node's types. */
interface NodeWorker {
  on(event: 'message' | 'error', listener: (value: unknown) => void): void
  on(event: 'exit', listener: (code: number) => void): void
  postMessage(message: unknown, transfer: readonly []): void
  terminate(): Promise<number>
  unref(): void
}
interface NodeThreads {
  readonly Worker: new (
    source: string,
    options: {
      readonly eval: true
      readonly workerData: unknown
      readonly execArgv?: readonly string[]
      readonly name?: string
    },
  ) => NodeWorker
}

/** Node's modules without an import, which bundlers for pages would want to resolve. */
export function nodeModule<T>(name: string): T | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  return process?.getBuiltinModule?.(name) as T | undefined
}
let threads: NodeThreads | undefined
/** Node's module for threads, where there is one. */
export const nodeThreads = (): NodeThreads | undefined => (threads ??= nodeModule('node:worker_threads'))

/** Whether memory can be shared between threads: always in Node, in pages that are cross-origin isolated. */
export const canShare = (): boolean =>
  typeof SharedArrayBuffer === 'function' &&
  (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false &&
  (nodeThreads() !== undefined || typeof Worker === 'function')

/** Milliseconds that all threads of this process have computed so far; nothing in a page. */
export function computedMilliseconds(): number | undefined {
  const { process } = globalThis as {
    process?: { cpuUsage?: () => { readonly user: number; readonly system: number } }
  }
  const used = process?.cpuUsage?.()
  return used === undefined ? undefined : (used.user + used.system) / 1000
}

/** How many threads the machine runs at once. */
export function hardwareThreads(): number {
  const os = nodeModule<{ readonly availableParallelism?: () => number }>('node:os')
  return os?.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1
}

let blocks: boolean | undefined
/** Whether this thread may wait: a page's main thread may not. */
export function canBlock(): boolean {
  if (blocks === undefined) {
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)
      blocks = true
    } catch {
      blocks = false
    }
  }
  return blocks
}

/** Start a worker that keeps no process alive; `failed` hears if it ends by itself. */
export function startHelper(source: string, data: WorkerData, failed: (why: string) => void): Helper {
  const node = nodeThreads()
  let stopped = false
  const ended = (why: string): void => {
    if (!stopped) failed(why)
  }
  if (node !== undefined) {
    const worker = new node.Worker(source, { eval: true, workerData: data, execArgv: [], name: 'fluxion' })
    worker.unref()
    worker.on('error', (error) => ended(String(error)))
    worker.on('exit', (code) => ended(`it exited with code ${code}`))
    return {
      stop() {
        stopped = true
        void worker.terminate()
      },
    }
  }
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: 'fluxion' })
  worker.addEventListener('error', ({ message }) => ended(message))
  worker.postMessage(data, [])
  return {
    stop() {
      stopped = true
      worker.terminate()
      URL.revokeObjectURL(url)
    },
  }
}
