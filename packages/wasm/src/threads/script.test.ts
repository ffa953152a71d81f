// Scripts on threads of their own.
import { expect, test } from 'vitest'
import { runInWorker } from './script.ts'

const scriptOf = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`

test('a script hears messages, answers, and is stopped', async () => {
  const source = 'onmessage = ({ data }) => postMessage(data + 1)'
  let resolve: (value: unknown) => void = () => {}
  const answer = new Promise((done) => (resolve = done))
  const script = runInWorker(scriptOf(source), { message: (value) => resolve(value) })
  script.send(1)
  expect(await answer).toBe(2)
  script.stop()
})
test('what a script throws is heard', async () => {
  const error = await new Promise<Error>((done) => {
    runInWorker(scriptOf("throw new RangeError('too far')"), { error: done })
  })
  expect(error.message).toContain('too far')
})
