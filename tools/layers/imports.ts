// Finds the imports of a TypeScript source by its text, those in documentation comments left out.

/** An import or re-export: where it stands and what it names. */
export interface Import {
  readonly line: number
  readonly specifier: string
  /** Whether the whole declaration starts with `import type` or `export type`: nothing of it is left when the program runs. */
  readonly typeOnly: boolean
  /** Whether it is `import 'x'`: what the module does when loaded is all that is wanted. */
  readonly forEffect: boolean
}

// A declaration starts its line; an example inside a comment has ` * ` before it. `import('x')` may stand anywhere, in types too; a method of
// that name does not import.
const patterns: readonly RegExp[] = [
  /^(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<specifier>[^'"]+)\1/gm,
  /^import\s*(['"])(?<specifier>[^'"]+)\1/gm,
  /^(?!\s*(?:\*|\/\/)).*?(?<![.#])\bimport\(\s*(['"])(?<specifier>[^'"]+)\1/gm,
]

/** Lists the imports and re-exports of a source text in the order of their lines. */
export const importsOf = (text: string): readonly Import[] =>
  patterns
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map((match) => ({
      // the line of the specifier, not of the first word of a declaration of several lines
      line: text.slice(0, match.index + match[0].length).split('\n').length,
      specifier: match.groups?.['specifier'] ?? '',
      typeOnly: /^(?:import|export) type\b/.test(match[0]),
      forEffect: /^import\s*['"]/.test(match[0]),
    }))
    .toSorted((a, b) => a.line - b.line)
