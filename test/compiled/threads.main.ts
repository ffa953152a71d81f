// A program with work for several threads in a process of its own, which then ends: by itself, or by `process.exit` while workers wait.
import { np, ready, setThreads } from 'fluxion'
import { givenArguments } from './processes.ts'

const [threads, exits] = givenArguments() as [number, boolean]
setThreads(threads)
await ready()
const x = np
  .arange(2 ** 20)
  .astype('float32')
  .mul(1e-6)
const sum = np.tanh(x.mul(2)).sum().item()
console.log(JSON.stringify(sum))
if (exits) process.exit(0)
