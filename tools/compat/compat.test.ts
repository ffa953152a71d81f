// The page on compatibility claims what is exported, and no more.
import { expect, test } from 'vitest'
import { read } from '../workspace.ts'
import { camelCase, modules, page } from './page.ts'
import { partial } from './partial.ts'

test('docs/compat.md is what the exports give', () => {
  // if this fails: node tools/compat/generate.ts
  expect(read('docs/compat.md')).toBe(page())
})

test('every note on a partial function is about a function that is exported', () => {
  const exported = new Map(modules.map(({ name, exports }) => [name, exports]))
  const stale = Object.entries(partial).flatMap(([module, notes]) =>
    Object.keys(notes).filter((name) => typeof exported.get(module)?.[name] !== 'function'),
  )
  expect(stale).toEqual([])
})

test.each([
  ['expand_dims', 'expandDims'],
  ['atleast_1d', 'atleast1d'],
  ['ix_', 'ix'],
  ['sort_key_val', 'sortKeyVal'],
  ['PRNGKey', 'PRNGKey'],
])('%s is %s here', (original, name) => {
  expect(camelCase(original)).toBe(name)
})
