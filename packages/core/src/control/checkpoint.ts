/**
 * Rematerialisation: a call whose intermediate values are computed again for the backward pass instead of being kept. The primal call
 * keeps its inputs, and what a policy lets it keep; the tangent call holds the whole program again, and is linearised when it is
 * transposed.
 */
import type { NDArray } from '../array.ts'
import { OptionError, checkOptions, misuse } from '../errors.ts'
import { FlatFunction, argumentSet, checkFunction, flattenArgs, holdArguments, nameOf } from '../flat.ts'
import { type Atom, type ClosedJaxpr, type Equation, type Jaxpr, outAvals } from '../ir/jaxpr.ts'
import { moves, ofProgram, pointwise } from '../primitive/axes.ts'
import { type Primitive, type Tangent, definePrimitive } from '../primitive/define.ts'
import { isLinear } from '../primitive/rules.ts'
import { unflatten } from '../tree.ts'
import { bind, bind1, bindLinear } from '../trace.ts'
import type { Argnums } from '../transform/autodiff.ts'
import type { Fn, Tree } from '../types.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { fillZeros, jvpProgram, nonzeroOf, onlyNonzero } from '../transform/jvp.ts'
import { linearizeProgram, residualValues } from '../transform/linearize.ts'
import { closureConvert, eliminateDeadCode, stage } from '../transform/staging.ts'
import { transposeProgram } from '../transform/transpose.ts'
import { batchedProgram, moveBatchAxis } from '../transform/vmap.ts'

/** Whether a value that an operation made may be kept. */
export type CheckpointPolicy = (primitive: string, params: object) => boolean
interface CheckpointParams {
  readonly jaxpr: ClosedJaxpr
  readonly policy: CheckpointPolicy | null
  readonly preventCse: boolean
  /** The program computes tangents, and is linear in those operands that are `Linear` when it is transposed. */
  readonly differentiated: boolean
}

export const checkpointPrimitive: Primitive<CheckpointParams> = definePrimitive<CheckpointParams>({
  name: 'remat2',
  type: (_, { jaxpr }) => outAvals(jaxpr),
  jvp(primals, tangents, params) {
    const { program, nonzeroOuts } = jvpProgram(params.jaxpr, nonzeroOf(tangents))
    const outs = bind(checkpointPrimitive, [...primals, ...onlyNonzero(tangents)], { ...params, jaxpr: program })
    const avals = outAvals(params.jaxpr)
    return [outs.slice(0, avals.length), fillZeros(nonzeroOuts, outs.slice(avals.length), avals)]
  },
  linearize(primals, tangents, params) {
    const { policy } = params
    const nonzero = nonzeroOf(tangents)
    const avals = outAvals(params.jaxpr)
    const { primal, tangent, residuals, nonzeroOuts } = linearizeProgram(params.jaxpr, nonzero)
    const saved = policy === null ? [] : saveable(primal.jaxpr, policy)
    const outs = evalJaxpr(withOutputs(primal, [...primal.jaxpr.outputs.slice(0, avals.length), ...saved]), primals)
    const kept = outs.slice(avals.length)
    const linear = (given: readonly Tangent[]): readonly Tangent[] => {
      const ts = onlyNonzero(given)
      const again = stage(
        'checkpoint',
        (args) => {
          const [inputs, known, tangentArgs] = [
            args.slice(0, primals.length),
            args.slice(primals.length, primals.length + kept.length),
            args.slice(primals.length + kept.length),
          ]
          const all = evalJaxpr(startingFrom(primal, saved), [...inputs, ...known])
          return evalJaxpr(tangent, [...residualValues(residuals, inputs, all), ...tangentArgs])
        },
        [...primals, ...kept, ...ts].map((x) => x.aval),
      )
      const jaxpr = withOutputs(again, again.jaxpr.outputs)
      return fillZeros(
        nonzeroOuts,
        bindLinear(checkpointPrimitive, [...primals, ...kept, ...ts], { ...params, jaxpr, differentiated: true }),
        avals,
      )
    }
    return [outs.slice(0, avals.length), linear]
  },
  transpose(cts, args, params) {
    const known = args.filter((arg): arg is NDArray => !isLinear(arg))
    const linear = args.filter(isLinear)
    const ctAvals = outAvals(params.jaxpr)
    const nonzero = nonzeroOf(cts)
    let nonzeroOuts: boolean[] = []
    const [backwards, consts] = closureConvert(
      stage(
        'checkpoint',
        (given) => {
          let next = 0
          const operands = args.map((arg) => (isLinear(arg) ? arg : given[next++]!))
          const pulled = transposeProgram(
            params.jaxpr,
            operands,
            fillZeros(nonzero, given.slice(next), ctAvals),
          ).filter((_, i) => isLinear(args[i]!))
          nonzeroOuts = nonzeroOf(pulled)
          return onlyNonzero(pulled)
        },
        [...known, ...onlyNonzero(cts)].map((x) => x.aval),
      ),
    )
    const outs = bind(checkpointPrimitive, [...consts, ...known, ...onlyNonzero(cts)], { ...params, jaxpr: backwards })
    const all = fillZeros(
      nonzeroOuts,
      outs,
      linear.map((arg) => arg.aval),
    )
    let next = 0
    return args.map((arg) => (isLinear(arg) ? all[next++]! : null))
  },
  batch(args, dims, params, { size, name }) {
    const { program, batchedOuts } = batchedProgram(
      params.jaxpr,
      dims.map((dim) => dim !== null),
      size,
      name ?? null,
    )
    const moved = args.map((arg, i) => (dims[i] === null ? arg : moveBatchAxis(arg, dims[i]!, 0, size)))
    return [bind(checkpointPrimitive, moved, { ...params, jaxpr: program }), batchedOuts.map((is) => (is ? 0 : null))]
  },
  axes: ofProgram(
    ({ jaxpr }) => jaxpr,
    (params, jaxpr) => ({ ...params, jaxpr }),
  ),
  reference: (args, { jaxpr }, _, run) => run(jaxpr, args),
})

