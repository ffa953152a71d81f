/** `stop_gradient`: the identity, with a derivative of zero. */
import type { NDArray } from '../array.ts'
import { bind1 } from '../trace.ts'
import { type Primitive, definePrimitive } from './define.ts'
import { zeroJvp } from './rules.ts'

const stopPrimitive: Primitive = definePrimitive({
  name: 'stop_gradient',
  type: (args) => args,
  jvp: zeroJvp(([x]) => [bind1(stopPrimitive, [x!], {})]),
  batch: ([x], dims) => [[bind1(stopPrimitive, [x!], {})], dims],
  reference: (args) => args,
})
export const stopGradient = (x: NDArray): NDArray => bind1(stopPrimitive, [x], {})
