/** Functions with derivative rules of the user's own: they stay visible after staging, so that `jit` then `grad` uses the rule. */
import type { NDArray } from '../array.ts'
import { MissingRuleError, ShapeError, TreeError, checkOptions, misuse } from '../errors.ts'
import {
  FlatFunction,
  checkFunction,
  flattenArgs,
  flattenArrays,
  holdArguments,
  nameOf,
  refusePromise,
} from '../flat.ts'
import { type Aval, aval, sameAval, showAval, strong } from '../ir/aval.ts'
import { type ClosedJaxpr, outAvals } from '../ir/jaxpr.ts'
import { noAxes, ofProgram } from '../primitive/axes.ts'
import { type BatchDim, type Primitive, type Tangent, Zero, definePrimitive } from '../primitive/define.ts'
import { reduceSum } from '../primitive/reduce.ts'
import { isLinear, isZero } from '../primitive/rules.ts'
import { instantiate, zerosLike } from '../primitive/zeros.ts'
import { type TreeDef, assertSameStructure, isPlain, unflatten } from '../tree.ts'
import { bind } from '../trace.ts'
import type { Fn, Tree } from '../types.ts'
import { evalJaxpr } from '../transform/eval.ts'
import { isDifferentiable } from '../transform/jvp.ts'
import { closureConvert, stage } from '../transform/staging.ts'
import { moveBatchAxis, vmapFlat } from '../transform/vmap.ts'

type Flat = (args: readonly NDArray[]) => readonly NDArray[]
interface CallParams {
  readonly name: string
  readonly call: Flat
  /** `call` as a program, once staged; its first `numConsts` operands are values that the function closed over. */
  readonly jaxpr: ClosedJaxpr | undefined
  readonly numConsts: number
  /** Names of the user's rules, for printed programs. */
  readonly ruleNames: Readonly<Record<string, string>>
}
interface JvpParams extends CallParams {
  readonly jvp: (
    primals: readonly NDArray[],
    tangents: readonly NDArray[],
  ) => readonly [readonly NDArray[], readonly Tangent[]]
}
interface VjpParams extends CallParams {
  /** Results, then residuals. */
  readonly fwd: Flat
  readonly bwd: (residuals: readonly NDArray[], cts: readonly NDArray[], primals: readonly Aval[]) => readonly Tangent[]
  readonly numOuts: () => number
}

// What both kinds of call share: they run by calling the function at top level, and by its program when staged.
const callRules = {
  type: (_: readonly Aval[], { jaxpr }: CallParams): readonly Aval[] => outAvals(jaxpr!),
  direct: (args: readonly NDArray[], { call }: CallParams): readonly NDArray[] => call(args),
  reference: ((args, { jaxpr }, _, run) => run(jaxpr!, args)) as Primitive<CallParams>['reference'],
}
const showCall = ({ name, jaxpr, numConsts, ruleNames }: CallParams): object => ({
  name,
  callJaxpr: jaxpr,
  ...ruleNames,
  ...(numConsts > 0 ? { numConsts } : {}),
  symbolicZeros: false,
})
const ruleName = (rule: AnyFunction): string => (rule.name === '' ? '<lambda>' : rule.name)
function staged<P extends CallParams>(params: P, args: readonly NDArray[]): readonly [P, readonly NDArray[]] {
  if (params.jaxpr !== undefined) return [params, args]
  const [jaxpr, consts] = closureConvert(
    stage(
      params.name,
      params.call,
      args.map((arg) => arg.aval),
    ),
  )
  return [
    {
      ...params,
      jaxpr,
      numConsts: consts.length + params.numConsts,
      call: (xs: readonly NDArray[]) => evalJaxpr(jaxpr, xs),
    },
    [...consts, ...args],
  ]
}
/** Batched versions of the functions among the parameters, with every result's batch axis in front. */
const batchedCall =
  (f: Flat, dims: readonly BatchDim[], size: number, name: string | undefined): Flat =>
  (args) => {
    const [outs, outDims] = vmapFlat(f, args, dims, { size, name })
    return outs.map((out, i) => moveBatchAxis(out, outDims[i]!, 0, size))
  }
