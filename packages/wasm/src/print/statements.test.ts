// Updates by several points of a grid, each whole; statements that compute what they need together, each from what those before it left.
import {
  add,
  assign,
  Buffer,
  buffersOf,
  constant,
  convert,
  type Expr,
  f32,
  forLoop,
  gt,
  i32,
  indexAdd,
  indexMod,
  indexMul,
  interpretKernel,
  load,
  local,
  Local,
  LoopVar,
  mul,
  narrow,
  type Nest,
  scalarType,
  select,
  type Stmt,
  store,
  update,
  variable,
} from '@fluxion/compiler'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooser } from './kernels.testing.ts'
import { dtypes, hostArray, runPrinted } from './run.testing.ts'

const nest = (grid: readonly LoopVar[], body: readonly Stmt[]): Nest => {
  const kernel = { kind: 'nest', name: 'kernel', grid, body } as const
  return { ...kernel, params: buffersOf(kernel) }
}
const [length, places] = [37, 7]
const v = new LoopVar('i', length)
const at = new Buffer('at', 'uint8', length)
/** Where each point adds: at places of its own, all at one, at few, or wherever the data says. */
const targets: Readonly<Record<string, Expr>> = {
  'its own place': variable(v),
  'every third place': indexMul(variable(v), 3),
  'one place': i32(0),
  'places in turn': indexMod(variable(v), places),
  'places by data': convert('i32', load(at, variable(v))),
}
const sums = dtypes.filter((dtype) => dtype !== 'bool')
test.for(Object.entries(targets).flatMap(([where, index]) => sums.map((dtype) => ({ where, index, dtype }))))(
  'points add to $dtype at $where, each whole',
  ({ index, dtype }) => {
    const type = scalarType(dtype)
    const [x, out] = [new Buffer('x', dtype, length), new Buffer('out', dtype, 3 * length)]
    // squares make the kernel long enough to be run in lanes
    const value = load(x, variable(v))
    const kernel = nest([v], [update(out, index, 'add', narrow(dtype, mul(value, mul(value, constant(type, 1)))))])
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const choose = chooser(seed)
        // sums of so few small whole numbers are exact in float16; in bfloat16 they need rounding, in int8 they wrap
        const data = kernel.params.map(({ name, dtype: of, length: size }) =>
          hostArray(of, size, () => (name === 'at' ? choose(places) : choose(8))),
        )
        const expected = data.map((array) => array.slice())
        interpretKernel(kernel, expected)
        runPrinted(kernel, data, false)
        expect(data).toEqual(expected)
      }),
      { numRuns: 5 },
    )
  },
)

test('steps of a loop read what the statements before them assigned and stored', () => {
  const turn = new LoopVar('t', 3)
  const [x, y, z] = ['x', 'y', 'z'].map((name) => new Buffer(name, 'float32', 3 * length)) as [Buffer, Buffer, Buffer]
  const place = indexAdd(variable(v), indexMul(variable(turn), length))
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const choose = chooser(seed)
      const pick = <T>(list: readonly T[]): T => list[choose(list.length)]!
      const carries = ['a', 'b', 'c'].map((name) => new Local(name, 'f32'))
      const once: Local[] = []
      const shared: Expr[] = []
      const expression = (depth: number): Expr => {
        const kind = depth === 0 ? choose(3) : choose(7)
        if (kind < 2) return local(pick([...carries, ...once]))
        if (kind === 2) return load(pick([x, y, z]), place)
        if (kind === 3 && shared.length > 0) return pick(shared)
        const [a, b] = [expression(depth - 1), expression(depth - 1)]
        const made = kind < 6 ? add(a, mul(b, f32(pick([0.5, -1])))) : select(gt(a, b), a, f32(1))
        shared.push(made)
        return made
      }
      const start = carries.map((each, i) => assign(each, add(load(x, variable(v)), f32(i))))
      const body = Array.from({ length: 2 + choose(7) }, () => {
        const kind = choose(4)
        const value = expression(3)
        if (kind < 2) return store(pick([y, z]), place, value)
        if (kind === 2) return assign(pick(carries), value)
        once.push(new Local('d', 'f32'))
        return assign(once.at(-1)!, value)
      })
      const kernel = nest([v], [...start, forLoop(turn, body), store(x, variable(v), local(carries[0]!))])
      const data = kernel.params.map((buffer) => hostArray(buffer.dtype, buffer.length, () => choose(8) - 3))
      const expected = data.map((array) => array.slice())
      interpretKernel(kernel, expected)
      runPrinted(kernel, data, false)
      expect(data).toEqual(expected)
    }),
    { numRuns: 150 },
  )
})

test('carries that trade places do so by a local that stands for one of them', () => {
  const [x, y] = ['x', 'y'].map((name) => new Buffer(name, 'float32', length)) as [Buffer, Buffer]
  const [a, b, waiting] = ['a', 'b', 'n'].map((name) => new Local(name, 'f32')) as [Local, Local, Local]
  const trade = [assign(waiting, local(b)), assign(b, local(a)), assign(a, local(waiting))]
  const kernel = nest(
    [v],
    [
      assign(a, load(x, variable(v))),
      assign(b, load(y, variable(v))),
      forLoop(new LoopVar('t', 3), trade),
      store(x, variable(v), local(a)),
      store(y, variable(v), local(b)),
    ],
  )
  const data = kernel.params.map(({ dtype }, i) => hostArray(dtype, length, (at) => at + 100 * i))
  const [first, second] = data.map((array) => array.slice())
  runPrinted(kernel, data, false)
  expect(data).toEqual([second, first])
})
