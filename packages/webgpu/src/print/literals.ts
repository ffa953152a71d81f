/** Constants in WGSL, exact to the bit. What the language refuses as a literal comes at run time. */
import { DeviceError } from '@fluxion/core'
import type { ScalarType } from '@fluxion/compiler'
import { bitsOf } from './bits.ts'
import { special } from './launch.ts'

export const wgslTypes = { f32: 'f32', i32: 'i32', u32: 'u32', bool: 'bool' } as const
/** The name of a machine type; float64 has none on a GPU. */
export function wgslType(type: ScalarType): 'f32' | 'i32' | 'u32' | 'bool' {
  if (type === 'f64') {
    throw new DeviceError(
      "webgpu: float64 does not exist on GPUs\nhint: use float32, or run this on the CPU: jit(f, { device: 'wasm' })",
    )
  }
  return wgslTypes[type]
}

export function literal(type: ScalarType, value: number): string {
  switch (wgslType(type)) {
    case 'bool':
      return value === 0 ? 'false' : 'true'
    case 'u32':
      return `${value >>> 0}u`
    case 'i32':
      // The least integer is no literal: its minus sign is an operation.
      return (value | 0) === -(2 ** 31) ? 'i32(-2147483648)' : (value | 0) < 0 ? `(${value | 0}i)` : `${value | 0}i`
    case 'f32':
      return floatLiteral(Math.fround(value))
  }
}
function floatLiteral(value: number): string {
  if (Number.isNaN(value)) return special.nan
  if (!Number.isFinite(value)) return value > 0 ? special.infinity : special.minusInfinity
  const magnitude = Math.abs(value)
  if (Object.is(value, -0) || (magnitude !== 0 && magnitude < 2 ** -126)) return `bitcast<f32>(${bitsOf(value)}u)`
  const text = Number.isInteger(magnitude) && magnitude < 2 ** 24 ? `${magnitude}.0f` : hexadecimal(magnitude)
  return value < 0 ? `(-${text})` : text
}
/** A normal number as 0x1.mmmmmmp±e, which has nothing to round. */
function hexadecimal(magnitude: number): string {
  const bits = bitsOf(magnitude)
  const fraction = ((bits & 0x7fffff) << 1).toString(16).padStart(6, '0')
  const exponent = (bits >>> 23) - 127
  return `0x1.${fraction}p${exponent < 0 ? '' : '+'}${exponent}f`
}