/** A backward rule for a batch: residuals and cotangents have the axis in front, operands have it where `inner` says so. */
const batchedBackward =
  (bwd: VjpParams['bwd'], inner: readonly BatchDim[], size: number, name: string | undefined): VjpParams['bwd'] =>
  (residuals, cts, primals) => {
    const single = primals.map((p, i) => (inner[i] === null ? p : aval(p.shape.slice(1), p.dtype)))
    const zeros: boolean[] = []
    const pulled = batchedCall(
      (both) => {
        const found = bwd(both.slice(0, residuals.length), both.slice(residuals.length), single)
        found.forEach((t, i) => (zeros[i] = isZero(t)))
        return found.map(instantiate)
      },
      [...residuals, ...cts].map(() => 0),
      size,
      name,
    )([...residuals, ...cts])
    // An operand that all elements share collects the cotangents of all.
    return pulled.map((ct, i) => (zeros[i] ? new Zero(primals[i]!) : inner[i] === null ? reduceSum(ct, [0]) : ct))
  }
function refuseClosedOver(name: string, tangents: readonly Tangent[], numConsts: number): void {
  if (tangents.slice(0, numConsts).every(isZero)) return
  throw new MissingRuleError(
    `${name}: a function with a derivative rule of its own closes over a value that is being differentiated\nhint: make that value an argument`,
  )
}

const callAxes = ofProgram<CallParams>(
  ({ jaxpr }) => jaxpr!,
  (params, jaxpr) => ({ ...params, jaxpr, call: (args) => evalJaxpr(jaxpr, args) }),
)

const customJvpCall: Primitive<JvpParams> = definePrimitive<JvpParams>({
  name: 'custom_jvp_call',
  ...callRules,
  stage: staged,
  axes: callAxes,
  jvp(primals, tangents, { name, jvp, numConsts }) {
    refuseClosedOver(name, tangents, numConsts)
    return jvp(primals.slice(numConsts), tangents.slice(numConsts).map(instantiate))
  },
  batch(args, dims, params, { size, name }) {
    const { call, jvp, numConsts } = params
    const inner = dims.slice(numConsts)
    const moved = args.map((arg, i) => (dims[i] === null ? arg : moveBatchAxis(arg, dims[i]!, 0, size)))
    const fronted = dims.map((dim) => (dim === null ? null : 0))
    const pushed = batchedCall(
      (both) => {
        const [outs, tangents] = jvp(both.slice(0, inner.length), both.slice(inner.length))
        return [...outs, ...tangents.map(instantiate)]
      },
      // Tangents are batched as far as anything is: those of unbatched operands may still vary with the batch.
      [...fronted.slice(numConsts), ...inner.map(() => 0)],
      size,
      name,
    )
    const outs = bind(customJvpCall, moved, {
      ...params,
      jaxpr: undefined,
      numConsts,
      call: batchedCall(call, fronted, size, name),
      jvp: (primals, tangents) => {
        const all = pushed([
          ...primals,
          ...tangents.map((t, i) => (inner[i] === null ? moveBatchAxis(t, null, 0, size) : t)),
        ])
        return [all.slice(0, all.length / 2), all.slice(all.length / 2)]
      },
    })
    return [outs, outs.map(() => 0)]
  },
  show: showCall,
})

const customVjpCall: Primitive<VjpParams> = definePrimitive<VjpParams>({
  name: 'custom_vjp_call',
  ...callRules,
  stage: staged,
  axes: callAxes,
  jvp(primals, tangents, { name, fwd, bwd, numOuts, numConsts }) {
    refuseClosedOver(name, tangents, numConsts)
    const args = primals.slice(numConsts)
    const all = fwd(args)
    const outs = all.slice(0, numOuts())
    const outTypes = outs.map((out) => strong(out.aval))
    const primalTypes = args.map((arg) => strong(arg.aval))
    const linear = bind(customLinear, [...all.slice(outs.length), ...tangents.slice(numConsts).map(instantiate)], {
      name,
      bwd,
      outTypes,
      primalTypes,
    })
    return [outs, linear.map((t, i) => (isDifferentiable(outs[i]!.aval) ? t : new Zero(outs[i]!.aval)))]
  },
  batch(args, dims, params, { size, name }) {
    const { call, fwd, bwd, numConsts, numOuts } = params
    const moved = args.map((arg, i) => (dims[i] === null ? arg : moveBatchAxis(arg, dims[i]!, 0, size)))
    const fronted = dims.map((dim) => (dim === null ? null : 0))
    const inner = fronted.slice(numConsts)
    const outs = bind(customVjpCall, moved, {
      ...params,
      jaxpr: undefined,
      call: batchedCall(call, fronted, size, name),
      fwd: batchedCall(fwd, inner, size, name),
      bwd: batchedBackward(bwd, inner, size, name),
      numOuts,
    })
    return [outs, outs.map(() => 0)]
  },
  show: showCall,
})

