// Finds the examples of the documentation: blocks fenced as ```ts in documentation comments and in Markdown.

/** An example: the line its code starts on (1 is the first) and its code, without the comment's stars. */
export interface Example {
  readonly line: number
  readonly code: string
}

const opening = /^(?<indent>\s*)```ts(?<flags>(?: [\w-]+)*)\s*$/
const closing = /^\s*```\s*$/
const star = /^\s*\* ?/

interface State {
  readonly examples: readonly Example[]
  /** The block that is open: where it starts, its indentation, and its lines so far; those of a skipped block are not kept. */
  readonly open?: {
    readonly line: number
    readonly indent: string
    readonly skip: boolean
    readonly lines: readonly string[]
  }
}

const step = ({ examples, open }: State, line: string, index: number): State => {
  const start = open === undefined ? opening.exec(line) : null
  if (start !== null) {
    const skip = start.groups?.['flags']?.includes('no-run') ?? false
    return { examples, open: { line: index + 2, indent: start.groups?.['indent'] ?? '', skip, lines: [] } }
  }
  if (open === undefined) return { examples }
  if (closing.test(line))
    return { examples: open.skip ? examples : [...examples, { line: open.line, code: open.lines.join('\n') }] }
  const text = line.startsWith(open.indent) ? line.slice(open.indent.length) : line
  return { examples, open: { ...open, lines: [...open.lines, text] } }
}

const fenced = (lines: readonly string[]): readonly Example[] => lines.reduce<State>(step, { examples: [] }).examples

/** Blanks what is outside documentation comments, and the stars inside them, so that lines keep their numbers. */
const commentLines = (text: string): readonly string[] => {
  let inside = false
  return text.split('\n').map((line) => {
    const begins = !inside && /^\s*\/\*\*/.test(line)
    const kept = inside && !line.includes('*/') ? line.replace(star, '') : ''
    inside = (inside || begins) && !line.includes('*/')
    return kept
  })
}

/** Lists the examples of a TypeScript source (its documentation comments) or of a Markdown page, except blocks marked ```ts no-run. */
export const examplesOf = (path: string, text: string): readonly Example[] =>
  fenced(path.endsWith('.md') ? text.split('\n') : commentLines(text))
