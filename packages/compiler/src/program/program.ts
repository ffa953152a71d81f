/** Programs as back ends run them: buffers, and steps over them. */
import type { Aval, DType, NDArray, Primitive } from '@fluxion/core'
import type { Kernel } from '../loops/ir.ts'

/** Memory of a program, told apart by identity. */
export class Slot {
  readonly dtype: DType
  /** In elements. */
  readonly length: number
  constructor(dtype: DType, length: number) {
    this.dtype = dtype
    this.length = length
  }
}
/** How often a loop's body has run before. */
export class Counter {
  readonly length: number
  constructor(length: number) {
    this.length = length
  }
}
/**
 * How a place moves in a loop: by `stride` elements at each count; with `alternate`, by `stride` at odd counts only, which is how carries of
 * loops are double-buffered.
 */
export interface Move {
  readonly counter: Counter
  readonly stride: number
  readonly alternate?: true
}
/** Where a kernel's parameter lies: from element `offset` of its slot on, moved by the counters of the loops around it. */
export interface Place {
  readonly slot: Slot
  readonly offset: number
  readonly moves: readonly Move[]
}
export const placeOf = (slot: Slot): Place => ({ slot, offset: 0, moves: [] })

export interface Launch {
  readonly op: 'launch'
  readonly kernel: Kernel
  /** One for each of the kernel's parameters. */
  readonly args: readonly Place[]
}
/** Copies elements between places that do not overlap. */
export interface Copy {
  readonly op: 'copy'
  readonly from: Place
  readonly to: Place
  readonly length: number
}
export interface Loop {
  readonly op: 'loop'
  readonly counter: Counter
  readonly body: readonly Step[]
}
/** Runs `test`; while the bool at `flag` then holds, runs `body` and `test` again. */
export interface WhileStep {
  readonly op: 'while'
  readonly test: readonly Step[]
  readonly flag: Place
  readonly body: readonly Step[]
}
/** Runs the branch whose number, clamped to those there are, stands at `index`: an int32 or a bool. */
export interface Switch {
  readonly op: 'switch'
  readonly index: Place
  readonly branches: readonly (readonly Step[])[]
}
/** Calls into the host, in order, with arrays read from places and written to them. */
export interface Callback {
  readonly op: 'callback'
  readonly primitive: Pick<Primitive, 'name' | 'reference'>
  readonly params: object
  readonly inputs: readonly { readonly aval: Aval; readonly place: Place }[]
  readonly outputs: readonly { readonly aval: Aval; readonly place: Place }[]
}
/**
 * Iterations that do not depend on each other, in groups of consecutive ones that may run side by side, in any order: group g of G runs the
 * iterations from ⌊g·n/G⌋ to ⌊(g+1)·n/G⌋ in order, after `begin`. What groups write lies apart: at places that move by the group, such as
 * sums that each gathers, or by the iteration; temporaries that only these steps name belong to each runner of groups of its own.
 */
export interface Parallel {
  readonly op: 'parallel'
  /** As long as there are groups. */
  readonly group: Counter
  /** As long as there are iterations. */
  readonly counter: Counter
  readonly begin: readonly Step[]
  readonly body: readonly Step[]
}
export type Step = Launch | Copy | Loop | WhileStep | Switch | Callback | Parallel

export interface Program {
  readonly name: string
  readonly inputs: readonly Slot[]
  /** Further inputs that the program brings along. */
  readonly captured: readonly { readonly slot: Slot; readonly value: NDArray }[]
  /** A result may be an input, or the same slot twice; never a temporary that is reused. */
  readonly outputs: readonly Slot[]
  readonly steps: readonly Step[]
}
