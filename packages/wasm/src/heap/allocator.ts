/** Hands out blocks of an address range that can grow: best fit among free blocks, which merge with free neighbours. It never touches memory. */

/** A stretch of addresses; all of them form a list in order. */
export class Block {
  address: number
  size: number
  free: boolean
  /** Neighbours in memory. */
  before: Block | undefined
  after: Block | undefined
  /** Neighbours in the list of free blocks of one class. */
  previous: Block | undefined
  next: Block | undefined
  constructor(address: number, size: number, free: boolean) {
    this.address = address
    this.size = size
    this.free = free
  }
}

/** Addresses and sizes are multiples of this: a cache line, and more than any vector needs. */
export const alignment = 64
export const aligned = (bytes: number): number => Math.ceil(Math.max(1, bytes) / alignment) * alignment

/** Eight classes of sizes to each doubling: all blocks of a class are larger than those of the classes before. */
function classOf(size: number): number {
  const units = size / alignment
  if (units < 16) return units
  const power = 31 - Math.clz32(units)
  return 16 + (power - 4) * 8 + ((units >>> (power - 3)) & 7)
}
const classes = classOf(2 ** 32) + 1

export class Allocator {
  readonly #free = new Array<Block | undefined>(classes).fill(undefined)
  /** Bit c of word w: class 32·w + c has free blocks. */
  readonly #occupied = new Int32Array(Math.ceil(classes / 32))
  #last: Block | undefined
  #end: number
  /** Bytes in blocks that are handed out. */
  used = 0

  /** `start` is a multiple of the alignment; there is no room until `grow`. */
  constructor(start: number) {
    this.#end = start
  }
  get end(): number {
    return this.#end
  }
  /** Bytes by which the range must grow for a block of this size to fit at its end. */
  missing(bytes: number): number {
    const tail = this.#last?.free === true ? this.#last.size : 0
    return Math.max(0, aligned(bytes) - tail)
  }
  /** Add room at the end, up to an address that is a multiple of the alignment. */
  grow(end: number): void {
    const block = new Block(this.#end, end - this.#end, true)
    this.#end = end
    block.before = this.#last
    if (this.#last !== undefined) this.#last.after = block
    this.#last = block
    this.#insert(this.#merge(block))
  }

  /** The smallest free block that is large enough, or as much of it as is needed. */
  take(bytes: number): Block | undefined {
    const size = aligned(bytes)
    const block = this.#find(size)
    if (block === undefined) return undefined
    this.#remove(block)
    if (block.size > size) {
      const rest = new Block(block.address + size, block.size - size, true)
      block.size = size
      rest.before = block
      rest.after = block.after
      if (block.after === undefined) this.#last = rest
      else block.after.before = rest
      block.after = rest
      this.#insert(rest)
    }
    block.free = false
    this.used += size
    return block
  }
  give(block: Block): void {
    this.used -= block.size
    block.free = true
    this.#insert(this.#merge(block))
  }

  #find(size: number): Block | undefined {
    const own = classOf(size)
    let best: Block | undefined
    for (let block = this.#free[own]; block !== undefined; block = block.next) {
      if (block.size === size) return block
      if (block.size > size && (best === undefined || block.size < best.size)) best = block
    }
    if (best !== undefined) return best
    const above = this.#nextClass(own + 1)
    if (above === undefined) return undefined
    best = this.#free[above]!
    for (let block = best.next; block !== undefined; block = block.next) if (block.size < best.size) best = block
    return best
  }
  /** The first class from this one on that has free blocks. */
  #nextClass(from: number): number | undefined {
    let word = from >> 5
    let bits = this.#occupied[word]! & (-1 << (from & 31))
    while (bits === 0) {
      if (++word >= this.#occupied.length) return undefined
      bits = this.#occupied[word]!
    }
    return word * 32 + (31 - Math.clz32(bits & -bits))
  }
  /** One block out of this one and its free neighbours, which leave their lists. */
  #merge(block: Block): Block {
    let whole = block
    const { before, after } = block
    if (before?.free === true) {
      this.#remove(before)
      whole = this.#join(before, block)
    }
    if (after?.free === true) {
      this.#remove(after)
      whole = this.#join(whole, after)
    }
    return whole
  }
  #join(first: Block, second: Block): Block {
    first.size += second.size
    first.after = second.after
    if (second.after === undefined) this.#last = first
    else second.after.before = first
    return first
  }
  #insert(block: Block): void {
    const own = classOf(block.size)
    const head = this.#free[own]
    block.previous = undefined
    block.next = head
    if (head !== undefined) head.previous = block
    this.#free[own] = block
    this.#occupied[own >> 5]! |= 1 << (own & 31)
  }
  #remove(block: Block): void {
    const { previous, next } = block
    if (next !== undefined) next.previous = previous
    if (previous !== undefined) {
      previous.next = next
      return
    }
    const own = classOf(block.size)
    this.#free[own] = next
    if (next === undefined) this.#occupied[own >> 5]! &= ~(1 << (own & 31))
  }
}