interface LinearParams {
  readonly name: string
  readonly bwd: VjpParams['bwd']
  readonly outTypes: readonly Aval[]
  readonly primalTypes: readonly Aval[]
}
const refuseForward = ({ name }: LinearParams): never => {
  throw new MissingRuleError(
    `${name}: forward-mode differentiation (jvp, jacfwd) does not work for a customVjp function\nhint: use customJvp, which serves both modes`,
  )
}
/** The tangents of a `customVjp` function: known only by their transpose. */
const customLinear: Primitive<LinearParams> = definePrimitive<LinearParams>({
  name: 'custom_lin',
  type: (_, { outTypes }) => outTypes,
  onlyTransposed: true,
  direct: (_, params) => refuseForward(params),
  transpose(cts, args, { bwd, primalTypes }) {
    const residuals = args.slice(0, args.length - primalTypes.length) as NDArray[]
    const pulled = bwd(residuals, cts.map(instantiate), primalTypes)
    return [...residuals.map(() => null), ...pulled.map((ct, i) => (isLinear(args[residuals.length + i]!) ? ct : null))]
  },
  batch(args, dims, params, { size, name }) {
    const count = args.length - params.primalTypes.length
    const inner = dims.slice(count)
    const moved = args.map((arg, i) => (i >= count && dims[i] === null ? arg : moveBatchAxis(arg, dims[i]!, 0, size)))
    const wide = ({ shape, dtype }: Aval): Aval => aval([size, ...shape], dtype)
    const outs = bind(customLinear, moved, {
      ...params,
      bwd: batchedBackward(params.bwd, inner, size, name),
      outTypes: params.outTypes.map(wide),
      primalTypes: params.primalTypes.map((type, i) => (inner[i] === null ? type : wide(type))),
    })
    return [outs, outs.map(() => 0)]
  },
  // it stands in linear programs alone, which are transposed before they run
  axes: noAxes,
  reference: (_, params) => refuseForward(params),
  show: ({ name }) => ({ name }),
})

/** A function with a JVP rule of its own. */
export interface CustomJvp<A extends readonly unknown[], R> extends Fn<A, R> {
  /** Set the rule: from primals and tangents, each a list of arguments, to the result and its tangent. */
  defjvp(rule: (primals: A, tangents: A) => readonly [R, R]): void
}
/** A tree of which any part may be `null`. */
type Cotangent<T> =
  | T
  | null
  | ([Tree] extends [T]
      ? never
      : T extends NDArray
        ? never
        : T extends object
          ? { readonly [K in keyof T]: Cotangent<T[K]> }
          : never)
/** A function with a VJP rule of its own. */
export interface CustomVjp<A extends readonly unknown[], R> extends Fn<A, R> {
  /** Set the rule: `fwd` gives the result and what `bwd` needs; `bwd` gives a cotangent for each argument, with `null` for zeros, also in place of any part. */
  defvjp<Res extends Tree>(
    fwd: (...args: A) => readonly [R, Res],
    bwd: (residuals: Res, cotangent: R) => { readonly [K in keyof A]: Cotangent<A[K]> },
  ): void
}
export interface CustomOptions {
  /** Arguments that are no arrays, or not to be differentiated: the rules get them first, as they are. */
  nondiffArgnums?: readonly number[]
}

/** Arguments that stay as they are, and the function of the others. */
function partial(where: string, args: readonly unknown[], { nondiffArgnums = [] }: CustomOptions) {
  const fixed = nondiffArgnums.map((i) => {
    if (i >= args.length)
      throw new TreeError(misuse(where, `nondiffArgnums below ${args.length}, the number of arguments`, String(i)))
    return args[i]
  })
  return { fixed, ...holdArguments(args, new Set(nondiffArgnums)) }
}
type AnyFunction = (...args: never[]) => unknown
const apply = (f: AnyFunction, args: readonly unknown[]): unknown => f(...(args as never[]))

