// Assembled modules are valid, and do what their instructions say.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { printWat } from '../wat.ts'
import { Bytes } from './bytes.ts'
import { ModuleBuilder } from './module.ts'

const memory = (): WebAssembly.Memory => new WebAssembly.Memory({ initial: 1 })
function instantiate(
  module: ModuleBuilder,
  imports: WebAssembly.Imports = {},
): Record<string, (...args: number[]) => number> {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory: memory() },
    ...imports,
  })
  return instance.exports as Record<string, (...args: number[]) => number>
}

test('an i32 constant of any size comes back as it was', () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const module = new ModuleBuilder()
      module.export('f', module.function('f', [], ['i32']).i32(value))
      expect(instantiate(module)['f']!()).toBe(value)
    }),
  )
})
test('an i64 constant of any size comes back as it was', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const module = new ModuleBuilder()
      module.export('f', module.function('f', [], ['i64']).i64(value))
      expect(instantiate(module)['f']!()).toBe(value)
    }),
  )
})
test('unsigned LEB128 is right at the borders of its bytes', () => {
  const bytes = (value: number): number[] => [...new Bytes().unsigned(value).done()]
  expect(bytes(127)).toEqual([127])
  expect(bytes(128)).toEqual([128, 1])
  expect(bytes(2 ** 32 - 1)).toEqual([255, 255, 255, 255, 15])
})

function factorial(): ModuleBuilder {
  const module = new ModuleBuilder()
  const f = module.function('factorial', ['i32'], ['f64'])
  const product = f.register('f64')
  f.f64(1).set(product)
  f.block((done) => {
    f.loop((again) => {
      f.get(f.param(0)).op('i32.eqz').brIf(done)
      f.get(product).get(f.param(0)).op('f64.convert_i32_s', 'f64.mul').set(product)
      f.get(f.param(0)).i32(1).op('i32.sub').set(f.param(0))
      f.br(again)
    })
  })
  f.get(product)
  module.export('factorial', f)
  return module
}
test('loops branch back and blocks are left', () => {
  expect(instantiate(factorial())['factorial']!(10)).toBe(3628800)
})
test('a module prints as text', () => {
  expect(printWat(factorial())).toMatchInlineSnapshot(`
    "(module
      (import "env" "memory" (memory 0))
      (func $factorial (param i32) (result f64)
        (local f64)
        f64.const 1
        local.set 1
        block $0
          loop $1
            local.get 0
            i32.eqz
            br_if $0
            local.get 1
            local.get 0
            f64.convert_i32_s
            f64.mul
            local.set 1
            local.get 0
            i32.const 1
            i32.sub
            local.set 0
            br $1
          end
        end
        local.get 1
      )
      (export "factorial" (func $factorial))
    )"
  `)
})
test('instructions written apart stand where they are appended', () => {
  const module = new ModuleBuilder()
  const f = module.function('f', [], ['i32'])
  const before: Parameters<typeof f.apart>[0] = []
  const x = f.register('i32')
  f.apart(before, () => f.i32(20).set(x))
  f.append(before).get(x).i32(1).op('i32.add')
  module.export('f', f)
  expect(instantiate(module)['f']!()).toBe(21)
})
test('imports of the host are declared once and called by name', () => {
  const module = new ModuleBuilder()
  const f = module.function('f', ['f64'], ['f64'])
  f.get(f.param(0)).call(module.host('twice', 1)).call(module.host('twice', 1))
  module.export('f', f)
  expect(module.imports).toHaveLength(1)
  expect(instantiate(module, { host: { twice: (x: number) => 2 * x } })['f']!(3)).toBe(12)
})
test('tables branch to the label of a number, or to the last', () => {
  const module = new ModuleBuilder()
  const f = module.function('f', ['i32'], ['i32'])
  f.block((otherwise) => {
    f.block((one) => {
      f.block((zero) => f.get(f.param(0)).brTable([zero, one], otherwise))
      f.i32(100).op('return')
    })
    f.i32(101).op('return')
  })
  f.i32(-1)
  module.export('f', f)
  expect([0, 1, 2, 3].map((i) => instantiate(module)['f']!(i))).toEqual([100, 101, -1, -1])
})
test('data lies in memory from the start, and lanes load and store', () => {
  const module = new ModuleBuilder()
  module.place(16, new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer))
  const f = module.function('f', ['i32'], ['f32'])
  f.get(f.param(0)).f32(0).op('f32x4.splat').memoryLane('v128.load32_lane', 2, 12)
  f.lane('f32x4.extract_lane', 2)
  module.export('f', f)
  expect(instantiate(module)['f']!(8)).toBe(2)
})
test('a module takes a shared memory', () => {
  const module = new ModuleBuilder({ initial: 1, maximum: 2, shared: true })
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true })
  const compiled = new WebAssembly.Module(module.encode())
  expect(() => new WebAssembly.Instance(compiled, { env: { memory: shared } })).not.toThrow()
})
test('shuffles, vector constants and relaxed instructions are valid', () => {
  const module = new ModuleBuilder()
  const f = module.function('f', [], ['f32'])
  f.v128(new Float32Array([1, 2, 3, 4])).v128(new Float32Array([5, 6, 7, 8]))
  f.shuffle([16, 17, 18, 19, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  f.v128(new Float32Array([2, 2, 2, 2]))
    .v128(new Float32Array([1, 1, 1, 1]))
    .op('f32x4.relaxed_madd')
  f.lane('f32x4.extract_lane', 0)
  module.export('f', f)
  expect(instantiate(module)['f']!()).toBe(11)
})
