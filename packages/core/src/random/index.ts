/** Random numbers, JAX's bit for bit: every function takes a key, and gives the same numbers for the same key. */
export { binomial, geometric, multinomial } from './binomial.ts'
export {
  type BernoulliOptions,
  type CategoricalOptions,
  type ChoiceOptions,
  bernoulli,
  categorical,
  choice,
  rademacher,
} from './choices.ts'
export {
  type BallOptions,
  ball,
  beta,
  chisquare,
  dirichlet,
  f,
  gamma,
  generalizedNormal,
  loggamma,
  t,
} from './gamma.ts'
export { type GumbelMode, type GumbelOptions, gumbel } from './gumbel.ts'
export { cauchy, exponential, laplace, logistic, pareto, rayleigh, triangular, weibullMin } from './inverse.ts'
export { type Key, PRNGKey, clone, foldIn, key, keyData, keyImpl, split, wrapKeyData } from './key.ts'
export {
  type LognormalOptions,
  doubleSidedMaxwell,
  lognormal,
  maxwell,
  normal,
  truncatedNormal,
  wald,
} from './normal.ts'
export { type PermutationOptions, permutation } from './shuffle.ts'
export { poisson } from './poisson.ts'
export { type BitsOptions, type UniformOptions, bits, randint, uniform } from './uniform.ts'
export { type MultivariateNormalOptions, type OrthogonalOptions, multivariateNormal, orthogonal } from './vectors.ts'
