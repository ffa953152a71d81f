/** Random programs for tests, made from a tape of numbers: loops with stacked and alternating places, groups side by side, conditions, callbacks. */
import { type DType, type HostArray, allocate } from '@fluxion/core'
import {
  add,
  compare,
  constant,
  convert,
  f32,
  i32,
  load,
  mul,
  narrow,
  scalarType,
  store,
  update,
  variable,
} from '../loops/build.ts'
import { indexMod } from '../loops/indices.ts'
import { Buffer, LoopVar, type Nest } from '../loops/ir.ts'
import type { Tape } from '../loops/kernels.testing.ts'
import { buffersOf } from '../loops/visit.ts'
import { Counter, type Place, type Program, Slot, type Step, placeOf } from './program.ts'

/** A place that holds as many elements. */
export interface Filled {
  readonly place: Place
  readonly length: number
}
const dtypes: readonly DType[] = ['float32', 'int32', 'uint8', 'float64', 'bool', 'int16']

/** out[i] = a[i] + 2·b[i], both repeated as often as it takes, as the dtype of the result has it. */
export function combining(out: Filled, a: Filled, b: Filled): Step {
  const [x, y, z] = [bufferOf('x', a), bufferOf('y', b), bufferOf('out', out)]
  const i = new LoopVar('i', out.length)
  const at = (buffer: Buffer) => convert('f32', load(buffer, indexMod(variable(i), buffer.length)))
  const { dtype } = out.place.slot
  const value = narrow(dtype, convert(scalarType(dtype), add(at(x), mul(at(y), f32(2)))))
  return launch('combine', [i], [store(z, variable(i), value)], [x, y, z], [a, b, out])
}
const bufferOf = (name: string, { place, length }: Filled): Buffer => new Buffer(name, place.slot.dtype, length)
function launch(
  name: string,
  grid: readonly LoopVar[],
  body: Nest['body'],
  buffers: readonly Buffer[],
  filled: readonly Filled[],
): Step {
  const kernel = { kind: 'nest', name, grid, body } as const
  const params = buffersOf(kernel)
  return {
    op: 'launch',
    kernel: { ...kernel, params },
    args: params.map((buffer) => filled[buffers.indexOf(buffer)]!.place),
  }
}
/** Store a number, one of each kind. */
export function filling(out: Filled, value: number): Step {
  const [z, i] = [bufferOf('out', out), new LoopVar('i', out.length)]
  return launch('fill', [i], [store(z, variable(i), constant(scalarType(z.dtype), value))], [z], [out])
}
/** Gives its operand once more, one larger, as the dtype has it. */
const host = {
  name: 'host',
  type: ([x]: readonly { dtype: DType; shape: readonly number[]; weakType: boolean }[]) => [x!],
  reference: ([x]: readonly HostArray[]) => [
    { ...x!, data: x!.data.map((value) => (x!.dtype === 'bool' ? 1 - value : value + 1)) as HostArray['data'] },
  ],
}

export const filledOf = (slot: Slot): Filled => ({ place: placeOf(slot), length: slot.length })

