/** What is in a loop, as far as it can be one kernel: kernels, copies as kernels, and loops of those. */
import {
  Buffer,
  type Copy,
  type Counter,
  type Launch,
  LoopVar,
  type Step,
  load,
  store,
  variable,
} from '@fluxion/compiler'

/** A copy as a kernel, which any axis can cut. */
export function asLaunch({ from, to, length }: Copy): Launch {
  const [x, out] = [new Buffer('x', from.slot.dtype, length), new Buffer('out', to.slot.dtype, length)]
  const i = new LoopVar('i', length)
  const body = [store(out, variable(i), load(x, variable(i)))]
  return { op: 'launch', kernel: { kind: 'nest', name: 'copy', params: [x, out], grid: [i], body }, args: [from, to] }
}
export type Body = readonly (Launch | { readonly op: 'loop'; readonly counter: Counter; readonly body: Body })[]
/** The steps of a loop, if they are kernels, copies and loops of those. */
export function bodyOf(steps: readonly Step[]): Body | undefined {
  const body: Body[number][] = []
  for (const step of steps) {
    if (step.op === 'launch') body.push(step)
    else if (step.op === 'copy') {
      if (step.length > 0) body.push(asLaunch(step))
    } else if (step.op === 'loop') {
      const inner = bodyOf(step.body)
      if (inner === undefined) return undefined
      body.push({ op: 'loop', counter: step.counter, body: inner })
    } else return undefined
  }
  return body
}
export const launchesIn = (body: Body): Launch[] =>
  body.flatMap((step) => (step.op === 'launch' ? [step] : launchesIn(step.body)))
export const countersIn = (body: Body): Counter[] =>
  body.flatMap((step) => (step.op === 'launch' ? [] : [step.counter, ...countersIn(step.body)]))
