/**
 * Linearisation: runs a function while writing down the linear program of its tangents. JVP rules run under a trace that tells the two
 * apart by itself: an operation with a tangent among its operands belongs to the linear program, every other to the function.
 */
import type { NDArray } from '../array.ts'
import type { Aval } from '../ir/aval.ts'
import { type ClosedJaxpr, type Jaxpr, closed, inAvals } from '../ir/jaxpr.ts'
import { type AnyPrimitive, type Tangent, Zero, runnable } from '../primitive/define.ts'
import { isZero } from '../primitive/rules.ts'
import { instantiate, zerosLike } from '../primitive/zeros.ts'
import { type Trace, bind, currentTrace } from '../trace.ts'
import { evalJaxpr } from './eval.ts'
import { JvpTrace, JvpTracer } from './jvp.ts'
import { memoize } from './memoize.ts'
import { StagingTrace, eliminateDeadCode } from './staging.ts'

class TangentTrace extends StagingTrace {
  readonly parent: Trace
  constructor(parent: Trace) {
    super('linearize')
    this.parent = parent
  }
  override process(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    if (!args.some((arg) => this.owns(arg))) {
      if (primitive.onlyTransposed) return zerosOf(primitive, args, params)
      return this.parent.run(() => bind(primitive, args, params as never))
    }
    if (primitive.linearize === undefined) return this.record(primitive, args, params)
    // An operation that holds a program may mix both kinds. It is linear in its tangents, so its linearisation at zero is itself.
    const tangents = args.map((arg): Tangent => (this.owns(arg) ? arg : new Zero(arg.aval)))
    const [outs, linear] = this.parent.run(() => {
      const primals = args.map((arg) => (this.owns(arg) ? zerosLike(arg.aval) : arg))
      return primitive.linearize!(primals, tangents, params as never)
    })
    return linear(tangents).map((tangent, i) => (isZero(tangent) ? outs[i]! : tangent))
  }

  override processLinear(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    return this.record(primitive, args, params)
  }
}

const zerosOf = (primitive: AnyPrimitive, args: readonly NDArray[], params: object): NDArray[] =>
  runnable(primitive)
    .type(
      args.map((arg) => arg.aval),
      params,
    )
    .map(zerosLike)

/** Results, and the linear program from the tangents that were given to the tangents of results that are not zero. */
export interface Linearized {
  readonly outs: readonly NDArray[]
  readonly program: ClosedJaxpr
  readonly nonzeroOuts: readonly boolean[]
}

/** Linearise a function of lists at `primals`, along the arguments that `nonzero` names. */
export function linearizeFlat(
  what: string,
  f: (args: NDArray[]) => readonly NDArray[],
  primals: readonly NDArray[],
  nonzero: readonly boolean[],
  force?: readonly boolean[],
  labels?: readonly string[],
): Linearized {
  const tangentTrace = new TangentTrace(currentTrace())
  const trace = new JvpTrace(what, currentTrace(), tangentTrace)
  const args = primals.map((primal, i) =>
    nonzero[i] ? new JvpTracer(trace, primal, tangentTrace.input(tangentAval(primal.aval)), labels?.[i]) : primal,
  )
  try {
    const pairs = trace.run(() => f(args)).map((out) => trace.split(out))
    const nonzeroOuts = pairs.map(([, tangent], i) => force?.[i] === true || !isZero(tangent))
    const outs = pairs.map(([primal]) => primal)
    const outTangents = pairs.filter((_, i) => nonzeroOuts[i]).map(([, tangent]) => instantiate(tangent))
    const program = tangentTrace.finish(outTangents)
    return { outs, nonzeroOuts, program: closed(eliminateDeadCode(program.jaxpr), program.consts) }
  } finally {
    trace.alive = false
    tangentTrace.alive = false
  }
}
const tangentAval = (aval: Aval): Aval => (aval.weakType ? { ...aval, weakType: false } : aval)

/** What a linear program needs of the values: an input of the function's program, one of its extra results, or a plain constant. */
export type Residual =
  | { readonly from: 'input' | 'output'; readonly index: number }
  | { readonly from: 'value'; readonly value: NDArray }

/** A program split in two: `primal` gives results and residuals, `tangent` maps residuals and tangents to tangents. */
export interface LinearizedProgram {
  readonly primal: ClosedJaxpr
  readonly tangent: ClosedJaxpr
  readonly residuals: readonly Residual[]
  readonly nonzeroOuts: readonly boolean[]
}
export const linearizeProgram: (
  program: ClosedJaxpr,
  nonzero: readonly boolean[],
  force?: readonly boolean[],
) => LinearizedProgram = memoize((program, nonzero, force) => {
  const trace = new StagingTrace('linearize')
  const inputs = inAvals(program).map((aval) => trace.input(aval))
  const {
    outs,
    program: linear,
    nonzeroOuts,
  } = trace.run(() => linearizeFlat('linearize', (xs) => evalJaxpr(program, xs), inputs, nonzero, force))
  const extra: NDArray[] = []
  const residuals = linear.consts.map((value): Residual => {
    if (!trace.owns(value)) return { from: 'value', value }
    const input = trace.inputs.indexOf(value.variable)
    if (input >= 0) return { from: 'input', index: input }
    return { from: 'output', index: outs.length + extra.push(value) - 1 }
  })
  const primal = trace.finish([...outs, ...extra])
  return {
    primal: closed(eliminateDeadCode(primal.jaxpr), primal.consts),
    tangent: closed(constantsFirst(linear.jaxpr)),
    residuals,
    nonzeroOuts,
  }
})
const constantsFirst = (jaxpr: Jaxpr): Jaxpr => ({
  ...jaxpr,
  constants: [],
  inputs: [...jaxpr.constants, ...jaxpr.inputs],
})

/** The values of residuals, given the inputs and all results of the primal program. */
export const residualValues = (
  residuals: readonly Residual[],
  inputs: readonly NDArray[],
  outs: readonly NDArray[],
): NDArray[] =>
  residuals.map((residual) =>
    residual.from === 'value' ? residual.value : (residual.from === 'input' ? inputs : outs)[residual.index]!,
  )
