// Which results take the memory of donated inputs.
import { expect, test } from 'vitest'
import { add, f32, load, mul, store, sub, variable } from '../loops/build.ts'
import { indexAdd, indexMul } from '../loops/indices.ts'
import { Buffer, LoopVar, type Nest, type Stmt } from '../loops/ir.ts'
import { reuseDonated } from './donate.ts'
import { type Program, Slot, type Step, placeOf } from './program.ts'

const length = 6
const i = new LoopVar('i', length)
const [x, y, z] = ['x', 'y', 'z'].map((name) => new Buffer(name, 'float32', length)) as [Buffer, Buffer, Buffer]
const at = variable(i)
const nest = (params: readonly Buffer[], body: readonly Stmt[]): Nest => ({
  kind: 'nest',
  name: 'k',
  params,
  grid: [i],
  body,
})
const slots = (): [Slot, Slot, Slot] => [
  new Slot('float32', length),
  new Slot('float32', length),
  new Slot('float32', length),
]
const launch = (kernel: Nest, ...args: readonly Slot[]): Step => ({ op: 'launch', kernel, args: args.map(placeOf) })
const program = (inputs: readonly Slot[], outputs: readonly Slot[], ...steps: readonly Step[]): Program => ({
  name: 'p',
  inputs,
  captured: [],
  outputs,
  steps,
})
const doubled = nest([x, y], [store(y, at, mul(load(x, at), f32(2)))])

test('a result takes the memory of a donated input that each point reads before it writes', () => {
  const [a, b] = slots()
  expect(reuseDonated(program([a], [b], launch(doubled, a, b)), [0])).toEqual(new Map([[b, a]]))
  expect(reuseDonated(program([a], [b], launch(doubled, a, b)), [])).toEqual(new Map())
})

test('what is read elsewhere than it is written, or after, keeps its memory', () => {
  const [a, b, c] = slots()
  const reversed = nest([x, y], [store(y, at, load(x, indexAdd(indexMul(at, -1), length - 1)))])
  expect(reuseDonated(program([a], [b], launch(reversed, a, b)), [0])).toEqual(new Map())
  const twice = nest([x, y, z], [store(y, at, add(load(x, at), f32(1))), store(z, at, sub(load(x, at), f32(1)))])
  expect(reuseDonated(program([a], [b, c], launch(twice, a, b, c)), [0])).toEqual(new Map([[c, a]]))
  expect(reuseDonated(program([a], [b, c], launch(doubled, a, b), launch(doubled, a, c)), [0])).toEqual(
    new Map([[c, a]]),
  )
})

test('an input serves one result, of its own type and length; one that is a result serves none', () => {
  const [a, b, c] = slots()
  const reuse = reuseDonated(program([a], [b, c], launch(doubled, a, b), launch(doubled, b, c)), [0])
  expect(reuse).toEqual(new Map([[b, a]]))
  const other = new Slot('int32', length)
  expect(reuseDonated(program([other, a], [b], launch(doubled, a, b)), [0])).toEqual(new Map())
  expect(reuseDonated(program([a], [a, b], launch(doubled, a, b)), [0])).toEqual(new Map())
})
