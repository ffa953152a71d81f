// Measures one task with another library, in a process of its own: `node measure.mjs ADAPTER FOLDER TASK SECONDS …OPTIONS` prints one line of JSON.
// FOLDER is where the library was installed. Plain JavaScript, as the adapters are: the libraries' types come only with what is fetched on demand.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const [adapter, folder, given, seconds, ...options] = process.argv.slice(2)
const task = JSON.parse(given)
const { prepare } = await import(`./${adapter}.mjs`)

const timed = async (run) => {
  const start = performance.now()
  await run()
  return performance.now() - start
}
const prepared = await prepare(createRequire(resolve(folder, 'package.json')), task, ...options)
if ('missing' in prepared) console.log(JSON.stringify(prepared))
else {
  const { run, calls = 1, version } = prepared
  const first = await timed(run)
  const times = []
  const end = performance.now() + seconds * 1000
  const enough = () => times.length >= 3 && performance.now() > end
  // Of what takes very long one run has to do.
  const patient = () => times.reduce((sum, time) => sum + time, 0) < 10_000 * seconds
  while (times.length === 0 || (!enough() && patient())) times.push(await timed(run))
  times.sort((a, b) => a - b)
  const median = times[Math.floor(times.length / 2)]
  console.log(
    JSON.stringify({
      version,
      first_ms: first,
      median_ms: median / calls,
      min_ms: times[0] / calls,
      runs: times.length,
    }),
  )
}
process.exit(0)
