/** The functions whose programs the golden file holds, written again with raw operations, in the order of that file. */
import '../setup.ts'
import type { NDArray } from '../array.ts'
import { cond, switchCase } from '../control/branches.ts'
import { checkpoint, checkpointName } from '../control/checkpoint.ts'
import { psum } from '../control/collective.ts'
import { customJvp, customVjp } from '../control/custom.ts'
import { jit } from '../control/jitted.ts'
import { foriLoop, scan, whileLoop } from '../control/loops.ts'
import { convGeneralDilated } from '../primitive/conv.ts'
import { cumlogsumexp, cummax, cummin, cumprod, cumsum } from '../primitive/cumulative.ts'
import { dotGeneral } from '../primitive/dot.ts'
import * as el from '../primitive/elementwise.ts'
import { eigh, lu, qr, svd, triangularSolve } from '../primitive/linalg.ts'
import {
  dynamicSlice,
  dynamicUpdateSlice,
  gather,
  scatter,
  scatterAdd,
  scatterMax,
  scatterMin,
  scatterMul,
} from '../primitive/indexing.ts'
import {
  broadcastInDim,
  concatenate,
  expandDims,
  iota,
  pad,
  reshape,
  rev,
  slice,
  split,
  squeeze,
  transpose,
} from '../primitive/movement.ts'
import {
  argmax,
  argmin,
  reduceAnd,
  reduceMax,
  reduceMin,
  reduceOr,
  reduceProd,
  reduceSum,
  reduceXor,
} from '../primitive/reduce.ts'
import { sort, topK } from '../primitive/sort.ts'
import { stopGradient } from '../primitive/stop.ts'
import { reduceWindowMax, reduceWindowMin, reduceWindowSum } from '../primitive/window.ts'
import { fromHost, scalar } from '../trace.ts'
import { grad, jvp, valueAndGrad, vjp } from '../transform/autodiff.ts'
import { vmap } from '../transform/vectorize.ts'
import type { Tree } from '../types.ts'

const f32 = (value: number): NDArray => scalar(value, 'float32')
const weak = (value: number): NDArray => scalar(value, 'float32', true)
const i32 = (value: number): NDArray => scalar(value, 'int32')
const dot = (x: NDArray, y: NDArray): NDArray =>
  dotGeneral(x, y, [
    [[x.ndim - 1], [0]],
    [[], []],
  ])
/** What `lax.dynamic_slice` does to an index: negative ones count from the end. */
const wrapped = (i: NDArray, size: number): NDArray => el.selectN(el.lt(i, i32(0)), i, el.add(i, i32(size)))

const spikes = () => {
  const spike = customVjp(function spike(y: NDArray) {
    return el.convert(el.gt(y, f32(0)), 'float32')
  })
  spike.defvjp(
    (y) => [spike(y), y],
    (y: NDArray, ct) => [el.div(ct, el.add(el.mul(y, y), f32(1)))],
  )
  return spike
}
const loss = (f: (x: NDArray) => NDArray) => (y: NDArray) => reduceSum(f(y), [0])

type Build = (...args: never[]) => Tree
const rows = <const A extends Readonly<Record<string, (...args: NDArray[]) => Tree>>>(table: A): A => table

