/** Which kernels are worth cutting among threads, and into how many parts: that depends on the kernel alone, so that results do not depend on the threads. */
import {
  type Kernel,
  LoopVar,
  type Nest,
  type Product,
  indexAdd,
  indexMul,
  linearIn,
  mapStatement,
  pointsOf,
  substituting,
  variable,
  walkStatements,
} from '@fluxion/compiler'
import { ownLanes, planNest } from '../print/plan.ts'
import { nanosecondsOf } from './cost.ts'

/** Less is not worth waking anyone: that takes 20 µs or so of each thread's time, and nests are often bound by memory. */
const leastNanoseconds = { nest: 1.5e5, product: 2e5 }
/** In lanes, several vectors side by side, an operation takes so much of its time. */
const shareInLanes = 1 / 8
/** What is shared goes in so many parts at least, and so many at most: enough for threads that do not run alike. */
const [fewestParts, mostParts] = [4, 32]
/** Parts of products by rows each pack the right operand, which is little beside so many rows. */
const rowsOfPart = 384
const mostProductParts = 16
/** A group of columns is a few panels at least; more where each group has to arrange the left operand again. */
const [columnGroups, fewestColumns, fewestArranged] = [16, 64, 256]

/** Nanoseconds for a multiplication and addition. */
const perProduct = 0.05
const nanosecondsOfProduct = ({ batch, rows, columns, inner }: Product): number =>
  perProduct * pointsOf([...batch, ...rows, ...columns, ...inner])
/** At most, which is what patience needs: as if no nest ran in lanes. */
const longestOf = (kernel: Kernel): number =>
  kernel.kind === 'nest' ? nanosecondsOf(kernel) : nanosecondsOfProduct(kernel)
/** What cutting gains by: whether a nest runs in lanes is looked at only if that decides. */
function usualOf(kernel: Kernel, least: number): number {
  const longest = longestOf(kernel)
  return kernel.kind === 'nest' && longest >= least && runsInLanes(kernel) ? shareInLanes * longest : longest
}
const runsInLanes = (nest: Nest): boolean =>
  planNest(nest) !== undefined ||
  nest.body.some((statement) => statement.op === 'reduce' && ownLanes(statement) !== undefined)
/** A runner that gives no sign of life for so many milliseconds is taken for dead; with loops that may go on it has more time. */
const [usualPatience, openPatience] = [600, 60_000]
/** Between two signs of life of a runner, a call takes no longer than this. */
const longestCall = 5e7

/** A kernel as it is printed if it is to be cut: the columns of large products in groups, as if they were products of a batch. */
export function readyToCut(kernel: Kernel, least: number = leastNanoseconds.product): Kernel {
  if (kernel.kind === 'nest' || nanosecondsOfProduct(kernel) < least) return kernel
  const { batch, columns, inner, left, zeroOne } = kernel
  const [outer, ...more] = columns
  if (outer === undefined || zeroOne !== undefined || pointsOf(batch) > 1) return kernel
  const along = inner.at(-1)
  const inPlace = left.op === 'load' && along !== undefined && linearIn(left.index, along)?.coefficient === 1
  const fewest = inPlace ? fewestColumns : fewestArranged
  const size = pointsOf(columns)
  let groups = columnGroups
  while (groups > 1 && (outer.extent % groups !== 0 || size / groups < fewest || (size / groups) % 16 !== 0))
    groups /= 2
  if (groups === 1) return kernel
  const [group, column] = [new LoopVar('group', groups), new LoopVar(outer.name, outer.extent / groups)]
  const whole = indexAdd(indexMul(variable(group), column.extent), variable(column))
  const substitute = substituting(new Map([[outer, whole]]))
  return {
    ...kernel,
    batch: [...batch, group],
    columns: [column, ...more],
    left: substitute(kernel.left),
    right: substitute(kernel.right),
    body: kernel.body.map((statement) => mapStatement(statement, substitute)),
  }
}

/** Into how many parts a kernel's blocks go; 1 for those that stay whole. */
export function partsOf(kernel: Kernel, blocks: number, least: number = leastNanoseconds[kernel.kind]): number {
  const time = usualOf(kernel, least)
  if (time < least) return 1
  const most = kernel.kind === 'product' ? mostOfProduct(kernel) : updates(kernel) ? 1 : mostParts
  return Math.max(1, Math.min(blocks, most, Math.floor((fewestParts * time) / Math.max(1, least))))
}
/** Whether points add to the same elements, which they may not do at once. */
function updates({ body }: Nest): boolean {
  let found = false
  walkStatements(body, ({ op }) => void (found ||= op === 'update'))
  return found
}
function mostOfProduct({ batch, rows, zeroOne }: Product): number {
  const products = pointsOf(batch)
  const byRows = zeroOne === undefined ? Math.max(1, Math.floor(pointsOf(rows) / rowsOfPart)) : mostProductParts
  // Whole products of a batch, or parts of each.
  return products >= mostProductParts
    ? mostProductParts
    : products * Math.min(byRows, Math.floor(mostProductParts / products))
}
/** How many milliseconds a call for so many of a kernel's blocks may take, on a machine that is slow or busy: what loops until its values say so may take long. */
export function patienceOf(kernel: Kernel, blocks: number, blocksPerCall: number): number {
  const [time, share] = [longestOf(kernel), Math.min(1, blocksPerCall / Math.max(1, blocks))]
  return usualPatience + 20 * 1e-6 * time * share + (openEnded(kernel) ? openPatience : 0)
}
/** Whether a kernel's loops end when values say so. */
function openEnded({ body }: Kernel): boolean {
  let found = false
  walkStatements(body, ({ op }) => void (found ||= op === 'while'))
  return found
}

/** How many of a product's blocks make a call. */
export const blocksOfCall = (product: Product, blocks: number): number =>
  Math.max(1, Math.floor(blocks * Math.min(1, longestCall / nanosecondsOfProduct(product))))
