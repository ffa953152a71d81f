/** Random kernels for tests, made from a tape of numbers: no point of the grid looks at what another stores. */
import { type TypedArray, allocate, sizeOf } from '@fluxion/core'
import * as fc from 'fast-check'
import {
  add,
  assign,
  binary,
  compare,
  convert,
  f32,
  forLoop,
  i32,
  load,
  local,
  mul,
  neg,
  select,
  store,
  update,
  variable,
  when,
  whilst,
} from './build.ts'
import { flatIndex, indexAdd, indexMod } from './indices.ts'
import { type BinaryOp, Buffer, type Expr, Local, LoopVar, type Nest, type Stmt } from './ir.ts'
import { buffersOf } from './visit.ts'

/** Numbers to choose with, again and again. */
export class Tape {
  readonly #numbers: readonly number[]
  #at = 0
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }
  below(end: number): number {
    return this.#numbers[this.#at++ % this.#numbers.length]! % end
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}
export const tapes: fc.Arbitrary<Tape> = fc
  .array(fc.nat(999), { minLength: 97, maxLength: 97 })
  .map((numbers) => new Tape(numbers))

/** What random statements may use. */
interface Pool {
  readonly floats: Expr[]
  readonly ints: Expr[]
}
const floatOps: readonly BinaryOp[] = ['add', 'sub', 'mul', 'max', 'min']
const intOps: readonly BinaryOp[] = ['add', 'sub', 'mul', 'xor', 'and', 'min']

/** A random loop nest; shapes have ones, and adjacent loops that are one range as well as such that are not. */
export function randomNest(tape: Tape): Nest {
  const shape = Array.from({ length: 1 + tape.below(3) }, () => 1 + tape.below(4))
  const grid = shape.map((size, axis) => new LoopVar('ijk'[axis]!, size))
  const size = sizeOf(shape)
  const at = flatIndex(grid.map(variable), shape)
  const inner = shape.at(-1)!
  const x = new Buffer('x', 'float32', size)
  const row = new Buffer('row', 'float32', inner + 1)
  const whole = new Buffer('whole', 'int32', size)
  const table = new Buffer('table', 'float32', 12)
  const outs = [new Buffer('a', 'float32', size), new Buffer('b', 'float32', size)] as const
  const counts = new Buffer('counts', 'int32', size)
  const [p, q, n] = [new Local('p', 'f32'), new Local('q', 'f32'), new Local('n', 'i32')]
  const pool: Pool = {
    floats: [f32(0.5), load(x, at), local(p), local(q), ...outs.map((out) => load(out, at))],
    ints: [load(whole, at), local(n), load(counts, at)],
  }
  if (tape.below(2) === 0) pool.floats.push(load(row, indexAdd(variable(grid.at(-1)!), 1)))
  if (tape.below(3) === 0) pool.ints.push(variable(grid[0]!), indexMod(at, 3))

  const compute = ({ floats, ints }: Pool): void => {
    switch (tape.below(6)) {
      case 0:
        ints.push(binary(tape.pick(intOps), tape.pick(ints), tape.pick(ints)))
        return
      case 1:
        floats.push(convert('f32', tape.pick(ints)))
        return
      case 2:
        floats.push(neg(tape.pick(floats)))
        return
      case 3:
        floats.push(select(compare('lt', tape.pick(floats), tape.pick(floats)), tape.pick(floats), tape.pick(floats)))
        return
      default:
        floats.push(binary(tape.pick(floatOps), tape.pick(floats), tape.pick(floats)))
    }
  }
  const statements = (pool: Pool, depth: number): Stmt[] => {
    const list: Stmt[] = []
    for (let count = 1 + tape.below(5); count > 0; count--) {
      for (let more = tape.below(4); more > 0; more--) compute(pool)
      list.push(...statement({ floats: [...pool.floats], ints: [...pool.ints] }, pool, depth))
    }
    return list
  }
  const statement = (inner: Pool, { floats, ints }: Pool, depth: number): Stmt[] => {
    switch (tape.below(depth > 2 ? 5 : 9)) {
      case 0:
        return [assign(tape.pick([p, q]), tape.pick(floats))]
      case 1:
        return [assign(n, tape.pick(ints))]
      case 2:
        return [store(tape.pick(outs), at, tape.pick(floats))]
      case 3:
        return [update(counts, at, tape.pick(['add', 'max', 'xor']), tape.pick(ints))]
      case 4: {
        const variables = Array.from({ length: 1 + tape.below(2) }, () => new LoopVar('r', tape.below(4)))
        const place = flatIndex(
          variables.map(variable),
          variables.map(({ extent }) => extent),
        )
        inner.floats.push(load(table, place))
        for (let more = tape.below(4); more > 0; more--) compute(inner)
        const [into, most] = [new Local('sum', 'f32'), new Local('most', 'i32')]
        const accumulators = [
          { into, combine: tape.pick(['add', 'max'] as const), value: inner.floats.at(-1)! },
          { into: most, combine: 'max', value: tape.pick(inner.ints) },
        ] as const
        floats.push(local(into))
        return [{ op: 'reduce', variables, accumulators }]
      }
      case 5:
      case 6: {
        const t = new LoopVar('t', 3)
        const extent = tape.below(2) === 0 ? i32(tape.below(4)) : binary('and', tape.pick(ints), i32(3))
        inner.ints.push(variable(t))
        inner.floats.push(load(table, indexAdd(variable(t), 2)))
        return [forLoop(t, statements(inner, depth + 1), extent)]
      }
      case 7: {
        const condition = compare(tape.pick(['lt', 'ge'] as const), tape.pick(floats), tape.pick(floats))
        const other = { floats: [...floats], ints: [...ints] }
        const [yes, no] = [statements(inner, depth + 1), tape.below(2) === 0 ? statements(other, depth + 1) : []]
        return [when(condition, yes, no)]
      }
      default: {
        const turns = new Local('turns', 'i32')
        const body = [...statements(inner, depth + 1), assign(turns, add(local(turns), i32(1)))]
        return [
          assign(turns, i32(0)),
          whilst(compare('lt', local(turns), binary('and', tape.pick(ints), i32(1))), body),
        ]
      }
    }
  }
  const body = [
    assign(p, load(x, at)),
    assign(q, mul(local(p), f32(3))),
    assign(n, load(whole, at)),
    ...statements(pool, 0),
    store(outs[0], at, pool.floats.at(-1)!),
    store(outs[1], at, tape.pick(pool.floats)),
  ]
  const kernel = { kind: 'nest', name: 'random', grid, body } as const
  return { ...kernel, params: buffersOf(kernel) }
}

/** Values for a kernel's parameters. */
export const argumentsOf = ({ params }: Pick<Nest, 'params'>): TypedArray[] =>
  params.map(({ dtype, length }, param) => {
    const data = allocate(dtype, length)
    return data.map((_, at) => (((at + 3) * (param + 5)) % 7) - 2 + (dtype === 'float32' ? 0.25 : 0)) as TypedArray
  })
