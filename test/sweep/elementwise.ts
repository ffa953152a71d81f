// Cases of elementwise primitives: one operand, two, three; where a scalar stands beside an array, it broadcasts.
import { type DType, type NDArray, grad, lax, linearTranspose, np, vmap } from 'fluxion'
import {
  type Case,
  type Entry,
  type Operand,
  type Table,
  everything,
  floats,
  integers,
  logical,
  numbers,
  over,
} from './cases.ts'

type Range = readonly [number, number]
const single = [[[]], [[3]], [[0]], [[2, 3]]]
const pairs = [
  [[3], [3]],
  [[], []],
  [[2, 3], []],
  [[], [3]],
  [[0], [0]],
  [[0, 2], []],
]
const unary = (range: Range, dtypes: readonly DType[] = floats, rest: Partial<Case> = {}): Entry => ({
  cases: over(single, [range], { params: {}, dtypes, ...rest }),
})
const binary = (x: Range, y: Range = x, dtypes: readonly DType[] = floats, rest: Partial<Case> = {}): Entry => ({
  cases: over(pairs, [x, y], { params: {}, dtypes, ...rest }),
})
const list = (...cases: readonly (readonly Case[])[]): Entry => ({ cases: cases.flat() })
const operand = (shape: readonly number[], rest: Partial<Operand> = {}): Operand => ({ shape, ...rest })
const both: Partial<Case> = { linear: [[0, 1]] }

const discrete = (dtypes: readonly DType[]): Entry => binary([-9, 9], [-9, 9], dtypes)
const compared: Entry = discrete(everything)

/** Operations on integers and booleans, which have no tangents. */
const discreteOnly = (entry: Entry): Entry => ({ ...entry, unused: { jvp: 'its operands have no tangents' } })

/** A choice among cases by a bool or an integer, given whole or for all elements at once. */
const selections: Case[] = (['bool', 'int32'] as const).flatMap((dtype) =>
  [
    [[3], [3], [3]],
    [[], [2, 3], [2, 3]],
    [[3], [3], []],
    [[3], [], []],
    [[0], [0], [0]],
  ].map(([which, ...cases]): Case => {
    const all = dtype === 'bool' ? cases : [...cases, cases[0]!]
    return {
      operands: [operand(which!, { dtype, range: [0, 2] }), ...all.map((shape) => operand(shape))],
      params: {},
      dtypes: ['float32', 'float64', 'float16', 'int32', 'bool'],
      linear: [all.map((_, i) => i + 1)],
    }
  }),
)