export function randomProgram(tape: Tape): Program {
  const slot = (dtype = tape.pick(dtypes), length = 1 + tape.below(9)): Filled => filledOf(new Slot(dtype, length))
  const inputs = [slot('float32'), slot('int32', 3)]

  /** Whether steps are made for groups. */
  let grouped = false
  const block = (readable: Filled[], depth: number): Step[] => {
    const steps: Step[] = []
    for (let count = 1 + tape.below(5); count > 0; count--) steps.push(...random(readable, depth))
    return steps
  }
  const computed = (readable: Filled[], out: Filled = slot()): Step => {
    const step = combining(out, tape.pick(readable), tape.pick(readable))
    readable.push(out)
    return step
  }
  const random = (readable: Filled[], depth: number): Step[] => {
    switch (tape.below(depth > 2 ? 4 : 9)) {
      case 0: {
        const from = tape.pick(readable)
        const to = slot(from.place.slot.dtype, from.length)
        readable.push(to)
        return [{ op: 'copy', from: from.place, to: to.place, length: from.length }]
      }
      case 1: {
        if (grouped) return [computed(readable)]
        const from = tape.pick(readable)
        const to = slot(from.place.slot.dtype, from.length)
        const aval = { shape: [from.length], dtype: from.place.slot.dtype, weakType: false }
        readable.push(to)
        const [inputs, outputs] = [[{ aval, place: from.place }], [{ aval, place: to.place }]]
        return [{ op: 'callback', primitive: host, params: {}, inputs, outputs }]
      }
      case 2:
      case 3:
        return [computed(readable)]
      case 4:
        return conditional(readable, depth)
      case 5:
        return turns(readable, depth)
      case 6:
        return grouped ? loop(readable, depth) : parallel(readable, depth)
      default:
        return loop(readable, depth)
    }
  }
  /** A loop with a carry of two halves, and a stacked result that it reads itself. */
  const loop = (readable: Filled[], depth: number): Step[] => {
    const counter = new Counter(1 + tape.below(4))
    const [size, width] = [1 + tape.below(5), 1 + tape.below(4)]
    const [carry, stacked] = [new Slot('float32', 2 * size), new Slot('int32', counter.length * width)]
    const half = (offset: number, stride: number): Filled => ({
      place: { slot: carry, offset, moves: [{ counter, stride, alternate: true }] },
      length: size,
    })
    const reverse = tape.below(2) === 0
    const element: Filled = {
      place: {
        slot: stacked,
        offset: reverse ? (counter.length - 1) * width : 0,
        moves: [{ counter, stride: reverse ? -width : width }],
      },
      length: width,
    }
    const first = { place: placeOf(carry), length: size }
    const inside = [...readable, half(0, size)]
    const start = computed([...readable], first)
    const before = block(inside, depth + 1)
    const body = [
      ...before,
      computed(inside, element),
      ...block(inside, depth + 1),
      computed(inside, half(size, -size)),
    ]
    const last = { place: { slot: carry, offset: (counter.length % 2) * size, moves: [] }, length: size }
    readable.push(last, filledOf(stacked))
    return [start, { op: 'loop', counter, body }]
  }
  /** Groups that gather a sum each and stack results. */
  const parallel = (readable: Filled[], depth: number): Step[] => {
    const counter = new Counter(1 + tape.below(6))
    const group = new Counter(1 + tape.below(counter.length))
    const [size, width] = [1 + tape.below(5), 1 + tape.below(4)]
    const [sums, stacked] = [new Slot('float32', group.length * size), new Slot('int32', counter.length * width)]
    const moving = (slot: Slot, by: Counter, stride: number): Filled => ({
      place: { slot, offset: 0, moves: [{ counter: by, stride }] },
      length: stride,
    })
    const [sum, element] = [moving(sums, group, size), moving(stacked, counter, width)]
    grouped = true
    const inBegin = [...readable]
    const begin = [...block(inBegin, depth + 1), computed([...inBegin], sum)]
    const inside = [...inBegin, sum]
    const body = [...block(inside, depth + 1), computed(inside, element), ...block(inside, depth + 1)]
    body.push(combining(sum, sum, tape.pick(inside)))
    grouped = false
    readable.push(filledOf(sums), filledOf(stacked))
    return [{ op: 'parallel', group, counter, begin, body }]
  }
  const conditional = (readable: Filled[], depth: number): Step[] => {
    const [index, result] = [slot(tape.below(3) === 0 ? 'bool' : 'int32', 1), slot()]
    const branches = Array.from({ length: 1 + tape.below(3) }, () => {
      const inside = [...readable]
      const steps = block(inside, depth + 1)
      return [...steps, computed(inside, result)]
    })
    const chosen = computed([...readable], index)
    readable.push(index, result)
    return [chosen, { op: 'switch', index: index.place, branches }]
  }
  /** A while that ends after a few turns. */
  const turns = (readable: Filled[], depth: number): Step[] => {
    const [count, flag, carried] = [slot('int32', 1), slot('bool', 1), slot()]
    const start = [filling(count, 0), computed([...readable], carried)]
    const [n, f] = [bufferOf('n', count), bufferOf('flag', flag)]
    const going = compare('lt', load(n, i32(0)), i32(tape.below(4)))
    const inTest = [...readable, carried]
    const test = [...block(inTest, depth + 1), launch('test', [], [store(f, i32(0), going)], [n, f], [count, flag])]
    const inBody = [...inTest, carried]
    const next = slot(carried.place.slot.dtype, carried.length)
    const body: Step[] = [
      ...block(inBody, depth + 1),
      computed(inBody, next),
      { op: 'copy', from: next.place, to: carried.place, length: carried.length },
      launch('count', [], [update(n, i32(0), 'add', i32(1))], [n], [count]),
    ]
    readable.push(carried, count)
    return [...start, { op: 'while', test, flag: flag.place, body }]
  }

  const readable = [...inputs]
  const steps = block(readable, 0)
  const outputs = Array.from({ length: 1 + tape.below(2) }, () => {
    const out = slot()
    steps.push(computed(readable, out))
    return out.place.slot
  })
  return { name: 'random', inputs: inputs.map(({ place }) => place.slot), captured: [], outputs, steps }
}

/** Values for a program's inputs. */
export const inputsOf = ({ inputs }: Program): HostArray[] =>
  inputs.map(({ dtype, length }) => ({
    shape: [length],
    dtype,
    data: allocate(dtype, length).map((_, at) => ((at * 5) % 7) - 2) as HostArray['data'],
  }))
