/** Batching: runs a function on arrays with one more axis than it sees, operation by operation. */
import type { NDArray } from '../array.ts'
import { ShapeError, invariant } from '../errors.ts'
import { type Aval, showAval } from '../ir/aval.ts'
import { type ClosedJaxpr, inAvals, subprograms } from '../ir/jaxpr.ts'
import type { AnyPrimitive, BatchAxis, BatchDim } from '../primitive/define.ts'
import { broadcastInDim, transpose } from '../primitive/movement.ts'
import { inserted, range, without } from '../shape.ts'
import { Trace, Tracer, assertLive, bind, currentTrace, ruleOf, withAxis } from '../trace.ts'
import { evalJaxpr } from './eval.ts'
import { memoize } from './memoize.ts'
import { stage } from './staging.ts'

class BatchTracer extends Tracer {
  readonly value: NDArray
  readonly dim: number
  override readonly aval: Aval
  constructor(trace: BatchTrace, value: NDArray, dim: number, label?: string) {
    super(trace, label)
    this.value = value
    this.dim = dim
    this.aval = { ...value.aval, shape: without(value.shape, [dim]) }
  }
}

class BatchTrace extends Trace {
  readonly parent: Trace
  readonly axis: BatchAxis
  constructor(parent: Trace, axis: BatchAxis) {
    super('vmap')
    this.parent = parent
    this.axis = axis
  }
  split(x: NDArray): [NDArray, BatchDim] {
    if (x instanceof BatchTracer && x.owner === this) return [x.value, x.dim]
    assertLive(x)
    return [x, null]
  }
  override process(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    const pairs = args.map((arg) => this.split(arg))
    const values = pairs.map(([value]) => value)
    const dims = pairs.map(([, dim]) => dim)
    if (dims.every((dim) => dim === null) && !usesAxis(primitive, params, this.axis.name)) {
      return this.parent.runRule(() => bind(primitive, values, params as never))
    }
    const [outs, outDims] = this.parent.runRule(() => ruleOf(primitive, 'batch')(values, dims, params, this.axis))
    return outs.map((out, i) => {
      const dim = outDims[i]!
      return dim === null ? out : new BatchTracer(this, out, dim)
    })
  }
}

/** Whether an operation, or one inside a program that it holds, communicates over the named axis. */
function usesAxis(primitive: AnyPrimitive, params: object, name: string | undefined): boolean {
  if (name === undefined) return false
  if (primitive.axisNames?.(params as never).includes(name) === true) return true
  for (const { jaxpr } of subprograms(params)) {
    if (jaxpr.equations.some((equation) => usesAxis(equation.primitive, equation.params, name))) return true
  }
  return false
}

/** Batch a function of lists; the results come with the axis that the rules left them with. */
export function vmapFlat(
  f: (args: NDArray[]) => readonly NDArray[],
  args: readonly NDArray[],
  dims: readonly BatchDim[],
  axis: BatchAxis,
  labels?: readonly string[],
): [outs: NDArray[], dims: BatchDim[]] {
  const trace = new BatchTrace(currentTrace(), axis)
  const inputs = args.map((arg, i) => {
    const dim = dims[i]!
    return dim === null ? arg : new BatchTracer(trace, arg, dim, labels?.[i])
  })
  const outs = withAxis(axis.name, axis.size, () => trace.runLast(() => f(inputs))).map((out) => trace.split(out))
  return [outs.map(([out]) => out), outs.map(([, dim]) => dim)]
}

/** Move a batch axis to `to`, making one by repetition where there is none. */
export function moveBatchAxis(x: NDArray, from: BatchDim, to: number, size: number): NDArray {
  if (from === null) {
    return broadcastInDim(
      x,
      inserted(x.shape, to, size),
      range(x.ndim + 1).filter((i) => i !== to),
    )
  }
  if (from === to) return x
  return transpose(
    x,
    inserted(
      range(x.ndim).filter((i) => i !== from),
      to,
      from,
    ),
  )
}

/** One value for each element of a batch, made to choose among arrays like `x`, whose batch axis is in front. */
export const alongBatch = (values: NDArray, x: NDArray): NDArray =>
  x.ndim === 1 ? values : broadcastInDim(values, x.shape, [0])

/** The size that the batch axes of all arguments share. */
export function batchSize(
  where: string,
  args: readonly NDArray[],
  dims: readonly BatchDim[],
  labels: readonly string[],
): number {
  let size: number | undefined
  let first = 0
  args.forEach((arg, i) => {
    const dim = dims[i]!
    if (dim === null) return
    if (size !== undefined && arg.shape[dim] !== size) {
      throw new ShapeError(
        `${where}: the mapped axes differ in size: axis ${dims[first]} of ${labels[first]} ${showAval(args[first]!.aval)} has ${size}, axis ${dim} of ${labels[i]} ${showAval(arg.aval)} has ${arg.shape[dim]}`,
      )
    }
    if (size === undefined) [size, first] = [arg.shape[dim]!, i]
  })
  invariant(size !== undefined, 'no argument is batched')
  return size
}

/** A program whose inputs have a leading batch axis where `batched` says so. */
export interface BatchedProgram {
  readonly program: ClosedJaxpr
  /** Which results have a leading batch axis. */
  readonly batchedOuts: readonly boolean[]
}
/** `force` names results that get a batch axis even if they do not depend on the batch. */
export const batchedProgram: (
  program: ClosedJaxpr,
  batched: readonly boolean[],
  size: number,
  name: string | null,
  force?: readonly boolean[],
) => BatchedProgram = memoize((program, batched, size, name, force) => {
  let batchedOuts: boolean[] = []
  const staged = stage(
    'vmap',
    (args) => {
      const dims = batched.map((is) => (is ? 0 : null))
      const [outs, outDims] = vmapFlat((xs) => evalJaxpr(program, xs), args, dims, { size, name: name ?? undefined })
      batchedOuts = outDims.map((dim, i) => force?.[i] === true || dim !== null)
      return outs.map((out, i) => (batchedOuts[i] ? moveBatchAxis(out, outDims[i]!, 0, size) : out))
    },
    inAvals(program).map((a, i) => (batched[i] ? { ...a, shape: [size, ...a.shape] } : a)),
  )
  return { program: staged, batchedOuts }
})
