// Writes the examples of the documentation as test files under `.cache/doctest`, one for each source, at the source's own path with `.test.ts` after it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { files, read, root } from '../workspace.ts'
import { compileExample } from './compile.ts'
import { type Example, examplesOf } from './extract.ts'

/** The folder of the generated tests, from the root. */
export const folder = '.cache/doctest'

/** The text of a test that fails with the reason why an example could not be compiled. */
const bodyOf = (path: string, { line, code }: Example): string => {
  try {
    return compileExample(code, line)
  } catch (error) {
    return `throw new SyntaxError(${JSON.stringify(`${path}:${line}: ${String(error)}`)})`
  }
}

/** Gives the text of the test file for the examples of one source; `checkModule` is the path of `check.ts` from there. */
export const testFile = (path: string, examples: readonly Example[], checkModule: string): string =>
  [
    `// Generated from the examples in ${path}`,
    `import { test } from 'vitest'`,
    `import { doctest } from '${checkModule}'`,
    `const $doctest = doctest('${path}')`,
    `const console = $doctest.console`,
    ...examples.map((example) => {
      return `test('${path}:${example.line} runs as written', async () => {\n${bodyOf(path, example)}\n})`
    }),
    '',
  ].join('\n')

/** Writes a file unless it holds the text already, so that runs side by side do not disturb each other. */
const writeChanged = (path: string, text: string): void => {
  try {
    if (readFileSync(path, 'utf8') === text) return
  } catch {
    mkdirSync(dirname(path), { recursive: true })
  }
  writeFileSync(path, text)
}

/** Brings the generated tests up to date with the sources and pages. */
export const generateDoctests = (): void => {
  const sources = files('packages/*/src/**/*.ts', 'README.md', 'docs/**/*.md').filter(
    (path) => !path.endsWith('.test.ts'),
  )
  const written = sources.flatMap((path) => {
    const examples = examplesOf(path, read(path))
    if (examples.length === 0) return []
    const target = `${folder}/${path}.test.ts`
    const checkModule = relative(dirname(target), 'tools/doctest/check.ts').replaceAll('\\', '/')
    writeChanged(join(root, target), testFile(path, examples, checkModule))
    return [target]
  })
  for (const stale of files(`${folder}/**/*.test.ts`).filter((path) => !written.includes(path)))
    rmSync(join(root, stale), { force: true })
}
