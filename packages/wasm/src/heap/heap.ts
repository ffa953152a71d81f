/**
 * The memory of the WebAssembly back end: a cache over host arrays. Values live here while there is room; then those least recently used move to
 * ordinary typed arrays that their owners hold, and the heap forgets the owner, so that the garbage collector takes what nobody uses.
 */
import { DeviceError, type DType, type TypedArray } from '@fluxion/core'
import { Allocator, type Block, aligned, alignment } from './allocator.ts'
import { bytesFor, readElements, writeElements } from './elements.ts'
import { makeMemory, mostPages, page } from './memory.ts'

/** What finalizers of a value's handles are told: the value as long as it is in the heap, so that they keep nothing alive that is not. */
export interface Watch {
  readonly heap: Heap
  value: Resident | undefined
}
/** A value in the heap, on the host, or in both. */
export class Resident {
  readonly dtype: DType
  readonly length: number
  block: Block | undefined
  host: TypedArray | undefined
  /** How many running programs use it: it cannot move meanwhile. */
  pins = 0
  /** How many handles share it. */
  owners = 0
  disposed = false
  /** Whether its bytes had to leave the heap before. */
  evicted = false
  watch: Watch | undefined
  /** Neighbours by time of last use. */
  older: Resident | undefined
  newer: Resident | undefined
  constructor(dtype: DType, length: number, host?: TypedArray) {
    this.dtype = dtype
    this.length = length
    this.host = host
  }
}

/** Left free at the end of memory: kernels may read a vector that reaches past the last element. */
const slack = alignment
/** So many values are kept at most: those that nobody uses any more should leave while they are young, which is when collecting them is cheap. */
const mostValues = 2 ** 12
export interface HeapOptions {
  /** Up to this many bytes, and what the largest program takes for its temporaries, the heap grows before it moves anything out. */
  readonly budget?: number
  /** The heap never grows beyond this. */
  readonly limit?: number
  /** Whether threads may share it; by default where they can. */
  readonly shared?: boolean
}

export class Heap {
  readonly memory: WebAssembly.Memory
  readonly #allocator: Allocator
  readonly #limit: number
  #budget: number
  /** What the largest program takes for its temporaries. */
  #temporary = 0
  /**
   * Bytes moved out lately, and bytes brought back: if more come back than fit the budget, and they are most of what was moved out, then the
   * budget is too small for what is in use. What never comes back was dead.
   */
  #left = 0
  #returned = 0
  #values = 0
  #oldest: Resident | undefined
  #newest: Resident | undefined
  /** A view of the memory as it is now; growing replaces it. */
  bytes: Uint8Array
  words: Int32Array

  constructor({ budget = 256 * 2 ** 20, limit = mostPages * page, shared = true }: HeapOptions = {}) {
    const { memory, pages } = makeMemory(Math.floor(limit / page), shared)
    this.memory = memory
    this.#limit = Math.min(limit, pages * page)
    this.#budget = Math.min(budget, this.#limit)
    this.#allocator = new Allocator(alignment)
    this.#allocator.grow(page - slack)
    this.bytes = new Uint8Array(this.memory.buffer)
    this.words = new Int32Array(this.memory.buffer)
  }
  /** Whether threads can share it. */
  get shared(): boolean {
    return !(this.memory.buffer instanceof ArrayBuffer)
  }
  /** Bytes that the memory takes. */
  get size(): number {
    return this.bytes.length
  }
  /** Bytes handed out. */
  get used(): number {
    return this.#allocator.used
  }

  /** A block for a program's temporaries, at a fixed address until `give`: the budget is for values, and these come on top. */
  takeTemporary(bytes: number): Block {
    this.#temporary = Math.max(this.#temporary, bytes)
    return this.take(bytes)
  }
  /** A block at a fixed address until `give`. */
  take(bytes: number): Block {
    const found = this.#allocator.take(bytes)
    return found ?? this.#makeRoom(bytes)
  }
  give(block: Block): void {
    this.#allocator.give(block)
  }

