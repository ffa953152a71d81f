/** What machine types are as vectors: lanes, and the instructions that sums of products need. */
import type { FunctionBuilder, Register } from '../assembler/function.ts'
import type { MemoryOp, PlainOp } from '../assembler/instructions.ts'

export type SumType = 'f32' | 'f64' | 'i32' | 'u32'
export interface Lanes {
  readonly count: number
  readonly bytes: number
  readonly splat: MemoryOp
  readonly multiply: PlainOp
  readonly add: PlainOp
  readonly fused: PlainOp | undefined
  /** The same of one number. */
  readonly scalar: {
    readonly load: MemoryOp
    readonly store: MemoryOp
    readonly multiply: PlainOp
    readonly add: PlainOp
  }
}
const whole: Lanes = {
  count: 4,
  bytes: 4,
  splat: 'v128.load32_splat',
  multiply: 'i32x4.mul',
  add: 'i32x4.add',
  fused: undefined,
  scalar: { load: 'i32.load', store: 'i32.store', multiply: 'i32.mul', add: 'i32.add' },
}
export const lanesOf: Readonly<Record<SumType, Lanes>> = {
  f32: {
    count: 4,
    bytes: 4,
    splat: 'v128.load32_splat',
    multiply: 'f32x4.mul',
    add: 'f32x4.add',
    fused: 'f32x4.relaxed_madd',
    scalar: { load: 'f32.load', store: 'f32.store', multiply: 'f32.mul', add: 'f32.add' },
  },
  f64: {
    count: 2,
    bytes: 8,
    splat: 'v128.load64_splat',
    multiply: 'f64x2.mul',
    add: 'f64x2.add',
    fused: 'f64x2.relaxed_madd',
    scalar: { load: 'f64.load', store: 'f64.store', multiply: 'f64.mul', add: 'f64.add' },
  },
  i32: whole,
  u32: whole,
}

/** Whole numbers of a function's by name: new registers, or parameters from a number on. */
export const registers = <N extends string>(f: FunctionBuilder, ...names: readonly N[]): Record<N, Register> =>
  Object.fromEntries(names.map((name) => [name, f.register('i32')])) as Record<N, Register>
export const parameters = <N extends string>(
  f: FunctionBuilder,
  first: number,
  ...names: readonly N[]
): Record<N, Register> => Object.fromEntries(names.map((name, i) => [name, f.param(first + i)])) as Record<N, Register>

/** `at` runs from where it stands to below `end` in steps, as long as a whole step fits. */
export function loopWhole(f: FunctionBuilder, at: Register, end: Register, step: number, body: () => void): void {
  f.block((done) => {
    f.loop((again) => {
      if (step === 1) f.get(at).get(end).op('i32.ge_s')
      else f.get(at).i32(step).op('i32.add').get(end).op('i32.gt_s')
      f.brIf(done)
      body()
      f.get(at).i32(step).op('i32.add').set(at)
      f.br(again)
    })
  })
}
/** Add a constant to a register. */
export function advance(f: FunctionBuilder, register: Register, by: number): void {
  if (by !== 0) f.get(register).i32(by).op('i32.add').set(register)
}
/** Lower a register to a bound. */
export function least(f: FunctionBuilder, register: Register, bound: () => void): void {
  f.get(register)
  bound()
  f.get(register)
  bound()
  f.op('i32.lt_s', 'select').set(register)
}
