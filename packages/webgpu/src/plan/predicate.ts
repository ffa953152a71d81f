/**
 * Conditions decided on the device. Each branch of a `switch` and each `while` has a word that says whether it runs; the dispatches inside take
 * their counts of workgroups from the device, which writes 0 for those that do not run.
 */
import { blockVectors, specialWords } from '../print/launch.ts'

/** When a condition holds: a branch's number is the one chosen; a flag is set; a flag is set and was set before. */
export const modes: Readonly<Record<'branch' | 'begin' | 'again', number>> = { branch: 0, begin: 1, again: 2 }
/** A word that is none. */
export const none: number = 0xffffffff

/** What a decision is made from, in the order in which the shader reads it. */
export interface Decision {
  /** Byte in its binding at which the number or the flag lies. */
  readonly at: number
  /** Whether it is a truth value, of one byte, rather than an int32. */
  readonly bool: boolean
  readonly mode: number
  readonly branch: number
  readonly lastBranch: number
  /** The word of the condition around it, or `none`. */
  readonly around: number
  readonly own: number
  /** The dispatches that depend on it: their counts, of four words each, from one place and to another. */
  readonly table: number
  readonly counts: number
  readonly length: number
}
export const decisionWords = (d: Decision): number[] => [
  ...specialWords,
  d.at,
  Number(d.bool),
  d.mode,
  d.branch,
  d.lastBranch,
  d.around,
  d.own,
  d.table,
  d.counts,
  d.length,
]
const decisionParams = 10
const invocations = 64
const word = (at: number): string =>
  `launch[${(specialWords.length + at) >> 2}].${'xyzw'[(specialWords.length + at) & 3]!}`

/** Bindings: what the decision is made from, and the words of conditions and counts. */
export const decisionWritable: readonly boolean[] = [false, true]
export const decisionSource: string = `@group(0) @binding(0) var<storage, read> given: array<u32>;
@group(0) @binding(1) var<storage, read_write> words: array<u32>;
@group(1) @binding(0) var<uniform> launch: array<vec4<u32>, ${blockVectors(decisionParams)}>;

@compute @workgroup_size(${invocations})
fn main(@builtin(local_invocation_index) lane: u32) {
  var value = given[${word(0)} >> 2u];
  if (${word(1)} == 1u) { value = (value >> ((${word(0)} & 3u) * 8u)) & 0xffu; }
  var holds = value != 0u;
  if (${word(2)} == ${modes.branch}u) {
    holds = u32(clamp(bitcast<i32>(value), 0, bitcast<i32>(${word(4)}))) == ${word(3)};
  }
  if (${word(2)} == ${modes.again}u) { holds = holds && words[${word(6)}] != 0u; }
  else if (${word(5)} != ${none}u) { holds = holds && words[${word(5)}] != 0u; }
  for (var at = lane; at < 4u * ${word(9)}; at += ${invocations}u) {
    words[${word(8)} + at] = select(0u, words[${word(7)} + at], holds);
  }
  workgroupBarrier();
  storageBarrier();
  if (lane == 0u) { words[${word(6)}] = u32(holds); }
}
`
