/** Staging: writes operations down as a program instead of running them. */
import { ConcreteArray, type NDArray } from '../array.ts'
import type { Aval } from '../ir/aval.ts'
import {
  type Atom,
  type ClosedJaxpr,
  type Equation,
  type Jaxpr,
  Literal,
  Var,
  closed,
  isEffectful,
} from '../ir/jaxpr.ts'
import type { AnyPrimitive } from '../primitive/define.ts'
import { Trace, Tracer, assertLive } from '../trace.ts'
import { memoize } from './memoize.ts'

export class StagedTracer extends Tracer {
  readonly variable: Var
  constructor(trace: StagingTrace, variable: Var, label?: string) {
    super(trace, label)
    this.variable = variable
  }
  override get aval(): Aval {
    return this.variable.aval
  }
}

export class StagingTrace extends Trace {
  readonly inputs: Var[] = []
  readonly equations: Equation[] = []
  readonly constants: Map<NDArray, Var> = new Map()

  input(aval: Aval, label?: string): StagedTracer {
    const variable = new Var(aval)
    this.inputs.push(variable)
    return new StagedTracer(this, variable, label)
  }
  owns(x: NDArray): x is StagedTracer {
    return x instanceof StagedTracer && x.owner === this
  }

  override process(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    const [staged, operands] = primitive.stage === undefined ? [params, args] : primitive.stage(params as never, args)
    return this.record(primitive, operands, staged)
  }
  record(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    const inputs = args.map((arg) => this.atomOf(arg))
    const avals = primitive.type(
      inputs.map((atom) => atom.aval),
      params as never,
    )
    const outputs = avals.map((aval) => new Var(aval))
    const tracers = outputs.map((variable) => new StagedTracer(this, variable))
    this.equations.push({ primitive, inputs, params, outputs, source: tracers[0]?.origin ?? new Error('called here') })
    return tracers
  }

  /** A value as this program sees it: its own variable, a literal, or a constant. */
  atomOf(x: NDArray): Atom {
    if (this.owns(x)) return x.variable
    assertLive(x)
    if (x instanceof ConcreteArray && x.literal !== undefined) return new Literal(x.literal, x.aval)
    let constant = this.constants.get(x)
    if (constant === undefined) {
      constant = new Var(x.aval)
      this.constants.set(x, constant)
    }
    return constant
  }

  /** The program with the given results. */
  finish(outs: readonly NDArray[]): ClosedJaxpr {
    const outputs = outs.map((out) => this.atomOf(out))
    this.alive = false
    return pruneConstants(
      closed(
        {
          constants: [...this.constants.values()],
          inputs: this.inputs,
          equations: dropUnused(this.equations, outputs),
          outputs,
        },
        [...this.constants.keys()],
      ),
    )
  }
}

/** Outputs that nothing reads become `null`; the equations stay. */
function dropUnused(equations: readonly Equation[], outputs: readonly Atom[]): Equation[] {
  const used = new Set<Atom>(outputs)
  for (const { inputs } of equations) for (const atom of inputs) used.add(atom)
  return equations.map((equation) =>
    equation.outputs.every((v) => v !== null && used.has(v))
      ? equation
      : { ...equation, outputs: equation.outputs.map((v) => (v !== null && used.has(v) ? v : null)) },
  )
}

/** Leave out constants that no equation reads. */
function pruneConstants({ jaxpr, consts }: ClosedJaxpr): ClosedJaxpr {
  const used = new Set<Atom>(jaxpr.outputs)
  for (const { inputs } of jaxpr.equations) for (const atom of inputs) used.add(atom)
  const kept = jaxpr.constants.map((v) => used.has(v))
  if (kept.every(Boolean)) return { jaxpr, consts }
  return {
    jaxpr: { ...jaxpr, constants: jaxpr.constants.filter((_, i) => kept[i]) },
    consts: consts.filter((_, i) => kept[i]),
  }
}

/** Leave out equations whose results are not used, effects aside. */
export function eliminateDeadCode(jaxpr: Jaxpr): Jaxpr {
  const live = new Set<Atom>(jaxpr.outputs)
  const kept: Equation[] = []
  for (const equation of jaxpr.equations.toReversed()) {
    if (!isEffectful(equation) && !equation.outputs.some((v) => v !== null && live.has(v))) continue
    for (const atom of equation.inputs) live.add(atom)
    kept.push({ ...equation, outputs: equation.outputs.map((v) => (v !== null && live.has(v) ? v : null)) })
  }
  return { ...jaxpr, equations: kept.reverse() }
}

/** Write down what `f` does to arrays of the given types. */
export function stage(
  what: string,
  f: (args: NDArray[]) => readonly NDArray[],
  avals: readonly Aval[],
  labels?: readonly string[],
): ClosedJaxpr {
  const trace = new StagingTrace(what)
  const args = avals.map((aval, i) => trace.input(aval, labels?.[i]))
  try {
    return trace.finish(trace.run(() => f(args)))
  } finally {
    trace.alive = false
  }
}

/** Turn constants into leading inputs, so that the program holds no values. */
export function closureConvert({ jaxpr, consts }: ClosedJaxpr): [program: ClosedJaxpr, consts: readonly NDArray[]] {
  return [closed({ ...jaxpr, constants: [], inputs: [...jaxpr.constants, ...jaxpr.inputs] }), consts]
}

/** The same program with its inputs, and if given its outputs, listed in another order (or a part of the outputs). */
export const relist: (program: ClosedJaxpr, inputs: readonly number[], outputs?: readonly number[]) => ClosedJaxpr =
  memoize(({ jaxpr, consts }, inputs, outputs) => ({
    jaxpr: {
      ...jaxpr,
      inputs: inputs.map((i) => jaxpr.inputs[i]!),
      outputs: outputs === undefined ? jaxpr.outputs : outputs.map((i) => jaxpr.outputs[i]!),
    },
    consts,
  }))
