/** Forward mode: pushes tangents through a program. Reverse mode is `linearize.ts` and `transpose.ts`. */
import type { NDArray, NestedNumbers } from '../array.ts'
import type { TypedArray } from '../backend/interface.ts'
import { isFloat } from '../dtype.ts'
import type { Aval } from '../ir/aval.ts'
import { type ClosedJaxpr, inAvals } from '../ir/jaxpr.ts'
import { type AnyPrimitive, type Tangent, Zero } from '../primitive/define.ts'
import { isZero } from '../primitive/rules.ts'
import { instantiate } from '../primitive/zeros.ts'
import { Trace, Tracer, assertLive, bind, currentTrace, ruleOf } from '../trace.ts'
import { evalJaxpr } from './eval.ts'
import { stage } from './staging.ts'
import { memoize } from './memoize.ts'

export class JvpTracer extends Tracer {
  readonly primal: NDArray
  readonly tangent: NDArray
  constructor(trace: JvpTrace, primal: NDArray, tangent: NDArray, label?: string) {
    super(trace, label)
    this.primal = primal
    this.tangent = tangent
  }
  override get aval(): Aval {
    return this.primal.aval
  }
  // Outside of jit the primal has a value, and asking for it by name is allowed, as in JAX.
  override get hasValue(): boolean {
    return this.primal.hasValue
  }
  override item(): number {
    return this.primal.item()
  }
  override dataSync(): TypedArray {
    return this.primal.dataSync()
  }
  override data(): Promise<TypedArray> {
    return this.primal.data()
  }
  override toJSON(): NestedNumbers {
    return this.primal.toJSON()
  }
}

/** `rules` is the trace that JVP rules run under: the parent itself in forward mode, a `TangentTrace` over it when linearising. */
export class JvpTrace extends Trace {
  readonly parent: Trace
  readonly rules: Trace
  constructor(what: string, parent: Trace, rules: Trace = parent) {
    super(what)
    this.parent = parent
    this.rules = rules
  }

  split(x: NDArray): [NDArray, Tangent] {
    if (x instanceof JvpTracer && x.owner === this) return [x.primal, x.tangent]
    assertLive(x)
    return [x, new Zero(x.aval)]
  }
  override process(primitive: AnyPrimitive, args: readonly NDArray[], params: object): readonly NDArray[] {
    const pairs = args.map((arg) => this.split(arg))
    const primals = pairs.map(([primal]) => primal)
    const tangents = pairs.map(([, tangent]) => tangent)
    if (tangents.every(isZero)) return this.parent.runRule(() => bind(primitive, primals, params as never))
    const [outs, outTangents] = this.#push(primitive, primals, tangents, params)
    return outs.map((out, i) => {
      const tangent = outTangents[i]!
      return isZero(tangent) ? out : new JvpTracer(this, out, tangent)
    })
  }
  #push(
    primitive: AnyPrimitive,
    primals: NDArray[],
    tangents: Tangent[],
    params: object,
  ): readonly [readonly NDArray[], readonly Tangent[]] {
    if (this.rules !== this.parent && primitive.linearize !== undefined) {
      const [outs, linear] = this.parent.runRule(() => primitive.linearize!(primals, tangents, params as never))
      return [outs, this.rules.runRule(() => linear(tangents))]
    }
    return this.rules.runRule(() => ruleOf(primitive, 'jvp')(primals, tangents, params))
  }
}

/** Values and tangents of a function of lists. */
export function jvpFlat(
  what: string,
  f: (args: NDArray[]) => readonly NDArray[],
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
): [NDArray[], Tangent[]] {
  const trace = new JvpTrace(what, currentTrace())
  const args = primals.map((primal, i) => {
    const tangent = tangents[i]!
    return isZero(tangent) ? primal : new JvpTracer(trace, primal, tangent, `argument ${i}`)
  })
  const pairs = trace.runLast(() => f(args)).map((out) => trace.split(out))
  return [pairs.map(([primal]) => primal), pairs.map(([, tangent]) => tangent)]
}

/** A program of primals and of those tangents that are not zero, to results and those of their tangents that are not. */
export interface JvpProgram {
  readonly program: ClosedJaxpr
  readonly nonzeroOuts: readonly boolean[]
}
/** The JVP of a program; `force` names results whose tangents are made even where they are zero. */
export const jvpProgram: (program: ClosedJaxpr, nonzero: readonly boolean[], force?: readonly boolean[]) => JvpProgram =
  memoize((program, nonzero, force) => {
    const avals = inAvals(program)
    let nonzeroOuts: boolean[] = []
    const staged = stage(
      'jvp',
      (args) => {
        const primals = args.slice(0, avals.length)
        const tangents = fillZeros(nonzero, args.slice(avals.length), avals)
        const [outs, outTangents] = jvpFlat('jvp', (xs) => evalJaxpr(program, xs), primals, tangents)
        nonzeroOuts = outTangents.map((tangent, i) => force?.[i] === true || !isZero(tangent))
        return [...outs, ...outTangents.filter((_, i) => nonzeroOuts[i]).map(instantiate)]
      },
      [...avals, ...avals.filter((_, i) => nonzero[i])],
    )
    return { program: staged, nonzeroOuts }
  })

/** Results in which the tangents that a program did not return are zero. */
export function fillZeros(nonzero: readonly boolean[], given: readonly NDArray[], avals: readonly Aval[]): Tangent[] {
  let next = 0
  return nonzero.map((is, i) => (is ? given[next++]! : new Zero(avals[i]!)))
}
export const nonzeroOf = (tangents: readonly Tangent[]): boolean[] => tangents.map((t) => !isZero(t))
export const onlyNonzero = (tangents: readonly Tangent[]): NDArray[] => tangents.filter((t): t is NDArray => !isZero(t))
/** Tangents exist for floats only. */
export const isDifferentiable = (aval: Aval): boolean => isFloat(aval.dtype)
