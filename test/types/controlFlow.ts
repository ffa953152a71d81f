// Compiled, never run: loops and conditions keep the types of carries and results; numbers in them become arrays.
import type { Batch } from '@fluxion/data'
import { type NDArray, lax } from 'fluxion'
import { type Mlp, mlp, same, x, y } from './same.ts'

declare const epoch: Batch
declare const frozen: readonly [Mlp, NDArray]

// Numbers, tuples, records, null with a length, readonly trees, interfaces.
const numbers = lax.scan((c, x) => [c.add(x), c], 0, x)
same<typeof numbers, [NDArray, NDArray]>(true)
const pairs = lax.scan((c, x) => [[c[0].add(1), c[1].mul(x)], { x, pair: [x, 1] }], [0, y], x)
same<typeof pairs, [[NDArray, NDArray], { x: NDArray; pair: [NDArray, NDArray] }]>(true)
const lists = lax.scan((c, [a, b]) => [c, a.add(b)], 0, [x, y])
same<typeof lists, [NDArray, NDArray]>(true)
const step = lax.scan(({ i, h }) => [{ i: i.add(1), h: [h[1], h[0]] }, null], { i: 0, h: [x, y] }, null, {
  length: 10,
  unroll: true,
})
same<typeof step, [{ i: NDArray; h: [NDArray, NDArray] }, null]>(true)
const annotated = lax.scan((c: Mlp, { obs }: Batch) => [c, obs], mlp, epoch)
same<typeof annotated, [Mlp, NDArray]>(true)
const readonlyCarry = lax.scan((c: typeof frozen, x) => [c, x], frozen, x)
same<typeof readonlyCarry, [typeof frozen, NDArray]>(true)

// A generic training step.
type Step<P, S> = (state: [P, S], batch: Batch) => [[P, S], NDArray]
export const fit = <P extends object, S>(train: Step<P, S>, p: P, s: S, data: Batch): P =>
  lax.scan(train, [p, s], data)[0][0]

const looped = lax.whileLoop(
  ([i]) => i.lt(10),
  ([i, a]) => [i.add(1), a.mul(2)],
  [0, x],
)
same<typeof looped, [NDArray, NDArray]>(true)
const counted = lax.foriLoop(0, 10, (i, c) => c.add(i), 0)
same<typeof counted, NDArray>(true)
const chosen = lax.cond(
  x.gt(0),
  ({ a }) => ({ a, n: 1 }),
  ({ a }) => ({ a: a.neg(), n: 2 }),
  { a: x },
)
same<typeof chosen, { a: NDArray; n: NDArray }>(true)
const swapped = lax.cond(
  x.gt(0),
  (a, b) => [a, b],
  (a, b) => [b, a],
  x,
  2,
)
same<typeof swapped, [NDArray, NDArray]>(true)
const switched = lax.switch(1, [(a) => [a, 0], (a) => [a.neg(), 1]], x)
same<typeof switched, [NDArray, NDArray]>(true)
const mapped = lax.map(([a, b]) => ({ sum: a.add(b) }), [x, y])
same<typeof mapped, { sum: NDArray }>(true)
