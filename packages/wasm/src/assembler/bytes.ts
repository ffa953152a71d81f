/** A growing sequence of bytes, with the number formats of WebAssembly's binary format. */
export class Bytes {
  private data = new Uint8Array(1024)
  length = 0

  private reserve(count: number): void {
    if (this.length + count <= this.data.length) return
    const grown = new Uint8Array(Math.max(2 * this.data.length, this.length + count))
    grown.set(this.data.subarray(0, this.length))
    this.data = grown
  }
  byte(...values: readonly number[]): this {
    this.reserve(values.length)
    for (const value of values) this.data[this.length++] = value
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
    return this.append(new Uint8Array(new Float32Array([value]).buffer))
  }
  float64(value: number): this {
    return this.append(new Uint8Array(new Float64Array([value]).buffer))
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
