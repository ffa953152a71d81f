/** The WebAssembly back end, as the core sees it. */
import { type Target, type TileLimits, compile, operationKey, operationProgram, showStage } from '@fluxion/compiler'
import {
  type Backend,
  DeviceError,
  type DeviceInfo,
  type DeviceProvider,
  type Executable,
  type HostArray,
  runnable,
} from '@fluxion/core'
import { WasmBuffer } from './buffer.ts'
import { type Machine, makeExecutable, printProgram } from './driver/executable.ts'
import { features } from './features.ts'
import { Heap, type HeapOptions, Resident } from './heap/heap.ts'
import { canShare } from './threads/platform.ts'
import { Threads, threadCount } from './threads/threads.ts'
import { printWat } from './wat.ts'

export interface WasmOptions extends HeapOptions {
  /** Whether to use relaxed SIMD; by default if the engine has it. */
  readonly relaxed?: boolean
  /** How many threads programs run on; by default as many as `setThreads` says. */
  readonly threads?: number
  /** Threads share what takes so many nanoseconds, roughly; by default 200,000. Results depend on it, as sums depend on the order. */
  readonly shareFrom?: number
  /** From where on, and how large, parts of programs run in tiles; by default as caches want it. Results depend on it likewise. */
  readonly tiles?: TileLimits
}
/** So many programs of single operations are remembered; the one least recently used is forgotten first. */
const operations = 2048

/** In as many nanoseconds an operation on an element is done, roughly. */
const perOperation = 0.4

/**
 * Make a back end with a heap of its own.
 *
 * @throws DeviceError if the engine has no SIMD
 * @example
 * ```ts
 * import { createWasm } from '@fluxion/wasm'
 * import { backend, np, setBackend } from 'fluxion'
 * const before = backend()
 * setBackend(createWasm({ budget: 2 ** 24 })) // 16 MiB, then values move out
 * np.ones([2]).add(1).toArray() // => [2, 2]
 * setBackend(before)
 * ```
 */
export function createWasm(options: WasmOptions = {}): Backend {
  return makeWasm(options).backend
}
interface Opened {
  readonly backend: Backend
  /** Start the workers, and wait until they run. */
  readonly ready: () => Promise<void>
}
function makeWasm(options: WasmOptions = {}): Opened {
  if (!features().simd) {
    throw new DeviceError(
      "wasm: this engine has no WebAssembly SIMD\nhint: update it, or use the reference back end: await setDevice('reference')",
    )
  }
  const heap = new Heap(options)
  const { shareFrom, tiles } = options
  const groups = shareFrom === undefined ? {} : { groups: { work: shareFrom / perOperation } }
  const target: Target = { name: 'wasm', parallel: false, host: true, ...groups, ...(tiles && { tiles }) }
  const eager = new Map<string, Executable>()
  let lastKey = ''
  const backend: Backend = {
    name: 'wasm',
    put: ({ dtype, data }) => new WasmBuffer(backend, heap, new Resident(dtype, data.length, data)),
    apply(primitive, inputs, inAvals, outAvals, params) {
      // A function of the user's is called at once: there is nothing to compile, and each would be another program.
      if ('callback' in params) {
        const row = runnable(primitive)
        const args = inputs.map((buffer, i) => ({ ...inAvals[i]!, data: buffer.read() }))
        return row.reference(args, params, outAvals, machine.run).map((result) => backend.put(result))
      }
      const key = operationKey(primitive, inAvals, params)
      let found = eager.get(key)
      if (found === undefined)
        found = makeExecutable(machine, compile(operationProgram(primitive, inAvals, outAvals, params), target))
      // The order of the map is that of last use.
      if (key !== lastKey) {
        eager.delete(key)
        eager.set(key, found)
        if (eager.size > operations) eager.delete(eager.keys().next().value!)
        lastKey = key
      }
      return found(inputs)
    },
    compile: (program, name, donated) => makeExecutable(machine, compile(program, target, name), donated),
    show: (program, stage) =>
      stage === 'wat'
        ? printWat(printProgram(compile(program, target), machine).module)
        : showStage(program, stage, target),
  }
  const run: Machine['run'] = (program, args) =>
    backend
      .compile(program)(args.map((arg) => backend.put(arg)))
      .map((buffer, i): HostArray => {
        const { shape, dtype } = program.jaxpr.outputs[i]!.aval
        return { shape, dtype, data: buffer.read() }
      })
  const threads = new Threads(heap.memory, options.threads)
  const machine: Machine = { backend, heap, threads, shareFrom, relaxed: options.relaxed ?? features().relaxed, run }
  return { backend, ready: () => threads.ready() }
}

let opened: Opened | undefined
const open = (): Opened => (opened ??= makeWasm())
/** The back end that operations run on by default. */
export const wasm = (): Backend => open().backend

/**
 * Start the workers that programs on the CPU share with the calling thread, and wait until they run. Programs do not need it: workers start with the first program
 * that has work for them, and join in when they run. In a page they can start only while its script waits for something, such as this.
 *
 * @throws DeviceError if a worker cannot start
 * @example
 * ```ts
 * import { jit, np, ready } from 'fluxion'
 * await ready()
 * jit((x) => x.matmul(x))(np.ones([2, 2])).toArray() // => [[2, 2], [2, 2]]
 * ```
 */
export const ready = (): Promise<void> => open().ready()

export const wasmDevice: DeviceProvider = {
  name: 'wasm',
  open: async () => wasm(),
  opened: () => (features().simd ? wasm() : undefined),
  async describe(): Promise<DeviceInfo> {
    const { simd, relaxed } = features()
    const threads = canShare()
    const names = [simd ? 'simd' : undefined, relaxed ? 'relaxed-simd' : undefined, threads ? 'threads' : undefined]
    return {
      name: 'wasm',
      available: simd,
      ...(simd ? {} : { why: 'the engine has no WebAssembly SIMD' }),
      description: 'WebAssembly',
      features: names.filter((name) => name !== undefined),
      limits: { memoryBytes: 2 ** 32, threads: threads ? threadCount() : 1 },
    }
  },
}
