/** Addresses that the loops around micro-kernels compute: indices over the batch variable, in WebAssembly. */
import { type Expr, type LoopVar, indexRange } from '@fluxion/compiler'
import type { FunctionBuilder, Register } from '../assembler/function.ts'

/** Whether `emitIndex` can compute an index that depends on this variable alone. */
export function computable(x: Expr, v: LoopVar): boolean {
  if (x.op === 'const') return true
  if (x.op === 'var') return x.variable === v
  if (x.op === 'unary') return x.fn === 'neg' && computable(x.x, v)
  if (x.op !== 'binary' || !computable(x.x, v) || !computable(x.y, v)) return false
  if (x.fn === 'floorDiv' || x.fn === 'floorMod') return indexRange(x.x)[0] >= 0
  return x.fn === 'add' || x.fn === 'sub' || x.fn === 'mul'
}
const instructions = {
  add: 'i32.add',
  sub: 'i32.sub',
  mul: 'i32.mul',
  floorDiv: 'i32.div_u',
  floorMod: 'i32.rem_u',
} as const
/** Leave an index on the stack. */
export function emitIndex(f: FunctionBuilder, x: Expr, at: Register): void {
  if (x.op === 'const') f.i32(x.value)
  else if (x.op === 'var') f.get(at)
  else if (x.op === 'unary') {
    f.i32(0)
    emitIndex(f, x.x, at)
    f.op('i32.sub')
  } else if (x.op === 'binary') {
    emitIndex(f, x.x, at)
    emitIndex(f, x.y, at)
    f.op(instructions[x.fn as keyof typeof instructions])
  }
}
