// The import-direction check as a command: prints every violation as `file:line: rule` and fails if there is one.
import { files, packages, read } from '../workspace.ts'
import { violations } from './check.ts'

const paths = files('{packages/*/src,test,examples,bench,tools}/**/*.ts')
const found = violations(
  paths.map((path) => ({ path, text: read(path) })),
  packages(),
)
for (const line of found) console.error(line)
console.log(`layers: ${found.length} violations in ${paths.length} files`)
process.exitCode = found.length === 0 ? 0 : 1
