// Compiled, never run: uses that would fail or mislead, each of which the compiler must refuse.
import * as hk from '@fluxion/modules'
import { li, rlif } from '@fluxion/neurons'
import { applyUpdates } from '@fluxion/optim'
import { policy, setPolicy } from '@fluxion/precision'
import { type NDArray, customVjp, grad, jit, lax, np, vmap } from 'fluxion'
import { type Mlp, mlp, mlpLoss, x } from './same.ts'

// @ts-expect-error a parameter that is a number would be a tracer at run time
export const numeric: NDArray = grad((x: number) => x * x)(x)
// @ts-expect-error grad wants a scalar array, not a tree
grad((x) => ({ a: x }))
// @ts-expect-error an asynchronous function cannot be traced
jit(async (x: NDArray) => x)
// @ts-expect-error an unknown option
np.sum(x, { axes: 0 })
// @ts-expect-error an unknown option of a transformation
jit((x) => x, { staticArgs: [0] })
// @ts-expect-error the carry changes its structure
lax.scan((c, x) => [[c, c], x], x, x)
// @ts-expect-error the carry loses its second half
lax.scan(([p]: [Mlp, NDArray], x: NDArray) => [p, x], [mlp, x], x)
// @ts-expect-error the loop's body returns another tree
lax.foriLoop(0, 3, (i, c) => [c, i], x)
// @ts-expect-error too few arguments
grad(mlpLoss)(mlp)
// @ts-expect-error parameters of another network
applyUpdates(mlp, { linear: { w: x } })
// @ts-expect-error a range that is not one
x.get('1;3')
// @ts-expect-error axes that do not fit the argument's tree
vmap(mlpLoss, { inAxes: [{ wrong: 0 }, 0] })
lax.cond(
  true,
  (a) => [a, a],
  // @ts-expect-error the branches differ
  (a) => a,
  x,
)
// @ts-expect-error the state of another core
hk.dynamicUnroll(hk.deepRNN([rlif([8]), li([2])]), x, [x])
// @ts-expect-error a policy goes to a factory, not to a module
setPolicy(hk.linear(3), policy('half'))

const product = customVjp((x, y) => x.mul(y))
const forward = (x: NDArray, y: NDArray): [NDArray, NDArray[]] => [x.mul(y), [x, y]]
// @ts-expect-error a cotangent for each argument
product.defvjp(forward, (_, ct) => [ct])
