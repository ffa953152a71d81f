// What users get wrong, and what they are told: the type of each error and its words.
import * as fl from 'fluxion'
import {
  CarryMismatchError,
  ConcretizationError,
  DeviceError,
  DtypeError,
  FluxionError,
  IndexError,
  LeakedTracerError,
  MissingRuleError,
  type NDArray,
  OptionError,
  ShapeError,
  TreeError,
  checkpoint,
  customJvp,
  customVjp,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearTranspose,
  makeJaxpr,
  nn,
  np,
  onWarning,
  random,
  tree,
  valueAndGrad,
  vjp,
  vmap,
} from 'fluxion'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

type ErrorType = new (...args: never[]) => Error
/** The error has the type and the words; what follows them may be said, too. */
function refuses(run: () => unknown, type: ErrorType, ...words: readonly (string | RegExp)[]): void {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(type)
  expect(thrown).toBeInstanceOf(FluxionError)
  expect((thrown as Error).name).toBe(type.name)
  for (const word of words) expect((thrown as Error).message).toMatch(word)
}
/** Calls as JavaScript allows them, though their types are wrong. */
const loose = fl as unknown as Record<string, (...args: unknown[]) => never>
const looseNp = np as unknown as Record<string, (...args: unknown[]) => never>
const looseLax = lax as unknown as Record<string, (...args: unknown[]) => never>
const x = np.array([1, 2, 3])