const elementwise = rows({
  unary: (x) => el.sin(el.exp(el.neg(x!))),
  more_unary: (x) =>
    [el.tanh, el.logistic, el.log1p, el.expm1, el.sqrt, el.rsqrt, el.abs, el.sign, el.floor, el.erf, el.square].map(
      (f) => f(x!),
    ),
  binary: (x, y) => {
    const [sum, difference] = [el.add(x!, y!), el.sub(x!, y!)]
    const product = el.mul(sum, difference)
    return el.div(product, el.max(x!, el.min(x!, y!)))
  },
  powers: (x, y) => [el.pow(x!, y!), el.integerPow(x!, 3), el.integerPow(y!, -2), el.atan2(x!, y!), el.rem(x!, y!)],
  comparisons: (x, y) => [el.lt, el.le, el.gt, el.ge, el.eq, el.ne].map((f) => f(x!, y!)),
  bitwise: (x, y) => [
    ...[el.and, el.or, el.xor].map((f) => f(x!, y!)),
    el.not(x!),
    ...[el.shiftLeft, el.shiftRightLogical, el.shiftRightArithmetic].map((f) => f(x!, y!)),
  ],
  select: (p, x, y) => el.selectN(p!, y!, x!),
  clamp: (x) => el.clamp(f32(0), x!, f32(1)),
  literals: (x) => el.add(el.mul(x!, f32(2)), f32(1.5)),
  python_scalars: (x) => el.add(el.mul(weak(2), x!), weak(1.5)),
  integer_scalars: (x) => el.add(el.mul(x!, i32(2)), i32(1)),
  scalar: (x) => el.mul(x!, x!),
  rounding: (x) => [el.round(x!, 'TO_NEAREST_EVEN'), el.isFinite(x!), stopGradient(x!)],
  casts: (x) => [el.convert(x!, 'int32'), el.convert(x!, 'float16'), el.bitcast(x!, 'uint32')],
  unused: (x) => {
    el.sin(x!)
    return el.cos(x!)
  },
  identity: (x, y) => [y!, x!, y!],
  tree: (x) => ({ b: el.sin(x!), a: [el.cos(x!), x!] }),
})

const structures = {
  tree_inputs: (p: { w: NDArray; b: NDArray }, x: NDArray) => el.add(dot(x, p.w), p.b),
  constants: () => [f32(1), i32(2)],
}

const reductions = rows({
  dot: (x, y) => dot(x!, y!),
  dot_general: (x, y) =>
    dotGeneral(x!, y!, [
      [[2], [2]],
      [[0], [0]],
    ]),
  dot_half: (x, y) =>
    dotGeneral(
      x!,
      y!,
      [
        [[1], [0]],
        [[], []],
      ],
      'float32',
    ),
  reductions: (x) => [reduceSum(x!, [1]), reduceMax(x!, [0, 1]), reduceMin(x!, [0]), reduceProd(x!, [0])],
  logical_reductions: (x) => [reduceAnd(x!, [1]), reduceOr(x!, [0]), reduceXor(x!, [0])],
  indices: (x) => [argmax(x!, 1, 'int32'), argmin(x!, 0, 'int32')],
  cumulative: (x) => [cumsum(x!, 1), cumprod(x!, 0), cummax(x!, 1, true), cummin(x!, 0), cumlogsumexp(x!, 1)],
  sort: (x) => sort([x!], { dimension: 0, isStable: true, numKeys: 1 })[0]!,
  sort_pairs: (k, v) => sort([k!, v!], { dimension: 0, isStable: true, numKeys: 1 }),
  top_k: (x) => topK(x!, 2),
  conv: (x, w) =>
    convGeneralDilated(x!, w!, {
      windowStrides: [2, 2],
      padding: [
        [0, 1],
        [0, 1],
      ],
      lhsDilation: [1, 1],
      rhsDilation: [1, 1],
      dimensionNumbers: { lhsSpec: [0, 3, 1, 2], rhsSpec: [3, 2, 0, 1], outSpec: [0, 3, 1, 2] },
      featureGroupCount: 1,
      batchGroupCount: 1,
      preferredElementType: undefined,
    }),
  pool: (x) =>
    reduceWindowMax(x!, {
      windowDimensions: [1, 2, 2, 1],
      windowStrides: [1, 2, 2, 1],
      padding: [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      baseDilation: [1, 1, 1, 1],
      windowDilation: [1, 1, 1, 1],
    }),
})

const shapes = rows({
  broadcast: (x) => [broadcastInDim(x!, [2, 3], [1]), broadcastInDim(x!, [3, 4], [0])],
  reshape: (x) => [
    reshape(x!, [3, 2]),
    transpose(x!, [1, 0]),
    rev(x!, [1]),
    squeeze(reshape(x!, [6, 1]), [1]),
    expandDims(x!, [0]),
  ],
  slices: (x) => [slice(x!, [1, 0], [4, 4], [1, 2]), slice(x!, [0, 1], [5, 3], [1, 1])],
  dynamic_slices: (x, u, i) => [dynamicSlice(x!, [wrapped(i!, 5)], [2]), dynamicUpdateSlice(x!, u!, [wrapped(i!, 5)])],
  concatenate: (x, y) => concatenate([x!, y!], 0),
  pad: (x) =>
    pad(x!, f32(0), [
      [1, 0, 0],
      [0, 2, 1],
    ]),
  iota: () => [iota('int32', [4], 0), iota('float32', [2, 3], 1)],
  gather: (x, i) =>
    gather(x!, i!, {
      dimensionNumbers: { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] },
      sliceSizes: [1, 3],
      mode: 'clip',
    }),
  scatter_add: (x, i, u) =>
    scatterAdd(x!, i!, u!, {
      dimensionNumbers: { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] },
    }),
  split: (x) => split(x!, [2, 4], 0),
})

