// Cases of reductions: along axes, over windows, running ones, and positions of extremes.
import { type Case, type Entry, type Table, everything, floats, integers, logical, numbers } from './cases.ts'

const axesOf = [
  [[3], [0]],
  [[2, 3], [1]],
  [
    [2, 3],
    [0, 1],
  ],
  [
    [2, 3, 2],
    [0, 2],
  ],
  [[2, 3], []],
  [[0, 2], [0]],
  [[2, 0], [0]],
  [[], []],
] as const
const reduced = (
  rest: Partial<Case>,
  list: readonly (readonly [readonly number[], readonly number[]])[] = axesOf,
): Entry => ({
  cases: list.map(([shape, axes]): Case => ({ operands: [{ shape }], params: { axes }, ...rest })),
})
const nonEmpty = axesOf.filter(([shape, axes]) => axes.every((axis) => (shape as readonly number[])[axis] !== 0))
const positions = (): Entry => ({
  cases: (
    [
      [[3], 0],
      [[2, 3], 1],
      [[3, 2, 2], 0],
      [[0, 2], 1],
    ] as const
  ).flatMap(([shape, axis]) =>
    (['int32', 'uint8'] as const).map((indexDtype): Case => ({
      operands: [{ shape }],
      params: { axes: [axis], indexDtype },
      dtypes: everything,
    })),
  ),
})
const running = (rest: Partial<Case>): Entry => ({
  cases: (
    [
      [[4], 0],
      [[2, 3], 1],
      [[3, 2], 0],
      [[0], 0],
      [[1], 0],
      [[2, 5], 1],
    ] as const
  ).flatMap(([shape, axis]) =>
    [false, true].map((reverse): Case => ({
      operands: [{ shape, range: [0.5, 2] }],
      params: { axis, reverse },
      ...rest,
    })),
  ),
})

const window = (sizes: readonly number[], more: object = {}): object => ({
  windowDimensions: sizes,
  windowStrides: sizes.map(() => 1),
  padding: sizes.map(() => [0, 0]),
  baseDilation: sizes.map(() => 1),
  windowDilation: sizes.map(() => 1),
  ...more,
})
const plain: readonly (readonly [readonly number[], object])[] = [
  [[5], window([2])],
  [[5], window([3], { windowStrides: [2] })],
  [[4], window([2], { padding: [[1, 2]] })],
  [[3, 4], window([2, 2], { windowStrides: [1, 2] })],
  [[3, 4], window([1, 2])],
  [[3], window([2], { baseDilation: [2] })],
  [[2], window([3])],
  [[0], window([2], { padding: [[1, 1]] })],
]
const dilated = [[[6], window([2], { windowDilation: [3] })]] as const
const windowed = (list: readonly (readonly [readonly number[], object])[], rest: Partial<Case>): Case[] =>
  list.map(([shape, params]): Case => ({ operands: [{ shape }], params, ...rest }))
/** Windows over padding alone have no element to choose, and an infinite maximum. */
const covered = plain
  .map(([shape, params]) => [shape, shape[0] === 4 ? { ...params, padding: [[1, 1]] } : params] as const)
  .filter(([shape]) => shape[0] !== 0)
const selecting: Case[] = covered.flatMap(([shape, params]) =>
  (['ge', 'le'] as const).map((selectPrim): Case => ({
    operands: [{ shape }, { shape }],
    params: { ...params, selectPrim },
    dtypes: floats,
    linear: [[0]],
  })),
)
const scattering: Case[] = [
  [[4], [5], window([2])],
  [[2], [5], window([3], { windowStrides: [2] })],
  [[2, 2], [3, 4], window([2, 2], { windowStrides: [1, 2] })],
  [[6], [4], window([2], { padding: [[1, 2]] })],
  [[3, 3], [3, 4], window([1, 2])],
].flatMap(([source, operand, params]) =>
  (['ge', 'le'] as const).map((selectPrim): Case => ({
    operands: [{ shape: source as number[] }, { shape: operand as number[] }],
    params: { ...(params as object), selectPrim },
    dtypes: floats,
    linear: [[0]],
  })),
)

export const reductions: Table = {
  reduce_sum: reduced({ dtypes: numbers, linear: [[0]] }),
  reduce_prod: reduced({ dtypes: numbers }),
  reduce_max: reduced({ dtypes: everything }, nonEmpty),
  reduce_min: reduced({ dtypes: everything }, nonEmpty),
  reduce_and: reduced({ dtypes: logical }),
  reduce_or: reduced({ dtypes: logical }),
  reduce_xor: reduced({ dtypes: logical }),
  argmax: positions(),
  argmin: positions(),
  cumsum: running({ dtypes: numbers, linear: [[0]] }),
  cumprod: running({ dtypes: numbers }),
  cummax: running({ dtypes: [...floats, ...integers] }),
  cummin: running({ dtypes: numbers }),
  cumlogsumexp: running({ dtypes: floats }),
  reduce_window_sum: { cases: windowed([...plain, ...dilated], { dtypes: numbers, linear: [[0]] }) },
  reduce_window_max: {
    cases: [
      ...windowed(covered, { dtypes: everything }),
      ...windowed(dilated, { dtypes: floats, modes: ['fwd'], order: 1 }),
    ],
  },
  reduce_window_min: {
    cases: [
      ...windowed(covered, { dtypes: everything }),
      ...windowed(dilated, { dtypes: floats, modes: ['fwd'], order: 1 }),
    ],
  },
  select_and_gather_add: { cases: selecting },
  select_and_scatter_add: { cases: scattering },
}
