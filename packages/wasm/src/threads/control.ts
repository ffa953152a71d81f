/** What the caller of a pool and its workers share beside the memory: words that say what there is to do, and how it goes. */

/** Words of the control block, by number. */
export const words = {
  /** Odd while there is work that workers may join; every change is a new turn. */
  turn: 0,
  /** How many workers wait for the turn to change. */
  sleeping: 1,
  /** How many workers are at work, or look whether there is some. */
  active: 2,
  /** How many workers have started. */
  ready: 3,
  /** The next part that nobody has taken. */
  next: 4,
  parts: 5,
  /** The module, by number; where its bytes are in memory, and how many. */
  module: 6,
  bytes: 7,
  length: 8,
  /** Which job of the module, and what its function is given. */
  job: 9,
  frame: 10,
  arena: 11,
  /** Where runners' own memory begins, and what each has; the caller's comes first. */
  runners: 12,
  runnerBytes: 13,
  /** The length of what a worker says that it failed with, in UTF-16 units, one a word; 0 if none has. */
  failed: 14,
  text: 16,
} as const
export type Words = typeof words
/** So much of a message is kept. */
export const mostText = 1000
export const controlBytes: number = 4 * (words.text + mostText)
