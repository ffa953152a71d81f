// Turns an example into the body of an asynchronous function: imports become awaited ones, and a statement followed by `// => value` becomes a check.
import { parseAst } from 'vitest/node'

/** A node of the syntax tree, as far as it is read here (the parser gives TypeScript nodes too, which its types leave out). */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}
interface ImportNode extends Node {
  readonly importKind?: string
  readonly source: { readonly value: string }
  readonly specifiers: readonly (Node & {
    readonly importKind?: string
    readonly local: { readonly name: string }
    readonly imported?: { readonly name: string }
  })[]
}
interface ValueNode extends Node {
  readonly value?: unknown
  readonly raw?: string
  readonly operator?: string
  readonly argument?: ValueNode
  readonly elements?: readonly (ValueNode | null)[]
  readonly properties?: readonly ValueNode[]
}
interface Declaration extends Node {
  readonly declarations: readonly { readonly id: Node & { readonly typeAnnotation?: Node | null } }[]
}

const parse = (code: string): readonly Node[] => parseAst(code, { lang: 'ts' }).body as readonly Node[]

/** `import { a as b } from 'x'` as `const { a: b } = await import('x')`; imports of types alone go. */
const awaitedImport = ({ importKind, source, specifiers }: ImportNode): string => {
  const module = `await import(${JSON.stringify(source.value)})`
  if (importKind === 'type') return ''
  if (specifiers.length === 0) return module
  const [first] = specifiers
  if (first?.type === 'ImportNamespaceSpecifier') return `const ${first.local.name} = ${module}`
  const names = specifiers
    .filter((specifier) => specifier.importKind !== 'type')
    .map(({ imported, local }) => `${imported?.name ?? 'default'}: ${local.name}`)
  return names.length === 0 ? '' : `const { ${names.join(', ')} } = ${module}`
}

/** The value that `// =>` writes after a statement: on the statement's last line or on the next, and on the lines after it
 * that are indented (`//   …`) or start with a closing bracket. */
const writtenAfter = (code: string, end: number): string | undefined => {
  const match = /^;?[ \t]*\n?[ \t]*\/\/ => ?(?<first>.*)(?<more>(?:\n[ \t]*\/\/(?: {2,}| [\])}]).*)*)/.exec(
    code.slice(end),
  )
  if (match === null) return undefined
  const more = (match.groups?.['more'] ?? '').replaceAll(/\n[ \t]*\/\//g, '\n')
  return `${match.groups?.['first'] ?? ''}${more}`.trim()
}

/** The numbers written with a fraction that a value consists of: compared to the digits written, so handed on as text. */
const fractions = (node: ValueNode | null): readonly ValueNode[] => {
  if (node === null) return []
  if (node.type === 'Literal') return typeof node.value === 'number' && /[.e]/i.test(node.raw ?? '') ? [node] : []
  if (node.type === 'UnaryExpression' && node.operator === '-') {
    return fractions(node.argument ?? null).length === 1 && node.argument?.type === 'Literal' ? [node] : []
  }
  if (node.type === 'ArrayExpression') return (node.elements ?? []).flatMap(fractions)
  if (node.type === 'ObjectExpression') {
    return (node.properties ?? []).flatMap(({ value }) => fractions((value as ValueNode | undefined) ?? null))
  }
  return []
}

/** The written value as a function that evaluates it in the example's scope; what is no expression is only compared as text. */
const evaluated = (written: string): string => {
  const code = `(${written}\n)`
  let statements: readonly Node[]
  try {
    statements = parse(code)
  } catch {
    return 'undefined'
  }
  const [statement] = statements as readonly (Node & { readonly expression?: ValueNode })[]
  if (statements.length !== 1 || statement?.expression === undefined) return 'undefined'
  const replaced = fractions(statement.expression).toReversed()
  const text = replaced.reduce(
    (rest, { start, end }) => `${rest.slice(0, start)}$doctest.digits('${rest.slice(start, end)}')${rest.slice(end)}`,
    code,
  )
  return `() => ${text}`
}

const expectsError = (written: string): boolean => /^(?:throws\b|\w*Error\b)/.test(written)

/** One statement of an example, checked if a value is written after it. */
const statementCode = (node: Node, code: string, firstLine: number): string => {
  const text = code.slice(node.start, node.end)
  if (node.type === 'ImportDeclaration') return awaitedImport(node as ImportNode)
  const written = writtenAfter(code, node.end)
  if (written === undefined) return text
  const line = firstLine + code.slice(0, node.end).split('\n').length - 1
  const check = (value: string): string => {
    const parts = [line, JSON.stringify(text), JSON.stringify(written), `async () => (${value})`]
    return `await $doctest.check(${[...parts, expectsError(written) ? 'undefined' : evaluated(written)].join(', ')})`
  }
  if (node.type === 'ExpressionStatement') return check(text.replace(/;\s*$/, ''))
  const [first, ...others] = node.type === 'VariableDeclaration' ? (node as Declaration).declarations : []
  if (first === undefined || others.length > 0 || expectsError(written)) {
    throw new SyntaxError(`line ${line}: a value may follow an expression or a declaration of one name only: ${text}`)
  }
  return `${text}\n${check(code.slice(first.id.start, first.id.typeAnnotation?.start ?? first.id.end))}`
}

/** Compiles the code of an example whose first line is `firstLine` of its file; the result calls `$doctest.check` and `$doctest.digits`. */
export const compileExample = (code: string, firstLine: number): string =>
  parse(code)
    .map((node) => statementCode(node, code, firstLine))
    .filter((text) => text !== '')
    .map((text) => `${text};`)
    .join('\n')
