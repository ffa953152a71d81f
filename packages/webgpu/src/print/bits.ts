/** The bits of floats. */
const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)
/** The bits of the nearest float32; of NaN those of a quiet one. */
export function bitsOf(value: number): number {
  float[0] = value
  return Number.isNaN(value) ? 0x7fc00000 : word[0]!
}