/**
 * Give a function a forward-mode rule of its own; reverse mode follows from it.
 *
 * @param f the function, of trees of arrays
 * @returns the function, whose `defjvp` sets the rule; without one it is differentiated as written
 * @throws MissingRuleError if a value that `f` closes over is differentiated
 * @example
 * ```ts
 * import { customJvp, grad, np } from 'fluxion'
 * const log1pExp = customJvp((x) => np.log(np.exp(x).add(1)))
 * log1pExp.defjvp(([x], [t]) => [log1pExp(x), t.mul(np.exp(x).add(1).pow(-1).neg().add(1))])
 * grad(log1pExp)(0).item() // => 0.5
 * ```
 */
export function customJvp<A extends readonly unknown[] = NDArray[], R extends Tree = Tree>(
  f: (...args: A) => R,
  options: CustomOptions = {},
): CustomJvp<A, R> {
  checkFunction('customJvp', f)
  checkOptions('customJvp', options, ['nondiffArgnums'])
  const name = nameOf(f, 'customJvp')
  let rule: AnyFunction | undefined
  const wrapped = (...args: unknown[]): unknown => {
    if (rule === undefined) return apply(f as AnyFunction, args)
    const { fixed, free, whole } = partial(name, args, options)
    const { leaves, def } = flattenArgs(name, free)
    const flat = new FlatFunction(
      name,
      ((...given: unknown[]) => apply(f as AnyFunction, whole(given))) as AnyFunction,
      def,
    )
    let outDef: TreeDef | undefined
    const call: Flat = (xs) => {
      const outs = flat.call(xs)
      outDef = flat.outDef
      return outs
    }
    const jvp: JvpParams['jvp'] = (primals, tangents) => {
      const pair = apply(rule!, [...fixed, unflatten(def, primals), unflatten(def, tangents)])
      refusePromise(`${name}.defjvp`, pair)
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new TreeError(misuse(`${name}.defjvp`, 'a rule that returns [result, tangent]', typeof pair))
      const [out, tangent] = pair.map((tree: unknown) => flattenArrays(`${name}.defjvp`, tree))
      assertSameStructure(`${name}.defjvp: result and tangent`, out!.def, tangent!.def)
      outDef ??= out!.def
      out!.leaves.forEach((leaf, i) =>
        checkTangent(`${name}.defjvp`, leaf.aval, tangent!.leaves[i]!.aval, out!.paths[i]!),
      )
      return [
        out!.leaves,
        tangent!.leaves.map((t, i) => (isDifferentiable(out!.leaves[i]!.aval) ? t : new Zero(t.aval))),
      ]
    }
    const outs = bind(customJvpCall, leaves, {
      name,
      call,
      jvp,
      jaxpr: undefined,
      numConsts: 0,
      ruleNames: { jvp: ruleName(rule) },
    })
    return unflatten(outDef!, outs)
  }
  return Object.assign(wrapped as Fn<A, R>, {
    defjvp(next: (primals: A, tangents: A) => readonly [R, R]): void {
      rule = next as AnyFunction
    },
  })
}

function checkTangent(where: string, primal: Aval, tangent: Aval, path: string): void {
  if (isDifferentiable(primal) && !sameAval(primal, tangent)) {
    throw new ShapeError(
      misuse(where, `a tangent of type ${showAval(primal)}${path === '' ? '' : ` at ${path}`}`, showAval(tangent)),
    )
  }
}

/**
 * Give a function a reverse-mode rule of its own. Forward mode is then refused.
 *
 * @param f the function, of trees of arrays
 * @returns the function, whose `defvjp` sets the rule; without one it is differentiated as written
 * @throws MissingRuleError in forward mode, or if a value that `f` closes over is differentiated
 * @example
 * ```ts
 * import { customVjp, grad, np } from 'fluxion'
 * const spike = customVjp((x) => x.gt(0).astype(x.dtype))
 * spike.defvjp((x) => [spike(x), { x }], ({ x }, ct) => [ct.div(np.square(x).add(1))])
 * grad(spike)(1).item() // => 0.5
 * ```
 */
