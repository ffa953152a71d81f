// Cases of products, convolutions and matrix factorisations.
import { type NDArray, np } from 'fluxion'
import { type Case, type Table, call, everything, numbers } from './cases.ts'

type Axes = readonly number[]
const dots: readonly (readonly [
  lhs: Axes,
  rhs: Axes,
  contracted: readonly [Axes, Axes],
  batch: readonly [Axes, Axes],
])[] = [
  [[3], [3], [[0], [0]], [[], []]],
  [
    [2, 3],
    [3, 4],
    [[1], [0]],
    [[], []],
  ],
  [
    [3, 2],
    [4, 3],
    [[0], [1]],
    [[], []],
  ],
  [
    [2, 3, 4],
    [2, 4, 2],
    [[2], [1]],
    [[0], [0]],
  ],
  [
    [3, 2, 4],
    [2, 3, 4],
    [
      [2, 0],
      [2, 1],
    ],
    [[1], [0]],
  ],
  [
    [2, 3],
    [4, 2],
    [[], []],
    [[], []],
  ],
  [
    [2, 3],
    [3, 2],
    [
      [0, 1],
      [1, 0],
    ],
    [[], []],
  ],
  [
    [2, 0],
    [0, 3],
    [[1], [0]],
    [[], []],
  ],
  [
    [0, 3],
    [3, 2],
    [[1], [0]],
    [[], []],
  ],
  [[], [3], [[], []], [[], []]],
]

const nchw = { lhsSpec: [0, 1, 2, 3], rhsSpec: [0, 1, 2, 3], outSpec: [0, 1, 2, 3] }
const nwc = { lhsSpec: [0, 2, 1], rhsSpec: [2, 1, 0], outSpec: [0, 2, 1] }
const ncw = { lhsSpec: [0, 1, 2], rhsSpec: [0, 1, 2], outSpec: [0, 1, 2] }
const convolution = (lhs: Axes, rhs: Axes, more: object = {}): Case => {
  const space = lhs.length - 2
  const ones = Array.from({ length: space }, () => 1)
  return {
    operands: [{ shape: lhs }, { shape: rhs }],
    params: {
      windowStrides: ones,
      padding: ones.map(() => [0, 0]),
      lhsDilation: ones,
      rhsDilation: ones,
      dimensionNumbers: space === 2 ? nchw : ncw,
      featureGroupCount: 1,
      batchGroupCount: 1,
      preferredElementType: undefined,
      ...more,
    },
    dtypes: numbers,
    linear: [[0], [1]],
  }
}

// Matrices that an operation takes, made of any: M Mᵀ + 3, symmetric, far from singular, with singular values far from each other.
const transposed = (x: NDArray): NDArray => x.swapaxes(-1, -2)
const eye = (x: NDArray): NDArray => np.eye(x.shape.at(-2)!, { columns: x.shape.at(-1)!, dtype: x.dtype })
const positive = (x: NDArray): NDArray => np.matmul(x, transposed(x)).add(eye(x).mul(3))
const dominant = (x: NDArray): NDArray => x.add(eye(x).mul(np.arange(x.shape.at(-1)!).astype(x.dtype).mul(2).add(4)))
const symmetric = (x: NDArray): NDArray => dominant(x.add(transposed(x)).mul(0.5))
const wide = ['float32', 'float64'] as const

const factored = (shape: Axes, params: object, adapt: (x: NDArray) => NDArray, rest: Partial<Case> = {}): Case => ({
  operands: [{ shape, range: [-1, 1], adapt }],
  params,
  dtypes: wide,
  ...rest,
})
const solves: Case[] = [true, false].flatMap((leftSide) =>
  [true, false].flatMap((lower) =>
    [true, false].flatMap((transposeA) =>
      [true, false].map((unitDiagonal): Case => ({
        operands: [{ shape: [3, 3], range: [-1, 1], adapt: dominant }, { shape: leftSide ? [3, 2] : [2, 3] }],
        params: { leftSide, lower, transposeA, unitDiagonal },
        dtypes: wide,
        linear: [[1]],
      })),
    ),
  ),
)

