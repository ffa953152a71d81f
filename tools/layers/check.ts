// The import direction as a check over source texts: packages import downwards only, by published names, and core's folders keep their order.
import { posix } from 'node:path'
import { type Import, importsOf } from './imports.ts'
import { coreForbids, packageOrder } from './tables.ts'

/** What the check needs to know of a package: its folder, name, published subpaths and declared dependencies. */
export interface Package {
  readonly folder: string
  readonly name: string
  /** The keys of `exports`: `.`, `./internal` … */
  readonly exports: readonly string[]
  readonly dependencies: readonly string[]
  /** The modules that bundlers must keep for what they do when loaded: `./src/x.ts` and its built twin. */
  readonly sideEffects: readonly string[]
}

/** A source file: its path from the root, with `/`, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** What a rule sees of one import. */
interface Context {
  readonly path: string
  /** The package the file belongs to; none for `test/`, `examples/`, `bench/` and `tools/`. */
  readonly from: Package | undefined
  /** The path an import by path leads to; none for an import by name. */
  readonly target: string | undefined
  /** The package of the workspace that an import by name leads to, and the subpath after its name. */
  readonly to: Package | undefined
  readonly subpath: string
  readonly specifier: string
  readonly typeOnly: boolean
  readonly forEffect: boolean
  readonly isTest: boolean
}

const folderOf = (path: string): string | undefined => /^packages\/([^/]+)\//.exec(path)?.[1]
const coreLayer = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : /^packages\/core\/src\/([^/]+?)(?:\.ts|\/|$)/.exec(path)?.[1]
const bareName = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

/** Every rule: the complaint about an import, or nothing. */
const rules: readonly ((context: Context) => string | undefined)[] = [
  function leavesItsPackage({ path, from, target }) {
    if (target === undefined || folderOf(target) === from?.folder) return undefined
    return from === undefined && folderOf(target) === undefined
      ? undefined
      : `a path may not lead from ${from?.folder ?? path.split('/')[0]} into ${folderOf(target) ?? target}: import by the package's name`
  },
  function goesAgainstTheOrder({ from, to }) {
    if (from === undefined || to === undefined || from === to) return undefined
    const [own, other] = [from, to].map(({ folder }) => packageOrder.indexOf(folder))
    if (own === -1 || other === -1) return `${own === -1 ? from.folder : to.folder} has no place in packageOrder`
    return own! < other!
      ? `${from.folder} may not import ${to.folder}: it stands below it in the order of packages`
      : undefined
  },
  function namesItself({ from, to, isTest }) {
    return from !== undefined && from === to && !isTest ? `${from.folder} may not import itself by name` : undefined
  },
  function reachesPastTheIndex({ to, subpath }) {
    return to === undefined || to.exports.includes(subpath) ? undefined : `${to.name} does not publish '${subpath}'`
  },
  function isNotDeclared({ from, to, target, specifier, isTest }) {
    if (from === undefined || from === to || isTest || target !== undefined || specifier.startsWith('node:'))
      return undefined
    const name = bareName(specifier)
    return from.dependencies.includes(name) ? undefined : `${from.folder} does not declare the dependency ${name}`
  },
  function wouldBeDropped({ from, target, forEffect, isTest }) {
    if (from === undefined || target === undefined || !forEffect || isTest) return undefined
    const source = target.replace(`packages/${from.folder}`, '.')
    const built = source.replace('./src/', './dist/').replace(/\.ts$/, '.js')
    const missing = [source, built].filter((path) => !from.sideEffects.includes(path))
    return missing.length === 0
      ? undefined
      : `bundlers would drop it: add ${missing.join(' and ')} to sideEffects of ${from.folder}`
  },
  function goesAgainstCore({ path, target, typeOnly, isTest }) {
    const [own, other] = [coreLayer(path), coreLayer(target)]
    if (isTest || typeOnly || own === undefined || other === undefined || !coreForbids[own]?.includes(other))
      return undefined
    return `inside core, ${own} may not import ${other}`
  },
]

const contextOf = (path: string, { specifier, typeOnly, forEffect }: Import, packages: readonly Package[]): Context => {
  const isPath = specifier.startsWith('.')
  const to = isPath ? undefined : packages.find(({ name }) => name === bareName(specifier))
  return {
    path,
    from: packages.find(({ folder }) => folder === folderOf(path)),
    target: isPath ? posix.join(posix.dirname(path), specifier) : undefined,
    to,
    subpath: to === undefined ? '' : `.${specifier.slice(to.name.length)}`,
    specifier,
    typeOnly,
    forEffect,
    // `x.testing.ts` holds what tests share; it is not published either.
    isTest: /\.(test|testing)\.ts$/.test(path),
  }
}

/** Lists what breaks the import direction as lines `file:line: complaint ('specifier')`. */
export const violations = (sources: readonly Source[], packages: readonly Package[]): readonly string[] =>
  sources.flatMap(({ path, text }) =>
    importsOf(text).flatMap((found) => {
      const context = contextOf(path, found, packages)
      const complaints = rules.map((rule) => rule(context)).filter((complaint) => complaint !== undefined)
      return complaints.map((complaint) => `${path}:${found.line}: ${complaint} ('${found.specifier}')`)
    }),
  )
