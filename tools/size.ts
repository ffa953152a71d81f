// Prints the lines of every source file and package, largest first, so that a file that outgrows its job is seen: `npm run size -- --over 300`.
import { parseArgs } from 'node:util'
import { files, read } from './workspace.ts'

const { values } = parseArgs({ options: { over: { type: 'string', default: '0' } } })
const over = Number(values.over)
if (!Number.isInteger(over)) throw new Error(`size: expected a number of lines after --over, got '${values.over}'`)

const sizes = files('packages/*/src/**/*.ts', '{test,examples,bench,tools}/**/*.{ts,mjs}').map((path) => ({
  path,
  lines: read(path).split('\n').length - 1,
}))
const ownerOf = (path: string): string =>
  path
    .split('/')
    .slice(0, path.startsWith('packages/') ? 2 : 1)
    .join('/')
const isTest = ({ path }: { readonly path: string }): boolean => /\.(test|testing)\.ts$/.test(path)
const total = (group: typeof sizes): number => group.reduce((sum, { lines }) => sum + lines, 0)
const print = (lines: number | string, name: string): void => console.log(`${String(lines).padStart(7)}  ${name}`)

for (const { path, lines } of sizes.toSorted((a, b) => b.lines - a.lines)) if (lines > over) print(lines, path)
console.log()
for (const [owner, group = []] of Object.entries(Object.groupBy(sizes, ({ path }) => ownerOf(path)))) {
  print(total(group), `${owner} (${group.length} files, ${total(group.filter(isTest))} lines of tests)`)
}
print(total(sizes), `all (${sizes.length} files)`)
