/** Windows sliding over axes: where they lie, and which elements they cover. Convolutions and window reductions share this. */

/** How windows slide over some axes; every list has one entry an axis. `baseDilation` spreads the operand, `windowDilation` the window. */
export interface Windows {
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly padding: readonly (readonly [low: number, high: number])[]
  readonly baseDilation: readonly number[]
  readonly windowDilation: readonly number[]
}

/** The extent of `size` elements with `dilation` − 1 holes between them. */
export const dilated = (size: number, dilation: number): number => (size === 0 ? 0 : 1 + (size - 1) * dilation)

/** How many windows fit along each axis of a shape. */
export const windowCounts = (shape: readonly number[], windows: Windows): number[] =>
  shape.map((dim, i) => {
    const [low, high] = windows.padding[i]!
    const room =
      dilated(dim, windows.baseDilation[i]!) + low + high - dilated(windows.sizes[i]!, windows.windowDilation[i]!)
    return room < 0 ? 0 : Math.floor(room / windows.strides[i]!) + 1
  })

/**
 * The offset of every element of every window, row-major over windows and then within one; −1 where a window covers padding or a hole.
 * `strides` are those of the axes in memory.
 */
export function windowOffsets(shape: readonly number[], strides: readonly number[], windows: Windows): Int32Array {
  const counts = windowCounts(shape, windows)
  // axis by axis: offsets over the axes so far, as [positions, taps]
  let offsets = new Int32Array(1)
  let [seenPositions, seenTaps] = [1, 1]
  shape.forEach((dim, axis) => {
    const [count, size] = [counts[axis]!, windows.sizes[axis]!]
    const line = lineOffsets(dim, strides[axis]!, count, axis, windows)
    const next = new Int32Array(seenPositions * count * seenTaps * size)
    let at = 0
    for (let p = 0; p < seenPositions; p++) {
      for (let i = 0; i < count; i++) {
        for (let t = 0; t < seenTaps; t++) {
          const base = offsets[p * seenTaps + t]!
          for (let j = 0; j < size; j++) {
            const offset = line[i * size + j]!
            next[at++] = base < 0 || offset < 0 ? -1 : base + offset
          }
        }
      }
    }
    offsets = next
    seenPositions *= count
    seenTaps *= size
  })
  return offsets
}

/** The same along one axis. */
function lineOffsets(dim: number, stride: number, count: number, axis: number, windows: Windows): Int32Array {
  const [size, spread] = [windows.sizes[axis]!, windows.baseDilation[axis]!]
  const line = new Int32Array(count * size)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < size; j++) {
      const place = i * windows.strides[axis]! + j * windows.windowDilation[axis]! - windows.padding[axis]![0]
      line[i * size + j] = place >= 0 && place % spread === 0 && place / spread < dim ? (place / spread) * stride : -1
    }
  }
  return line
}