export function customVjp<A extends readonly unknown[] = NDArray[], R extends Tree = Tree>(
  f: (...args: A) => R,
  options: CustomOptions = {},
): CustomVjp<A, R> {
  checkFunction('customVjp', f)
  checkOptions('customVjp', options, ['nondiffArgnums'])
  const name = nameOf(f, 'customVjp')
  let rules: { fwd: AnyFunction; bwd: AnyFunction } | undefined
  const wrapped = (...args: unknown[]): unknown => {
    if (rules === undefined) return apply(f as AnyFunction, args)
    const { fwd: userFwd, bwd: userBwd } = rules
    const { fixed, free, whole } = partial(name, args, options)
    const { leaves, def } = flattenArgs(name, free)
    const flat = new FlatFunction(
      name,
      ((...given: unknown[]) => apply(f as AnyFunction, whole(given))) as AnyFunction,
      def,
    )
    let outDef: TreeDef | undefined
    let residualDef: TreeDef | undefined
    const call: Flat = (xs) => {
      const outs = flat.call(xs)
      outDef = flat.outDef
      return outs
    }
    const fwd: Flat = (xs) => {
      const pair = apply(userFwd, whole(unflatten(def, xs) as unknown[]))
      refusePromise(`${name}.defvjp`, pair)
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new TreeError(misuse(`${name}.defvjp`, 'a fwd that returns [result, residuals]', typeof pair))
      const [out, residuals] = pair.map((tree: unknown) => flattenArrays(`${name}.defvjp`, tree))
      outDef = out!.def
      residualDef = residuals!.def
      return [...out!.leaves, ...residuals!.leaves]
    }
    const bwd: VjpParams['bwd'] = (residuals, cts, primals) => {
      const given = apply(userBwd, [...fixed, unflatten(residualDef!, residuals), unflatten(outDef!, cts)])
      return cotangentLeaves(name, given, def, primals)
    }
    const outs = bind(customVjpCall, leaves, {
      name,
      call,
      fwd,
      bwd,
      numOuts: () => outDef!.leaves,
      jaxpr: undefined,
      numConsts: 0,
      ruleNames: { fwd: ruleName(userFwd), bwd: ruleName(userBwd) },
    })
    return unflatten(outDef!, outs)
  }
  return Object.assign(wrapped as Fn<A, R>, {
    defvjp(fwd: AnyFunction, bwd: AnyFunction): void {
      rules = { fwd, bwd }
    },
  }) as CustomVjp<A, R>
}

/** What a backward rule returned, leaf by leaf of the arguments; `null` stands for zero. */
function cotangentLeaves(name: string, given: unknown, def: TreeDef, primals: readonly Aval[]): Tangent[] {
  const where = `${name}.defvjp`
  refusePromise(where, given)
  if (!Array.isArray(given) || given.length !== def.children.length) {
    const got = Array.isArray(given) ? `${given.length}` : typeof given
    throw new TreeError(
      misuse(where, `a bwd that returns a list of ${def.children.length} cotangents, one for each argument`, got),
    )
  }
  let at = 0
  return def.children.flatMap((child, i) => {
    const types = primals.slice(at, (at += child.leaves))
    const ct: unknown = given[i]
    if (ct === null || ct === undefined) return types.map((type) => new Zero(type))
    const zeros = (): unknown => unflatten(child, types.map(zerosLike))
    const { leaves, def: ctDef, paths } = flattenArrays(where, fillNulls(ct, zeros), 'float', `argument ${i}`)
    assertSameStructure(`${where}: argument ${i} and its cotangent`, child, ctDef)
    return leaves.map((leaf, k): Tangent => {
      const type = types[k]!
      if (!isDifferentiable(type)) return new Zero(type)
      if (!sameAval(leaf.aval, type))
        throw new ShapeError(
          misuse(where, `a cotangent of type ${showAval(type)} for ${paths[k]}`, showAval(leaf.aval)),
        )
      return leaf
    })
  })
}
/** The tree with the parts of another in place of its nulls. */
function fillNulls(tree: unknown, other: () => unknown): unknown {
  const part = (value: unknown, key: string | number): unknown =>
    fillNulls(value, () => (other() as Record<string | number, unknown> | null)?.[key])
  if (tree === null) return other() ?? null
  if (Array.isArray(tree)) return tree.map(part)
  if (typeof tree !== 'object' || !isPlain(tree)) return tree
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, part(value, key)]))
}
