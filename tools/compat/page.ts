// Writes the page that compares the exported functions with JAX's: what is there follows from the exports, never from a list kept by hand.
import { lax, nn, np, random } from 'fluxion'
import names from './jax-names.json' with { type: 'json' }
import { partial } from './partial.ts'

type Namespace = Readonly<Record<string, unknown>>
interface Names {
  readonly functions: readonly string[]
  readonly aliases: Readonly<Record<string, string>>
}
interface Row {
  readonly jax: string
  readonly name: string
  readonly alias: string | undefined
  readonly status: 'there' | 'partial' | 'missing'
  readonly note: string
}

/** JAX's modules, each with the name it has here and what is exported under that. */
export const modules: readonly {
  readonly jax: keyof typeof names.modules
  readonly name: string
  readonly exports: Namespace
}[] = [
  { jax: 'jax.numpy', name: 'np', exports: np },
  { jax: 'jax.numpy.linalg', name: 'np.linalg', exports: np.linalg },
  { jax: 'jax.numpy.fft', name: 'np.fft', exports: {} },
  { jax: 'jax.lax', name: 'lax', exports: lax },
  { jax: 'jax.lax.linalg', name: 'lax.linalg', exports: lax.linalg },
  { jax: 'jax.random', name: 'random', exports: random },
  { jax: 'jax.nn', name: 'nn', exports: nn },
  { jax: 'jax.nn.initializers', name: 'nn.initializers', exports: nn.initializers },
]

/** A name of Python's in camelCase: `expand_dims` is `expandDims`, `atleast_1d` is `atleast1d`, `ix_` is `ix`. */
export const camelCase = (name: string): string =>
  name.replace(/_$/, '').replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())

const isFunction = (exports: Namespace, name: string): boolean => typeof exports[name] === 'function'

function rowsOf({ jax, name: module, exports }: (typeof modules)[number]): readonly Row[] {
  const { functions, aliases }: Names = names.modules[jax]
  return functions.map((original) => {
    const name = camelCase(original)
    const alias = aliases[original]
    const missing = partial[module]?.[name] ?? partial[module]?.[camelCase(alias ?? original)]
    if (!isFunction(exports, name)) return { jax: original, name, alias, status: 'missing', note: '' }
    return { jax: original, name, alias, status: missing === undefined ? 'there' : 'partial', note: missing ?? '' }
  })
}
/** How many of the rows have each status. */
export function count(rows: readonly Row[]): string {
  const of = (status: Row['status']): number => rows.filter((row) => row.status === status).length
  return `${rows.length} functions: ${of('there')} there, ${of('partial')} partial, ${of('missing')} missing`
}

function section(module: (typeof modules)[number]): string {
  const rows = rowsOf(module)
  const cells = rows.map(({ jax, name, alias, status, note }) => {
    const remarks = [alias === undefined ? '' : `alias of \`${alias}\``, note === '' ? '' : `without ${note}`]
    return `| \`${jax}\` | ${status === 'missing' ? '' : `\`${name}\``} | ${status} | ${remarks.filter(Boolean).join('; ')} |`
  })
  const known = new Set(rows.map((row) => row.name))
  const own = Object.keys(module.exports)
    .filter((name) => isFunction(module.exports, name) && !known.has(name))
    .toSorted()
  return [
    `## ${module.jax}`,
    '',
    `\`${module.name}\`. ${count(rows)}.${own.length === 0 ? '' : ` Without a namesake in JAX: ${own.map((name) => `\`${name}\``).join(', ')}.`}`,
    '',
    '| JAX | here | status | notes |',
    '|---|---|---|---|',
    ...cells,
    '',
  ].join('\n')
}

/** The whole page. */
export function page(): string {
  const numpy = rowsOf(modules[0]!).filter((row) => row.alias === undefined)
  return `# Compatibility with JAX

<!-- Written by \`node tools/compat/generate.ts\` from the exports, and from the names of JAX ${names.jax} in tools/compat/jax-names.json. -->

Every public function of JAX ${names.jax}'s \`jax.numpy\`, \`jax.lax\`, \`jax.random\` and \`jax.nn\`: there, partial (the notes say what is lacking), or missing.
Aliases left out, \`jax.numpy\` has ${count(numpy)}.

Names are JAX's in camelCase: \`expand_dims\` is \`expandDims\`, \`atleast_1d\` is \`atleast1d\`, \`ix_\` is \`ix\`. The rows do not repeat what holds for all functions:

- Optional arguments stand in a record at the end, by their names in camelCase: \`np.sum(x, { axis: 0, keepdims: true })\`.
- There are no complex numbers, no 64-bit integers and no dtypes of less than 8 bits.
- There is one precision of computation, one memory layout and one device at a time: \`precision\`, \`accuracy\` and choices of an algorithm, where they are taken, change
  nothing; \`order\`, \`copy\`, \`device\`, \`out_sharding\` and \`out\` are not taken.
- Hints that change no result are not taken either: \`assume_unique\`, \`overwrite_input\`, \`method\` of searches, \`unroll\` of anything but \`scan\`.
- A flag that changes how many results there are has a function of its own: \`np.linspaceWithStep\`, \`np.averageWithWeights\`, \`np.uniqueAll\`, \`np.intersect1dWithIndices\`.

${modules.map(section).join('\n')}`
}
