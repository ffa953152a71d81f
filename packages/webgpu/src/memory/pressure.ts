/**
 * Back-pressure: handles that nobody holds give their memory back when JavaScript's garbage collector finds them, and it knows nothing of a
 * GPU's memory. So when much is in use, calls wait until it has run.
 */
import type { Pool } from './pool.ts'

/** So much may be in use before the collector is waited for: in bytes, as `Pool.load` counts. */
const defaultBudget = 2 ** 28
/** Memory that is asked for and never touched, which makes the collector run: so much at a time, and so often at most. */
const bait = 2 ** 26
const mostTurns = 64

/** Memory that can be given back, where JavaScript is recent enough. */
type Releasable = ArrayBuffer & { transfer?(bytes: number): ArrayBuffer }

export class Pressure {
  readonly #pool: Pool
  readonly #budget: number
  #limit: number
  #waiting: Promise<void> | undefined

  constructor(pool: Pool, budget: number = defaultBudget) {
    this.#pool = pool
    this.#budget = budget
    this.#limit = budget
  }
  /** What to wait for before more memory is taken; nothing as long as little is in use. */
  get relief(): Promise<void> | undefined {
    if (this.#pool.load <= this.#limit) return undefined
    return (this.#waiting ??= this.#relieve())
  }
  async #relieve(): Promise<void> {
    // What died while the collector was at work is found the next time.
    for (let round = 0; round < 2 && this.#pool.load > this.#budget / 2; round++) await this.#collect()
    // What is left is held: with twice as much it is worth another try.
    this.#limit = Math.max(this.#budget, 2 * this.#pool.load)
    this.#waiting = undefined
  }
  /** Wait until the collector has run and finalizers have been called, between tasks of the caller's. */
  async #collect(): Promise<void> {
    let hasRun = false
    const watch = new FinalizationRegistry<undefined>(() => (hasRun = true))
    watch.register({}, undefined)
    const baits: Releasable[] = []
    for (let turn = 0; turn < mostTurns && !hasRun; turn++) {
      try {
        baits.push(new ArrayBuffer(bait))
      } catch {
        // No addresses are left: the collector has been called for that.
      }
      await nextTask()
    }
    // Given back at once: the collector has not seen the last of them.
    for (const each of baits) each.transfer?.(0)
    // Other registries' finalizers have tasks of their own, behind that of this one.
    await nextTask()
  }
}
const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
