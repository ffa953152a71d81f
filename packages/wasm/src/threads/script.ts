/** Runs a script of the user's on a thread of its own, alike in Node and in pages. */
import { DeviceError } from '@fluxion/core'
import { nodeThreads } from './platform.ts'

/** What becomes of what a script says. */
export interface ScriptOptions {
  /** Hears each message: what the script gives to `postMessage`. */
  readonly message?: (message: unknown) => void
  /** Hears of an error that the script did not catch; without it the error is the process's, or the page's. */
  readonly error?: (error: Error) => void
}
/** A script that runs on a thread of its own. */
export interface ScriptWorker {
  /** Send the script a message, which its `onmessage` hears. */
  send(message: unknown): void
  /** End the script where it is. */
  stop(): void
}

/** Gives a script in Node what one in a page has: `postMessage`, and `onmessage`, which keeps it alive as long as it is set. */
const prelude = `
const { parentPort, workerData } = require('node:worker_threads')
let hears = null
globalThis.postMessage = (message) => parentPort.postMessage(message)
Object.defineProperty(globalThis, 'onmessage', {
  get: () => hears,
  set(f) {
    hears = f
    if (f) parentPort.ref()
    else parentPort.unref()
  },
})
parentPort.on('message', (data) => hears?.({ data }))
parentPort.unref()
import(workerData)
`

/**
 * Run a script in a worker, so that the page, or the process, stays free while it computes. The script is a module that imports Fluxion like any other; it
 * speaks with `postMessage(message)` and listens with `onmessage = ({ data }) => …`, in Node too. There it may wait for what it computes, which a page's main thread may not.
 *
 * @param url where the script is: `new URL('./train.ts', import.meta.url)`
 * @throws DeviceError where there are no workers
 * @example
 * ```ts
 * import { runInWorker } from 'fluxion'
 * const script = 'data:text/javascript,postMessage(6 * 7)'
 * const answer = await new Promise((resolve) => runInWorker(script, { message: resolve }))
 * answer // => 42
 * ```
 */
export function runInWorker(url: string | URL, { message, error }: ScriptOptions = {}): ScriptWorker {
  const node = nodeThreads()
  if (node !== undefined) {
    const worker = new node.Worker(prelude, { eval: true, workerData: String(url) })
    if (message !== undefined) worker.on('message', message)
    if (error !== undefined)
      worker.on('error', (thrown) => error(thrown instanceof Error ? thrown : new Error(String(thrown))))
    return { send: (data) => worker.postMessage(data, []), stop: () => void worker.terminate() }
  }
  if (typeof Worker !== 'function') throw new DeviceError('runInWorker: there are no workers here')
  const worker = new Worker(url, { type: 'module' })
  if (message !== undefined) worker.addEventListener('message', ({ data }) => message(data))
  if (error !== undefined)
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      error(new Error(event.message))
    })
  return { send: (data) => worker.postMessage(data, []), stop: () => worker.terminate() }
}
