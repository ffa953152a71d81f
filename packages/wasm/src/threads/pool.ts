/**
 * A pool of workers over one shared memory. Work comes in turns: the caller opens one, everybody takes parts of it, the caller too, and once none is left it closes
 * the turn and waits for the parts that workers still have in hand. Workers that have not come in by then have missed nothing but the work.
 */
import { DeviceError } from '@fluxion/core'
import { controlBytes, mostText, words } from './control.ts'
import { type Helper, canBlock, computedMilliseconds, startHelper } from './platform.ts'
import { workerSource } from './worker.ts'

/** A job of a module, with what its function is given. */
export interface Work {
  /** The module's number, and where its bytes lie in memory. */
  readonly module: number
  readonly bytesAt: number
  readonly bytesLength: number
  readonly job: number
  readonly parts: number
  /** A worker at work that does not go on for so many milliseconds is taken for dead. */
  readonly patience: number
  readonly frame: number
  readonly arena: number
  /** Where runners' own memory begins: the caller's, then the workers'. Each begins with a word that counts up as its runner goes on. */
  readonly runners: number
  readonly runnerBytes: number
}
const spinMilliseconds = 0.05
const waitMilliseconds = 50
/**
 * A wait in which other threads of the process computed counts for so much less: a worker that is slow, since the machine is busy or a kernel
 * takes long, is not a dead one.
 */
const busyWait = 1 / 20
/** What the process computes in a wait when all of its threads are idle stays below this. */
const idleMilliseconds = 2

/** Workers of pools that nobody has any more are stopped. */
const forgotten = new FinalizationRegistry<readonly Helper[]>((helpers) => helpers.forEach((helper) => helper.stop()))

export class Pool {
  readonly #memory: WebAssembly.Memory
  readonly #shared: Int32Array
  readonly helpers: readonly Helper[]
  /** Why the pool cannot be used any more. */
  readonly #state: { failure: string | undefined } = { failure: undefined }

  /** @param helpers how many workers */
  constructor(memory: WebAssembly.Memory, helpers: number) {
    this.#memory = memory
    const control = new SharedArrayBuffer(controlBytes)
    this.#shared = new Int32Array(control)
    // What hears of failures must not keep the pool alive.
    const state = this.#state
    this.helpers = Array.from({ length: helpers }, (_, i) =>
      startHelper(
        workerSource,
        { memory, control, words, mostText, runner: i + 1, spinMilliseconds },
        (why) => (state.failure ??= `a worker ended: ${why}`),
      ),
    )
    forgotten.register(this, this.helpers, this)
  }
  get size(): number {
    return this.helpers.length
  }
  /** Have the next call fail, since a worker is lost. */
  fail(why: string): void {
    this.#state.failure ??= why
  }
  get failure(): string | undefined {
    return this.#state.failure
  }
  /** How many workers have started. */
  get ready(): number {
    return Atomics.load(this.#shared, words.ready)
  }
  stop(): void {
    forgotten.unregister(this)
    for (const helper of this.helpers) helper.stop()
  }

  /**
   * Run all parts, some of them by `run` in this thread.
   *
   * @throws DeviceError with a worker's message if one failed, or if one has stopped; whatever `run` throws
   */
  run(work: Work, run: (part: number) => void): void {
    const shared = this.#shared
    shared[words.module] = work.module
    shared[words.bytes] = work.bytesAt
    shared[words.length] = work.bytesLength
    shared[words.job] = work.job
    shared[words.frame] = work.frame
    shared[words.arena] = work.arena
    shared[words.runners] = work.runners
    shared[words.runnerBytes] = work.runnerBytes
    shared[words.parts] = work.parts
    shared[words.failed] = 0
    Atomics.store(shared, words.next, 0)
    Atomics.add(shared, words.turn, 1)
    if (Atomics.load(shared, words.sleeping) > 0) Atomics.notify(shared, words.turn)
    try {
      for (;;) {
        const part = Atomics.add(shared, words.next, 1)
        if (part >= work.parts) break
        run(part)
      }
    } finally {
      Atomics.store(shared, words.next, work.parts)
      Atomics.add(shared, words.turn, 1)
      this.#settle(work)
    }
    const failed = Atomics.load(shared, words.failed)
    if (failed === 0) return
    const text = String.fromCharCode(...shared.subarray(words.text, words.text + failed))
    throw new DeviceError(`a worker failed: ${text}`)
  }
  /** Wait for the workers that are at work. */
  #settle(work: Work): void {
    const shared = this.#shared
    const since = performance.now()
    while (performance.now() - since < spinMilliseconds) if (Atomics.load(shared, words.active) === 0) return
    let before = this.#progress(work)
    let waits = 0
    for (;;) {
      const active = Atomics.load(shared, words.active)
      if (active === 0) return
      const [began, computed] = [performance.now(), computedMilliseconds()]
      if (canBlock()) Atomics.wait(shared, words.active, active, waitMilliseconds)
      else while (Atomics.load(shared, words.active) === active && performance.now() - began < waitMilliseconds);
      const now = this.#progress(work)
      // A wait that ended early says nothing.
      if (now !== before) waits = 0
      else if (performance.now() - began > 0.9 * waitMilliseconds) {
        const busy = canBlock() && computed !== undefined && computedMilliseconds()! - computed > idleMilliseconds
        waits += busy ? busyWait : 1
      }
      before = now
      if (waits * waitMilliseconds >= work.patience) {
        this.#state.failure = 'a worker has stopped'
        throw new DeviceError(
          'a worker has stopped in the middle of its work\nhint: it ran out of memory, or was terminated; the next call starts new ones',
        )
      }
    }
  }
  /** Something that changes as workers go on. */
  #progress({ runners, runnerBytes }: Work): number {
    const memory = new Int32Array(this.#memory.buffer)
    let sum = Atomics.load(this.#shared, words.active)
    for (let runner = 1; runner <= this.size; runner++) sum += memory[(runners + runner * runnerBytes) >>> 2]!
    return sum
  }
}
