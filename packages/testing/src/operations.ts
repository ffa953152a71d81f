/** What random programs are made of: operations on vectors of one length whose results stay small. */
import {
  type NDArray,
  checkpoint,
  customJvp,
  customVjp,
  jit,
  jvp,
  lax,
  np,
  stopGradient,
  vjp,
  vmap,
} from '@fluxion/core'
import type { GradMode } from './checkGrads.ts'

/** A program of two vectors inside another. */
export type Inner = (x: NDArray, y: NDArray) => NDArray
export interface Operation {
  readonly name: string
  /** It has derivatives of every order, everywhere. */
  readonly smooth: boolean
  /** Multiples of 1/8 between −4 and 4 give such again, exactly. */
  readonly exact: boolean
  /** The modes in which it can be differentiated. */
  readonly modes: readonly GradMode[]
  /** It runs a program of its own. */
  readonly holds: boolean
  readonly apply: (x: NDArray, y: NDArray, z: NDArray, inner: Inner) => NDArray
}
type Flags = Partial<Omit<Operation, 'name' | 'apply'>>
const row = (name: string, flags: Flags, apply: Operation['apply']): Operation => ({
  name,
  smooth: false,
  exact: false,
  modes: ['fwd', 'rev'],
  holds: false,
  ...flags,
  apply,
})
const smooth: Flags = { smooth: true }
const exact: Flags = { exact: true }
const always: Flags = { smooth: true, exact: true }
const holding: Flags = { smooth: true, exact: true, holds: true }

/** The nearest multiple of 1/8 below, between −4 and 4. */
const kept = (x: NDArray): NDArray => np.clip(np.floor(x.mul(8)).div(8), -4, 4)
const half = (x: NDArray): NDArray => x.mul(0.5)

export const operations: readonly Operation[] = [
  row('sin', smooth, (x) => np.sin(x)),
  row('tanh', smooth, (x) => np.tanh(x)),
  row('logistic', smooth, (x) => np.exp(x.neg().sub(1)).add(1).pow(-1)),
  row('average', smooth, (x, y) => half(x.add(y))),
  row('product', smooth, (x, y) => np.tanh(x.mul(y))),
  row('quotient', smooth, (x, y) => x.div(np.square(y).add(1))),
  row('outer', smooth, (x, y, z) => np.tanh(np.matmul(np.outer(x, y), z))),
  row('center', smooth, (x) => half(x.sub(x.mean()))),
  row('cumsum', smooth, (x) => np.tanh(np.cumsum(x))),
  row('logsumexp', smooth, (x) =>
    np
      .log(np.exp(np.sin(x)).sum())
      .mul(x)
      .div(4),
  ),
  row('neg', always, (x) => x.neg()),
  row('reverse', always, (x) => np.flip(x)),
  row('roll', always, (x) => np.roll(x, 1)),
  row('take', always, (x) =>
    x.get(np.array([...x.shape.map(() => 0), ...Array.from({ length: x.size - 1 }, (_, i) => i)], { dtype: 'int32' })),
  ),
  row('update', always, (x, y) => x.at(0).set(y.get(-1))),
  row('halves', always, (x, y) => np.concatenate([x.get('1:'), y.get('0:1')])),
  row('stopped', { exact: true }, (x, y) => np.maximum(stopGradient(x), y)),
  row('sum', exact, (x, y) => kept(x.add(y))),
  row('times', exact, (x, y) => kept(x.mul(y))),
  row('total', exact, (x, y) => kept(x.sum().add(y))),
  row('maximum', exact, (x, y) => np.maximum(x, y)),
  row('where', exact, (x, y, z) => np.where(x.gt(y), z, x)),
  row('sort', exact, (x) => np.sort(x)),
  row('scatterAdd', exact, (x, y) => kept(x.at(np.array([0, 0], { dtype: 'int32' })).add(y.get(0)))),

  row('jit', holding, (x, y, _, inner) => jit(inner)(x, y)),
  row('checkpoint', holding, (x, y, _, inner) => checkpoint(inner)(x, y)),
  row('vmap', holding, (x, y, z, inner) => vmap(inner, { inAxes: [0, null] })(np.stack([x, y]), z).get(1)),
  row('scan', holding, (x, y, z, inner) => {
    const [last, all] = lax.scan(
      (c: NDArray, s: NDArray) => [inner(c, s), inner(s, z)] as [NDArray, NDArray],
      x,
      np.stack([x, y, z]),
      { unroll: 2 },
    )
    return np.where(np.arange(x.size).eq(0), last, all.get(1))
  }),
  row(
    'reversedScan',
    holding,
    (x, y, _, inner) =>
      lax.scan((c: NDArray) => [inner(c, y), null] as [NDArray, null], x, null, { length: 2, reverse: true })[0],
  ),
  row('foriLoop', holding, (x, y, _, inner) =>
    lax.foriLoop(0, 2, (i: NDArray, c: NDArray) => inner(c, np.where(i.eq(0), y, c)), x),
  ),
  // neither smooth programs nor exact ones come near this bound
  row('cond', holding, (x, y, z, inner) =>
    lax.cond(
      x.sum().lt(1e3),
      (a: NDArray, b: NDArray) => inner(a, b),
      (a: NDArray, b: NDArray) => half(a.add(b)),
      y,
      z,
    ),
  ),
  row('choice', { exact: true, holds: true }, (x, y, z, inner) =>
    lax.switch(
      x.get(0).astype('int32'),
      [(a: NDArray, b: NDArray) => inner(a, b), (a: NDArray) => a.neg(), (_: NDArray, b: NDArray) => b],
      y,
      z,
    ),
  ),
  row('customJvp', holding, (x, y, _, inner) => {
    const f = customJvp((a: NDArray, b: NDArray) => inner(a, b))
    f.defjvp((primals, tangents) => jvp(inner, primals, tangents))
    return f(x, y)
  }),
  row('customVjp', { ...holding, modes: ['rev'] }, (x, y, _, inner) => {
    const f = customVjp((a: NDArray, b: NDArray) => inner(a, b))
    f.defvjp(
      (a, b) => [inner(a, b), [a, b] as [NDArray, NDArray]],
      ([a, b], ct) => vjp(inner, a, b)[1](ct) as [NDArray, NDArray],
    )
    return f(x, y)
  }),
  row('whileLoop', { ...holding, modes: ['fwd'] }, (x, y, _, inner) => {
    const step = ([i, c]: [NDArray, NDArray]): [NDArray, NDArray] => [i.add(1), inner(c, y)]
    return lax.whileLoop(([i]: [NDArray, NDArray]) => i.lt(2), step, [np.array(0, { dtype: 'int32' }), x] as [
      NDArray,
      NDArray,
    ])[1]
  }),
]
