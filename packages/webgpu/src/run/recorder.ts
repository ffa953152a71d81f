/** Records dispatches and copies, and submits them: many at a time, and never more than two submissions ahead of the device. */
import { type Device, deviceError } from '../device/device.ts'
import type { Pipeline, Pipelines } from './pipelines.ts'
import type { Launched, Timestamps } from './timestamps.ts'

/** As many dispatches make a submission. */
const mostDispatches = 2048
/** Words of a dispatch's numbers are multiples of this, since offsets into uniform buffers are. */
export const blockWords = 64
const mostWords = mostDispatches * blockWords
const mostInFlight = 2

/** How a dispatch counts its workgroups: as numbers, or as words that the device writes. */
export type Groups = readonly [x: number, y: number] | { readonly buffer: GPUBuffer; readonly offset: number }

export class Recorder {
  readonly #device: Device
  readonly #numbers: GPUBuffer
  readonly #groups = new Map<number, GPUBindGroup>()
  readonly #pipelines: Pipelines
  readonly #timestamps: Timestamps
  readonly #words = new Uint32Array(mostWords)
  #used = 0
  #encoder: GPUCommandEncoder | undefined
  #pass: GPUComputePassEncoder | undefined
  #inFlight: Promise<unknown>[] = []
  /** What is recorded now, by number; and how it ended, when it has. */
  #submission = 0
  #ended = deferred()
  #submitted = deferred()
  #names = new Set<string>()

  constructor(device: Device, pipelines: Pipelines, timestamps: Timestamps) {
    this.#device = device
    this.#pipelines = pipelines
    this.#timestamps = timestamps
    this.#numbers = device.gpu.createBuffer({
      label: 'numbers',
      size: 4 * mostWords,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    })
  }

  /** What to wait for before more is recorded: nothing, unless the device is two submissions behind. */
  get full(): Promise<unknown> | undefined {
    return this.#inFlight.length < mostInFlight ? undefined : this.#inFlight[0]
  }
  /** The number of the submission that is being recorded. */
  get submission(): number {
    return this.#submission
  }
  /** Whether the next dispatch has to wait for `full`. */
  get overflows(): boolean {
    return this.#used + 4 * blockWords > mostWords || this.#timestamps.full
  }
  /** Resolves when what is recorded now has been found in order by the device; rejects with what went wrong. */
  get checked(): Promise<void> {
    this.#open()
    return this.#ended.promise
  }

  /** Resolves when what is recorded now is submitted. */
  get submitted(): Promise<void> {
    return this.#submitted.promise
  }

  #open(): GPUCommandEncoder {
    if (this.#encoder === undefined) {
      const { gpu } = this.#device
      gpu.pushErrorScope('out-of-memory')
      gpu.pushErrorScope('validation')
      this.#encoder = gpu.createCommandEncoder()
      this.#ended = deferred()
      this.#submitted = deferred()
      // What is recorded in one go of the caller's goes together, and no later.
      const { submission } = this
      queueMicrotask(() => {
        if (submission === this.#submission) this.flush()
      })
    }
    return this.#encoder
  }
  /** Where the numbers of a dispatch begin, for `dispatch`: a multiple of 64 words. */
  block(words: readonly number[]): number {
    this.#open()
    const at = this.#used
    this.#words.set(words, at)
    this.#used += Math.ceil(words.length / blockWords) * blockWords
    return at
  }
  dispatch(
    pipeline: Pipeline,
    group: GPUBindGroup,
    block: number,
    words: number,
    groups: Groups,
    launched: Launched,
  ): void {
    const encoder = this.#open()
    this.#names.add(pipeline.name)
    const timed = this.#timestamps.passOf(launched)
    if (timed !== undefined) this.#endPass()
    this.#pass ??= encoder.beginComputePass(timed)
    this.#pass.setPipeline(pipeline.gpu!)
    this.#pass.setBindGroup(0, group)
    this.#pass.setBindGroup(1, this.#numbersGroup(words), [4 * block])
    if ('buffer' in groups) this.#pass.dispatchWorkgroupsIndirect(groups.buffer, groups.offset)
    else this.#pass.dispatchWorkgroups(groups[0], groups[1])
    if (timed !== undefined) this.#endPass()
  }
  #numbersGroup(words: number): GPUBindGroup {
    const size = 4 * Math.ceil(words / 4) * 4
    let group = this.#groups.get(size)
    if (group === undefined) {
      group = this.#device.gpu.createBindGroup({
        layout: this.#pipelines.numbers,
        entries: [{ binding: 0, resource: { buffer: this.#numbers, size } }],
      })
      this.#groups.set(size, group)
    }
    return group
  }
  copy(from: GPUBuffer, fromByte: number, to: GPUBuffer, toByte: number, bytes: number): void {
    const encoder = this.#open()
    this.#endPass()
    encoder.copyBufferToBuffer(from, fromByte, to, toByte, bytes)
  }
  #endPass(): void {
    this.#pass?.end()
    this.#pass = undefined
  }

  /** Submit what is recorded. */
  flush(): void {
    const encoder = this.#encoder
    if (encoder === undefined) return
    const { gpu } = this.#device
    this.#endPass()
    this.#timestamps.resolve(encoder)
    if (this.#used > 0) gpu.queue.writeBuffer(this.#numbers, 0, this.#words, 0, this.#used)
    gpu.queue.submit([encoder.finish()])
    this.#timestamps.submitted()
    this.#submitted.resolve()
    const [ended, names] = [this.#ended, [...this.#names]]
    this.#encoder = undefined
    this.#used = 0
    this.#submission++
    this.#names = new Set()
    const where = `webgpu: among ${names.slice(0, 4).join(', ')}${names.length > 4 ? ', …' : ''}`
    void this.#check(ended, where, [gpu.popErrorScope(), gpu.popErrorScope()])
    const done = this.#device.wait(gpu.queue.onSubmittedWorkDone())
    this.#inFlight.push(done)
    void this.#forget(done)
  }
  async #check(ended: Deferred, where: string, scopes: readonly Promise<GPUError | null>[]): Promise<void> {
    try {
      const error = (await this.#device.wait(Promise.all(scopes))).find((each) => each !== null)
      if (error === undefined || error === null) ended.resolve()
      // What failed before, such as a buffer that there was no room for, is why commands are refused.
      else ended.reject(this.#device.takeFailure() ?? deviceError(where, error))
    } catch (error) {
      ended.reject(error)
    }
  }
  async #forget(done: Promise<unknown>): Promise<void> {
    await Promise.allSettled([done])
    this.#inFlight = this.#inFlight.filter((other) => other !== done)
  }
}

interface Deferred {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: unknown): void
}
/** A promise that is settled from outside; nobody need hear that it was rejected. */
function deferred(): Deferred {
  let resolve: () => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]))
  promise.catch(() => {})
  return { promise, resolve, reject }
}
