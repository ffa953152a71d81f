/** Measures one entry in this process, which is cold: `node bench/measure.ts NAME SECONDS` prints one line of JSON. */
import { entries } from './entries.ts'

const [name, seconds] = process.argv.slice(2)
const entry = entries.find((candidate) => candidate.name === name)
if (entry === undefined)
  throw new Error(`there is no entry '${name}'; there are ${entries.map((candidate) => candidate.name).join(', ')}`)

const timed = (f: () => void): number => {
  const start = performance.now()
  f()
  return performance.now() - start
}
const { run, lower } = entry.prepare()
const traceMs = lower === undefined ? undefined : timed(lower)
const firstMs = timed(run)
const times: number[] = []
const end = performance.now() + Number(seconds) * 1000
do times.push(timed(run))
while (times.length < 3 || performance.now() < end)
times.sort((a, b) => a - b)

const rounded = (ms: number): number => Number(ms.toPrecision(4))
console.log(
  JSON.stringify({
    name,
    backend: 'reference',
    ...(traceMs === undefined ? {} : { trace_ms: rounded(traceMs) }),
    first_ms: rounded(firstMs),
    median_ms: rounded(times[Math.floor(times.length / 2)]!),
    min_ms: rounded(times[0]!),
    runs: times.length,
    about: entry.about,
  }),
)
