/** How many threads programs run on, and the pool that a back end's programs share. */
import { DeviceError, OptionError, misuse, setting } from '@fluxion/core'
import { canShare, hardwareThreads } from './platform.ts'
import { Pool } from './pool.ts'

/** More threads than this gain little: work is cut into so many groups. */
const mostByDefault = 16
const most = 64
let chosen: number | undefined

function checked(where: string, count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new OptionError(misuse(where, `a whole number of threads from 1 to ${most}`, `${count}`))
}
/** How many threads programs in general run on, the calling one included. */
export function threadCount(): number {
  if (chosen !== undefined) return chosen
  const wanted = setting('FLUXION_THREADS')
  return wanted === undefined ? Math.min(mostByDefault, hardwareThreads()) : checked('FLUXION_THREADS', Number(wanted))
}

/**
 * Choose how many threads programs on the CPU run on, the calling one included. Results do not depend on it.
 *
 * @param count 1 for no workers; by default what `FLUXION_THREADS` says, or as many as the machine has, up to 16
 * @throws OptionError for anything but a whole number from 1 to 64
 * @example
 * ```ts
 * import { setThreads } from 'fluxion'
 * setThreads(2)
 * setThreads(0) // => OptionError: expected a whole number of threads from 1 to 64, got 0
 * ```
 */
export function setThreads(count: number): void {
  chosen = checked('setThreads', count)
}

const startPool = (memory: WebAssembly.Memory, helpers: number): Pool => new Pool(memory, helpers)
/** The workers of one back end. */
export class Threads {
  readonly #memory: WebAssembly.Memory
  readonly #count: number | undefined
  readonly #start: typeof startPool
  #pool: Pool | undefined
  /** Why there can be no workers, once that has shown: programs then run on one thread. */
  #cannot: string | undefined

  /** @param count how many threads; by default as many as programs in general run on */
  constructor(memory: WebAssembly.Memory, count?: number, start: typeof startPool = startPool) {
    this.#memory = memory
    this.#start = start
    this.#count = count === undefined ? undefined : checked('threads', count)
  }
  /** How many threads there are, the calling one included. */
  get count(): number {
    const shared = canShare() && this.#memory.buffer instanceof SharedArrayBuffer
    return shared ? (this.#count ?? threadCount()) : 1
  }
  /**
   * The workers, which start with the first program that has work for them; none if there is one thread.
   *
   * @throws DeviceError once if a worker has ended since the last call
   */
  pool(): Pool | undefined {
    const { count } = this
    const pool = this.#pool
    if (pool?.failure !== undefined) {
      this.#drop()
      // Where workers do not even start, as under a policy that forbids them, programs do without.
      if (pool.ready < pool.size) this.#cannot = pool.failure
      else throw new DeviceError(`${pool.failure}\nhint: the next call starts new workers`)
    }
    if (pool !== undefined && pool.size !== count - 1) this.#drop()
    if (count === 1 || this.#cannot !== undefined) return undefined
    try {
      return (this.#pool ??= this.#start(this.#memory, count - 1))
    } catch (error) {
      this.#cannot = String(error)
      return undefined
    }
  }
  /** Forget a pool that failed in a call, which said so. */
  dropFailed(): void {
    if (this.#pool?.failure !== undefined) this.#drop()
  }
  #drop(): void {
    this.#pool?.stop()
    this.#pool = undefined
  }
  /** Start the workers and wait until they run. */
  async ready(): Promise<void> {
    let pool = this.pool()
    while (pool !== undefined && pool.ready < pool.size) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      pool = this.pool()
    }
    if (this.#cannot !== undefined) throw new DeviceError(`ready: workers do not start: ${this.#cannot}`)
  }
}
