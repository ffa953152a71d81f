// Runs a task of the workspace under the pinned Node and pnpm, on a machine that has only Node >= 20 and npm: `node tools/run.mjs TASK …ARGUMENTS`.
// Plain JavaScript, since an older Node runs it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const toolchain = ['node@24.21.0', 'pnpm@12.21.0']
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const module = (path) => join(root, 'node_modules', path)

const tsc = [module('typescript/bin/tsc'), '-b']
const vitest = [module('vitest/vitest.mjs'), 'run']
const packCheck = ['tools/pack-check.ts']

/** Every task: what Node runs, one step after the other until one fails. Arguments of the task go to its first step. */
const tasks = {
  // Left alone, Node lets young objects take up to 128 MiB; with so much less a run is as fast.
  start: { steps: [['--max-semi-space-size=8', 'examples/surrogate_gradient_tutorial.ts']] },
  test: { steps: [vitest] },
  'test:full': { steps: [vitest, packCheck], env: { FLUXION_FULL: '1' } },
  lint: { steps: [[module('oxlint/bin/oxlint')], [module('oxfmt/bin/oxfmt'), '--check'], ['tools/layers/main.ts']] },
  format: { steps: [[module('oxfmt/bin/oxfmt')]] },
  typecheck: { steps: [tsc] },
  bench: { steps: [['bench/main.ts']] },
  browser: { steps: [[module('vite/bin/vite.js'), '--config', 'examples/browser/vite.config.ts']] },
  size: { steps: [['tools/size.ts']] },
  'pack-check': { steps: [packCheck] },
}

/** The child that runs now: signals go on to it at once, and this process ends when it has ended. */
let child
/** The signal this process was sent, if any. */
let received = null
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    received = signal
    child?.kill(signal)
  })
}

/** Ends this process as its child ended: by the signal that ended either (npm is silent about those), else with the same exit code. */
const endLike = ({ code, signal }) => {
  const cause = received ?? signal
  if (cause === null) process.exit(code)
  process.removeAllListeners(cause)
  process.kill(process.pid, cause)
}

/** Runs one command to its end. With `quiet`, its output is collected instead of shown. */
const run = (command, args, { env = {}, quiet = false, shell = false } = {}) =>
  new Promise((resolve, reject) => {
    const stdio = quiet ? ['inherit', 'pipe', 'pipe'] : 'inherit'
    child = spawn(command, args, { cwd: root, stdio, shell, env: { ...process.env, ...env } })
    const output = { stdout: '', all: '' }
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output.stdout += text
      output.all += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text) => (output.all += text))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...output }))
  })

/** Runs a command whose output matters only if it fails; then it is shown and this process ends likewise. */
const runQuietly = async (command, args, options) => {
  const result = await run(command, args, { ...options, quiet: true })
  if (result.code === 0) return result.stdout
  if ((received ?? result.signal) === null) process.stderr.write(result.all)
  return endLike(result)
}

/** The PATH on which `node` and `pnpm` are the pinned ones; npm fetches them into its cache the first time. */
const pinnedPath = async () => {
  const packages = toolchain.map((name) => `--package=${name}`)
  const args = ['exec', '--yes', '--loglevel=error', ...packages, '-c', 'node -p process.env.PATH']
  const npm = process.env['npm_execpath']
  const path = npm?.endsWith('npm-cli.js')
    ? await runQuietly(process.execPath, [npm, ...args])
    : await runQuietly('npm', args, { shell: process.platform === 'win32' })
  return path.trim()
}

const [name = '', ...rest] = process.argv.slice(2)
const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
if (task === undefined) {
  console.error(`run: expected one of ${Object.keys(tasks).join(', ')}, got '${name}'`)
  process.exit(2)
}

if (!existsSync(module('.modules.yaml'))) console.error('Fetching Node 24 and the dependencies (the first time only) …')
const env = { PATH: await pinnedPath(), ...task.env }
await runQuietly('pnpm', ['install', '--frozen-lockfile'], { env })
for (const [index, step] of task.steps.entries()) {
  const result = await run('node', index === 0 ? [...step, ...rest] : step, { env })
  if (result.code !== 0) endLike(result)
}