const sine = (y: NDArray): NDArray => el.mul(el.sin(y), y)
const transformations = rows({
  grad_sin: (x) => grad(el.sin)(x!),
  grad_grad: (x) => grad(grad(sine))(x!),
  grad_sum: (x) => grad(loss((y) => el.mul(el.tanh(y), y)))(x!),
  grad_dot: (x, w) => grad((v: NDArray) => reduceSum(dot(x!, v), [0, 1]))(w!),
  value_and_grad_max: (x) => valueAndGrad((y: NDArray) => reduceMax(y, [0]))(x!),
  jvp: (x, t) => jvp(sine, [x!], [t!]),
  vjp: (x, ct) => {
    const [out, pullback] = vjp(el.exp, x!)
    return [out, pullback(ct!)]
  },
  vmap: (x) => vmap(loss(el.sin))(x!),
  vmap_dot: (x, w) => vmap(dot, { inAxes: [0, null] })(x!, w!),
  vmap_grad: (x) => vmap(grad((y: NDArray) => el.mul(y, el.cos(y))))(x!),
  inner_jit: (x) => {
    const inner = jit(function inner(y: NDArray) {
      return el.sin(y)
    })
    return el.add(inner(x!), inner(el.neg(x!)))
  },
  grad_inner_jit: (x) => {
    const inner = (y: NDArray): NDArray => sine(y)
    return grad(jit(inner))(x!)
  },
  custom_jvp: (x) => {
    const f = customJvp(function f(y: NDArray) {
      return el.sin(y)
    })
    f.defjvp((primals, tangents) => [f(...primals), el.mul(tangents[0], el.cos(primals[0]))])
    return f(x!)
  },
  custom_vjp: (x) => spikes()(x!),
  grad_custom_vjp: (x) => grad(loss(spikes()))(x!),
  checkpoint: (x) => checkpoint((y: NDArray) => el.sin(el.sin(y)))(x!),
  grad_checkpoint: (x) => grad(checkpoint((y: NDArray) => el.sin(el.sin(y))))(x!),
})

