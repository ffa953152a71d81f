// docs/semantics.md names tests that exist.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('docs/semantics.md names files that exist', () => {
  const root = new URL('../', import.meta.url)
  const page = readFileSync(new URL('docs/semantics.md', root), 'utf8')
  const rows = page.split('\n').filter((line) => /^\| (?!behaviour)/.test(line))
  expect(rows.length).toBeGreaterThan(50)
  for (const row of rows) {
    const places = row.split('|').at(-2)!
    const files = [...places.matchAll(/`([^`]+)`/g)].map(([, path]) => path!)
    expect(files.length > 0 || /not yet built/.test(places), row).toBe(true)
    expect(
      files.filter((path) => !existsSync(new URL(path, root))),
      row,
    ).toEqual([])
  }
})
