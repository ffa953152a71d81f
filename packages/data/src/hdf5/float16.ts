/** Half-precision numbers as bit patterns: `Float16Array` is not everywhere yet. */

const exponents = Float64Array.from({ length: 32 }, (_, e) => (e === 0 ? 2 ** -24 : 2 ** (e - 25)))

/** The number that a half-precision bit pattern stands for. */
export const fromFloat16 = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  return sign * exponents[exponent]! * (exponent === 0 ? mantissa : 1024 + mantissa)
}

/** The bit pattern of the half-precision number nearest to x, ties to even. */
export const toFloat16 = (x: number): number => {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const size = Math.abs(x)
  if (Number.isNaN(x)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  if (size === 0) return sign
  // The unit in the last place: 2⁻²⁴ for subnormal numbers, else 2¹⁰ to the leading bit.
  const exponent = Math.max(Math.floor(Math.log2(size)), -14)
  const scaled = size / 2 ** (exponent - 10)
  const floor = Math.floor(scaled)
  const rest = scaled - floor
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0)
  // A mantissa that rounds up to 2048 carries into the exponent by itself.
  return sign | (rounded < 1024 ? rounded : ((exponent + 14) << 10) + rounded)
}
