// Cases of operations that hold programs, call back, or communicate between the elements of a batch; and of random bits.
import {
  type NDArray,
  checkpoint,
  customJvp,
  customVjp,
  debug,
  grad,
  ioCallback,
  jit,
  jvp,
  lax,
  np,
  pureCallback,
  vmap,
} from 'fluxion'
import { type Case, type Entry, type Operand, type Run, type Table } from './cases.ts'

const vector: Operand = { shape: [3] }
const matrix: Operand = { shape: [3, 3] }
const scalar: Operand = { shape: [], range: [0.5, 1.5] }
const flag: Operand = { shape: [], dtype: 'bool' }
const dtypes = ['float32', 'float64', 'float16'] as const
const entry = (
  ...cases: readonly (readonly [operands: readonly Operand[], run: Run, rest?: Partial<Case>])[]
): Entry => ({
  cases: cases.map(([operands, run, rest]): Case => ({ operands, run, dtypes, ...rest })),
})

const softened = customJvp((x: NDArray, y: NDArray) => np.sin(x).mul(y))
softened.defjvp(([x, y], [dx, dy]) => [softened(x, y), np.cos(x).mul(y).mul(dx).add(np.sin(x).mul(dy))])
const pulled = customVjp((x: NDArray, y: NDArray) => np.sin(x).mul(y))
pulled.defvjp(
  (x, y) => [pulled(x, y), { x, y }],
  ({ x, y }, ct) => [np.cos(x).mul(y).mul(ct), np.sin(x).mul(ct)],
)

/** A forward rule that pushes tangents through a function with a backward rule: under vmap these are batched. */
const passing = customJvp((x: NDArray, y: NDArray) => pulled(x, y))
passing.defjvp((primals, tangents) => jvp(pulled, primals, tangents))

/** A recurrence with a constant, a carry of two arrays, and a result of every step. */
const recurrence =
  (options: { length?: number; reverse?: boolean; unroll?: number | boolean }): Run =>
  (w, h, xs) => {
    const [[last, count], ys] = lax.scan(
      ([state, n]: [NDArray, NDArray], x: NDArray) => {
        const next = np.tanh(w!.matmul(state)).add(x)
        return [[next, n.mul(0.5).add(next.sum())], { out: next.mul(n), copy: x }] as [
          [NDArray, NDArray],
          { out: NDArray; copy: NDArray },
        ]
      },
      [h!, h!.sum()] as [NDArray, NDArray],
      xs!,
      options,
    )
    return [last, count, ys.out, ys.copy]
  }
/** A recurrence of a batch, which gathers a sum over the batch and makes values of the batch's shape inside. */
const batchRecurrence: Run = (w, h, total, xs) => {
  const [[state, sum, count], ys] = lax.scan(
    ([s, t, n]: [NDArray, NDArray, NDArray], x: NDArray) => {
      const next = np
        .tanh(s.matmul(w!))
        .add(x)
        .add(np.arange(4, { dtype: x.dtype }).reshape([4, 1]))
      const carry: [NDArray, NDArray, NDArray] = [next, t.add(next.T.matmul(x)), n.add(next.mul(np.ones([4, 3])))]
      return [carry, next.sum({ axis: 1 })] as [[NDArray, NDArray, NDArray], NDArray]
    },
    [h!, total!, np.zeros([4, 3], { dtype: h!.dtype })] as [NDArray, NDArray, NDArray],
    xs!,
  )
  return [state, sum, count, ys]
}
const batch: Operand = { shape: [4, 3] }
const steps = (length: number): Operand => ({ shape: [length, 3] })
const scanLinear: Run = (w, h, xs) => {
  const [last, ys] = lax.scan(
    (state: NDArray, x: NDArray) => [w!.matmul(state).add(x), state.add(x)] as [NDArray, NDArray],
    h!,
    xs!,
  )
  return [last, ys]
}

const host = (x: NDArray): NDArray => x.mul(2)
const twice = (x: NDArray): NDArray => pureCallback(host, { shape: x.shape, dtype: x.dtype }, x) as NDArray
const twiceInOrder = (x: NDArray): NDArray => ioCallback(host, { shape: x.shape, dtype: x.dtype }, x) as NDArray

const rows: Operand = { shape: [3, 2] }
/** Differentiated by each element of the axis for itself, in both modes. */
const differentiatedInside = (f: (x: NDArray) => NDArray): [Operand[], Run][] => [
  [[rows], named((x) => grad((y: NDArray) => np.sin(f(y)).sum())(x))],
  [[rows], named((x) => jvp((y: NDArray) => np.sin(f(y)), [x], [np.cos(x)])[1])],
]
/** Over an axis that the run itself names: the first axis of its operand. */
const named =
  (f: (x: NDArray) => NDArray): Run =>
  (x) =>
    vmap(f, { axisName: 'i' })(x!)