/** Results of the equations that a policy lets be kept. */
const saveable = (jaxpr: Jaxpr, policy: CheckpointPolicy): Atom[] =>
  jaxpr.equations.flatMap(({ primitive, params, outputs }) =>
    policy(primitive.name, params) ? outputs.filter((variable) => variable !== null) : [],
  )
const withOutputs = ({ jaxpr, consts }: ClosedJaxpr, outputs: readonly Atom[]): ClosedJaxpr => ({
  jaxpr: eliminateDeadCode({ ...jaxpr, outputs }),
  consts,
})
/** The program with some of its variables given as further inputs, and what is no longer needed left out. */
function startingFrom({ jaxpr, consts }: ClosedJaxpr, given: readonly Atom[]): ClosedJaxpr {
  const equations: Equation[] = jaxpr.equations.map((equation) => ({
    ...equation,
    outputs: equation.outputs.map((variable) => (variable !== null && given.includes(variable) ? null : variable)),
  }))
  return {
    jaxpr: eliminateDeadCode({ ...jaxpr, inputs: [...jaxpr.inputs, ...(given as Jaxpr['inputs'])], equations }),
    consts,
  }
}

const namePrimitive: Primitive<{ readonly name: string }> = definePrimitive<{ readonly name: string }>({
  name: 'name',
  type: (args) => args,
  jvp: ([x], [t], params) => [[bind1(namePrimitive, [x!], params)], [t!]],
  batch: ([x], dims, params) => [[bind1(namePrimitive, [x!], params)], dims],
  transpose: ([ct]) => [ct!],
  axes: (args, params, outs, derive) => moves(args, outs, pointwise(args, params, outs, derive)),
  reference: (args) => args,
})
/** Name a value, for the policy `saveOnlyTheseNames`. */
export const checkpointName = (x: NDArray, name: string): NDArray => bind1(namePrimitive, [x], { name })

const isDot = (name: string): boolean => name === 'dot_general' || name === 'conv_general_dilated'
export type PolicyName = 'nothingSaveable' | 'everythingSaveable' | 'dotsSaveable' | 'dotsWithNoBatchDimsSaveable'
/** What the backward pass of a checkpointed function may find kept. */
export const checkpointPolicies: Readonly<Record<PolicyName, CheckpointPolicy>> = {
  nothingSaveable: (): boolean => false,
  everythingSaveable: (): boolean => true,
  dotsSaveable: isDot,
  dotsWithNoBatchDimsSaveable: (name, params) =>
    name === 'dot_general' &&
    (params as { dimensionNumbers: readonly [unknown, readonly (readonly number[])[]] }).dimensionNumbers[1].every(
      (dims) => dims.length === 0,
    ),
}
/** A policy that keeps the values named by `checkpointName`. */
export const saveOnlyTheseNames =
  (...names: readonly string[]): CheckpointPolicy =>
  (primitive, params) =>
    primitive === 'name' && names.includes((params as { name: string }).name)

export interface CheckpointOptions {
  /** A name of `checkpointPolicies`, or a policy; by default nothing but the inputs is kept. */
  policy?: PolicyName | CheckpointPolicy
  /** Let no compiler merge the two computations. */
  preventCse?: boolean
  /** Arguments that are no arrays, handed to the function as they are. */
  staticArgnums?: Argnums
}
/**
 * Make a function whose intermediate values are not kept for the backward pass, but computed again: memory for time.
 *
 * @example
 * ```ts
 * import { checkpoint, grad, np } from 'fluxion'
 * grad(checkpoint((x) => np.sin(np.sin(x))))(0).item() // => 1
 * ```
 */
export function checkpoint<A extends readonly unknown[] = NDArray[], R extends Tree = Tree>(
  f: (...args: A) => R,
  options: CheckpointOptions = {},
): Fn<A, R> {
  checkFunction('checkpoint', f)
  checkOptions('checkpoint', options, ['policy', 'preventCse', 'staticArgnums'])
  const { policy, preventCse = true } = options
  if (typeof policy === 'string' && !Object.hasOwn(checkpointPolicies, policy)) {
    throw new OptionError(
      misuse('checkpoint', `a policy among ${Object.keys(checkpointPolicies).join(', ')}`, `'${policy}'`),
    )
  }
  const chosen = typeof policy === 'string' ? checkpointPolicies[policy] : (policy ?? null)
  return ((...args: unknown[]): R => {
    const held = argumentSet('checkpoint', 'staticArgnums', options.staticArgnums, args.length)
    const { free, whole } = holdArguments(args, held)
    const call = (...given: unknown[]): unknown => (f as (...args: never[]) => unknown)(...(whole(given) as never[]))
    const { leaves, def, paths } = flattenArgs('checkpoint', free)
    const flat = new FlatFunction(nameOf(f, 'checkpoint'), call, def)
    const [jaxpr, consts] = closureConvert(
      stage(
        'checkpoint',
        flat.call,
        leaves.map((leaf) => leaf.aval),
        paths,
      ),
    )
    const outs = bind(checkpointPrimitive, [...consts, ...leaves], {
      jaxpr,
      policy: chosen,
      preventCse,
      differentiated: false,
    })
    return unflatten(flat.outDef, outs) as R
  }) as Fn<A, R>
}