export const products: Table = {
  dot_general: {
    cases: [
      ...dots.map(([lhs, rhs, contracted, batch]): Case => ({
        operands: [{ shape: lhs }, { shape: rhs }],
        params: { dimensionNumbers: [contracted, batch], preferredElementType: undefined },
        dtypes: everything,
        linear: [[0], [1]],
      })),
      {
        operands: [{ shape: [2, 3] }, { shape: [3, 2] }],
        params: {
          dimensionNumbers: [
            [[1], [0]],
            [[], []],
          ],
          preferredElementType: 'float64',
        },
        dtypes: ['float64', 'float32', 'float16'],
        linear: [[0], [1]],
      },
    ],
  },
  conv_general_dilated: {
    cases: [
      convolution([2, 3, 5], [4, 3, 2]),
      convolution([1, 2, 4, 5], [3, 2, 2, 3]),
      convolution([2, 2, 5], [2, 2, 3], { windowStrides: [2], padding: [[1, 2]] }),
      convolution([2, 2, 4], [2, 2, 2], { lhsDilation: [2], padding: [[1, 0]] }),
      convolution([2, 2, 6], [2, 2, 2], { rhsDilation: [3], padding: [[-1, 1]] }),
      convolution([2, 4, 4], [4, 2, 2], { featureGroupCount: 2 }),
      convolution([4, 3, 4], [4, 3, 2], { batchGroupCount: 2 }),
      convolution([2, 5, 3], [2, 3, 4], { dimensionNumbers: nwc, windowStrides: [2] }),
      convolution([0, 2, 4], [3, 2, 2]),
      convolution([1, 2, 1], [3, 2, 2]),
      { ...convolution([2, 2, 5], [2, 2, 2], { preferredElementType: 'float64' }), dtypes: ['float64', 'float32'] },
    ],
  },
  cholesky: {
    cases: [
      ...[
        [3, 3],
        [1, 1],
        [2, 2, 2],
        [0, 0],
      ].map((shape) => factored(shape, {}, positive, { order: 0 })),
      // derivatives are those along symmetric matrices
      ...[
        [3, 3],
        [2, 2, 2],
      ].map((shape): Case => ({
        operands: [{ shape, range: [-1, 1] }],
        run: (x) => call('cholesky', [positive(x!)], {}),
        dtypes: wide,
      })),
    ],
  },
  triangular_solve: {
    cases: [
      ...solves,
      {
        operands: [{ shape: [2, 2, 2], range: [-1, 1], adapt: dominant }, { shape: [2, 2, 1] }],
        params: { leftSide: true, lower: true, transposeA: false, unitDiagonal: false },
        dtypes: wide,
        linear: [[1]],
      },
    ],
  },
  lu: {
    cases: [
      factored([3, 3], {}, dominant),
      factored([4, 2], {}, dominant),
      factored([2, 4], {}, dominant),
      factored([2, 2, 2], {}, dominant),
    ],
  },
  qr: {
    cases: [
      factored([3, 3], { fullMatrices: true }, dominant),
      factored([4, 2], { fullMatrices: false }, dominant),
      factored([2, 4], { fullMatrices: false }, dominant),
      factored([4, 2], { fullMatrices: true }, dominant),
      factored([2, 3, 2], { fullMatrices: false }, dominant),
    ],
  },
  eigh: {
    cases: [true, false].flatMap((lower) => [
      factored([3, 3], { lower }, symmetric, { order: 0 }),
      factored([2, 2, 2], { lower }, symmetric, { order: 0 }),
      // derivatives are those along symmetric matrices
      {
        operands: [{ shape: [3, 3], range: [-1, 1] as const }],
        run: (x: NDArray) => call('eigh', [symmetric(x)], { lower }),
        dtypes: wide,
      },
    ]),
  },
  svd: {
    cases: [
      factored([3, 3], { fullMatrices: false, computeUv: true }, dominant),
      factored([4, 2], { fullMatrices: false, computeUv: true }, dominant),
      factored([2, 4], { fullMatrices: false, computeUv: true }, dominant),
      factored([3, 3], { fullMatrices: true, computeUv: true }, dominant),
      factored([3, 2], { fullMatrices: true, computeUv: false }, dominant),
      factored([2, 2, 2], { fullMatrices: false, computeUv: false }, dominant),
      factored([4, 2], { fullMatrices: true, computeUv: true }, dominant, { order: 0 }),
    ],
  },
}
