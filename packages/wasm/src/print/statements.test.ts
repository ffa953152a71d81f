// Updates by several points of a grid, each whole.
import {
  Buffer,
  buffersOf,
  constant,
  convert,
  type Expr,
  i32,
  indexMod,
  indexMul,
  interpretKernel,
  load,
  LoopVar,
  mul,
  narrow,
  type Nest,
  scalarType,
  type Stmt,
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
