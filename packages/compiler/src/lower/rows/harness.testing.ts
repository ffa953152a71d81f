/** Runs lowerings alone, by the interpreter of the loop IR, for comparison with what a primitive's reference says. */
import {
  type Aval,
  type DType,
  type HostArray,
  type Primitive,
  type Shape,
  type TypedArray,
  allocate,
  dtypes,
  primitives,
  sizeOf,
} from '@fluxion/core'
import { expect } from 'vitest'
import { load, local, narrow, scalarType, store, variable } from '../../loops/build.ts'
import { flatIndex } from '../../loops/indices.ts'
import { interpretKernel } from '../../loops/interpret.ts'
import { Buffer, type Expr, type Kernel, Local, LoopVar, type Nest, type Stmt } from '../../loops/ir.ts'
import { buffersOf } from '../../loops/visit.ts'
import type { KernelBuilder, Operand, Row, Target } from '../lowering.ts'
import { hostFunctions } from '../hostFunctions.ts'
import { combineOf, reducedElement } from './reduce.ts'

const avalOf = ({ shape, dtype }: HostArray): Aval => ({ shape, dtype, weakType: false })
export const wasm: Target = { name: 'wasm', parallel: false, host: true }
export const webgpu: Target = { name: 'webgpu', parallel: true, host: false }
/** As a GPU, but with f64. */
export const parallelTarget: Target = { name: 'webgpu', parallel: true, host: true }

/** Buffers with their arrays; what has not been written holds a number that would show. */
class Memory {
  readonly #arrays = new Map<Buffer, TypedArray>()
  buffer(name: string, dtype: DType, length: number, data?: TypedArray): Buffer {
    const buffer = new Buffer(name, dtype, length)
    this.#arrays.set(buffer, data ?? allocate(dtype, length).fill(dtype === 'bool' ? 1 : 77))
    return buffer
  }
  read(buffer: Buffer): TypedArray {
    return this.#arrays.get(buffer)!
  }
  run(kernel: Kernel): void {
    interpretKernel(
      kernel,
      kernel.params.map((buffer) => this.read(buffer)),
      [],
      hostFunctions,
    )
  }
  nest(name: string, grid: readonly LoopVar[], body: readonly Stmt[]): Nest {
    const kernel: Nest = { kind: 'nest', name, params: [], grid, body }
    const complete = { ...kernel, params: buffersOf(kernel) }
    this.run(complete)
    return complete
  }
}

const loopsOver = (shape: Shape): LoopVar[] => shape.map((size, axis) => new LoopVar(`i${axis}`, size))

/** What a primitive's row makes of arrays. */
export function lowered(
  row: Row,
  name: string,
  args: readonly HostArray[],
  params: object,
  { target = wasm }: { target?: Target } = {},
): HostArray[] {
  const memory = new Memory()
  const operands = args.map((arg, i): Operand & { readonly buffer: Buffer } => {
    const buffer = memory.buffer(`x${i}`, arg.dtype, arg.data.length, arg.data)
    return { aval: avalOf(arg), buffer, at: (index) => load(buffer, flatIndex(index, arg.shape)) }
  })
  const outs = primitives.get(name)!.type(args.map(avalOf), params as never)
  const buffers = outs.map(({ dtype, shape }, i) => memory.buffer(`out${i}`, dtype, sizeOf(shape)))
  const storeAt = (i: number, index: readonly Expr[], value: Expr): Stmt =>
    store(buffers[i]!, flatIndex(index, outs[i]!.shape), value)
  switch (row.kind) {
    case 'map':
      outs.forEach(({ shape }, i) => {
        const grid = loopsOver(shape)
        const index = grid.map(variable)
        memory.nest(name, grid, [storeAt(i, index, row.at(operands, params as never, outs, index, i, target))])
      })
      break
    case 'reduce': {
      const { aval, at } = operands[0]!
      const axes = row.axes(params as never)
      const all = loopsOver(aval.shape)
      const [grid, variables] = [all.filter((_, axis) => !axes.includes(axis)), axes.map((axis) => all[axis]!)]
      const into = new Local('total', scalarType(aval.dtype))
      const combine = combineOf(row.combine, aval.dtype)
      memory.nest(name, grid, [
        { op: 'reduce', variables, accumulators: [{ into, combine, value: at(all.map(variable)) }] },
        storeAt(0, grid.map(variable), reducedElement(row.combine, aval.dtype, local(into))),
      ])
      break
    }
    case 'product': {
      const { index, ...loops } = row.loops(operands, params as never, outs)
      const sum = new Local('sum', scalarType(outs[0]!.dtype))
      expect([loops.left.type, loops.right.type]).toEqual([sum.type, sum.type])
      const body = [storeAt(0, index, narrow(outs[0]!.dtype, local(sum)))]
      const kernel: Kernel = { kind: 'product', name, params: [], ...loops, sum, body }
      memory.run({ ...kernel, params: buffersOf(kernel) })
      break
    }
    case 'kernels': {
      const build: KernelBuilder = {
        target,
        temporary: (dtype, length) => memory.buffer('t', dtype, length),
        buffer: (operand) => (operand as (typeof operands)[number]).buffer,
        nest: (label, grid, body) => memory.nest(label, grid, body),
      }
      row.emit(build, operands, params as never, buffers, outs)
    }
  }
  return outs.map(({ shape, dtype }, i) => ({ shape, dtype, data: memory.read(buffers[i]!) }))
}

/** What its reference makes of them. */
export function referred(name: string, args: readonly HostArray[], params: object): readonly HostArray[] {
  const primitive = primitives.get(name) as Primitive | undefined
  const outs = primitive!.type(args.map(avalOf), params)
  return primitive!.reference(args, params, outs, () => {
    throw new Error(`${name} holds programs`)
  })
}

/** How far apart two numbers of a dtype may be: in units of the last place of the expected one, and absolutely. */
export interface Tolerance {
  readonly ulps?: number
  readonly absolute?: number
}
function ulpsApart(x: number, y: number, dtype: DType): number {
  if (Object.is(x, y)) return 0
  if (!Number.isFinite(x) || !Number.isFinite(y)) return Infinity
  const { eps, tiny } = dtypes[dtype]
  return Math.abs(x - y) / (Math.max(tiny, 2 ** Math.floor(Math.log2(Math.abs(y) || tiny))) * eps)
}
/** A row gives what the reference does: the same bits, unless a tolerance is stated. Zeros then may differ in sign. */
export function expectReference(
  rows: Readonly<Record<string, Row>>,
  name: string,
  args: readonly HostArray[],
  params: object = {},
  { ulps = 0, absolute = 0, ...options }: Tolerance & { target?: Target } = {},
): void {
  const expected = referred(name, args, params)
  const got = lowered(rows[name]!, name, args, params, options)
  expect(got.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  )
  expected.forEach(({ data, dtype }, k) => {
    for (let i = 0; i < data.length; i++) {
      const [x, y] = [got[k]!.data[i]!, data[i]!]
      if (Object.is(x, y) || Math.abs(x - y) <= absolute || (ulps > 0 && ulpsApart(x, y, dtype) <= ulps)) continue
      const operands = args.map((arg) => arg.data[arg.data.length === 1 ? 0 : arg.data.length === data.length ? i : -1])
      const apart = ulpsApart(x, y, dtype)
      const where = `${name} ${args.map(({ dtype: from, shape }) => `${from}[${shape.join()}]`).join(' ')} ${JSON.stringify(params)}`
      expect.fail(
        `${where}: element ${i} of result ${k}, of ${operands.join(', ')}: expected ${y}, got ${x}, ${apart} ulp apart`,
      )
    }
  })
}
