/** What a part of a program has of its values. */
import type { Combination } from '@fluxion/core'

/** What a part of the program has of a value. */
export type Label =
  | { readonly kind: 'split'; readonly dim: number }
  /** All of it, the same in every part. */
  | { readonly kind: 'replicated' }
  /** A value of its own; all parts' together make the value. */
  | { readonly kind: 'partial'; readonly combination: Combination }
  /** Nothing: it can be computed only after the parts have been put together. */
  | { readonly kind: 'whole' }
/** The same as axis rules write it: a dimension, a combination, or nothing. */
export type Entry = number | Combination | null

export const replicated: Label = { kind: 'replicated' }
export const whole: Label = { kind: 'whole' }
export const split = (dim: number): Label => ({ kind: 'split', dim })
export const labelOf = (entry: Entry): Label =>
  entry === null ? replicated : typeof entry === 'number' ? split(entry) : { kind: 'partial', combination: entry }
export const dimOf = (label: Label): number | null => (label.kind === 'split' ? label.dim : null)
