// When and what a progress bar draws, with a clock of the test's own.
import { expect, test } from 'vitest'
import { progressBar } from './bar.ts'

const setUp = (isTTY: boolean, columns = 80) => {
  const clock = { seconds: 0 }
  const written: string[] = []
  const stream = { isTTY, columns, write: (text: string) => written.push(text) }
  return { clock, written, stream, now: () => clock.seconds }
}

test('a terminal gets at most ten draws a second, and always the last one', () => {
  const { clock, written, stream, now } = setUp(true)
  const bar = progressBar(1000, { stream, now })
  for (let i = 1; i <= 1000; i++) {
    clock.seconds += 0.002
    bar.update(i)
  }
  expect(written.length).toBeGreaterThan(15)
  expect(written.length).toBeLessThanOrEqual(22)
  expect(written.at(-1)).toMatch(/^\r100%\|█+\| 1000\/1000 \[00:02<00:00, 500\.\d\d it\/s\]\s*\n$/)
})

test('no escape sequence is written: the cursor stays visible and nothing needs to be undone', () => {
  const { written, stream, now } = setUp(true)
  progressBar(1, { stream, now }).update(1)
  expect(written.join('')).not.toContain('\u001b')
})

test('a shorter line wipes out the longer one before it, and no line reaches the last column', () => {
  const { clock, written, stream, now } = setUp(true, 60)
  const bar = progressBar(10, { stream, now })
  for (const [done, name] of [
    [1, 'a_long_name_of_a_metric'],
    [2, 'm'],
  ] as const) {
    clock.seconds += 1
    bar.update(done, { [name]: 0.5 })
  }
  const [, longer, shorter] = written.map((text) => text.replace('\r', ''))
  expect(shorter!.length).toBeGreaterThanOrEqual(longer!.length)
  for (const line of written) expect(line.length).toBeLessThanOrEqual(60) // 59 and the return
})

test('a log file gets whole lines at each tenth', () => {
  const { clock, written, stream, now } = setUp(false)
  const bar = progressBar(1000, { stream, now })
  for (let i = 1; i <= 1000; i++) {
    clock.seconds += 0.01
    bar.update(i, { loss: 1 / i })
  }
  expect(written).toHaveLength(11)
  expect(written.map((line) => line.match(/(\d+)%/)?.[1])).toEqual([
    '0',
    '10',
    '20',
    '30',
    '40',
    '50',
    '60',
    '70',
    '80',
    '90',
    '100',
  ])
  for (const line of written) expect(line).toMatch(/^[^\r\n]*\n$/)
  expect(written.at(-1)).toContain('loss=0.001000')
})

test('metrics stay until they are replaced, and a finished bar stays as it is', () => {
  const { clock, written, stream, now } = setUp(false)
  const bar = progressBar(4, { stream, now })
  bar.update(1, { loss: 0.5 })
  clock.seconds += 1
  bar.update(2)
  bar.update(4)
  expect(written[2]).toContain('loss=0.5000')
  const count = written.length
  bar.update(4, { loss: 1 })
  expect(written).toHaveLength(count)
})

test('the time left follows the recent rate, not a slow start', () => {
  const { clock, written, stream, now } = setUp(false)
  const bar = progressBar(100, { stream, now })
  clock.seconds = 100 // the first step compiles
  bar.update(1)
  for (let i = 2; i <= 50; i++) {
    clock.seconds += 0.5
    bar.update(i)
  }
  expect(written.at(-1)).toContain('<00:25, 2.00 it/s')
})

test('no steps at all are done at once', () => {
  const { written, stream, now } = setUp(false)
  progressBar(0, { stream, now })
  expect(written).toEqual(['100%|██████████████████████████████| 0/0 [00:00<00:00, ? it/s]\n'])
})

test('bad totals and unknown options are refused', () => {
  expect(() => progressBar(1.5)).toThrow('progressBar: expected a whole number of steps, zero or more, got 1.5')
  expect(() => progressBar(-1)).toThrow('got -1')
  expect(() => progressBar(1, { desc: 'x' } as object)).toThrow(
    "expected options among message, unit, stream, now, got 'desc'",
  )
})

test('a bar catches no signal and starts no timer', () => {
  const { stream, now } = setUp(true)
  const timers = () =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate').length
  const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM'), timers()]
  progressBar(10, { stream, now }).update(3)
  expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM'), timers()]).toEqual(before)
})
