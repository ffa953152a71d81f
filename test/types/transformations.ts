// Compiled, never run: transformations keep the types of functions and trees, and infer them where nothing is annotated.
import {
  type DType,
  type Jitted,
  type NDArray,
  type ShapeDtype,
  type Tree,
  checkpoint,
  customJvp,
  customVjp,
  evalShape,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  np,
  stopGradient,
  tree,
  valueAndGrad,
  vjp,
  vmap,
} from 'fluxion'
import type { Transformation } from '@fluxion/optim'
import { applyUpdates } from '@fluxion/optim'
import { type Mlp, mlp, mlpLoss, same, x, y } from './same.ts'

// A parameter without annotation is an array, numbers may be passed for it, and compositions keep that.
const cube = grad((x) => x.mul(x).mul(x))
same<Parameters<typeof cube>, [x: NDArray]>(true)
export const third: NDArray = grad(grad(grad((x) => np.tanh(x))))(0.5)
export const perturbation: NDArray = grad((x) => x.mul(grad((y) => x.add(y))(1)))(1)
export const batched: NDArray = jit(vmap(grad(np.tanh)))(x)
export const composed: NDArray = jit(checkpoint(grad((x) => np.sum(np.square(x)))))(2)

// Trees keep their type.
const gradient = grad(mlpLoss)(mlp, x)
same<typeof gradient, Mlp>(true)
const second = grad(mlpLoss, { argnums: 1 })(mlp, x)
same<typeof second, NDArray>(true)
const both = grad(mlpLoss, { argnums: [0, 1] })(mlp, x)
same<typeof both, [Mlp, NDArray]>(true)
const [[value, aux], withAux] = valueAndGrad((p: Mlp, x: NDArray) => [mlpLoss(p, x), { n: x }], { hasAux: true })(
  mlp,
  x,
)
same<[typeof value, typeof aux, typeof withAux], [NDArray, { n: NDArray }, Mlp]>(true)
const shapes = evalShape(mlpLoss, mlp, x)
same<typeof shapes, ShapeDtype>(true)
declare const anyTree: (x: NDArray) => Tree
const ofAnyTree = evalShape(anyTree, x)
same<typeof ofAnyTree, unknown>(true)
const halves = tree.map((a) => a.div(2), { w: [x, y] })
same<typeof halves, { w: [NDArray, NDArray] }>(true)
const sums = tree.map((a, b) => a.add(b), mlp, mlp)
same<typeof sums, Mlp>(true)
const dtypes = tree.map((a) => a.dtype, { u: x, v: [x, y] as const })
same<typeof dtypes, { u: DType; v: readonly [DType, DType] }>(true)
const stopped = stopGradient(mlp)
same<typeof stopped, Mlp>(true)

const [out, pullback] = vjp((a: NDArray, p: Mlp) => [a, p.scale], x, mlp)
same<typeof out, [NDArray, NDArray | null]>(true)
export const cotangents: [NDArray, Mlp] = pullback(out)
const [primal, tangent] = jvp((x, p) => [x, p.scale], [x, mlp], [1, mlp])
same<typeof primal, [NDArray, NDArray | null]>(true)
same<typeof tangent, [NDArray, NDArray | null]>(true)
const [linearized, linear] = linearize((x, p) => [x, p.scale], x, mlp)
same<typeof linearized, [NDArray, NDArray | null]>(true)
export const pushed: [NDArray, NDArray | null] = linear(y, mlp)
const jacobian = jacrev((x) => ({ a: x, b: [x, x] }))(x)
same<typeof jacobian, { a: NDArray; b: [NDArray, NDArray] }>(true)
const forward = jacfwd((x) => [x, x])(1)
same<typeof forward, [NDArray, NDArray]>(true)
const [besideAux, beside] = jacrev((x: NDArray, p: Mlp) => [x, { p }], { hasAux: true, argnums: 1 })(x, mlp)
same<typeof besideAux, Mlp>(true)
same<typeof beside, { p: Mlp }>(true)
const byBoth = jacfwd((x: NDArray, y: NDArray) => x.mul(y), { argnums: [0, 1] })(x, y)
same<typeof byBoth, [NDArray, NDArray]>(true)
const curvature = hessian((p: { w: NDArray; b: NDArray }) => p.w.mul(p.b))({ w: x, b: y })
same<typeof curvature, { w: { w: NDArray; b: NDArray }; b: { w: NDArray; b: NDArray } }>(true)

// Axes of vmap are a prefix of the arguments.
export const oneMapped: NDArray = vmap((x, y) => x.add(y), { inAxes: [0, null] })(x, 1)
const prefixes = { inAxes: [{ layers: null, scale: 0 }, -1], outAxes: 0, axisName: 'batch' } as const
export const prefixed: NDArray = vmap(mlpLoss, prefixes)(mlp, x)
export const literalPrefixes: NDArray = vmap(mlpLoss, { inAxes: [{ layers: null, scale: 0 }, -1], outAxes: 0 })(mlp, x)
export const wholeTree: NDArray = vmap(mlpLoss, { inAxes: [null, 0] })(mlp, x)

// Generic code: a user's function that is generic bounds its parameter by Tree, or by nothing where it only hands trees on.
export const compiled = <P extends Tree>(f: (p: P) => P): Jitted<[p: P], P> => jit(f)
export const trainer = <P, S, B>(
  loss: (p: P, batch: B) => NDArray,
  optimiser: Transformation<S>,
): Jitted<[p: P, s: S, batch: B], [P, S, NDArray]> =>
  jit((p: P, s: S, batch: B): [P, S, NDArray] => {
    const [value, grads] = valueAndGrad(loss)(p, batch)
    const [updates, next] = optimiser.update(grads, s, p)
    return [applyUpdates(p, updates), next, value]
  })

// Rules of users: residuals flow from the forward rule to the backward one.
const spike = customVjp((x) => x.gt(0).astype(x.dtype))
spike.defvjp(
  (x) => [spike(x), { x }],
  ({ x }, ct) => [ct.div(np.square(x).add(1))],
)
export const spiked: NDArray = grad(spike)(1)
const exponential = customJvp((x) => np.exp(x))
exponential.defjvp(([x], [t]) => [exponential(x), t.mul(np.exp(x))])
export const rate: NDArray = grad(exponential)(1)
