// Cases of primitives that move elements or make them: broadcast, reshape, slices, padding, joining, iota.
import { type Case, type Entry, type Table, everything, floats, integers, over } from './cases.ts'

const dtypes = everything
/** A linear operation on one operand, with parameters for each shape. */
const moving = (...list: readonly (readonly [shape: readonly number[], params: object])[]): Entry => ({
  cases: list.map(([shape, params]): Case => ({ operands: [{ shape }], params, dtypes, linear: [[0]] })),
})
/** The same with a scalar operand behind it. */
const padding = (
  ...list: readonly (readonly [shape: readonly number[], config: readonly (readonly number[])[]])[]
): Entry => ({
  cases: list.map(([shape, paddingConfig]): Case => ({
    operands: [{ shape }, { shape: [] }],
    params: { paddingConfig },
    dtypes,
    linear: [[0, 1], [0], [1]],
  })),
})

export const movement: Table = {
  broadcast_in_dim: moving(
    [[], { shape: [2, 3], broadcastDimensions: [] }],
    [[3], { shape: [2, 3], broadcastDimensions: [1] }],
    [[2], { shape: [2, 3], broadcastDimensions: [0] }],
    [[2, 1], { shape: [4, 2, 3], broadcastDimensions: [1, 2] }],
    [[1, 1], { shape: [2, 1, 3], broadcastDimensions: [0, 2] }],
    [[3], { shape: [3], broadcastDimensions: [0] }],
    [[0], { shape: [2, 0], broadcastDimensions: [1] }],
    [[1], { shape: [0], broadcastDimensions: [0] }],
  ),
  reshape: moving(
    [[2, 3], { newSizes: [3, 2] }],
    [[6], { newSizes: [2, 1, 3] }],
    [[1, 1], { newSizes: [] }],
    [[], { newSizes: [1, 1] }],
    [[0, 3], { newSizes: [2, 0] }],
  ),
  transpose: moving(
    [[2, 3], { permutation: [1, 0] }],
    [[2, 3, 4], { permutation: [2, 0, 1] }],
    [[2, 3, 4], { permutation: [0, 2, 1] }],
    [[1, 3], { permutation: [1, 0] }],
    [[0, 3], { permutation: [1, 0] }],
    [[], { permutation: [] }],
  ),
  squeeze: moving(
    [[1, 3], { dimensions: [0] }],
    [[2, 1, 3, 1], { dimensions: [1, 3] }],
    [[1], { dimensions: [0] }],
    [[0, 1], { dimensions: [1] }],
  ),
  rev: moving(
    [[3], { dimensions: [0] }],
    [[2, 3], { dimensions: [0, 1] }],
    [[2, 3], { dimensions: [1] }],
    [[0], { dimensions: [0] }],
    [[2, 3], { dimensions: [] }],
  ),
  slice: moving(
    [[5], { startIndices: [1], limitIndices: [4], strides: null }],
    [[5], { startIndices: [0], limitIndices: [5], strides: [2] }],
    [[6], { startIndices: [1], limitIndices: [6], strides: [3] }],
    [[3, 4], { startIndices: [1, 0], limitIndices: [3, 4], strides: null }],
    [[3, 4], { startIndices: [0, 1], limitIndices: [2, 4], strides: [1, 2] }],
    [[3], { startIndices: [2], limitIndices: [2], strides: null }],
    [[0, 2], { startIndices: [0, 0], limitIndices: [0, 1], strides: null }],
    [[], { startIndices: [], limitIndices: [], strides: null }],
  ),
  split: moving(
    [[5], { sizes: [2, 3], axis: 0 }],
    [[2, 4], { sizes: [1, 0, 3], axis: 1 }],
    [[3, 2], { sizes: [1, 1, 1], axis: 0 }],
    [[0], { sizes: [0, 0], axis: 0 }],
  ),
  pad: padding(
    [[3], [[1, 2, 0]]],
    [[3], [[0, 0, 2]]],
    [[4], [[-1, -1, 0]]],
    [[4], [[-2, 1, 1]]],
    [
      [2, 3],
      [
        [1, 0, 1],
        [0, -1, 0],
      ],
    ],
    [[5], [[-1, -2, 1]]],
    [[0], [[2, 1, 3]]],
    [[], []],
  ),
  concatenate: {
    cases: (
      [
        [[[2], [3]], 0],
        [
          [
            [2, 1],
            [2, 3],
            [2, 2],
          ],
          1,
        ],
        [
          [
            [0, 2],
            [1, 2],
          ],
          0,
        ],
        [[[3], [0], [2]], 0],
      ] as const
    ).map(([shapes, dimension]): Case => ({
      operands: shapes.map((shape) => ({ shape })),
      params: { dimension },
      dtypes,
      linear: [shapes.map((_, i) => i), [1]],
    })),
  },
  iota: {
    cases: [...floats, ...integers].flatMap((dtype) =>
      (
        [
          [[3], 0],
          [[2, 3], 1],
          [[0], 0],
        ] as const
      ).map(([shape, dimension]): Case => ({ operands: [], params: { dtype, shape, dimension } })),
    ),
  },
  unpackbits: {
    cases: (['big', 'little'] as const).flatMap((bitorder) => [
      ...over([[[3]], [[2, 3]], [[0]]], [[0, 255]], { params: { axis: 0, bitorder }, dtypes: ['uint8'] }),
      ...over([[[2, 3]]], [[0, 255]], { params: { axis: 1, bitorder }, dtypes: ['uint8'] }),
    ]),
    unused: { jvp: 'bytes have no tangents' },
  },
}
