/** The surrogate derivatives g(x) of Spyx, each with the peak that it has at 0. */
import { np, nn, checkOptions } from '@fluxion/core'
import { type Activation, custom, positive } from './activation.ts'

/** The identity's derivative, g = 1: the gradient passes as if there were no step (Bengio et al. 2013). */
export const straightThrough = (): Activation => custom()

/**
 * g(x) = 1 / (1 + k|x|)²: the derivative of a fast sigmoid, up to scale; peak 1.
 *
 * @param options `k`: steepness, 25 by default
 * @throws OptionError for an option that it lacks or a value that is not positive
 * @see Zenke & Ganguli, SuperSpike (2018)
 */
export function superspike(options: { k?: number } = {}): Activation {
  checkOptions('superspike', options, ['k'])
  const k = positive('superspike', 'k', options.k ?? 25)
  return custom({ bwd: (x) => np.reciprocal(np.square(x.abs().mul(k).add(1))) })
}

/**
 * g(x) = 1 / (π (1 + (π k x)²)): the derivative of an arctangent, up to scale; peak 1/π.
 *
 * @param options `k`: steepness, 2 by default
 * @throws OptionError for an option that it lacks or a value that is not positive
 * @see Fang et al., Incorporating learnable membrane time constants (2021)
 * @example
 * ```ts
 * import { grad } from 'fluxion'
 * import { arctan } from '@fluxion/surrogates'
 * grad(arctan())(0).item() // => 0.3183
 * ```
 */
export function arctan(options: { k?: number } = {}): Activation {
  checkOptions('arctan', options, ['k'])
  const k = positive('arctan', 'k', options.k ?? 2)
  // The outer π is drawn into the square: 1 / ((π√π·k·x)² + π).
  return custom({ bwd: (x) => np.reciprocal(np.square(x.mul(Math.PI * Math.sqrt(Math.PI) * k)).add(Math.PI)) })
}

/**
 * g(x) = sech²(kx) = 4 / (e^(kx) + e^(−kx))²; peak 1.
 *
 * @param options `k`: steepness, 1 by default
 * @throws OptionError for an option that it lacks or a value that is not positive
 */
export function tanh(options: { k?: number } = {}): Activation {
  checkOptions('tanh', options, ['k'])
  const k = positive('tanh', 'k', options.k ?? 1)
  // An overflowing exponential gives 4 / ∞ = 0, as it should.
  return custom({ bwd: (x) => np.divide(4, np.square(np.exp(x.mul(-k)).add(np.exp(x.mul(k))))) })
}

/**
 * g(x) = `height` where |x| < `width` / 2, else 0.
 *
 * @param options `width`, 2 by default, and `height`, 0.5 by default
 * @throws OptionError for an option that it lacks or a value that is not positive
 */
export function boxcar(options: { width?: number; height?: number } = {}): Activation {
  checkOptions('boxcar', options, ['width', 'height'])
  const width = positive('boxcar', 'width', options.width ?? 2)
  const height = positive('boxcar', 'height', options.height ?? 0.5)
  return custom({
    bwd: (x) =>
      x
        .abs()
        .lt(width / 2)
        .astype(x.dtype)
        .mul(height),
  })
}

/**
 * g(x) = max(0, 1 − |kx|); peak 1.
 *
 * @param options `k`: 0.5 by default, as in Spyx of October 2023; its later releases have 2
 * @throws OptionError for an option that it lacks or a value that is not positive
 * @see Bellec et al., Long short-term memory and learning-to-learn in networks of spiking neurons (2018)
 */
export function triangular(options: { k?: number } = {}): Activation {
  checkOptions('triangular', options, ['k'])
  const k = positive('triangular', 'k', options.k ?? 0.5)
  return custom({ bwd: (x) => np.maximum(0, np.subtract(1, x.mul(k).abs())) })
}

/**
 * g(x) = s(kx) (1 − s(kx)) with the logistic function s; peak 0.25.
 *
 * @param options `k`: steepness, 4 by default (Spyx takes 4 whatever is given)
 * @throws OptionError for an option that it lacks or a value that is not positive
 */
export function sigmoid(options: { k?: number } = {}): Activation {
  checkOptions('sigmoid', options, ['k'])
  const k = positive('sigmoid', 'k', options.k ?? 4)
  return custom({
    bwd: (x) => {
      const z = x.mul(k)
      // 1 − s(z) = s(−z), without the cancellation where s is near 1
      return nn.sigmoid(z).mul(nn.sigmoid(z.neg()))
    },
  })
}