  /** Give a new value a place in the heap, which holds anything; pinned. */
  settle(x: Resident): number {
    x.block = this.take(bytesFor(x.dtype, x.length))
    x.pins = 1
    this.#link(x)
    return x.block.address
  }
  /** The address of a value, which is brought into the heap if need be and stays until `unpin`. */
  pin(x: Resident): number {
    if (x.disposed) throw new DeviceError('a buffer was used after it was disposed of')
    x.pins++
    if (x.block !== undefined) {
      if (x !== this.#newest) {
        this.#unlink(x)
        this.#link(x)
      }
      return x.block.address
    }
    const bytes = bytesFor(x.dtype, x.length)
    try {
      x.block = this.take(bytes)
    } catch (error) {
      x.pins--
      throw error
    }
    if (x.evicted) this.#countReturn(bytes)
    writeElements(this.memory.buffer, x.block.address, x.dtype, x.host!)
    if (x.watch !== undefined) x.watch.value = x
    this.#link(x)
    return x.block.address
  }
  /** Let a new value, pinned, have the block of a pinned one that nobody will use again. */
  takeOver(x: Resident, from: Resident): number {
    x.block = from.block
    x.pins = 1
    this.#unlink(from)
    from.block = undefined
    from.host = undefined
    from.disposed = true
    if (from.watch !== undefined) from.watch.value = undefined
    this.#link(x)
    return x.block!.address
  }
  unpin(x: Resident): void {
    x.pins--
    if (x.disposed && x.pins === 0) this.#release(x)
  }
  /** A value's elements on the host, not to be written to. */
  read(x: Resident): TypedArray {
    if (x.disposed) throw new DeviceError('a buffer was read after it was disposed of')
    x.host ??= readElements(this.memory.buffer, x.block!.address, x.dtype, x.length)
    return x.host
  }
  dispose(x: Resident): void {
    x.disposed = true
    x.host = undefined
    if (x.pins === 0) this.#release(x)
  }

  #release(x: Resident): void {
    if (x.block === undefined) return
    this.#allocator.give(x.block)
    x.block = undefined
    if (x.watch !== undefined) x.watch.value = undefined
    this.#unlink(x)
  }
  #evict(x: Resident): void {
    this.read(x)
    x.evicted = true
    this.#left += bytesFor(x.dtype, x.length)
    if (this.#left > 4 * this.#budget) {
      this.#left = 0
      this.#returned = 0
    }
    this.#release(x)
  }
  #countReturn(bytes: number): void {
    this.#returned += bytes
    if (this.#returned < this.#budget || 2 * this.#returned < this.#left) return
    this.#left = 0
    this.#returned = 0
    this.#budget = Math.min(2 * this.#budget, this.#limit)
  }
  /** Grow within the budget; else move values out; else grow beyond it. */
  #makeRoom(bytes: number): Block {
    if (this.#grown(bytes, Math.min(this.#budget + this.#temporary, this.#limit))) return this.#allocator.take(bytes)!
    let next = this.#oldest
    while (next !== undefined) {
      const x = next
      next = x.newer
      if (x.pins > 0) continue
      this.#evict(x)
      const found = this.#allocator.take(bytes)
      if (found !== undefined) return found
    }
    if (this.#grown(bytes, this.#limit)) {
      this.#budget = Math.max(this.#budget, this.size)
      return this.#allocator.take(bytes)!
    }
    const mib = (count: number): string => `${Math.ceil(count / 2 ** 20)} MiB`
    throw new DeviceError(
      `out of memory: a program needs ${mib(bytes)} more, and ${mib(this.used)} of the ${mib(this.#limit)} that WebAssembly can address are in use by running programs\n` +
        'hint: use a smaller batch, checkpoint the body of long loops, or dispose of arrays that are no longer used',
    )
  }
  /** Grow so that a block fits at the end, a quarter of the size at least, unless that goes beyond `most` bytes. */
  #grown(bytes: number, most: number): boolean {
    const missing = this.#allocator.missing(aligned(bytes))
    const least = Math.ceil((this.size + missing) / page)
    const wanted = Math.min(Math.max(least, Math.ceil((1.25 * this.size) / page)), Math.floor(most / page))
    if (least > wanted) return false
    for (const pages of [wanted, least]) {
      try {
        this.memory.grow(pages - this.size / page)
      } catch {
        continue
      }
      this.bytes = new Uint8Array(this.memory.buffer)
      this.words = new Int32Array(this.memory.buffer)
      this.#allocator.grow(this.size - slack)
      return true
    }
    return false
  }

  #link(x: Resident): void {
    if (++this.#values > mostValues) {
      let oldest = this.#oldest
      while (oldest !== undefined && oldest.pins > 0) oldest = oldest.newer
      if (oldest !== undefined) this.#evict(oldest)
    }
    x.older = this.#newest
    x.newer = undefined
    if (this.#newest === undefined) this.#oldest = x
    else this.#newest.newer = x
    this.#newest = x
  }
  #unlink(x: Resident): void {
    this.#values--
    if (x.older === undefined) this.#oldest = x.newer
    else x.older.newer = x.newer
    if (x.newer === undefined) this.#newest = x.older
    else x.newer.older = x.older
    x.older = undefined
    x.newer = undefined
  }
}
