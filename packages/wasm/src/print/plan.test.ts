// Which loops run in lanes, and how many turns at once.
import {
  add,
  assign,
  Buffer,
  buffersOf,
  div,
  type Expr,
  f32,
  forLoop,
  flatIndex,
  gt,
  i32,
  indexDiv,
  load,
  Local,
  local,
  LoopVar,
  mul,
  type Nest,
  type Reduce,
  type Stmt,
  store,
  variable,
  when,
} from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import { expect, test } from 'vitest'
import { ModuleBuilder } from '../assembler/module.ts'
import { printWat } from '../wat.ts'
import { printNest } from './nest.ts'
import { ownLanes, planNest } from './plan.ts'

const nest = (grid: readonly LoopVar[], body: readonly Stmt[]): Nest => {
  const kernel = { kind: 'nest', name: 'kernel', grid, body } as const
  return { ...kernel, params: buffersOf(kernel) }
}
const [i, j] = [new LoopVar('i', 32), new LoopVar('j', 64)]
const [row, column] = [variable(i), variable(j)]
const at = flatIndex([row, column], [32, 64])
const buffer = (name: string, length: number, dtype: DType = 'float32'): Buffer => new Buffer(name, dtype, length)
const x = load(buffer('x', 2048), at)
const sum = (over: LoopVar, value: Expr): Reduce => ({
  op: 'reduce',
  variables: [over],
  accumulators: [{ into: new Local('sum', 'f32'), combine: 'add', value }],
})
const lanesOf = (of: Nest): number | undefined => planNest(of)?.lanes

test('elements side by side run in four lanes, several vectors a turn while there is little to do', () => {
  const plan = planNest(nest([i, j], [store(buffer('y', 2048), at, add(mul(x, f32(2)), f32(1)))]))
  expect(plan).toMatchObject({ variable: j, lanes: 4, copies: 4 })
})
test('float64 runs in two lanes', () => {
  const wide = load(buffer('x', 2048, 'float64'), at)
  expect(lanesOf(nest([i, j], [store(buffer('y', 2048, 'float64'), at, add(wide, wide))]))).toBe(2)
})
test('what is the same in all lanes is no obstacle', () => {
  const scale = load(buffer('scale', 32), row)
  expect(lanesOf(nest([i, j], [store(buffer('y', 2048), at, mul(x, scale))]))).toBe(4)
})
test('sums over rows keep a lane for each column, sums over columns have lanes of their own', () => {
  const [down, along] = [sum(i, x), sum(j, x)]
  const into = (reduce: Reduce): Expr => local(reduce.accumulators[0]!.into)
  expect(planNest(nest([j], [down, store(buffer('y', 64), column, into(down))]))).toMatchObject({
    variable: j,
    lanes: 4,
  })
  expect(planNest(nest([i], [along, store(buffer('y', 32), row, into(along))]))).toBeUndefined()
  expect(ownLanes(along)).toMatchObject({ variable: j, lanes: 4, copies: 4 })
})
test('elements that lie apart are gathered, in a loop only where there is enough to compute', () => {
  const apart = load(buffer('z', 2048), flatIndex([column, row], [64, 32]))
  const y = buffer('y', 2048)
  expect(lanesOf(nest([i, j], [store(y, at, apart)]))).toBe(4)
  const looped = (value: Expr): Nest => nest([i, j], [forLoop(new LoopVar('k', 8), [store(y, at, value)], i32(8))])
  expect(lanesOf(looped(apart))).toBeUndefined()
  const more = div(add(mul(apart, x), f32(1)), add(mul(x, x), f32(1)))
  expect(lanesOf(looped(more))).toBe(4)
})
test('branches on what varies from lane to lane run one by one, branches on what does not run in lanes', () => {
  const y = buffer('y', 2048)
  const branch = (condition: Expr): Nest => nest([i, j], [when(gt(condition, f32(0)), [store(y, at, add(x, f32(1)))])])
  expect(lanesOf(branch(x))).toBeUndefined()
  expect(lanesOf(branch(load(buffer('scale', 32), row)))).toBe(4)
})
test('fewer elements than lanes run one by one', () => {
  const few = new LoopVar('k', 3)
  const xs = load(buffer('x', 3), variable(few))
  expect(lanesOf(nest([few], [store(buffer('y', 3), variable(few), add(xs, xs))]))).toBeUndefined()
})

