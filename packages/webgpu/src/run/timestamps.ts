/** Times kernels while a trace runs: each in a pass of its own, with a timestamp before and after. */
import { type Kernel, costOfKernel } from '@fluxion/compiler'
import { type Recording, type TimeSpan, type Track, recording } from '@fluxion/core'
import type { Device } from '../device/device.ts'

/** One run of a program: what its kernels stand under in the trace. */
export interface Call {
  readonly program: string
}
/** What is told of a kernel besides its times. */
export interface Launched {
  readonly name: string
  readonly call: Call
  /** None of kernels that the back end brings along. */
  readonly kernel: Kernel | undefined
  /** None where the device decides. */
  readonly workgroups: number | undefined
}
/** Times of a kernel in nanoseconds of the device's clock. */
interface Timed {
  readonly launched: Launched
  readonly start: bigint
  readonly end: bigint
}
/** The kernels of one submission. */
interface Batch {
  /** When it was submitted, by the host's clock. */
  readonly submitted: number
  readonly kernels: readonly Timed[]
}
/** As many timestamps as a set may have. */
const mostQueries = 4096
const bytesOfTime = 8

interface Queries {
  readonly set: GPUQuerySet
  readonly resolved: GPUBuffer
  readonly staging: GPUBuffer
}

export class Timestamps {
  readonly #device: Device
  readonly #free: Queries[] = []
  #queries: Queries | undefined
  #launched: Launched[] = []
  /** Of the recording that they belong to. */
  #batches: Promise<Batch>[] = []

  constructor(device: Device) {
    this.#device = device
  }
  get available(): boolean {
    return this.#device.gpu.features.has('timestamp-query')
  }
  /** Whether the submission that is being recorded has as many kernels as can be timed. */
  get full(): boolean {
    return 2 * this.#launched.length + 4 > mostQueries
  }
  /** What the pass of one kernel is begun with; nothing where no trace runs, or kernels cannot be timed. */
  passOf(launched: Launched): GPUComputePassDescriptor | undefined {
    if (recording() === undefined || !this.available || this.full) return undefined
    const { set } = (this.#queries ??= this.#free.pop() ?? this.#make())
    const at = 2 * this.#launched.length
    this.#launched.push(launched)
    return {
      label: launched.name,
      timestampWrites: { querySet: set, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
    }
  }
  #make(): Queries {
    const { gpu } = this.#device
    const size = mostQueries * bytesOfTime
    return {
      set: gpu.createQuerySet({ type: 'timestamp', count: mostQueries }),
      resolved: gpu.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
      staging: gpu.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    }
  }
  /** Bring the times of what is recorded to where they can be read; call `submitted` once that is submitted. */
  resolve(encoder: GPUCommandEncoder): void {
    if (this.#queries === undefined) return
    const { set, resolved, staging } = this.#queries
    const count = 2 * this.#launched.length
    encoder.resolveQuerySet(set, 0, count, resolved, 0)
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, count * bytesOfTime)
  }
  submitted(): void {
    if (this.#queries === undefined) return
    const batch = this.#read(this.#queries, this.#launched, performance.now())
    batch.catch(() => {})
    this.#batches.push(batch)
    this.#queries = undefined
    this.#launched = []
  }
  async #read(queries: Queries, launched: readonly Launched[], submitted: number): Promise<Batch> {
    const { staging } = queries
    await this.#device.wait(staging.mapAsync(GPUMapMode.READ))
    const times = new BigUint64Array(staging.getMappedRange(0, 2 * launched.length * bytesOfTime)).slice()
    staging.unmap()
    this.#free.push(queries)
    const kernels = launched.map((each, at) => ({ launched: each, start: times[2 * at]!, end: times[2 * at + 1]! }))
    return { submitted, kernels }
  }

  /** Hand on what was timed since the last time, when all of it is there. */
  async collect(to: Recording): Promise<void> {
    // What a lost device would have told is left out.
    const batches = (await Promise.allSettled(this.#batches)).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value] : [],
    )
    this.#batches = []
    if (batches.length === 0) return
    addKernels(to, batches, { process: `webgpu: ${this.#device.description}`, thread: 'kernels' })
  }
}

/**
 * The device's clock has an origin of its own. Its times are shifted as little as will do for no kernel to begin before it was submitted; kernels
 * that overlap begin where the one before ends. What one run of a program does stands under a span of its name.
 */
export function addKernels(to: Pick<Recording, 'add'>, batches: readonly Batch[], track: Track): void {
  const all = batches.flatMap(({ kernels }) => kernels)
  const origin = all[0]?.start ?? 0n
  const milliseconds = (time: bigint): number => Number(time - origin) / 1e6
  const shift = Math.max(
    ...batches.flatMap(({ submitted, kernels }) =>
      kernels.slice(0, 1).map(({ start }) => submitted - milliseconds(start)),
    ),
  )
  let last = -Infinity
  let spans: TimeSpan[] = []
  all.forEach(({ launched: { name, call, kernel, workgroups }, ...times }, at) => {
    const start = Math.max(last, milliseconds(times.start) + shift)
    const end = Math.max(start, milliseconds(times.end) + shift)
    last = end
    const cost = kernel === undefined ? undefined : costOfKernel(kernel)
    const args = {
      ...(cost === undefined ? {} : { bytes: cost.bytesRead + cost.bytesWritten, flops: cost.flops }),
      ...(workgroups === undefined ? {} : { workgroups }),
    }
    spans.push({ name, category: 'kernel', start, end, track, args })
    if (all[at + 1]?.launched.call === call) return
    to.add({ name: call.program, category: 'call', start: spans[0]!.start, end, track })
    for (const span of spans) to.add(span)
    spans = []
  })
}
