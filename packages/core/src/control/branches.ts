/** Conditions as users call them. */
import type { ArrayLike, NDArray } from '../array.ts'
import { isInteger, promote } from '../dtype.ts'
import { DtypeError, OptionError, ShapeError, TreeError, misuse } from '../errors.ts'
import { FlatFunction, checkFunction, flattenArgs, flattenArrays } from '../flat.ts'
import { type Aval, sameAval, showAval } from '../ir/aval.ts'
import { type ClosedJaxpr, outAvals } from '../ir/jaxpr.ts'
import { clamp, convert, ne } from '../primitive/elementwise.ts'
import { scalarLike } from '../primitive/rules.ts'
import { difference, unflatten } from '../tree.ts'
import { bind } from '../trace.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { closureConvert, stage } from '../transform/staging.ts'
import type { Lift, LiftAll, TreeLike } from '../types.ts'
import { condPrimitive } from './cond.ts'
import { jitDisabled } from './jitted.ts'

type AnyFunction = (...args: never[]) => unknown

/** Choose by an index among functions of the same operands, staged to programs of one type. */
function choose(
  where: string,
  index: NDArray,
  functions: readonly AnyFunction[],
  operands: readonly unknown[],
  reversed = false,
): unknown {
  const { leaves, def, paths } = flattenArgs(where, operands, 'integral')
  const flats = functions.map((f) => new FlatFunction(where, f, def, 'integral'))
  const programs = flats.map((flat) =>
    stage(
      where,
      flat.call,
      leaves.map((leaf) => leaf.aval),
      paths,
    ),
  )
  const first = flats[0]!
  flats.forEach((flat, i) => {
    const found = difference(first.outDef, flat.outDef)
    if (found !== undefined)
      throw new TreeError(`${where}: the results of branch 0 and branch ${i} differ in structure: ${found}`)
  })
  const types = programs.map(outAvals)
  const joined = types[0]!.map((type, k) =>
    joinTypes(
      where,
      types.map((list) => list[k]!),
      type,
      first.outPaths[k]!,
    ),
  )

  // The branches share one list of constants, so that they have the same operands.
  const consts = [...new Set(programs.flatMap((program) => program.consts))]
  const branches = programs.map((program) => unified(where, program, consts, joined))
  const outs = bind(condPrimitive, [index, ...consts, ...leaves], {
    branches: reversed ? branches.toReversed() : branches,
  })
  return unflatten(first.outDef, outs)
}
/** Results may differ in weakness, which a strong one settles; in nothing else. */
function joinTypes(where: string, types: readonly Aval[], first: Aval, path: string): Aval {
  const weak = types.every((type) => type.weakType)
  const { dtype } = promote(types)
  if (types.every((type) => sameAval({ ...type, dtype: type.weakType ? dtype : type.dtype }, { ...first, dtype })))
    return { ...first, dtype, weakType: weak }
  throw new (types.every((type) => type.dtype === first.dtype) ? ShapeError : DtypeError)(
    misuse(
      where,
      `branches with results of one type${path === '' ? '' : ` at ${path}`}`,
      types.map(showAval).join(' and '),
      'convert in the branches: x.astype(dtype)',
    ),
  )
}
function unified(where: string, program: ClosedJaxpr, consts: readonly NDArray[], types: readonly Aval[]): ClosedJaxpr {
  const own = program.jaxpr.inputs.map((variable) => variable.aval)
  const [staged] = closureConvert(
    stage(
      where,
      (args) => {
        const values = program.consts.map((value) => args[consts.indexOf(value)]!)
        return evalJaxpr({ jaxpr: program.jaxpr, consts: values }, args.slice(consts.length)).map((out, i) =>
          convert(out, types[i]!.dtype, types[i]!.weakType),
        )
      },
      [...consts.map((value) => value.aval), ...own],
    ),
  )
  return staged
}

/**
 * Call one of two functions, by a boolean scalar that may be traced. Under `vmap` with a batched condition both run, and their results
 * are selected from.
 *
 * @param pred a scalar; a number counts as true if it is not 0
 * @throws TreeError, ShapeError or DtypeError if the branches return different types
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.cond(true, (x) => x.add(1), (x) => x.neg(), 3).item() // => 4
 * ```
 */
export function cond<A extends readonly TreeLike[], R extends TreeLike>(
  pred: ArrayLike,
  onTrue: (...args: LiftAll<A>) => R,
  onFalse: (...args: LiftAll<A>) => NoInfer<R | Lift<R>>,
  ...operands: A
): Lift<R>
export function cond(pred: ArrayLike, onTrue: AnyFunction, onFalse: AnyFunction, ...operands: unknown[]): unknown {
  checkFunction('cond', onTrue)
  checkFunction('cond', onFalse)
  const given = scalarOf('cond: the condition', pred)
  const truth = given.dtype === 'bool' ? given : ne(given, scalarLike(given, 0))
  if (jitDisabled() && truth.hasValue) return callEagerly(truth.item() === 0 ? onFalse : onTrue, operands)
  // Traced in the order of the arguments; chosen by 0 for false and 1 for true.
  return choose('cond', convert(truth, 'int32'), [onTrue, onFalse], operands, true)
}

/**
 * Call one of several functions, by an integer scalar that may be traced and that is clamped to the functions there are.
 *
 * @example
 * ```ts
 * import { lax } from 'fluxion'
 * lax.switch(2, [(x) => x, (x) => x.neg(), (x) => x.mul(x)], 3).item() // => 9
 * ```
 */
export function switchCase<A extends readonly TreeLike[], R extends TreeLike>(
  index: ArrayLike,
  branches: readonly [(...args: LiftAll<A>) => R, ...((...args: LiftAll<A>) => NoInfer<R | Lift<R>>)[]],
  ...operands: A
): Lift<R>
export function switchCase(index: ArrayLike, branches: readonly AnyFunction[], ...operands: unknown[]): unknown {
  if (branches.length === 0) throw new OptionError(misuse('switch', 'at least one branch', 'none'))
  branches.forEach((branch) => checkFunction('switch', branch))
  const given = scalarOf('switch: the index', index)
  if (!isInteger(given.dtype))
    throw new DtypeError(misuse('switch', 'an integer scalar as index', showAval(given.aval)))
  if (branches.length === 1) return callEagerly(branches[0]!, operands)
  const at = clamp(scalarLike(given, 0), given, scalarLike(given, branches.length - 1))
  if (jitDisabled() && at.hasValue) return callEagerly(branches[at.item()]!, operands)
  return choose('switch', convert(at, 'int32'), branches, operands)
}
function scalarOf(where: string, x: ArrayLike): NDArray {
  const { leaves, def } = flattenArrays(where, x, 'integral')
  if (def.kind !== 'leaf' || leaves[0]!.ndim !== 0)
    throw new ShapeError(misuse(where, 'a scalar', def.kind === 'leaf' ? showAval(leaves[0]!.aval) : String(def)))
  return leaves[0]!
}
function callEagerly(f: AnyFunction, operands: readonly unknown[]): unknown {
  const { leaves, def } = flattenArgs('cond', operands, 'integral')
  const flat = new FlatFunction('cond', f, def, 'integral')
  const outs = flat.call(leaves)
  return unflatten(flat.outDef, outs)
}