test('loops compute before them what they do not change, and add to addresses once a turn', () => {
  const [k, length] = [new LoopVar('k', 8), 8]
  const rate = new Local('rate', 'f32')
  const body = [
    assign(rate, div(f32(1), load(buffer('n', 1), i32(0)))),
    store(buffer('y', length), variable(k), mul(load(buffer('x', length), variable(k)), local(rate))),
  ]
  const module = new ModuleBuilder()
  printNest(module, nest([k], body), { relaxed: false })
  expect(printWat(module)).toMatchInlineSnapshot(`
    "(module
      (import "env" "memory" (memory 0))
      (func $kernel (param i32 i32 i32 i32 i32)
        (local i32 i32 i32 i32 v128 v128 v128 f32 v128 v128 i32 i32 i32 i32)
        local.get 3
        local.get 4
        i32.ge_s
        if $0
          return
        end
        f32.const 1
        local.get 0
        f32.load
        f32.div
        local.tee 12
        f32x4.splat
        local.set 11
        local.get 4
        i32.const 7
        i32.sub
        local.set 6
        local.get 3
        local.set 5
        local.get 5
        local.get 6
        i32.lt_s
        if $1
          loop $2
            local.get 5
            i32.const 2
            i32.shl
            local.set 7
            local.get 1
            local.get 7
            i32.add
            local.tee 8
            v128.load
            local.tee 9
            drop
            local.get 8
            v128.load offset=16
            local.tee 10
            drop
            local.get 9
            local.get 11
            f32x4.mul
            local.tee 13
            drop
            local.get 10
            local.get 11
            f32x4.mul
            local.tee 14
            drop
            local.get 2
            local.get 7
            i32.add
            local.tee 15
            local.get 13
            v128.store
            local.get 15
            local.get 14
            v128.store offset=16
            local.get 5
            i32.const 8
            i32.add
            local.tee 5
            local.get 6
            i32.lt_s
            br_if $2
          end
        end
        local.get 4
        i32.const 3
        i32.sub
        local.set 16
        local.get 5
        local.get 16
        i32.lt_s
        if $3
          loop $4
            local.get 5
            i32.const 2
            i32.shl
            local.set 17
            local.get 2
            local.get 17
            i32.add
            local.tee 15
            local.get 1
            local.get 17
            i32.add
            local.tee 8
            v128.load
            local.get 11
            f32x4.mul
            v128.store
            local.get 5
            i32.const 4
            i32.add
            local.tee 5
            local.get 16
            i32.lt_s
            br_if $4
          end
        end
        local.get 5
        local.get 4
        i32.lt_s
        if $5
          loop $6
            local.get 5
            i32.const 2
            i32.shl
            local.set 18
            local.get 2
            local.get 18
            i32.add
            local.tee 8
            local.get 1
            local.get 18
            i32.add
            local.tee 15
            f32.load
            local.get 12
            f32.mul
            f32.store
            local.get 5
            i32.const 1
            i32.add
            local.tee 5
            local.get 4
            i32.lt_s
            br_if $6
          end
        end
      )
    )"
  `)
})
test('places that no sum reaches are divided without a branch', () => {
  const body = [store(buffer('y', 64, 'int32'), column, indexDiv(column, 7))]
  const module = new ModuleBuilder()
  printNest(module, nest([j], body), { relaxed: false })
  expect(printWat(module)).toContain('i64x2.extmul_low_i32x4_u')
})

test('loops over steps run in several vectors side by side, however their elements lie', () => {
  const [c, k] = [new Local('c', 'f32'), new LoopVar('k', 8)]
  const apart = load(buffer('z', 2048), flatIndex([column, row], [64, 32]))
  const through = (value: Expr): Nest =>
    nest([i, j], [assign(c, f32(0)), forLoop(k, [store(buffer('y', 2048), at, value), assign(c, value)])])
  const next = add(mul(local(c), x), f32(1))
  expect(planNest(through(next))).toMatchObject({ variable: j, lanes: 4, copies: 4 })
  expect(planNest(through(mul(next, add(mul(apart, x), f32(1)))))).toMatchObject({ lanes: 4, copies: 4 })
  let long = next
  for (let n = 0; n < 50; n++) long = add(mul(long, x), f32(n))
  expect(planNest(through(long))).toMatchObject({ lanes: 4, copies: 2 })
})
