/** Addresses that the loops around micro-kernels compute: indices over the batch variable, in WebAssembly. */
import { type Buffer, type Expr, type LoopVar, indexRange } from '@fluxion/compiler'
import type { FunctionBuilder, Register } from '../assembler/function.ts'

/** Whether `emitIndex` can compute an index that depends on this variable alone, and with `loads` on numbers in memory. */
export function computable(x: Expr, v: LoopVar, loads = false): boolean {
  if (x.op === 'const') return true
  if (x.op === 'var') return x.variable === v
  if (x.op === 'load') return loads && x.buffer.dtype === 'int32' && computable(x.index, v, loads)
  if (x.op === 'unary') return x.fn === 'neg' && computable(x.x, v, loads)
  if (x.op !== 'binary' || !computable(x.x, v, loads) || !computable(x.y, v, loads)) return false
  if (x.fn === 'floorDiv' || x.fn === 'floorMod') return indexRange(x.x)[0] >= 0
  return Object.hasOwn(instructions, x.fn) || Object.hasOwn(choices, x.fn)
}
const instructions = {
  add: 'i32.add',
  sub: 'i32.sub',
  mul: 'i32.mul',
  floorDiv: 'i32.div_u',
  floorMod: 'i32.rem_u',
} as const
const choices = { min: 'i32.lt_s', max: 'i32.gt_s' } as const
/** Leave an index on the stack, given the register of the variable that it depends on and those of buffers' addresses. */
export function emitIndex(f: FunctionBuilder, x: Expr, at: Register, addressOf?: (buffer: Buffer) => Register): void {
  const emit = (part: Expr): void => emitIndex(f, part, at, addressOf)
  if (x.op === 'const') f.i32(x.value)
  else if (x.op === 'var') f.get(at)
  else if (x.op === 'load') {
    f.get(addressOf!(x.buffer))
    emit(x.index)
    f.i32(4).op('i32.mul', 'i32.add').memory('i32.load')
  } else if (x.op === 'unary') {
    f.i32(0)
    emit(x.x)
    f.op('i32.sub')
  } else if (x.op === 'binary') {
    emit(x.x)
    emit(x.y)
    if (x.fn === 'min' || x.fn === 'max') {
      emit(x.x)
      emit(x.y)
      f.op(choices[x.fn], 'select')
    } else f.op(instructions[x.fn as keyof typeof instructions])
  }
}
