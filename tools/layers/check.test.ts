// The import-direction check finds every kind of violation, and finds none in imports that are in order.
import { expect, test } from 'vitest'
import { type Package, violations } from './check.ts'
import { importsOf } from './imports.ts'

const pkg = (folder: string, extra: Partial<Package> = {}): Package => ({
  folder,
  name: `@fluxion/${folder}`,
  exports: ['.'],
  dependencies: ['@fluxion/core'],
  sideEffects: [],
  ...extra,
})
const packages = [
  pkg('core', { exports: ['.', './internal'], dependencies: [], sideEffects: ['./src/kept.ts', './dist/kept.js'] }),
  pkg('modules', { dependencies: ['@fluxion/core', '@fluxion/optim', 'fp-ts'] }),
  pkg('optim'),
]
const check = (path: string, text: string): readonly string[] => violations([{ path, text }], packages)

test.each([
  ['a published name of a package above', 'packages/optim/src/a.ts', `import { np } from '@fluxion/core'`],
  ['a published subpath', 'packages/optim/src/a.ts', `import type { Aval } from '@fluxion/core/internal'`],
  ['a path inside the package', 'packages/optim/src/b/a.ts', `export * from '../c.ts'`],
  ['a declared dependency', 'packages/modules/src/a.ts', `import * as O from 'fp-ts/lib/Option.js'`],
  ['a built-in of Node', 'packages/optim/src/a.ts', `import { join } from 'node:path'`],
  ['a test runner in a test', 'packages/core/src/a.test.ts', `import { test } from 'vitest'`],
  ['a file beside it in test/', 'test/laws/a.test.ts', `import { x } from '../x.ts'`],
  ['an example in a comment', 'packages/core/src/a.ts', `/**\n * import { sgd } from '@fluxion/optim'\n */`],
  ['an import for a declared effect', 'packages/core/src/a/b.ts', `import '../kept.ts'`],
  ['a type that points upwards inside core', 'packages/core/src/ir/a.ts', `import type { P } from '../primitive/p.ts'`],
  ['an upper folder of core importing a lower one', 'packages/core/src/numpy/a.ts', `import { b } from '../ir/b.ts'`],
])('%s is in order', (_, path, text) => {
  expect(check(path, text)).toEqual([])
})

test.each([
  [
    'an import against the order',
    'packages/modules/src/a.ts',
    `import { np } from '@fluxion/core'\nimport { sgd } from '@fluxion/optim'`,
    `packages/modules/src/a.ts:2: modules may not import optim: it stands below it in the order of packages ('@fluxion/optim')`,
  ],
  [
    'an import past the index',
    'packages/optim/src/a.ts',
    `import { a } from '@fluxion/core/src/a.ts'`,
    `packages/optim/src/a.ts:1: @fluxion/core does not publish './src/a.ts' ('@fluxion/core/src/a.ts')`,
  ],
  [
    'a path out of the package',
    'packages/optim/src/a.ts',
    `export {\n  a,\n} from '../../core/src/a.ts'`,
    `packages/optim/src/a.ts:3: a path may not lead from optim into core: import by the package's name ('../../core/src/a.ts')`,
  ],
  [
    'a path from test/ into a package',
    'test/a.test.ts',
    `const a = await import('../packages/core/src/a.ts')`,
    `test/a.test.ts:1: a path may not lead from test into core: import by the package's name ('../packages/core/src/a.ts')`,
  ],
  [
    'an undeclared dependency',
    'packages/core/src/a.ts',
    `import 'fp-ts'`,
    `packages/core/src/a.ts:1: core does not declare the dependency fp-ts ('fp-ts')`,
  ],
  [
    'a package that imports itself by name',
    'packages/core/src/a.ts',
    `import { np } from '@fluxion/core'`,
    `packages/core/src/a.ts:1: core may not import itself by name ('@fluxion/core')`,
  ],
  [
    'an import for an effect that bundlers would drop',
    'packages/core/src/a.ts',
    `import './lost.ts'`,
    `packages/core/src/a.ts:1: bundlers would drop it: add ./src/lost.ts and ./dist/lost.js to sideEffects of core ('./lost.ts')`,
  ],
  [
    'an import against the order inside core',
    'packages/core/src/ir/a.ts',
    `import { jvp } from '../transform/jvp.ts'`,
    `packages/core/src/ir/a.ts:1: inside core, ir may not import transform ('../transform/jvp.ts')`,
  ],
])('%s is reported with file, line and rule', (_, path, text, message) => {
  expect(check(path, text)).toEqual([message])
})

test('a package without a place in the order is reported', () => {
  const stranger = pkg('stranger')
  const text = `import { x } from '@fluxion/stranger'`
  expect(violations([{ path: 'packages/modules/src/a.ts', text }], [...packages, stranger])).toContain(
    `packages/modules/src/a.ts:1: stranger has no place in packageOrder ('@fluxion/stranger')`,
  )
})

test('a method called import is none', () => {
  expect(importsOf(`const f = this.#module.import('env', 'f')\nconst g = this.import('host', name)`)).toEqual([])
})

test('imports in types, of several lines and for their effect are found', () => {
  const text = `import type { A } from 'a'\nimport {\n  b,\n} from 'b'\nimport 'c'\ntype D = import('d').D\nexport * from 'e'`
  expect(importsOf(text).map(({ line, specifier }) => `${line} ${specifier}`)).toEqual([
    '1 a',
    '4 b',
    '5 c',
    '6 d',
    '7 e',
  ])
})
