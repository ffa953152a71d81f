/** The libraries from npm that the bench compares with: fetched when first asked for, into a folder that git does not see. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
/** Where the libraries are. */
export const folder: string = join(here, '..', '..', '.cache', 'peers')

let known: { readonly reason: string | undefined } | undefined
/** Fetch them if they are not there, in the versions of the lock file; gives the reason if they cannot be had. */
export function install(): string | undefined {
  return (known ??= { reason: installed() }).reason
}
function installed(): string | undefined {
  const files = ['package.json', 'package-lock.json']
  const isCurrent = files.every(
    (file) => existsSync(join(folder, file)) && readFileSync(join(folder, file)).equals(readFileSync(join(here, file))),
  )
  if (isCurrent && existsSync(join(folder, 'node_modules', '.package-lock.json'))) return undefined
  console.error('Fetching the libraries to compare with (the first time only) …')
  mkdirSync(folder, { recursive: true })
  for (const file of files) copyFileSync(join(here, file), join(folder, file))
  // None of them needs a script to be installed.
  const fetched = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (fetched.status === 0) return undefined
  const why = fetched.error?.message ?? fetched.stderr.split('\n').find((line) => /npm (error|ERR!) \S/.test(line))
  return `npm could not fetch it${why === undefined ? '' : `: ${why}`}`
}
