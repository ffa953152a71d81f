/** `stop_gradient`: the identity, with a derivative of zero. */
import type { NDArray } from '../array.ts'
import { MissingRuleError } from '../errors.ts'
import { bind1 } from '../trace.ts'
import { moves, pointwise } from './axes.ts'
import { type Primitive, Zero, definePrimitive } from './define.ts'
import { zeroJvp } from './rules.ts'

interface StopParams {
  /** The value is not used, so that in a linear program, too, its cotangent is zero. */
  readonly discarded?: true
}
const stopPrimitive: Primitive<StopParams> = definePrimitive<StopParams>({
  name: 'stop_gradient',
  type: (args) => args,
  jvp: zeroJvp(([x], params) => [bind1(stopPrimitive, [x!], params)]),
  transpose(_, [x], { discarded }) {
    if (discarded === true) return [new Zero(x!.aval)]
    throw new MissingRuleError('stop_gradient: there is no transpose rule for this primitive')
  },
  batch: ([x], dims, params) => [[bind1(stopPrimitive, [x!], params)], dims],
  axes: (args, params, outs, derive) => moves(args, outs, pointwise(args, params, outs, derive)),
  reference: (args) => args,
  show: () => ({}),
})
export const stopGradient = (x: NDArray): NDArray => bind1(stopPrimitive, [x], {})
/** The same for a value that a selection discards afterwards. */
export const stopDiscarded = (x: NDArray): NDArray => bind1(stopPrimitive, [x], { discarded: true })
