/** Runs the jobs of a program's module: on all threads that there are, or one part after the other. */
import type { Block } from '../heap/allocator.ts'
import type { Heap } from '../heap/heap.ts'
import type { Pool } from '../threads/pool.ts'
import type { Threads } from '../threads/threads.ts'
import type { Job } from './driver.ts'

type Part = (frame: number, arena: number, own: number, part: number) => void

/** Bytes of modules, which workers compile, lie in the heap as long as their programs are there. */
const unused = new FinalizationRegistry<{ readonly heap: Heap; readonly block: Block }>(({ heap, block }) =>
  heap.give(block),
)
let modules = 0

export class Jobs {
  readonly #heap: Heap
  readonly #threads: Threads
  readonly #jobs: readonly Job[]
  readonly #bytes: Uint8Array
  /** Whether workers can run them too. */
  readonly #anywhere: boolean
  readonly #runnerBytes: number
  readonly #module = modules++
  #code: Block | undefined
  #pool: Pool | undefined
  #run: readonly Part[] = []

  constructor(
    heap: Heap,
    threads: Threads,
    bytes: Uint8Array,
    { jobs, runnerBytes, anywhere }: { jobs: readonly Job[]; runnerBytes: number; anywhere: boolean },
  ) {
    this.#heap = heap
    this.#threads = threads
    this.#bytes = bytes
    this.#jobs = jobs
    this.#runnerBytes = runnerBytes
    this.#anywhere = anywhere
  }
  /** Take the functions from the module's instance. */
  attach(exports: WebAssembly.Exports): void {
    this.#run = this.#jobs.map(({ name }) => exports[name] as Part)
  }
  /** Get ready for a call of the program: how much memory its runners need. */
  prepare(): number {
    if (this.#jobs.length === 0) return 0
    this.#pool = this.#anywhere ? this.#threads.pool() : undefined
    if (this.#pool === undefined) return this.#runnerBytes
    if (this.#code === undefined) {
      const block = this.#heap.take(this.#bytes.length)
      this.#heap.bytes.set(this.#bytes, block.address)
      unused.register(this, { heap: this.#heap, block })
      this.#code = block
    }
    return (1 + this.#pool.size) * this.#runnerBytes
  }
  /** How many runners the call that was made ready has, the caller among them. */
  get runners(): number {
    return this.#jobs.length === 0 ? 0 : 1 + (this.#pool?.size ?? 0)
  }
  /** Run all parts of a job. */
  run(job: number, frame: number, arena: number, runners: number): void {
    const { parts, patience } = this.#jobs[job]!
    const run = this.#run[job]!
    const pool = this.#pool
    if (pool === undefined) {
      for (let part = 0; part < parts; part++) run(frame, arena, runners, part)
      return
    }
    const work = {
      module: this.#module,
      bytesAt: this.#code!.address,
      bytesLength: this.#bytes.length,
      job,
      parts,
      patience,
      frame,
      arena,
      runners,
      runnerBytes: this.#runnerBytes,
    }
    try {
      pool.run(work, (part) => run(frame, arena, runners, part))
    } finally {
      this.#threads.dropFailed()
    }
  }
}