const doubled = (v: NDArray): NDArray => el.mul(v, f32(2))
const below = (v: NDArray): NDArray => el.lt(v, f32(10))
const control = rows({
  scan: (init, xs) =>
    scan(
      (carry: NDArray, x: NDArray) => {
        const next = el.add(carry, el.sin(x))
        return [next, el.mul(next, x)]
      },
      init!,
      xs!,
    ),
  scan_consts: (init, w, xs) =>
    scan(
      (carry: NDArray, x: NDArray) => {
        const next = el.tanh(el.add(dot(carry, w!), x))
        return [next, next]
      },
      init!,
      xs!,
    ),
  scan_length: (init) =>
    scan((carry: NDArray) => [el.mul(carry, carry), null], init!, null, { length: 5, reverse: true, unroll: 2 }),
  grad_scan: (xs) =>
    grad((v: NDArray) => scan((c: NDArray, x: NDArray) => [el.mul(el.sin(c), x), null], f32(1), v)[0])(xs!),
  grad_scan_weights: (w, init, xs) =>
    grad((v: NDArray) => {
      const body = (carry: NDArray, x: NDArray): [NDArray, NDArray] => {
        const next = el.tanh(el.add(dot(carry, v), x))
        return [next, reduceSum(next, [0])]
      }
      return reduceSum(scan(body, init!, xs!)[1], [0])
    })(w!),
  vmap_scan: (init, xs) => vmap((i: NDArray) => scan((c: NDArray, x: NDArray) => [el.add(c, x), c], i, xs!))(init!),
  while_loop: (x) => whileLoop(below, doubled, x!),
  fori_loop: (x) => foriLoop(0, 5, (_, v: NDArray) => doubled(v), x!),
  fori_loop_dynamic: (x, n) => foriLoop(0, n!, (_, v: NDArray) => doubled(v), x!),
  cond: (p, x) => cond(p!, el.sin, el.cos, x!),
  switch: (i, x) => switchCase(i!, [el.sin, el.cos, (y: NDArray) => y], x!),
  grad_cond: (p, x) => grad((y: NDArray) => cond(p!, el.sin, doubled, y))(x!),
  vmap_cond: (p, x) => vmap((q: NDArray, y: NDArray) => cond(q, el.sin, el.cos, y))(p!, x!),
  vmap_while: (x) => vmap((y: NDArray) => whileLoop(below, doubled, y))(x!),
  collectives: (x) => vmap((y: NDArray) => el.div(y, psum(y, 'batch')), { axisName: 'batch' })(x!),
})

const pairs = {
  windowDimensions: [2],
  windowStrides: [2],
  padding: [[0, 0]],
  baseDilation: [1],
  windowDilation: [1],
} as const
const ofRows = { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] } as const
const rowsOf = {
  dimensionNumbers: { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] },
  sliceSizes: [1, 3],
} as const
const parameters = rows({
  special_functions: (a, b, x) => [
    ...[el.erfInv, el.erfc, el.lgamma, el.digamma, el.besselI0e, el.besselI1e].map((f) => f(x!)),
    el.igamma(a!, x!),
    el.igammac(a!, x!),
    el.regularizedIncompleteBeta(a!, b!, x!),
    ...[el.polygamma, el.zeta, el.nextafter].map((f) => f(a!, x!)),
  ],
  representations: (x, n) => [
    el.reducePrecision(x!, 5, 10),
    el.populationCount(n!),
    el.clz(n!),
    ...[el.ceil, el.exp2, el.cbrt, el.copy].map((f) => f(x!)),
  ],
  windows: (x) => [
    reduceWindowSum(x!, { ...pairs, windowStrides: [1] }),
    reduceWindowMin(x!, { ...pairs, windowStrides: [1], padding: [[0, 1]] }),
  ],
  grad_pool: (x) => grad(loss((y) => reduceWindowMax(y, pairs)))(x!),
  jvp_pool: (x, t) => jvp((y: NDArray) => reduceWindowMax(y, pairs), [x!], [t!]),
  scatters: (x, i, u) => [
    scatter(x!, i!, u!, { dimensionNumbers: ofRows, mode: 'clip', uniqueIndices: true, indicesAreSorted: true }),
    ...[scatterMul, scatterMin, scatterMax].map((f) => f(x!, i!, u!, { dimensionNumbers: ofRows })),
  ],
  gathers: (x, i) => [
    gather(x!, i!, { ...rowsOf, mode: 'fill', fillValue: 0 }),
    gather(x!, i!, { ...rowsOf, mode: 'promiseInBounds' }),
  ],
  factorizations: (x, y) => {
    const solved = triangularSolve(x!, y!, { leftSide: true, lower: true })
    const [factors, orthogonal, spectrum] = [lu(x!), qr(x!, false), eigh(x!)]
    const [values, left, right] = svd(x!, false)
    return [solved, ...factors, ...orthogonal, ...spectrum, left!, values!, right!]
  },
  sort_keys: (x, y) => sort([x!, y!], { dimension: 0, isStable: false, numKeys: 2 }),
  conv_preferred: (x, w) =>
    convGeneralDilated(x!, w!, {
      windowStrides: [1],
      padding: [[0, 0]],
      lhsDilation: [1],
      rhsDilation: [1],
      dimensionNumbers: { lhsSpec: [0, 1, 2], rhsSpec: [0, 1, 2], outSpec: [0, 1, 2] },
      featureGroupCount: 1,
      batchGroupCount: 1,
      preferredElementType: 'float32',
    }),
  named: (x) => checkpointName(x!, 'here'),
  custom_jvp_closed: (x, w) => {
    const f = customJvp(function f(y: NDArray) {
      return el.mul(y, w!)
    })
    f.defjvp(function rule(primals, tangents) {
      return [f(...primals), tangents[0]]
    })
    return f(x!)
  },
})

