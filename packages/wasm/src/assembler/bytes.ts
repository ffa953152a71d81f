/** A growing sequence of bytes, with the number formats of WebAssembly's binary format. */
const scratch = new DataView(new ArrayBuffer(8))

export class Bytes {
  private data = new Uint8Array(1024)
  length = 0

  private reserve(count: number): void {
    if (this.length + count <= this.data.length) return
    const grown = new Uint8Array(Math.max(2 * this.data.length, this.length + count))
    grown.set(this.data.subarray(0, this.length))
    this.data = grown
  }
  byte(value: number): this {
    if (this.length === this.data.length) this.reserve(1)
    this.data[this.length++] = value
    return this
  }
  bytes(...values: readonly number[]): this {
    for (const value of values) this.byte(value)
    return this
  }
  append(bytes: Uint8Array): this {
    this.reserve(bytes.length)
    this.data.set(bytes, this.length)
    this.length += bytes.length
    return this
  }
  /** An unsigned number below 2³² in LEB128. */
  unsigned(value: number): this {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    return this.byte(rest)
  }
  /** A signed integer of 32 bits in LEB128. */
  signed32(value: number): this {
    let rest = value | 0
    for (;;) {
      const low = rest & 0x7f
      rest >>= 7
      const done = rest === (low & 0x40 ? -1 : 0)
      this.byte(done ? low : low | 0x80)
      if (done) return this
    }
  }
  /** A signed integer of any size in LEB128. */
  signed(value: bigint): this {
    let rest = value
    for (;;) {
      const low = Number(rest & 0x7fn)
      rest >>= 7n
      const done = rest === (low & 0x40 ? -1n : 0n)
      this.byte(done ? low : low | 0x80)
      if (done) return this
    }
  }
  float32(value: number): this {
    scratch.setFloat32(0, value, true)
    for (let i = 0; i < 4; i++) this.byte(scratch.getUint8(i))
    return this
  }
  float64(value: number): this {
    scratch.setFloat64(0, value, true)
    for (let i = 0; i < 8; i++) this.byte(scratch.getUint8(i))
    return this
  }
  string(text: string): this {
    return this.sized(new TextEncoder().encode(text))
  }
  /** Bytes after their number. */
  sized(bytes: Uint8Array): this {
    return this.unsigned(bytes.length).append(bytes)
  }
  /** A section's or a vector's items after their number. */
  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.unsigned(items.length)
    for (const item of items) write(item)
    return this
  }
  done(): Uint8Array<ArrayBuffer> {
    return this.data.slice(0, this.length)
  }
}
