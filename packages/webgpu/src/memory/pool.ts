/** GPU buffers that are used again: by size, since making and clearing one costs more than a small kernel. */
import { DeviceError } from '@fluxion/core'
import { type Device, deviceError } from '../device/device.ts'

/** As many bytes are kept for later at most. */
const mostIdle = 2 ** 29
/** What a buffer costs besides its bytes: the driver's own records, and the handle. */
const overhead = 2 ** 16

/** The sizes of buffers: powers of two, and three steps between large ones, so that little is wasted. */
export function classOf(bytes: number): number {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(Math.max(1, bytes))) - (bytes > 2 ** 16 ? 2 : 0)))
  return Math.ceil(Math.max(1, bytes) / step) * step
}

export class Pool {
  readonly #device: Device
  /** Buffers that there was no memory for. */
  readonly #broken = new WeakSet<GPUBuffer>()
  readonly #free = new Map<number, GPUBuffer[]>()
  #idle = 0
  #used = 0
  #count = 0

  constructor(device: Device) {
    this.#device = device
  }
  /** Bytes of buffers that are in use. */
  get used(): number {
    return this.#used
  }
  /** What the buffers in use weigh: their bytes, and what each costs besides. */
  get load(): number {
    return this.#used + overhead * this.#count
  }
  /** Bytes of buffers that wait to be used again. */
  get idle(): number {
    return this.#idle
  }

  /** A buffer of at least that many bytes, which hold anything. */
  take(bytes: number): GPUBuffer {
    const size = classOf(bytes)
    const { gpu } = this.#device
    const most = this.#device.limits.maxBufferSize
    if (size > most && bytes > most) {
      throw new DeviceError(
        `webgpu: an array of ${bytes} bytes is larger than this GPU's buffers, of ${most} at most\nhint: use smaller batches, or a narrower dtype`,
      )
    }
    this.#used += size
    this.#count++
    const known = this.#free.get(size)?.pop()
    if (known !== undefined) {
      this.#idle -= size
      return known
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    gpu.pushErrorScope('out-of-memory')
    const buffer = gpu.createBuffer({ size: Math.min(size, most), usage, label: 'array' })
    void this.#watch(buffer, gpu.popErrorScope())
    return buffer
  }
  async #watch(buffer: GPUBuffer, scope: Promise<GPUError | null>): Promise<void> {
    const error = await scope.catch(() => null)
    if (error === null) return
    this.#broken.add(buffer)
    this.#device.report(deviceError(`webgpu: an array of ${buffer.size} bytes`, error))
    // The next caller may have more luck.
    this.trim(0)
  }
  /** The buffer is not used any more by what is submitted from now on. */
  give(buffer: GPUBuffer): void {
    const { size } = buffer
    this.#used -= size
    this.#count--
    if (this.#broken.has(buffer)) return
    this.#idle += size
    let list = this.#free.get(size)
    if (list === undefined) this.#free.set(size, (list = []))
    list.push(buffer)
    if (this.#idle > mostIdle) this.trim(mostIdle / 2)
  }
  /** Give idle buffers back until at most so many bytes are left, the largest first. */
  trim(bytes: number): void {
    const sizes = [...this.#free.keys()].sort((a, b) => b - a)
    for (const size of sizes) {
      const list = this.#free.get(size)!
      while (this.#idle > bytes && list.length > 0) {
        list.pop()!.destroy()
        this.#idle -= size
      }
    }
  }
}