export const elementwise: Table = {
  neg: unary([-3, 3], numbers, { linear: [[0]] }),
  abs: list(unary([0.2, 3], [...floats, 'int32', 'int8']).cases, unary([-3, -0.2], [...floats, 'int32']).cases),
  square: unary([-3, 3], numbers),
  sign: unary([0.2, 3], numbers),
  floor: unary([0.1, 0.9]),
  ceil: unary([-0.9, -0.1]),
  round: list(
    unary([-0.4, 0.4], floats, { params: { roundingMethod: 'AWAY_FROM_ZERO' } }).cases,
    unary([-0.4, 0.4], floats, { params: { roundingMethod: 'TO_NEAREST_EVEN' } }).cases,
  ),
  integer_pow: list(
    ...[-2, 0, 1, 2, 3, 5].map((y) => unary([0.5, 2], y < 0 ? floats : numbers, { params: { y } }).cases),
  ),
  is_finite: unary([-3, 3]),
  not: discreteOnly(unary([0, 9], logical)),
  population_count: discreteOnly(unary([0, 99], integers)),
  clz: discreteOnly(unary([0, 99], integers)),
  copy: unary([-3, 3], everything, { linear: [[0]] }),

  exp: unary([-2, 2]),
  exp2: unary([-2, 2]),
  expm1: unary([-2, 2]),
  log: unary([0.2, 4]),
  log1p: unary([-0.5, 3]),
  logistic: unary([-3, 3]),
  sqrt: unary([0.2, 4]),
  rsqrt: unary([0.2, 4]),
  cbrt: list(unary([0.2, 4]).cases, unary([-4, -0.2]).cases),
  sin: unary([-3, 3]),
  cos: unary([-3, 3]),
  tan: unary([-1.2, 1.2]),
  asin: unary([-0.9, 0.9]),
  acos: unary([-0.9, 0.9]),
  atan: unary([-3, 3]),
  sinh: unary([-2, 2]),
  cosh: unary([-2, 2]),
  tanh: unary([-2, 2]),
  asinh: unary([-3, 3]),
  acosh: unary([1.3, 4]),
  atanh: unary([-0.8, 0.8]),
  erf: unary([-2, 2]),
  erfc: unary([-2, 2]),
  erf_inv: unary([-0.8, 0.8]),
  lgamma: unary([0.4, 6]),
  digamma: unary([0.4, 6]),
  bessel_i0e: list(unary([0.3, 5]).cases, unary([-5, -0.3]).cases),
  bessel_i1e: list(unary([0.3, 5]).cases, unary([-5, -0.3]).cases),

  add: binary([-3, 3], [-3, 3], numbers, both),
  add_any: {
    cases: over(
      [
        [[3], [3]],
        [[], []],
        [[0], [0]],
        [
          [2, 3],
          [2, 3],
        ],
      ],
      [[-3, 3]],
      { params: {}, dtypes: numbers, ...both },
    ),
  },
  sub: binary([-3, 3], [-3, 3], numbers, both),
  mul: binary([-3, 3], [-3, 3], numbers, { linear: [[0], [1]] }),
  div: binary([-3, 3], [0.5, 3], numbers, { linear: [[0]] }),
  max: binary([-3, 3], [-3.1, 2.9], everything),
  min: binary([-3, 3], [-3.1, 2.9], everything),
  pow: list(
    binary([0.3, 3], [-2, 3]).cases,
    pairs.map(([x, y]): Case => ({
      operands: [operand(x!, { range: [0.3, 2] }), operand(y!, { dtype: 'int32', range: [-3, 3] })],
      params: {},
    })),
    binary([0, 3], [0, 4], integers).cases,
  ),
  rem: binary([2.1, 2.9], [0.8, 1], numbers),
  atan2: list(binary([0.5, 2], [-2, -0.5]).cases, binary([-2, -0.5], [0.5, 2]).cases),
  nextafter: {
    ...binary([-3, 3], [-3, 3], floats, { order: 0 }),
    missing: {
      'nextafter: there is no derivative with respect to x': () =>
        grad((x: NDArray) => lax.nextafter(x, np.array(2)))(1),
    },
  },
  eq: compared,
  ne: compared,
  lt: compared,
  le: compared,
  gt: compared,
  ge: compared,
  and: discreteOnly(discrete(logical)),
  or: discreteOnly(discrete(logical)),
  xor: discreteOnly(discrete(logical)),
  shift_left: discreteOnly(binary([0, 99], [0, 9], integers)),
  shift_right_logical: discreteOnly(binary([0, 99], [0, 9], integers)),
  shift_right_arithmetic: discreteOnly(binary([-99, 99], [0, 9], integers)),

  polygamma: {
    cases: over(
      pairs,
      [
        [1, 1],
        [0.5, 4],
      ],
      { params: {}, by: [1], dtypes: floats },
    ).map((one) => ({ ...one, operands: [{ ...one.operands[0]!, values: [1, 2] }, one.operands[1]!] })),
  },
  zeta: binary([2, 4], [1, 3], floats, { by: [1] }),
  igamma: binary([0.6, 3], [0.4, 4], floats, { order: 1 }),
  igammac: binary([0.6, 3], [0.4, 4], floats, { order: 1 }),
  igamma_grad_a: {
    ...binary([0.6, 3], [0.4, 4], floats, { order: 0 }),
    missing: {
      'igammaGradA: there is no derivative with respect to a': () =>
        grad(grad((a: NDArray) => lax.igamma(a, np.array(2))))(1),
    },
  },
  random_gamma_grad: {
    ...binary([0.6, 3], [0.4, 4], floats, { order: 0 }),
    missing: {
      'randomGammaGrad: there is no derivative with respect to a': () =>
        grad((a: NDArray) => lax.randomGammaGrad(a, np.array(2)))(1),
    },
  },
  regularized_incomplete_beta: {
    cases: over(
      [
        [[3], [3], [3]],
        [[], [], []],
        [[], [], [2, 3]],
        [[0], [0], [0]],
      ],
      [
        [0.6, 3],
        [0.6, 3],
        [0.2, 0.8],
      ],
      { params: {}, dtypes: floats, by: [2] },
    ),
  },

  clamp: {
    cases: over(
      [
        [[3], [3], [3]],
        [[], [3], []],
        [[], [2, 3], []],
        [[], [], []],
        [[0], [0], [0]],
        [[], [3], [3]],
      ],
      [
        [-1, -0.8],
        [-2, 2],
        [0.8, 1],
      ],
      {
        params: {},
        dtypes: everything,
      },
    ),
  },
  select_n: { cases: selections },

  convert_element_type: list(
    unary([-3, 3], ['float64', 'float32'], { params: { newDtype: 'float64', weakType: false }, linear: [[0]] }).cases,
    unary([-3, 3], everything, { params: { newDtype: 'float16', weakType: false }, order: 0, linear: [[0]] }).cases,
    unary([0, 9], everything, { params: { newDtype: 'int32', weakType: false } }).cases,
    unary([-1, 1], everything, { params: { newDtype: 'bool', weakType: false } }).cases,
    unary([-3, 3], ['float32'], { params: { newDtype: 'float32', weakType: true }, order: 0, linear: [[0]] }).cases,
  ),
  bitcast_convert_type: list(
    unary([-3, 3], ['float32', 'int32', 'uint32'], { params: { newDtype: 'uint32' }, flat: true }).cases,
    unary([-3, 3], ['float32', 'float64'], { params: { newDtype: 'uint16' }, flat: true }).cases,
    over([[[2, 4]], [[4]], [[0, 4]]], [[0, 99]], { params: { newDtype: 'float32' }, dtypes: ['uint8'], order: 0 }),
  ),
  reduce_precision: list(
    // as many bits as float64 has change nothing, so that the derivative can be seen
    unary([-3, 3], ['float64', 'float32'], { params: { exponentBits: 11, mantissaBits: 52 }, linear: [[0]] }).cases,
    unary([-3, 3], floats, { params: { exponentBits: 5, mantissaBits: 4 }, order: 0 }).cases,
  ),
  stop_gradient: {
    cases: [
      ...unary([-3, 3], everything, { order: 0, flat: true }).cases,
      // a batched condition stops what it discards, in linear programs too
      {
        operands: [{ shape: [2] }, { shape: [2], range: [0, 1], dtype: 'bool' }],
        run: (x, p) =>
          vmap((c: NDArray, v: NDArray) =>
            lax.cond(
              c,
              (a: NDArray) => a.mul(2),
              (a: NDArray) => a.mul(3),
              v,
            ),
          )(p!, x!),
        linear: [[0]],
      },
    ],
    missing: {
      'stop_gradient: there is no transpose rule': () => linearTranspose((x: NDArray) => lax.stopGradient(x), 1)(1),
    },
  },
  name: unary([-3, 3], everything, { params: { name: 'kept' }, linear: [[0]] }),
}