test('shapes that do not fit', () => {
  refuses(() => np.add(np.zeros([2, 3]), np.zeros([2])), ShapeError, 'add', /2,3/, /\(2/)
  refuses(
    () => lax.add(np.zeros([2, 3]), np.zeros([3])),
    ShapeError,
    'add: expected equal shapes, got f32[2,3] and f32[3]',
    'hint: ',
  )
  refuses(() => np.matmul(np.zeros([2, 3]), np.zeros([2, 3])), ShapeError, 'matmul')
  refuses(
    () => np.zeros([6]).reshape([4, 2]),
    ShapeError,
    'reshape: expected 8 elements for the shape [4,2], got f32[6] with 6',
  )
  refuses(() => np.concatenate([np.zeros([2, 3]), np.zeros([2, 4])]), ShapeError, 'concatenate')
  refuses(() => np.sum(x, { axis: 1 }), ShapeError, 'axis 1 is out of range for an array of rank 1')
  refuses(
    () => np.array([[1, 2], [3]]),
    ShapeError,
    'array: expected elements of the shape of the first, [2], got [1] at [1]',
  )
  refuses(() => jit((a: NDArray) => a.matmul(np.zeros([5])))(x), ShapeError, 'f32[3]', 'f32[5]')
})
test('dtypes that do not fit', () => {
  refuses(
    () => lax.sin(np.array([1], { dtype: 'int32' })),
    DtypeError,
    'sin: expected a floating dtype, got i32[1]',
    "hint: x.astype('float32') converts",
  )
  refuses(
    () => lax.add(x, x.astype('int32')),
    DtypeError,
    'add: expected equal dtypes, got f32[3] and i32[3]',
    'hint: np functions promote',
  )
  refuses(
    () => looseNp['zeros']!([2], { dtype: 'float' }),
    DtypeError,
    "unknown dtype 'float'",
    'hint: the dtypes are bool, uint8',
  )
  refuses(() => np.array([300], { dtype: 'uint8' }), DtypeError, 'expected numbers that uint8 holds, 0 to 255, got 300')
})

// ---- gradients
const gradients = [grad, valueAndGrad] as unknown as ((f: (v: NDArray) => unknown) => (v: NDArray) => unknown)[]
test('grad of what is no scalar float', () => {
  for (const of of gradients) {
    refuses(
      () => of((v: NDArray) => v.mul(2))(x),
      ShapeError,
      /^(grad|valueAndGrad): expected a function that returns a scalar, got f32\[3\]\nhint: use jacrev for arrays/,
    )
    refuses(
      () => of((v: NDArray) => v.sum().astype('int32'))(x),
      DtypeError,
      'expected a function that returns a float, got i32[]',
    )
    refuses(
      () => of((v: NDArray) => ({ loss: v.sum() }))(x),
      TreeError,
      'expected a function that returns a scalar, got a tree TreeDef({loss: *})',
    )
    refuses(
      () => of((v: NDArray) => [v.sum(), v])(x),
      TreeError,
      'expected a function that returns a scalar',
      'hasAux: true',
    )
  }
  refuses(
    () => (grad as (f: unknown, o: object) => (v: NDArray) => unknown)((v: NDArray) => v.sum(), { hasAux: true })(x),
    TreeError,
    'expected a function that returns a pair [value, aux]',
  )
})
test('grad by what is no float', () => {
  const n = np.array([1, 2], { dtype: 'int32' })
  refuses(
    () => grad((v: NDArray) => v.sum().astype('float32'))(n),
    DtypeError,
    'grad: expected floating arguments to differentiate by, got i32[2] for argument 0',
    'hint: convert it with astype, choose others by argnums, or allow it with allowInt',
  )
  refuses(() => grad((p: { w: NDArray; n: NDArray }) => p.w.sum())({ w: x, n }), DtypeError, 'i32[2] for argument 0.n')
  refuses(() => jacrev((v: NDArray) => v)(n), DtypeError, 'jacrev', 'i32[2]')
  refuses(() => jacfwd((v: NDArray) => v)(n), DtypeError, 'jacfwd', 'i32[2]')
  refuses(
    () => grad((v: NDArray) => v.sum(), { argnums: 1 })(x),
    OptionError,
    'grad: expected argnums below the number of arguments, 1, got 1',
  )
  expect(grad((v: NDArray) => v.sum().astype('float32'), { allowInt: true })(n).dtype).toBe('bool')
})
test('tangents and cotangents that do not fit', () => {
  refuses(
    () => jvp((v: NDArray) => v, [x], [np.zeros([2])]),
    ShapeError,
    'jvp: expected f32[3] for argument 0, like the value itself, got f32[2]',
  )
  refuses(() => jvp((v: NDArray) => v, [x], [x.astype('float64')]), DtypeError, 'expected f32[3] for argument 0')
  refuses(
    () => loose['jvp']!((v: NDArray) => v, [x], [[x]]),
    TreeError,
    'jvp: primals and tangents: the trees differ in structure',
  )
  refuses(() => loose['jvp']!((v: NDArray) => v, x, x), TreeError, 'jvp: expected lists of primals and of tangents')
  refuses(
    () => vjp((v: NDArray) => v, x)[1](np.zeros([2])),
    ShapeError,
    'vjp: the cotangent: expected f32[3] for the result',
  )
  refuses(() => vjp((v: NDArray) => ({ a: v }), x)[1]({ b: x } as never), TreeError, "the key 'a' is missing")
  refuses(() => linearTranspose((v: NDArray) => v.mul(v), x)(x), MissingRuleError, 'mul')
  refuses(
    () => (grad as (f: unknown, o: object) => unknown)((v: NDArray) => v.sum(), { holomorphic: true }),
    OptionError,
    'there are no complex dtypes',
  )
})

test('a function that is none, or is asynchronous', () => {
  const transformations = {
    grad,
    valueAndGrad,
    jit,
    vmap,
    jacfwd,
    jacrev,
    hessian,
    checkpoint,
    customJvp,
    customVjp,
  } as unknown as Record<string, (f: unknown) => (v: NDArray) => unknown>
  for (const [name, transform] of Object.entries(transformations)) {
    refuses(() => transform(3), TreeError, `${name}: expected a function, got number`)
    refuses(
      () => transform(async (v: NDArray) => v),
      TreeError,
      `${name}: expected a function that returns arrays, got an async function`,
      'hint: await outside of the traced function',
    )
    if (name.startsWith('custom')) continue
    refuses(
      () => transform((v: NDArray) => Promise.resolve(v))(x),
      TreeError,
      'expected a function that returns arrays, got one that returns a promise',
    )
  }
  refuses(() => loose['jvp']!(async (v: NDArray) => v, [x], [x]), TreeError, 'jvp', 'an async function')
  refuses(() => looseLax['scan']!(async (c: NDArray) => [c, c], x, x), TreeError, 'scan', 'an async function')
  refuses(
    () =>
      looseLax['cond']!(
        true,
        async () => x,
        () => x,
      ),
    TreeError,
    'cond',
    'an async function',
  )
  refuses(() => makeJaxpr((() => Promise.resolve(x)) as never)(), TreeError, 'one that returns a promise')
  refuses(() => loose['evalShape']!(() => Promise.resolve(x)), TreeError, 'one that returns a promise')
})

test('an option that does not exist', () => {
  refuses(
    () => loose['grad']!((v: NDArray) => v.sum(), { argnum: 1 }),
    OptionError,
    "grad: expected known options, got 'argnum'\nhint: its options are argnums, hasAux, holomorphic, allowInt",
  )
  refuses(
    () => loose['jit']!((v: NDArray) => v, { static: 1 }),
    OptionError,
    "jit: expected known options, got 'static'",
    'staticArgnums, donateArgnums',
  )
  refuses(
    () => loose['vmap']!((v: NDArray) => v, { in_axes: 1 }),
    OptionError,
    "vmap: expected known options, got 'in_axes'",
    'inAxes, outAxes',
  )
  refuses(
    () => looseLax['scan']!((c: NDArray) => [c, null], x, null, { len: 3 }),
    OptionError,
    "scan: expected known options, got 'len'",
    'length, reverse, unroll',
  )
  refuses(
    () => loose['checkpoint']!((v: NDArray) => v, { policy: 'dots' }),
    OptionError,
    'checkpoint: expected a policy among nothingSaveable, everythingSaveable',
    "got 'dots'",
  )
  refuses(() => looseNp['sum']!(x, { axes: 0 }), OptionError, "got 'axes'", 'axis')
  refuses(() => looseNp['sum']!(x, 0), OptionError, 'sum: expected options in a record, got 0', 'sum(…, { axis: … })')
  refuses(() => looseNp['zeros']!([2], { type: 'int32' }), OptionError, "got 'type'", 'dtype')
  refuses(() => jit((v: NDArray) => v, { device: 'tpu' as 'wasm' })(x), OptionError, "got 'tpu'")
  refuses(
    () => jit((v: NDArray) => v, { staticArgnums: 3 })(x),
    OptionError,
    'jit: expected staticArgnums below the number of arguments, 1, got 3',
  )
})

// ---- indices
test('an index that is none', () => {
  refuses(() => x.get(np.array([0, 2])), IndexError, /float|f32/, /hint: /)
  refuses(() => x.get(0, 0), IndexError)
  refuses(() => (x as unknown as { get: (i: unknown) => unknown }).get(1.5), IndexError, '1.5')
  refuses(() => np.take(x, np.array([0.5])), IndexError, /integer|int/)
})
test('a window or an index operation that does not fit', () => {
  refuses(
    () => lax.dynamicSlice(x, [0], [4]),
    ShapeError,
    'dynamicSlice: expected sizes from 0 to those of f32[3], got [4]',
  )
  refuses(() => x.at(np.array([0.5])).set(1), IndexError)
  refuses(() => lax.slice(x, [1], [5]), ShapeError, 'slice: expected 0 <= start <= limit <= size')
})

// ---- loops and conditions
test('a carry that changes type names each leaf that differs', () => {
  const init = { a: np.zeros([2]), b: np.zeros([3]), c: np.array(0, { dtype: 'int32' }) }
  const step = (c: typeof init): [typeof init, null] => [{ a: c.a.astype('float64'), b: c.b, c: c.c.add(0.5) }, null]
  refuses(
    () => lax.scan(step, init, null, { length: 2 }),
    CarryMismatchError,
    /scan/,
    /\.a/,
    /f32\[2\]/,
    /f64\[2\]/,
    /\.c/,
    /i32\[\]/,
  )
  try {
    lax.scan(step, init, null, { length: 2 })
  } catch (error) {
    expect((error as Error).message).not.toMatch(/\.b\b/)
  }
  refuses(
    () => lax.scan((c: NDArray) => [np.concatenate([c, c]), null] as [NDArray, null], x, null, { length: 2 }),
    CarryMismatchError,
    'f32[3]',
    'f32[6]',
  )
  refuses(
    () =>
      lax.whileLoop(
        (c: NDArray) => c.sum().lt(3),
        (c: NDArray) => c.sum(),
        x,
      ),
    CarryMismatchError,
    /whileLoop/,
    /f32\[3\]/,
    /f32\[\]/,
  )
  refuses(() => lax.foriLoop(0, 2, (_, c: NDArray) => c.astype('int32'), x), CarryMismatchError, /f32\[3\]/, /i32\[3\]/)
})
test('a carry that changes structure says where', () => {
  refuses(
    () => looseLax['scan']!((c: { a: NDArray }) => [{ a: c.a, b: c.a }, null], { a: x }, null, { length: 2 }),
    CarryMismatchError,
    /scan/,
    /'b'/,
  )
  refuses(
    () =>
      looseLax['whileLoop']!(
        (c: NDArray[]) => c[0]!.sum().lt(0),
        (c: NDArray[]) => c[0],
        [x],
      ),
    CarryMismatchError,
    /whileLoop/,
  )
  refuses(
    () => looseLax['scan']!((c: NDArray) => c, x, null, { length: 2 }),
    TreeError,
    'scan: expected a body that returns [carry, y]',
  )
})
test('a scan over what does not fit', () => {
  refuses(
    () => lax.scan((c: NDArray) => [c, null] as [NDArray, null], x, null),
    OptionError,
    'scan: expected arrays to scan over, or a length, got neither',
    'hint: lax.scan(f, init, null, { length: n })',
  )
  refuses(
    () => lax.scan((c: NDArray) => [c, null] as [NDArray, null], x, [np.zeros([2]), np.zeros([3])]),
    ShapeError,
    'leading axes of one size',
    'f32[2] at xs[0], f32[3] at xs[1]',
  )
  refuses(
    () => lax.scan((c: NDArray) => [c, null] as [NDArray, null], x, np.array(1)),
    ShapeError,
    'expected arrays with a leading axis',
  )
  refuses(() => lax.scan((c: NDArray) => [c, null] as [NDArray, null], x, x, { length: 4 }), ShapeError, 'length 4')
  refuses(
    () => lax.scan((c: NDArray) => [c, null] as [NDArray, null], x, null, { length: -1 }),
    OptionError,
    'a length of at least 0, got -1',
  )
  refuses(
    () => lax.scan((c: NDArray) => [c, null] as [NDArray, null], x, null, { length: 2, unroll: 0 }),
    OptionError,
    'unroll',
  )
})
test('conditions that are none, and branches that differ', () => {
  refuses(
    () =>
      lax.cond(
        x,
        () => x,
        () => x,
      ),
    ShapeError,
    'cond: the condition: expected a scalar, got f32[3]',
  )
  refuses(
    () =>
      lax.cond(
        true,
        (v: NDArray) => v,
        (v: NDArray) => v.sum(),
        x,
      ),
    ShapeError,
    'cond: expected branches with results of one type, got f32[3] and f32[]',
  )
  refuses(
    () =>
      lax.cond(
        true,
        (v: NDArray) => v,
        (v: NDArray) => v.astype('int32'),
        x,
      ),
    DtypeError,
    'f32[3] and i32[3]',
    'hint: convert in the branches',
  )
  refuses(
    () =>
      looseLax['cond']!(
        true,
        (v: NDArray) => [v],
        (v: NDArray) => v,
        x,
      ),
    TreeError,
    'the results of branch 0 and branch 1 differ in structure',
  )
  refuses(() => lax.switch(1.5, [(v: NDArray) => v], x), DtypeError, 'switch: expected an integer scalar as index')
  refuses(() => looseLax['switch']!(0, [], x), OptionError, 'switch: expected at least one branch')
  refuses(
    () =>
      lax.whileLoop(
        (c: NDArray) => c,
        (c: NDArray) => c,
        x,
      ),
    DtypeError,
    'whileLoop: expected a condition that gives a boolean scalar, got f32[3]',
  )
  refuses(
    () => lax.foriLoop(0, 1.5, (_, c: NDArray) => c, x),
    OptionError,
    'foriLoop: expected whole numbers as bounds, got 1.5',
  )
})

// ---- tracers
test('a leaked tracer names its function and the line that made it', () => {
  let leaked: NDArray | undefined
  for (const transform of [jit, vmap, grad] as unknown as ((f: (v: NDArray) => NDArray) => (v: NDArray) => NDArray)[]) {
    transform((v) => {
      leaked = v.mul(2)
      return leaked.sum()
    })(x)
    refuses(
      () => leaked!.add(1),
      LeakedTracerError,
      /Traced<float32\[3?\]> was used after the function traced by (jit|vmap|grad).* had returned; it was made at .*misuse\.test\.ts/,
      'hint: return values from the traced function',
    )
    refuses(() => jit((v: NDArray) => v.add(leaked!))(x), LeakedTracerError)
  }
})
test('a tracer that a callback returns is a leak', () => {
  const inner = (w: NDArray): NDArray => fl.pureCallback(() => w, { shape: [3], dtype: 'float32' }) as NDArray
  refuses(() => jit(inner)(x), LeakedTracerError, 'was used after the function traced by jit(inner) had returned')
})
test('coercion of a tracer names the use, the transformation and the argument', () => {
  const coercions: Record<string, (v: NDArray) => unknown> = {
    'v > 0': (v) => (v as unknown as number) > 0,
    '+v': (v) => Number(v),
    '`${v}`': (v) => `${v as unknown as string}`,
    'v + 1': (v) => (v as unknown as number) + 1,
    JSON: (v) => JSON.stringify({ v }),
    item: (v) => v.item(),
    toArray: (v) => v.toArray(),
    dataSync: (v) => v.dataSync(),
    'Math.max': (v) => Math.max(v as unknown as number, 1),
  }
  for (const [name, use] of Object.entries(coercions)) {
    const f = (p: { w: NDArray }): NDArray => (use(p.w), p.w)
    refuses(
      () => jit(f)({ w: np.array(1) }),
      ConcretizationError,
      'Traced<float32[]>',
      'it is being traced by jit(f)',
      'It comes from argument 0.w.',
      'hint: use np.where, lax.cond',
    )
    refuses(() => vmap(f)({ w: x }), ConcretizationError, 'it is being traced by vmap', 'argument 0.w')
    refuses(
      () => lax.scan((c: NDArray) => [(use(c), c), null] as [NDArray, null], np.array(1), null, { length: 1 }),
      ConcretizationError,
      'scan',
    )
    // outside of jit the value is there and may be asked for by name; an operator is a slip all the same
    if (['item', 'toArray', 'dataSync', 'JSON'].includes(name))
      expect(() => grad((v: NDArray) => (use(v), v))(1)).not.toThrow()
    else refuses(() => grad((v: NDArray) => (use(v), v))(1), ConcretizationError, 'grad')
  }
  refuses(
    () => jit((n: NDArray) => np.zeros([n as unknown as number]))(3),
    ConcretizationError,
    'It comes from argument 0.',
  )
})

/** The warnings that a call leads to. */
function warningsOf(run: () => unknown): string[] {
  const seen: string[] = []
  const before = onWarning((message) => void seen.push(message))
  try {
    run()
  } finally {
    onWarning(before)
  }
  return seen
}
test('a comparison of traced values that stands as a condition is warned of, with its line', () => {
  const relu = (v: NDArray): NDArray => (v.gt(0) ? v : v.mul(0))
  const both: NDArray[] = []
  for (const run of [
    () => jit(relu)(1),
    () => grad(relu)(1),
    () => vmap(relu)(x),
    () => lax.scan((c: NDArray) => [relu(c), null] as [NDArray, null], np.array(1), null, { length: 1 }),
  ]) {
    const [warning, ...others] = warningsOf(run)
    expect(others).toEqual([])
    expect(warning).toMatch(
      /the result of a comparison \(gt\) of traced values is not used at .*misuse\.test\.ts:\d+.*; as a condition of if, \?: or && it is always true\nhint: use np\.where or lax\.cond/,
    )
  }
  const negated = (v: NDArray): NDArray => (!np.logicalAnd(v.gt(0), v.lt(1)) ? v : v.mul(2))
  expect(warningsOf(() => jit(negated)(1))).toHaveLength(1)
  const finite = (v: NDArray): NDArray => (np.isfinite(v) && both.length === 0 ? v : v.mul(2))
  expect(warningsOf(() => jit(finite)(1))).toHaveLength(1)
})
test('code that uses its comparisons is not warned of', () => {
  const legitimate: Record<string, () => unknown> = {
    where: () => jit((v: NDArray) => np.where(v.gt(0), v, 0))(1),
    cond: () =>
      jit((v: NDArray) =>
        lax.cond(
          v.gt(0),
          (a: NDArray) => a,
          (a: NDArray) => a.neg(),
          v,
        ),
      )(1),
    whileLoop: () =>
      jit((v: NDArray) =>
        lax.whileLoop(
          (c: NDArray) => c.lt(9),
          (c: NDArray) => c.mul(2),
          v,
        ),
      )(1),
    returned: () => jit((v: NDArray) => ({ positive: v.gt(0), v }))(1),
    logical: () => jit((v: NDArray) => np.logicalOr(v.gt(0), np.isnan(v)))(1),
    astype: () => grad((v: NDArray) => v.gt(0).astype('float32').mul(v))(1),
    arrays: () => jit((v: NDArray) => (v.gt(0), v))(x),
    concrete: () => grad((v: NDArray) => (np.array(1).gt(0).item() === 1 ? v : v.neg()))(1),
    np: () =>
      jit(
        grad((v: NDArray) =>
          np
            .median(np.sort(np.clip(np.sinc(v), 0, 1)))
            .add(np.var(v))
            .add(np.mod(v, 2).sum())
            .add(np.power(v, 2).sum())
            .add(np.argmax(v)),
        ),
      )(x),
    nn: () =>
      jit(grad((v: NDArray) => nn.softmax(nn.relu(v)).get(0).add(nn.gelu(v).sum()).add(nn.softplus(v).sum())))(x),
    random: () =>
      jit((key: NDArray) => [random.randint(key, [], 0, 5), random.normal(key), random.bernoulli(key)] as NDArray[])(
        random.key(1),
      ),
    gradients: () => jit(grad((v: NDArray) => np.max(v).add(np.abs(v).sum())))(x),
    vmap: () => vmap((v: NDArray) => np.maximum(v, 0))(x),
    custom: () => {
      const f = customVjp((v: NDArray) => v.gt(0).astype('float32'))
      f.defvjp(
        (v) => [f(v), v],
        (v, ct) => [np.where(np.abs(v).lt(1), ct, 0)],
      )
      return jit(vmap(grad((v: NDArray) => f(v))))(x)
    },
    checkpoint: () => jit(grad(checkpoint((v: NDArray) => np.where(v.gt(0), v, 0))))(1),
  }
  for (const [name, run] of Object.entries(legitimate)) expect([name, ...warningsOf(run)]).toEqual([name])
})

// ---- vmap
test('axes of vmap that do not fit', () => {
  refuses(
    () => vmap((a: NDArray, b: NDArray) => a.add(b))(np.zeros([2]), np.zeros([3])),
    ShapeError,
    'vmap: the mapped axes differ in size: axis 0 of argument 0 f32[2] has 2, axis 0 of argument 1 f32[3] has 3',
  )
  refuses(
    () => vmap((a: NDArray) => a, { inAxes: 1 })(x),
    ShapeError,
    'vmap: expected an array with an axis 1 for argument 0, got f32[3]',
    'hint: inAxes: null',
  )
  refuses(() => vmap((a: NDArray) => a)(np.array(1)), ShapeError, 'axis 0 for argument 0')
  refuses(
    () => (loose['vmap']!((a: NDArray) => a, { inAxes: [0, 0] }) as (v: NDArray) => unknown)(x),
    TreeError,
    'vmap: expected inAxes for 1 arguments, got a list of 2',
  )
  refuses(
    () => (loose['vmap']!((p: { a: NDArray }) => p.a, { inAxes: [{ b: 0 }] }) as (p: unknown) => unknown)({ a: x }),
    TreeError,
    'vmap: inAxes: expected a tree prefix',
  )
  refuses(
    () => vmap((a: NDArray) => a, { outAxes: 2 })(x),
    ShapeError,
    'vmap: expected outAxes for a result of rank 1, got 2',
  )
  refuses(() => vmap((a: NDArray) => a, { outAxes: null })(x), TreeError, 'does not depend on the batch')
  refuses(
    () => vmap((a: NDArray) => a, { inAxes: null })(x),
    OptionError,
    'vmap: expected at least one mapped argument, got none',
    'hint: set axisSize',
  )
  refuses(() => vmap((a: NDArray) => a, { axisSize: 4 })(x), ShapeError, 'expected mapped axes of axisSize 4, got 3')
})

// ---- the rest
test('a donated buffer that is used again', () => {
  const given = np.zeros([2])
  jit((v: NDArray) => v.add(1), { donateArgnums: 0 })(given)
  for (const use of [
    () => given.add(1),
    () => given.dataSync(),
    () => jit((v: NDArray) => v)(given),
    () => grad((v: NDArray) => v.sum())(given),
    () => String(np.add(given, 1)),
  ]) {
    refuses(use, DeviceError, 'this array f32[2] was donated to a jitted function: it cannot be used again')
  }
  expect(given.shape).toEqual([2])
})
test('what is no array among the leaves of a tree', () => {
  refuses(
    () => jit((p: unknown) => p as NDArray)({ w: x, name: 'relu' } as never),
    TreeError,
    'expected arrays, numbers and booleans as leaves, got the string "relu" at argument 0.name',
    'hint: static values go through staticArgnums or a closure',
  )
  refuses(
    () => grad((p: unknown) => (p as { f: NDArray }).f)({ f: () => 1 } as never),
    TreeError,
    'a function at argument 0.f',
  )
  refuses(() => jit((() => 'text') as never)(), TreeError, 'the result', 'the string "text"')
  refuses(
    () => tree.map((a: NDArray) => a, { a: [x] }, { a: [x, x] } as never),
    TreeError,
    'tree.map: the trees differ in structure: at .a',
  )
  refuses(() => tree.unflatten(tree.structure([1, 2]), [1]), TreeError, 'tree.unflatten: expected 2 leaves')
})
test('a rule that a primitive does not have', () => {
  refuses(
    () => linearTranspose((v: NDArray) => np.exp(v), x)(x),
    MissingRuleError,
    'exp: there is no transpose rule for this primitive',
  )
  refuses(
    () =>
      vmap(
        grad((v: NDArray) => lax.pmax(v, 'i')),
        { axisName: 'i' },
      )(x),
    MissingRuleError,
    'pmax: there is no jvp rule for this primitive',
  )
  refuses(
    () => grad((v: NDArray) => fl.pureCallback((a: NDArray) => a, { shape: [], dtype: 'float32' }, v) as NDArray)(1),
    MissingRuleError,
    'pure_callback',
    'hint: ',
  )
})
test('rules of custom functions that give the wrong thing', () => {
  const f = customJvp((v: NDArray) => v)
  f.defjvp((([v]: [NDArray], [t]: [NDArray]) => [v, t.sum()]) as never)
  refuses(() => grad((v: NDArray) => f(v).sum())(x), ShapeError, 'defjvp: expected a tangent of type f32[3], got f32[]')
  const g = customVjp((v: NDArray) => v)
  g.defvjp((v) => [v, null], ((_: null, ct: NDArray) => ct) as never)
  refuses(
    () => grad((v: NDArray) => g(v).sum())(x),
    TreeError,
    'defvjp: expected a bwd that returns a list of 1 cotangents, one for each argument',
  )
  g.defvjp((v) => [v, null], ((_: null, ct: NDArray) => [ct.sum()]) as never)
  refuses(
    () => grad((v: NDArray) => g(v).sum())(x),
    ShapeError,
    'expected a cotangent of type f32[3] for argument 0, got f32[]',
  )
  const closed = (w: NDArray): NDArray => {
    const h = customVjp((v: NDArray) => v.mul(w))
    h.defvjp(
      (v) => [h(v), null],
      (_, ct) => [ct],
    )
    return h(np.ones([]))
  }
  refuses(
    () => grad(jit(closed))(2),
    MissingRuleError,
    'closes over a value that is being differentiated',
    'hint: make that value an argument',
  )
})
test('a callback that returns something else than it promised', () => {
  refuses(
    () => fl.pureCallback(() => x, { shape: [2], dtype: 'float32' }),
    ShapeError,
    'pureCallback: expected a result of type f32[2], got f32[3]',
  )
  refuses(
    () => fl.pureCallback((async () => x) as never, { shape: [3], dtype: 'float32' }),
    TreeError,
    'an async function',
  )
})

test('two copies of the core in one process are refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fluxion-'))
  try {
    const source = join(import.meta.dirname, '../packages/core/src')
    cpSync(source, join(folder, 'copy'), { recursive: true, filter: (path) => !/\.(test|testing)\.ts$/.test(path) })
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const script = `await import(${JSON.stringify(join(source, 'index.ts'))}); await import(${JSON.stringify(join(folder, 'copy/index.ts'))})`
    const failure = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]).then(
      () => 'no error',
      (error: { stderr: string }) => error.stderr,
    )
    expect(failure).toMatch(
      /two copies of @fluxion\/core are loaded: file:.*core\/src\/trace\.ts and file:.*copy\/trace\.ts\nhint: let every package depend on one version \(npm ls @fluxion\/core\)/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
