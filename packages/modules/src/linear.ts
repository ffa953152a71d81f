/** The fully connected layer. */
import { type NDArray, OptionError, ShapeError, checkOptions, misuse, np } from '@fluxion/core'
import { type Initializer, truncatedNormal, zeros } from './initializers.ts'
import { type Module, module } from './module.ts'
import { getParameter } from './parameters.ts'

export interface LinearOptions {
  withBias?: boolean
  /** By default a truncated normal of deviation 1/√(input size). */
  wInit?: Initializer
  /** By default zeros. */
  bInit?: Initializer
  name?: string
}
/**
 * y = x · w + b over the last axis.
 *
 * @param outputSize the size of the last axis of the result
 * @returns a module from f[..., in] to f[..., out], with parameters `w` f[in, out] and `b` f[out] in the dtype of the input
 * @throws ShapeError on a scalar; DtypeError if parameters are made for an integer input without a policy
 * @see LeCun et al., Efficient BackProp (1998), for the initial deviation
 * @example
 * ```ts
 * import { np, random } from 'fluxion'
 * import * as hk from '@fluxion/modules'
 * const net = hk.transform((x) => hk.linear(2, { withBias: false })(x))
 * net.init(random.key(0), np.ones([4, 3])).linear.w.shape // => [3, 2]
 * ```
 */
export const linear: (outputSize: number, options?: LinearOptions) => Module = module(
  'linear',
  (outputSize: number, options: LinearOptions = {}) => {
    checkOptions('linear', options, ['withBias', 'wInit', 'bInit', 'name'])
    if (!Number.isInteger(outputSize) || outputSize < 0)
      throw new OptionError(misuse('linear', 'a whole number as output size', String(outputSize)))
    const { withBias = true, wInit, bInit = zeros } = options
    return (x: NDArray): NDArray => {
      if (x.ndim === 0) throw new ShapeError('linear: expected an input of at least one axis, got a scalar')
      const inputSize = x.shape.at(-1)!
      const init = wInit ?? truncatedNormal(1 / Math.sqrt(inputSize))
      const w = getParameter('w', [inputSize, outputSize], { dtype: x.dtype, init })
      const y = np.dot(x, w)
      return withBias ? y.add(getParameter('b', [outputSize], { dtype: x.dtype, init: bInit })) : y
    }
  },
)
