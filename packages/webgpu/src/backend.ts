/** The WebGPU back end, as the core sees it: calls return handles at once, and run in order behind them. */
import {
  type Program,
  type Slot,
  type Target,
  compile,
  operationKey,
  operationProgram,
  reuseDonated,
  showProgram,
  showStage,
} from '@fluxion/compiler'
import {
  type Backend,
  type Buffer,
  ConcreteArray,
  DeviceError,
  type DType,
  type Executable,
  type Recording,
  type TypedArray,
  backend as chosen,
  cpuBackend,
  recording,
  setBackend,
  runnable,
} from '@fluxion/core'
import { renameSlots } from './plan/bindings.ts'
import { type Device, deviceError } from './device/device.ts'
import { Driver, type Work } from './run/driver.ts'
import { decode } from './memory/elements.ts'
import { Pipelines } from './run/pipelines.ts'
import { type Plan, planProgram } from './plan/plan.ts'
import { Pool } from './memory/pool.ts'
import { Pressure } from './memory/pressure.ts'
import { Recorder } from './run/recorder.ts'
import { type Machine, Run } from './run/run.ts'
import { Storage, WebGpuBuffer } from './memory/storage.ts'
import { Timestamps } from './run/timestamps.ts'

const target: Target = { name: 'webgpu', parallel: true, host: false }
/** So many programs of single operations are remembered; the one least recently used is forgotten first. */
const operations = 2048

/** A back end on a device, with what its tests look at. */
export interface WebGpu extends Backend {
  readonly name: 'webgpu'
  readonly device: Device
  readonly pool: Pool
  readonly pipelines: Pipelines
  /** Run a program of the compiler's. */
  execute(program: Program): Executable
}

