/**
 * Whether a loop is better off as one kernel than as a dispatch for each kernel and step: some microseconds each, against what a few workgroups
 * need where a whole device would do the same. Estimates of devices in general; none was measured.
 */
import { type Kernel, type Launch, costOfKernel, gridOf, pointsOf } from '@fluxion/compiler'
import type { Traits } from '../print/traits.ts'
import type { Body } from './body.ts'
import type { Cut } from './cut.ts'

/** A tile has as many places of the axis at most: their sums share what is read of a matrix. */
const mostRows = 8
/** With fewer tiles than this a device is not busy. */
const fewTiles = 32
/** Bytes of matrices that the tiles read in a step, from caches: beyond that, products by tiles of their own read less. */
const mostTraffic = 2 ** 26
/** Operations that an invocation of a workgroup does in a step: of a loop that is cut, and of one that a single workgroup runs. */
const mostOfLane = { cut: 2 ** 14, uncut: 2 ** 10 } as const
/** What a device does in one dispatch, which it must end before its driver takes it for hung: bytes of matrices, kernels of a workgroup. */
const longest = { traffic: 2 ** 38, phases: 2 ** 18 } as const
/** Operations of a step where one invocation takes each place of the axis, or all there is. */
const mostAlone = { cut: 2 ** 21, uncut: 2 ** 11 } as const
const lanes = 256

export interface Considered {
  readonly body: Body
  readonly turns: number
  readonly cut: Cut
  /** Places of the axis in a tile. */
  readonly rows: number
}

/** The largest tile of an axis that leaves enough tiles, and no rest. */
export function rowsOf(extent: number): number {
  for (let rows = mostRows; rows > 1; rows--) if (extent % rows === 0 && extent / rows >= fewTiles) return rows
  return 1
}
export function pays({ body, turns, cut, rows }: Considered, { shared }: Traits): boolean {
  const kind = cut.extent > 1 ? 'cut' : 'uncut'
  if (!shared) return weighed(body, ({ kernel }) => workOf(kernel)) <= mostAlone[kind]
  const traffic = (weighed(body, (launch) => matrixBytes(launch, cut)) * cut.extent) / rows
  const ofLane = weighed(body, (launch) => workOfLane(launch, cut, rows))
  return (
    traffic <= mostTraffic &&
    ofLane <= mostOfLane[kind] &&
    turns * traffic <= longest.traffic &&
    turns * weighed(body, () => 1) <= longest.phases
  )
}
/** A sum over the launches of a body, each as often as it runs in one turn. */
function weighed(body: Body, weigh: (launch: Launch) => number): number {
  return body.reduce(
    (sum, step) => sum + (step.op === 'launch' ? weigh(step) : step.counter.length * weighed(step.body, weigh)),
    0,
  )
}
const workOf = (kernel: Kernel): number => Math.max(pointsOf(gridOf(kernel)), costOfKernel(kernel).flops)
function workOfLane(launch: Launch, { extent, choices }: Cut, rows: number): number {
  const { kernel } = launch
  const points = pointsOf(gridOf(kernel))
  const inTile = choices.has(launch) ? (points / extent) * rows : points
  return points === 0 ? 0 : (Math.ceil(inTile / lanes) * workOf(kernel)) / points
}
/** What one tile reads of a matrix that is the same for all places of the axis. */
function matrixBytes(launch: Launch, { choices }: Cut): number {
  const { kernel } = launch
  const loop = choices.get(launch)?.loop
  if (kernel.kind !== 'product' || loop === undefined || !kernel.rows.includes(loop)) return 0
  return 4 * pointsOf([...kernel.batch, ...kernel.inner, ...kernel.columns])
}
