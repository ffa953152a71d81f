/**
 * Writing the part of HDF5's version-0 format that spike files need: groups, contiguous arrays, strings and sequences of
 * variable length. (HDF5 File Format Specification 3.0, sections II–IV. Reading is left to the HDF5 library.)
 */

const undefinedAddress = 0xffffffffffffffffn

/** Little-endian fields in a row: `[bytes, value]` for integers, or bytes as they are. */
type Field = readonly [width: 1 | 2 | 4 | 8, value: number | bigint] | Uint8Array

const pack = (...fields: readonly Field[]): Uint8Array => {
  const size = fields.reduce((sum, field) => sum + (field instanceof Uint8Array ? field.length : field[0]), 0)
  const out = new Uint8Array(size)
  let at = 0
  for (const field of fields) {
    if (field instanceof Uint8Array) {
      out.set(field, at)
      at += field.length
      continue
    }
    let value = BigInt(field[1])
    for (let i = 0; i < field[0]; i += 1, value >>= 8n) out[at + i] = Number(value & 0xffn)
    at += field[0]
  }
  return out
}

const padded = (bytes: Uint8Array, size: number = Math.ceil(bytes.length / 8) * 8): Uint8Array => {
  const out = new Uint8Array(size)
  out.set(bytes)
  return out
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** An HDF5 element type: its description in the file and its size in bytes. */
export interface ElementType {
  readonly message: Uint8Array
  readonly size: number
}

/** Unsigned integers of 1, 2, 4 or 8 bytes. */
export const unsigned = (size: number): ElementType => ({
  message: pack([1, 0x10], [1, 0], [2, 0], [4, size], [2, 0], [2, 8 * size]),
  size,
})

/** IEEE floats: position and width of exponent and mantissa, by size in bytes. */
const float = (size: number, exponent: number, mantissa: number): ElementType => ({
  message: pack(
    [1, 0x11],
    [1, 0x20], // the mantissa's leading 1 is implied
    [1, 8 * size - 1],
    [1, 0],
    [4, size],
    [2, 0],
    [2, 8 * size],
    [1, mantissa],
    [1, exponent],
    [1, 0],
    [1, mantissa],
    [4, 2 ** (exponent - 1) - 1],
  ),
  size,
})

export const float16: ElementType = float(2, 5, 10)
export const float32: ElementType = float(4, 8, 23)
export const float64: ElementType = float(8, 11, 52)

/** Text padded with zeros, in UTF-8. */
const fixedString = (size: number): ElementType => ({ message: pack([1, 0x13], [1, 0x11], [2, 0], [4, size]), size })

const sequenceOf = (base: ElementType): ElementType => ({
  message: pack([1, 0x19], [1, 0], [2, 0], [4, 16], base.message),
  size: 16,
})

/** What a file holds: groups of named entries, arrays, lists of strings, and sequences of variable length. */
export type Entry =
  | { readonly kind: 'group'; readonly entries: Readonly<Record<string, Entry>> }
  | { readonly kind: 'array'; readonly type: ElementType; readonly data: Uint8Array }
  | { readonly kind: 'strings'; readonly values: readonly string[] }
  | { readonly kind: 'sequences'; readonly type: ElementType; readonly values: readonly Uint8Array[] }

/** Collects the parts of a file one behind the other; every part begins at a multiple of eight. */
interface Sink {
  readonly parts: Uint8Array[]
  end: number
}

const append = (sink: Sink, bytes: Uint8Array): number => {
  const address = sink.end
  sink.parts.push(padded(bytes))
  sink.end += Math.ceil(bytes.length / 8) * 8
  return address
}

const objectHeader = (sink: Sink, messages: readonly (readonly [type: number, body: Uint8Array])[]): number => {
  const packed = messages.map(([type, body]) => {
    const full = padded(body)
    return pack([2, type], [2, full.length], [4, 0], full)
  })
  const size = packed.reduce((sum, message) => sum + message.length, 0)
  return append(sink, pack([1, 1], [1, 0], [2, messages.length], [4, 1], [4, size], [4, 0], ...packed))
}

const dataset = (sink: Sink, type: ElementType, count: number, data: Uint8Array): number => {
  const address = data.length === 0 ? undefinedAddress : append(sink, data)
  return objectHeader(sink, [
    [0x01, pack([1, 1], [1, 1], [2, 0], [4, 0], [8, count])],
    [0x03, type.message],
    [0x05, pack([1, 2], [1, 2], [1, 2], [1, 1], [4, 0])],
    [0x08, pack([1, 3], [1, 1], [8, address], [8, data.length])],
  ])
}

/** Heap collections of about this size hold the sequences; readers load a collection at a time. */
const collectionSize = 1 << 16
const smallestCollection = 4096

const sequences = (sink: Sink, type: ElementType, values: readonly Uint8Array[]): number => {
  const pointers: Uint8Array[] = []
  for (let start = 0; start < values.length;) {
    const objects: Uint8Array[] = []
    const members: (readonly [elements: number, index: number])[] = []
    let size = 16
    let end = start
    for (; end < values.length && size < collectionSize; end += 1) {
      const value = values[end]!
      members.push([value.length / type.size, value.length === 0 ? 0 : objects.length + 1])
      if (value.length === 0) continue
      const object = pack([2, objects.length + 1], [2, 0], [4, 0], [8, value.length], padded(value))
      objects.push(object)
      size += object.length
    }
    const free = Math.max(0, smallestCollection - size)
    if (free > 0) objects.push(padded(pack([8, 0], [8, free]), free))
    const address = append(sink, pack(utf8('GCOL'), [4, 1], [8, size + free], ...objects))
    for (const [elements, index] of members) {
      pointers.push(pack([4, elements], [8, index === 0 ? 0 : address], [4, index]))
    }
    start = end
  }
  return dataset(sink, sequenceOf(type), values.length, pack(...pointers))
}

const strings = (sink: Sink, values: readonly string[]): number => {
  const encoded = values.map(utf8)
  const size = Math.max(1, ...encoded.map((bytes) => bytes.length))
  return dataset(sink, fixedString(size), values.length, pack(...encoded.map((bytes) => padded(bytes, size))))
}

/** Entries in a leaf of a group's tree: enough for one leaf to hold every group of these files. */
const leafEntries = 8

const group = (
  sink: Sink,
  entries: Readonly<Record<string, Entry>>,
): { header: number; tree: number; heap: number } => {
  const names = Object.keys(entries).toSorted()
  if (names.length > leafEntries)
    throw new RangeError(`hdf5: expected at most 8 entries in a group, got ${names.length}`)
  let offset = 8
  const offsets: number[] = []
  const segment: Uint8Array[] = [new Uint8Array(8)]
  for (const name of names) {
    const bytes = padded(pack(utf8(name), [1, 0]))
    offsets.push(offset)
    segment.push(bytes)
    offset += bytes.length
  }
  const rows = names.map((name, i) => pack([8, offsets[i]!], [8, write(sink, entries[name]!)], [8, 0], [8, 0], [8, 0]))
  const leaf = append(
    sink,
    padded(pack(utf8('SNOD'), [1, 1], [1, 0], [2, names.length], ...rows), 8 + 40 * leafEntries),
  )
  const tree = append(
    sink,
    padded(
      pack(
        utf8('TREE'),
        [1, 0],
        [1, 0],
        [2, names.length === 0 ? 0 : 1],
        [8, undefinedAddress],
        [8, undefinedAddress],
        [8, 0],
        [8, leaf],
        [8, offsets.at(-1) ?? 0],
      ),
      24 + 65 * 8,
    ),
  )
  const names8 = append(sink, pack(...segment))
  const heap = append(sink, pack(utf8('HEAP'), [4, 0], [8, offset], [8, 1], [8, names8]))
  return { header: objectHeader(sink, [[0x11, pack([8, tree], [8, heap])]]), tree, heap }
}

const write = (sink: Sink, entry: Entry): number => {
  switch (entry.kind) {
    case 'group':
      return group(sink, entry.entries).header
    case 'array':
      return dataset(sink, entry.type, entry.data.length / entry.type.size, entry.data)
    case 'strings':
      return strings(sink, entry.values)
    case 'sequences':
      return sequences(sink, entry.type, entry.values)
  }
}

const superblockSize = 96

/** Lay out a whole HDF5 file whose root group holds the entries. */
export const hdf5File = (entries: Readonly<Record<string, Entry>>): Uint8Array => {
  const sink: Sink = { parts: [], end: superblockSize }
  const root = group(sink, entries)
  const superblock = pack(
    Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
    [4, 0],
    [1, 0],
    [1, 8], // bytes of an address
    [1, 8], // bytes of a length
    [1, 0],
    [2, leafEntries / 2],
    [2, 16],
    [4, 0],
    [8, 0],
    [8, undefinedAddress],
    [8, sink.end],
    [8, undefinedAddress],
    [8, 0],
    [8, root.header],
    [4, 1], // the next two addresses are cached
    [4, 0],
    [8, root.tree],
    [8, root.heap],
  )
  return pack(superblock, ...sink.parts)
}
