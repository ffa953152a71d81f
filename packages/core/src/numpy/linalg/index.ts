/** `np.linalg`: matrices in the last two axes of arrays. */
export { matrixTranspose } from '../manipulation/axes.ts'
export { matmul, outer, tensordot, vecdot } from '../products/matmul.ts'
export { type RankOptions, det, matrixPower, matrixRank, multiDot, slogdet } from './determinant.ts'
export {
  type CholeskyOptions,
  type EighOptions,
  type SvdOptions,
  cholesky,
  eigh,
  eigvalsh,
  qr,
  svd,
  svdvals,
} from './factor.ts'
export * from './norm.ts'
export { type PinvOptions, inv, lstsq, pinv, solve, tensorinv, tensorsolve } from './solve.ts'
