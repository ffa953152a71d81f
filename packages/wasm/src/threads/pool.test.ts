// Workers that take parts of jobs, fail, and die.
import { DeviceError } from '@fluxion/core'
import { afterEach, expect, test } from 'vitest'
import { ModuleBuilder } from '../assembler/module.ts'
import { makeMemory, mostPages, page } from '../heap/memory.ts'
import { Pool, type Work } from './pool.ts'
import { Threads } from './threads.ts'

const [frame, code, runners, runnerBytes] = [1024, 4096, 32768, 64]
const work: Work = {
  module: 7,
  bytesAt: code,
  bytesLength: 0,
  job: 0,
  parts: 2,
  patience: 600,
  frame,
  arena: 0,
  runners,
  runnerBytes,
}
const memory = (): WebAssembly.Memory => makeMemory(64, true).memory
/**
 * Job 0 notes who ran a part, at the frame, and in a worker waits for the other part; job 1 traps in a worker, job 2 does not return there, and job
 * 3 notes the size of the memory; job 4 counts for long.
 */
function moduleBytes(): Uint8Array {
  const module = new ModuleBuilder({ initial: 0, maximum: mostPages, shared: true })
  for (let job = 0; job < 5; job++) {
    const f = module.function('job', ['i32', 'i32', 'i32', 'i32'])
    const [at, own, part] = [f.param(0), f.param(2), f.param(3)]
    f.get(at).get(part).i32(4).op('i32.mul', 'i32.add')
    if (job === 3) f.memorySize()
    else f.get(own)
    f.memory('i32.store')
    f.get(own).i32(runners).op('i32.ne')
    f.if(() => {
      if (job === 1) f.op('unreachable')
      if (job === 4) {
        const left = f.register('i32')
        f.i32(2 ** 30).set(left)
        f.loop((again) => f.get(left).i32(1).op('i32.sub').tee(left).brIf(again))
      }
      f.loop((again) => {
        if (job === 2) f.br(again)
        f.i32(frame + 4)
          .get(part)
          .i32(4)
          .op('i32.mul', 'i32.sub')
          .memory('i32.load')
        f.i32(-1).op('i32.eq').brIf(again)
      })
    })
    module.export(`job${job}`, f)
  }
  return module.encode()
}
let pool: Pool | undefined
afterEach(() => pool?.stop())

/** Run a job of two parts; the caller finishes one only once a worker has the other. */
function run(on: WebAssembly.Memory, job: number, meanwhile = (): void => {}, patience = work.patience): number[] {
  const bytes = moduleBytes()
  new Uint8Array(on.buffer).set(bytes, code)
  const noted = new Int32Array(on.buffer, frame, 3).fill(-1)
  pool!.run({ ...work, bytesLength: bytes.length, job, patience }, (part) => {
    while (Atomics.load(noted, 1 - part) === -1) Atomics.wait(noted, 2, -1, 1)
    noted[part] = runners
    meanwhile()
  })
  return [...noted.subarray(0, 2)].sort((a, b) => a - b)
}

test('workers take parts beside the caller', () => {
  const on = memory()
  pool = new Pool(on, 1)
  for (let i = 0; i < 3; i++) expect(run(on, 0)).toEqual([runners, runners + runnerBytes])
})
test('the memory grows while workers run', () => {
  const on = memory()
  pool = new Pool(on, 1)
  for (const pages of [1, 3, 9]) {
    on.grow(pages)
    expect(run(on, 3)).toContain(on.buffer.byteLength / page)
  }
})
test('a crash in a worker is an error of the call; the pool goes on', () => {
  const on = memory()
  pool = new Pool(on, 1)
  expect(() => run(on, 1)).toThrow(DeviceError)
  expect(() => run(on, 1)).toThrow('a worker failed: RuntimeError: unreachable')
  expect(run(on, 0)).toEqual([runners, runners + runnerBytes])
})
test('a worker that is killed at work is an error within a second', () => {
  const on = memory()
  pool = new Pool(on, 1)
  let killed = 0
  const kill = (): void => {
    killed = performance.now()
    pool!.helpers[0]!.stop()
  }
  expect(() => run(on, 2, kill)).toThrow('a worker has stopped in the middle of its work')
  expect(performance.now() - killed).toBeLessThan(1000)
  expect(pool.failure).toBeDefined()
})
test('a worker that computes for longer than expected is waited for', () => {
  const on = memory()
  pool = new Pool(on, 1)
  expect(run(on, 4, undefined, 200)).toEqual([runners, runners + runnerBytes])
})
test('what the caller throws comes out once the workers are done', () => {
  const on = memory()
  pool = new Pool(on, 1)
  const fail = (): void => {
    throw new RangeError('mine')
  }
  expect(() => run(on, 0, fail)).toThrow('mine')
  expect(run(on, 0)).toEqual([runners, runners + runnerBytes])
})
test('a worker that ends between calls is an error once, and there are new ones after it', async () => {
  const threads = new Threads(memory(), 2)
  await threads.ready()
  const before = threads.pool()!
  // What is no module cannot be compiled: the worker ends once it comes to it.
  const idle = new Int32Array(new SharedArrayBuffer(4))
  while (before.failure === undefined) {
    before.run({ ...work, bytesLength: 8 }, () => Atomics.wait(idle, 0, 0, 1))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(() => threads.pool()).toThrow('a worker ended: CompileError')
  pool = threads.pool()!
  expect(pool).not.toBe(before)
  await threads.ready()
  expect(pool.ready).toBe(1)
})
test('where workers do not start programs do without them, and whoever waits hears why', async () => {
  const forbidden = new Threads(memory(), 2, () => {
    throw new Error('the policy forbids it')
  })
  expect(forbidden.pool()).toBeUndefined()
  await expect(forbidden.ready()).rejects.toThrow('ready: workers do not start: Error: the policy forbids it')
  const failing = new Threads(memory(), 2)
  failing.pool()!.fail('a worker ended: blocked')
  expect(failing.pool()).toBeUndefined()
  await expect(failing.ready()).rejects.toThrow('workers do not start: a worker ended: blocked')
})
test('there are as many workers as threads but one, and none where memory is not shared', () => {
  expect(new Threads(memory(), 1).pool()).toBeUndefined()
  expect(new Threads(makeMemory(64, false).memory, 4).pool()).toBeUndefined()
  const threads = new Threads(memory(), 3)
  pool = threads.pool()!
  expect(pool.size).toBe(2)
  expect(threads.pool()).toBe(pool)
  expect(() => new Threads(memory(), 0)).toThrow('threads: expected a whole number of threads from 1 to 64, got 0')
})