const away = 'it has a meaning only inside of the vmap that names its axis, which takes it away'
const insideOfVmap = { reference: away, axes: away }
const onTheHost = { axes: 'a function of the host was written for the whole' }
const collective = (
  f: (x: NDArray) => NDArray,
  rest: Partial<Case> = {},
  inside: readonly (readonly [readonly Operand[], Run])[] = differentiatedInside(f),
): Entry => ({
  ...entry(
    [[rows], named(f), { linear: [[0]], ...rest }],
    // of an operand that does not vary along the axis, and inside of a program
    [
      [vector, { shape: [2] }],
      (x, y) => vmap((a: NDArray, b: NDArray) => f(b).mul(a), { inAxes: [0, null], axisName: 'i' })(x!, y!),
      { order: 1 },
    ],
    [[rows], named((x) => jit(f)(x)), { linear: [[0]], ...rest }],
    [[rows], named((x) => vmap(f)(x)), { linear: [[0]], ...rest }],
    ...inside,
  ),
  unused: insideOfVmap,
})
const keys: Operand = { shape: [2], dtype: 'uint32', values: [7, 4_000_000_000, 3, 11] }

export const control: Table = {
  jit: entry(
    [[vector, vector], (x, y) => jit((a: NDArray, b: NDArray) => ({ p: np.sin(a).mul(b), q: a }))(x!, y!).p],
    [
      [vector, { shape: [] }],
      (x, y) => jit((a: NDArray, b: NDArray) => [a.mul(b), b.mul(2)] as [NDArray, NDArray])(x!, y!),
      { linear: [[0]].slice(1) },
    ],
    [
      [batch],
      (x) =>
        jit((a: NDArray) => [
          a.add(np.arange(4, { dtype: a.dtype }).reshape([4, 1])),
          np.sum(a.mul(a), { axis: 0 }),
          a.max({ axis: [0, 1] }),
          np.ones([4]),
        ])(x!),
      { order: 1, dtypes: ['float32', 'float64'] },
    ],
    [[vector, matrix], (x, w) => jit((a: NDArray, m: NDArray) => m.matmul(a).mul(2))(x!, w!), { linear: [[0], [1]] }],
  ),
  custom_jvp_call: entry(
    [[vector, vector], (x, y) => softened(x!, y!)],
    [[vector, vector], (x, y) => jit((a: NDArray, b: NDArray) => softened(a, b))(x!, y!)],
  ),
  custom_vjp_call: {
    ...entry(
      [[vector, vector], (x, y) => pulled(x!, y!), { modes: ['rev'] }],
      [[vector, vector], (x, y) => jit((a: NDArray, b: NDArray) => pulled(a, b))(x!, y!), { modes: ['rev'] }],
    ),
  },
  custom_lin: {
    ...entry(
      [
        [vector, vector],
        (x, y) => grad((a: NDArray, b: NDArray) => np.exp(pulled(a, b)).sum(), { argnums: [0, 1] })(x!, y!),
        { modes: ['rev'] },
      ],
      [[vector, scalar], (x, y) => vmap(passing, { inAxes: [0, null] })(x!, y!), { modes: ['rev'] }],
    ),
    unused: {
      reference: 'forward mode is refused before it would run',
      direct: 'the same',
      axes: 'it stands in linear programs alone, which are transposed before they run',
      type: 'its trace knows the types',
    },
    missing: {
      'forward-mode differentiation': () => jvp((x: NDArray) => pulled(x, x), [np.ones([3])], [np.ones([3])]),
    },
  },
  remat2: entry(
    [
      [vector, vector],
      (x, y) =>
        checkpoint((a: NDArray, b: NDArray) => [np.sin(np.sin(a)).mul(b), b.mul(2)] as [NDArray, NDArray])(x!, y!),
    ],
    [
      [vector, matrix],
      (x, w) =>
        checkpoint((a: NDArray, m: NDArray) => np.tanh(m.matmul(np.tanh(m.matmul(a)))), { policy: 'dotsSaveable' })(
          x!,
          w!,
        ),
    ],
  ),
  scan: entry(
    [[matrix, vector, steps(4)], recurrence({})],
    [[matrix, vector, steps(4)], recurrence({ reverse: true, unroll: 3 })],
    [[matrix, vector, steps(1)], recurrence({ unroll: true }), { order: 1 }],
    [[matrix, vector, steps(0)], recurrence({}), { order: 1 }],
    [[matrix, batch, matrix, { shape: [2, 4, 3] }], batchRecurrence, { order: 1, dtypes: ['float32', 'float64'] }],
    [[matrix, vector, steps(3)], scanLinear, { linear: [[1, 2], [1], [2]] }],
    [[vector], (x) => lax.scan((c: NDArray) => [np.sin(c), null] as [NDArray, null], x!, null, { length: 3 })[0]],
  ),
  while: {
    ...entry(
      [
        [vector, scalar],
        (x, y) =>
          lax.whileLoop(
            ([a]: [NDArray, NDArray]) => a.sum().lt(40),
            ([a, b]: [NDArray, NDArray]) => [a.mul(b).add(10), b] as [NDArray, NDArray],
            [x!, y!] as [NDArray, NDArray],
          ),
        { modes: ['fwd'] },
      ],
      [
        [vector, { shape: [], dtype: 'int32', values: [2, 3] }],
        (x, n) => lax.foriLoop(0 as unknown as NDArray, n!, (_, a: NDArray) => np.sin(a), x!),
        { modes: ['fwd'] },
      ],
      [
        [vector],
        (x) =>
          lax.whileLoop(
            (c: { i: NDArray; a: NDArray }) => c.i.lt(3),
            (c: { i: NDArray; a: NDArray }) => ({ i: c.i.add(1), a: np.sin(c.a) }),
            { i: np.array(0, { dtype: 'int32' }), a: x! },
          ).a,
        { modes: ['fwd'] },
      ],
    ),
    missing: {
      'while: reverse-mode differentiation does not work': () =>
        grad((x: NDArray) =>
          lax.whileLoop(
            (a: NDArray) => a.lt(9),
            (a: NDArray) => a.mul(2),
            x,
          ),
        )(1),
    },
  },
  cond: entry(
    [
      [flag, vector, vector],
      (p, x, y) =>
        lax.cond(
          p!,
          (a: NDArray, b: NDArray) => np.sin(a).mul(b),
          (a: NDArray, b: NDArray) => a.add(np.exp(b)),
          x!,
          y!,
        ),
    ],
    [
      [{ shape: [], dtype: 'int32', values: [1, 2, 0, 9] }, vector],
      (i, x) => lax.switch(i!, [(a: NDArray) => np.sin(a), (a: NDArray) => a.mul(a), (a: NDArray) => a.mul(3)], x!),
    ],
    [
      [flag, vector, matrix],
      (p, x, w) =>
        lax.cond(
          p!,
          (a: NDArray, m: NDArray) => m.matmul(a),
          (a: NDArray) => a.mul(2),
          x!,
          w!,
        ),
      { linear: [[1]] },
    ],
  ),
  debug_callback: {
    ...entry([[vector], (x) => (debug.callback(() => {}, x!), np.sin(x!))]),
    unused: onTheHost,
  },
  pure_callback: {
    ...entry([[vector], (x) => twice(x!), { order: 0 }]),
    unused: onTheHost,
    missing: { 'cannot be differentiated': () => grad((x: NDArray) => twice(x))(1) },
  },
  io_callback: {
    ...entry([[vector], (x) => twiceInOrder(x!), { order: 0 }]),
    unused: onTheHost,
    missing: { 'cannot be differentiated': () => grad((x: NDArray) => twiceInOrder(x))(1) },
  },

  psum: collective((x) => lax.psum(x, 'i')),
  pmax: {
    ...collective((x) => lax.pmax(x, 'i'), { linear: [] }, []),
    missing: {
      'pmax: there is no jvp rule': () =>
        vmap(
          grad((x: NDArray) => lax.pmax(x, 'i')),
          { axisName: 'i' },
        )(np.ones([3])),
    },
  },
  pmin: {
    ...collective((x) => lax.pmin(x, 'i'), { linear: [] }, []),
    missing: {
      'pmin: there is no jvp rule': () =>
        vmap(
          grad((x: NDArray) => lax.pmin(x, 'i')),
          { axisName: 'i' },
        )(np.ones([3])),
    },
  },
  all_gather: collective((x) => lax.allGather(x, 'i').sum({ axis: 0 })),
  ppermute: collective((x) =>
    lax.ppermute(x, 'i', [
      [0, 1],
      [1, 2],
    ]),
  ),
  axis_index: {
    ...entry(
      [[rows], named((x) => x.mul(lax.axisIndex('i')))],
      [[rows], named((x) => jit((y: NDArray) => y.mul(lax.axisIndex('i')))(x))],
      [
        [rows],
        named((x) =>
          vmap((y: NDArray) => jit((z: NDArray) => z.mul(lax.axisIndex('i')).add(lax.axisIndex('j')))(y), {
            axisName: 'j',
          })(x),
        ),
      ],
    ),
    unused: insideOfVmap,
  },

  random_bits: {
    cases: ([8, 16, 32, 64] as const).flatMap((bitWidth) =>
      [[], [3], [2, 3], [0]].map((shape): Case => ({ operands: [keys], params: { shape, bitWidth } })),
    ),
  },
  random_split: { cases: [[2], [2, 3], [], [0]].map((shape): Case => ({ operands: [keys], params: { shape } })) },
  random_fold_in: {
    cases: (['int32', 'uint32'] as const).flatMap((dtype) => [
      { operands: [keys, { shape: [], dtype, range: [0, 99] as const }], params: {} },
      {
        operands: [
          { ...keys, shape: [3, 2] },
          { shape: [3], dtype, range: [0, 99] as const },
        ],
        params: {},
      },
    ]),
  },
}
