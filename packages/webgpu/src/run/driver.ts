/** Runs calls one after the other: at once as far as nothing has to be waited for, the rest later, in order. */
import type { Device } from '../device/device.ts'
import type { Pressure } from '../memory/pressure.ts'
import type { Recorder } from './recorder.ts'

/** What a call does; it yields what it has to wait for. */
export type Work<T = void> = Generator<Promise<unknown>, T, unknown>
interface Job {
  readonly run: () => Work
  readonly fail: (error: unknown) => void
}

export class Driver {
  readonly #device: Device
  readonly #recorder: Recorder
  readonly #pressure: Pressure
  readonly #queue: (Job | undefined)[] = []
  /** The first not taken yet. */
  #next = 0
  /** Whether jobs are running, or waiting for something. */
  #busy = false

  constructor(device: Device, recorder: Recorder, pressure: Pressure) {
    this.#device = device
    this.#recorder = recorder
    this.#pressure = pressure
  }
  /** @param fail is told what went wrong; it must not throw */
  enqueue(run: () => Work, fail: (error: unknown) => void): void {
    this.#queue.push({ run, fail })
    if (!this.#busy) this.#pump()
  }
  /** Like `enqueue`, for what has a result. */
  result<T>(run: () => Work<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.enqueue(function* () {
        resolve(yield* run())
      }, reject)
    })
  }

  #pump(): void {
    this.#busy = true
    while (this.#next < this.#queue.length) {
      const wait = this.#recorder.full ?? this.#pressure.relief
      if (wait !== undefined) {
        const go = (): void => this.#pump()
        wait.then(go, go)
        return
      }
      const job = this.#queue[this.#next]!
      // What has been taken holds nothing any more.
      this.#queue[this.#next++] = undefined
      if (this.#next === this.#queue.length || this.#next > 1024) {
        this.#queue.splice(0, this.#next)
        this.#next = 0
      }
      if (!this.#start(job)) return
    }
    this.#busy = false
  }
  #start(job: Job): boolean {
    let work: Work
    try {
      this.#device.check()
      work = job.run()
    } catch (error) {
      job.fail(error)
      return true
    }
    return this.#advance(job, work, () => work.next())
  }
  /** Whether the job has ended; if not, it goes on by itself. */
  #advance(job: Job, work: Work, step: () => IteratorResult<Promise<unknown>, void>): boolean {
    try {
      const { done, value } = step()
      if (done === true) return true
      const resume = (next: () => IteratorResult<Promise<unknown>, void>): void => {
        if (this.#advance(job, work, next)) this.#pump()
      }
      this.#device.wait(value as Promise<unknown>).then(
        (result) => resume(() => work.next(result)),
        (error: unknown) => resume(() => work.throw(error)),
      )
      return false
    } catch (error) {
      job.fail(error)
      return true
    }
  }
}