/** @param budget bytes that may be in use before calls wait for the garbage collector */
export function createWebGpu(device: Device, budget?: number): WebGpu {
  const pool = new Pool(device)
  const pipelines = new Pipelines(device)
  const timestamps = new Timestamps(device)
  const recorder = new Recorder(device, pipelines, timestamps)
  const driver = new Driver(device, recorder, new Pressure(pool, budget))

  const readBack: Machine['readBack'] = async (buffer, offset, bytes) => {
    const { gpu } = device
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
    gpu.pushErrorScope('out-of-memory')
    const staging = gpu.createBuffer({ size: bytes, usage, label: 'staging' })
    const full = gpu.popErrorScope().catch(() => null)
    try {
      recorder.copy(buffer, offset, staging, 0, bytes)
      await recorder.submitted
      await device.wait(staging.mapAsync(GPUMapMode.READ))
      return staging.getMappedRange().slice(0)
    } catch (error) {
      const why = await full
      throw why === null ? error : deviceError(`webgpu: reading ${bytes} bytes`, why)
    } finally {
      staging.destroy()
    }
  }
  /** In order behind all calls before. */
  const readStorage = async (storage: Storage): Promise<TypedArray> => {
    storage.use()
    try {
      // eslint-disable-next-line require-yield -- there is nothing to wait for but its turn
      const bytes = await driver.result(function* () {
        const { checked, gpu } = storage
        const data = readBack(gpu, 0, storage.bytes)
        data.catch(() => {})
        return (async () => {
          // What went wrong says more than that the elements cannot be read.
          await checked
          return data
        })()
      })
      return decode(storage.dtype, await bytes, storage.length)
    } finally {
      storage.drop()
    }
  }
  /** Wait for all that was called before, and hand on how long it took. */
  const timed = async (trace: Recording): Promise<void> => {
    // eslint-disable-next-line require-yield -- there is nothing to wait for but its turn
    const turn = driver.result(function* () {
      recorder.flush()
    })
    await turn.catch(() => {})
    await timestamps.collect(trace)
  }
  const onHost: Machine['onHost'] = (f) => {
    const before = chosen()
    setBackend(cpuBackend())
    try {
      return f()
    } finally {
      setBackend(before)
    }
  }
  const machine: Machine = { device, pool, recorder, readBack, onHost }

  const handle = (storage: Storage): WebGpuBuffer => new WebGpuBuffer(backend, storage, readStorage)
  const upload = (dtype: DType, data: TypedArray): Storage => new Storage(device, pool, dtype, data.length, data)
  const storageOf = (buffer: Buffer, dtype: DType): Storage =>
    buffer instanceof WebGpuBuffer && buffer.backend === backend ? buffer.storage : upload(dtype, buffer.read())

  function execute(compiled: Program, donated: readonly number[] = []): Executable {
    device.check()
    // A result that takes the memory of a donated input is that input, written over.
    const reused = donated.length === 0 ? new Map<Slot, Slot>() : reuseDonated(compiled, donated)
    const program = renameSlots(compiled, reused)
    const overwritten = new Set(reused.values())
    const plan = planProgram(program, device, pipelines)
    const captured = program.captured.map(({ slot, value }) => {
      if (!(value instanceof ConcreteArray))
        throw new DeviceError('a program that runs has captured an array without a value')
      // The handle lives as long as the program does, and holds the elements.
      return handle(storageOf(value.buffer, slot.dtype))
    })
    let isReady = false
    let words: GPUBuffer | undefined
    return (inputs) => {
      device.check()
      const trace = recording()
      trace?.beforeEnd(device, () => timed(trace))
      const storages = new Map<Slot, Storage>()
      program.inputs.forEach((slot, at) => storages.set(slot, storageOf(inputs[at]!, slot.dtype)))
      program.captured.forEach(({ slot }, at) => storages.set(slot, captured[at]!.storage))
      const results = new Map<Slot, Storage>()
      for (const slot of program.outputs) {
        if (!storages.has(slot) || overwritten.has(slot))
          results.set(slot, new Storage(device, pool, slot.dtype, slot.length))
      }
      const storageNow = (slot: Slot): Storage => results.get(slot) ?? storages.get(slot)!
      const all = [...storages.values(), ...results.values()]
      for (const storage of all) storage.use()
      const release = (): void => all.forEach((storage) => storage.drop())
      const handles = program.outputs.map((slot) => handle(storageNow(slot)))
      const fail = (error: unknown): void => {
        for (const storage of results.values()) storage.error = error as Error
        release()
      }
      driver.enqueue(function* (): Work {
        if (!isReady) {
          yield plan.ready
          isReady = true
        }
        words ??= wordsOf(device, plan)
        for (const slot of overwritten) {
          const [from, to] = [storages.get(slot)!, results.get(slot)!]
          const given = inputs[program.inputs.indexOf(slot)]
          const holders = given instanceof WebGpuBuffer && !given.isDisposed ? 2 : 1
          // Besides this call and the handle that is given up nobody has it; else it is copied.
          if (from.users === holders) to.takeOver(from)
          else recorder.copy(from.gpu, 0, to.gpu, 0, to.bytes)
        }
        const buffers = plan.own.map((slot) => storageNow(slot).gpu)
        const arena = plan.arenaBytes === 0 ? undefined : pool.take(plan.arenaBytes)
        try {
          // A place for each number, whether there is such a buffer or not.
          const told = yield* new Run(machine, plan, [...buffers, arena ?? buffers[0]!, words ?? buffers[0]!]).run()
          const checked = Promise.all([recorder.checked, told])
          checked.catch(() => {})
          for (const storage of results.values()) storage.checked = checked
        } finally {
          if (arena !== undefined && !device.isLost) pool.give(arena)
        }
        release()
      }, fail)
      return handles
    }
  }

  const eager = new Map<string, Executable>()
  const backend: WebGpu = {
    name: 'webgpu',
    device,
    pool,
    pipelines,
    execute,
    put({ dtype, data }) {
      device.check()
      return handle(upload(dtype, data))
    },
    apply(primitive, inputs, inAvals, outAvals, params) {
      const hostNow = (): boolean => inputs.every((x) => !(x instanceof WebGpuBuffer) || x.storage.host !== undefined)
      // A function of the user's is called at once where its operands are at hand: each would be another program.
      if ('callback' in params && hostNow()) {
        const row = runnable(primitive)
        const args = inputs.map((buffer, at) => ({ ...inAvals[at]!, data: buffer.read() }))
        return onHost(() => row.reference(args, params, outAvals, refuse)).map((result) => backend.put(result))
      }
      const key = operationKey(primitive, inAvals, params)
      const found =
        eager.get(key) ??
        execute(compile(operationProgram(primitive, inAvals, outAvals, params), target, primitive.name))
      // The order of the map is that of last use.
      eager.delete(key)
      eager.set(key, found)
      if (eager.size > operations) eager.delete(eager.keys().next().value!)
      return found(inputs)
    },
    compile: (program, name, given) => execute(compile(program, target, name), given),
    show(program, stage) {
      if (stage === 'jaxpr' || stage === 'optimised') return showStage(program, stage, target)
      const { program: planned, kernels } = planProgram(compile(program, target), device, pipelines)
      if (stage !== 'wgsl') return showProgram(planned, stage)
      return kernels.map(({ name, source }) => `// ${name}\n${source}`).join('\n')
    },
  }
  return backend
}
const refuse = (): never => {
  throw new DeviceError('webgpu: programs do not run on the host')
}

/** The words of conditions and counts, as they are before the first call. */
function wordsOf({ gpu }: Device, { words }: Plan): GPUBuffer | undefined {
  if (words === undefined) return undefined
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.INDIRECT | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
  const buffer = gpu.createBuffer({ size: words.byteLength, usage, label: 'conditions' })
  gpu.queue.writeBuffer(buffer, 0, words)
  return buffer
}
