/** Documents laid out to a width: groups stay on one line if they fit, and break at all of their breaks if not. */

export type Doc =
  | string
  | { readonly kind: 'concat'; readonly parts: readonly Doc[] }
  | { readonly kind: 'break'; readonly flat: string }
  | { readonly kind: 'group'; readonly body: Doc }
  | { readonly kind: 'nest'; readonly by: number; readonly body: Doc }

export const concat = (...parts: readonly Doc[]): Doc => ({ kind: 'concat', parts })
/** A new line if the group around it is broken, else `flat`. */
export const lineBreak = (flat = ' '): Doc => ({ kind: 'break', flat })
export const group = (body: Doc): Doc => ({ kind: 'group', body })
/** Indent the lines that start inside. */
export const nest = (by: number, body: Doc): Doc => ({ kind: 'nest', by, body })
export const join = (separator: Doc, docs: readonly Doc[]): Doc => ({
  kind: 'concat',
  parts: docs.flatMap((doc, i) => (i === 0 ? [doc] : [separator, doc])),
})

interface Item {
  readonly doc: Doc
  readonly indent: number
  readonly broken: boolean
}

/**
 * Lay out a document. Whether a group fits is asked of the group alone, not of what follows it on its line: JAX's printer does the
 * same, and its texts are to be met exactly.
 */
export function layOut(doc: Doc, width: number): string {
  const stack: Item[] = [{ doc, indent: 0, broken: true }]
  let text = ''
  let column = 0
  const write = (part: string): void => {
    text += part
    column += part.length
  }
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { doc: next, indent, broken } = item
    if (typeof next === 'string') write(next)
    else if (next.kind === 'break') {
      if (broken) {
        text += `\n${' '.repeat(indent)}`
        column = indent
      } else write(next.flat)
    } else if (next.kind === 'group') stack.push({ doc: next.body, indent, broken: !fits(next.body, width - column) })
    else pushInside(stack, next, indent, broken)
  }
  return text
}
function pushInside(
  stack: Item[],
  doc: Extract<Doc, { kind: 'concat' | 'nest' }>,
  indent: number,
  broken: boolean,
): void {
  if (doc.kind === 'nest') stack.push({ doc: doc.body, indent: indent + doc.by, broken })
  else for (let i = doc.parts.length - 1; i >= 0; i--) stack.push({ doc: doc.parts[i]!, indent, broken })
}

/** Whether a document takes no more room than given when nothing in it breaks. */
function fits(doc: Doc, room: number): boolean {
  const stack = [doc]
  let left = room
  while (left >= 0) {
    const next = stack.pop()
    if (next === undefined) return true
    if (typeof next === 'string') left -= next.length
    else if (next.kind === 'break') left -= next.flat.length
    else if (next.kind === 'concat') for (let i = next.parts.length - 1; i >= 0; i--) stack.push(next.parts[i]!)
    else stack.push(next.body)
  }
  return false
}
