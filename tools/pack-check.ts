// Checks what would be published: builds and packs every package, installs the tarballs with npm in an empty folder, and there
// checks their declarations with tsc and runs a program on Node 22.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { packages, root } from './workspace.ts'

const folder = mkdtempSync(join(tmpdir(), 'fluxion-pack-'))
const tsc = join(root, 'node_modules/typescript/bin/tsc')
// the declarations of data and plot speak of Node's types
const nodeTypes = '@types/node@22'
const shell = process.platform === 'win32'

/** Runs a command and gives its output; an error carries what the command printed. */
const run = (cwd: string, command: string, ...args: readonly string[]): string => {
  console.log(`$ ${basename(command)} ${args.map((arg) => basename(arg)).join(' ')}`)
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd,
    shell,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status !== 0) throw new Error(`pack-check: ${basename(command)} failed\n${stdout}${stderr}`, { cause: error })
  return stdout
}

/** Loads every package and every subpath it publishes, differentiates and compiles a function, and asks for a GPU without the package that opens one. */
const program = (names: readonly string[]): string =>
  [
    ...names.map((name) => `console.log('${name}', Object.keys(await import('${name}')).length)`),
    `const { backend, grad, jit, np, setDevice } = await import('fluxion')`,
    `const slope = jit(grad((x) => np.sum(np.square(x))))(np.array([1, 2, 3])).toArray()`,
    `if (slope.join() !== '2,4,6') throw new Error('grad: expected 2,4,6, got ' + slope.join())`,
    `if (backend().name !== 'wasm') throw new Error('backend: expected wasm, got ' + backend().name)`,
    `const refused = await setDevice('webgpu').catch((error) => error.message)`,
    `if (!/npm install webgpu/.test(refused)) throw new Error('setDevice: expected what to install, got ' + refused)`,
    `console.log(process.version, 'runs the packed packages')`,
    '',
  ].join('\n')

try {
  run(root, process.execPath, tsc, '-b')
  const published = packages()
  const tarballs = join(folder, 'tarballs')
  mkdirSync(tarballs)
  for (const { folder: name } of published)
    run(join(root, 'packages', name), 'pnpm', 'pack', '--pack-destination', tarballs)
  const app = join(folder, 'app')
  mkdirSync(app)
  const dependencies = readdirSync(tarballs).map((name) => join(tarballs, name))
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }\n')
  run(app, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', nodeTypes, ...dependencies)
  const names = published.flatMap(({ name, exports }) => exports.map((subpath) => name + subpath.slice(1)))
  writeFileSync(join(app, 'types.ts'), names.map((name, i) => `export * as p${i} from '${name}'\n`).join(''))
  run(app, process.execPath, tsc, '--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', 'types.ts')
  writeFileSync(join(app, 'main.js'), program(names))
  console.log(run(app, 'npm', 'exec', '--yes', '--loglevel=error', '--package=node@22', '-c', 'node main.js'))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
