// Reads the workspace: its root, its packages and its TypeScript files.
import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { Package } from './layers/check.ts'

/** The root folder of the workspace. */
export const root: string = join(import.meta.dirname, '..')

const skipped = new Set(['node_modules', 'dist', '.git'])

/** Lists the files that match glob patterns, as sorted paths from the root with `/`; what is installed or built is left out. */
export const files = (...patterns: readonly string[]): readonly string[] =>
  globSync(patterns, { cwd: root, exclude: (name) => skipped.has(name.split(sep).at(-1) ?? '') })
    .map((path) => path.split(sep).join('/'))
    .toSorted()

/** Reads a file of the workspace as text. */
export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, unknown>>
  readonly sideEffects?: false | readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Reads what every package says of itself. */
export const packages = (): readonly Package[] =>
  files('packages/*/package.json').map((path) => {
    const manifest = JSON.parse(read(path)) as Manifest
    const { dependencies, peerDependencies, optionalDependencies, sideEffects } = manifest
    return {
      folder: path.split('/')[1] ?? '',
      name: manifest.name,
      exports: Object.keys(manifest.exports ?? {}),
      dependencies: Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }),
      sideEffects: sideEffects === undefined || sideEffects === false ? [] : sideEffects,
    }
  })