const table = fromHost({ shape: [3], dtype: 'float32', data: new Float32Array([1, 2, 3]) })
const printing = rows({
  many_names: (x) => Array.from({ length: 30 }).reduce<NDArray>((value) => el.sin(value), x!),
  literal_kinds: (x) => {
    const values = [1e-5, 0.0001, 1e16, 123456789, 0.1, -0, Infinity, -Infinity, NaN, 1e-40]
    return [
      values.reduce((sum, value) => el.add(sum, f32(value)), x!),
      i32(-7),
      scalar(1, 'bool'),
      scalar(0.1, 'float16'),
    ]
  },
  closed_over: (x) => el.add(el.mul(x!, table), table),
  closed_over_scan: (init, xs) =>
    scan((c: NDArray, x: NDArray) => [el.add(c, reduceSum(el.mul(x, table), [0])), c], init!, xs!),
  closed_over_while: (x, limit) =>
    whileLoop(
      (v) => el.lt(v, limit!),
      (v) => el.mul(v, limit!),
      x!,
    ),
  closed_over_cond: (p, x, y) =>
    cond(
      p!,
      (z) => el.mul(z, y!),
      (z) => el.sub(x!, z),
      x!,
    ),
  long_body: (init, xs) => {
    const body = (carry: NDArray, x: NDArray): [NDArray, NDArray] => {
      const next = Array.from({ length: 6 }).reduce<NDArray>((value) => el.mul(el.sin(value), x), carry)
      return [next, next]
    }
    return scan(body, init!, xs!)
  },
  shared_names: (x, y) => {
    const first = jit(function inner(a: NDArray) {
      return el.sin(a)
    })
    const second = jit(function inner(a: NDArray) {
      return el.cos(first(a))
    })
    return [second(second(x!)), second(y!)]
  },
  shared_inside_long: (x, xs) => {
    const inner = jit(function inner(c: NDArray) {
      return el.sin(c)
    })
    const outer = jit(function outer(c: NDArray) {
      return inner(Array.from({ length: 11 }).reduce<NDArray>((value) => el.cos(value), c))
    })
    const twice = outer(outer(x!))
    return [twice, scan((c: NDArray, y: NDArray) => [el.add(c, y), null], x!, xs!)[0]]
  },
  scatter_twice: (x, i, u) => {
    const numbers = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] }
    const added = scatterAdd(x!, i!, u!, { dimensionNumbers: numbers })
    return scatterAdd(added, i!, u!, { dimensionNumbers: numbers })
  },
  jit_once: (x) => {
    const inner = jit(function inner(c: NDArray): [NDArray, NDArray] {
      return [el.sin(c), c]
    })
    const outer = jit(function outer(a: NDArray, b: NDArray) {
      return inner(el.add(a, b))
    })
    return outer(x!, f32(1))
  },
  wide: (...xs) => [...xs, concatenate(xs, 0), ...xs, ...xs],
  exactly_80: (x, y) => [el.exp(x!), el.mul(x!, y!)],
  exactly_78: (x) => el.expm1(x!),
})

/** By the name of the case. */
export const jaxprCases: Readonly<Record<string, Build>> = {
  ...elementwise,
  ...structures,
  ...reductions,
  ...shapes,
  ...transformations,
  ...control,
  ...parameters,
  ...printing,
}
