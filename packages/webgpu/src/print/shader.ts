/** One WGSL module in the making: its bindings, its functions, and how elements of its buffers are read and written. */
import { type Buffer, type Combine, type Kernel, type ScalarType, scalarType } from '@fluxion/compiler'
import type { DType } from '@fluxion/core'
import { type Layout, perPiece, perWord, usesOf } from './access.ts'
import { blockVectors, offsetOf } from './launch.ts'
import { Library } from './library.ts'
import { wgslType } from './literals.ts'
import { Names } from './names.ts'

/** Where dtypes with several elements to the word are stored otherwise than element by element. */
export type WordStores = ReadonlySet<Buffer>

export class Shader {
  readonly names: Names = new Names()
  readonly library: Library = new Library()
  readonly kernel: Kernel
  readonly #layout: Layout
  readonly #atomic = new Set<number>()
  readonly #vectors = new Set<number>()
  #subgroups = false
  #half = false
  /** Buffers that are no parameters: arrays of machine values in workgroup memory. */
  readonly #workgroup = new Map<Buffer, string>()
  /** Functions and variables of the module, before the entry point. */
  readonly declarations: string[] = []

  constructor(kernel: Kernel, layout: Layout, words: WordStores) {
    this.kernel = kernel
    this.#layout = layout
    const { stored, updated } = usesOf(kernel)
    kernel.params.forEach((buffer, at) => {
      const single = stored.has(buffer) && perWord(buffer.dtype) > 1 && !words.has(buffer)
      if (single || updated.has(buffer)) this.#atomic.add(layout.bindingOf[at]!)
    })
  }

  /** The number of invocations of a subgroup, as text in the entry point. */
  get subgroupSize(): string {
    this.#subgroups = true
    return 'subgroup'
  }
  /** Whether four elements of a parameter can be loaded, or stored, at once. */
  canHaveVectors(buffer: Buffer): boolean {
    return this.#layout.vectors[this.#paramOf(buffer)]! && perWord(buffer.dtype) === 1
  }
  /** Bind a parameter as vectors; all text that names it comes after. */
  useVectors(buffer: Buffer): void {
    this.#vectors.add(this.#bindingOf(buffer))
  }
  /** Four elements from an index on, a multiple of four. */
  vectorAt(buffer: Buffer, index: string): string {
    return `b${this.#bindingOf(buffer)}[${this.elementAt(buffer, index)} >> 2u]`
  }
  /** A float16 as it is stored. */
  loadHalf(buffer: Buffer, at: string): string {
    this.#half = true
    return `bitcast<vec2<f16>>(${this.#word(buffer, `(${at} >> 1u)`)})[${at} & 1]`
  }
  #paramOf(buffer: Buffer): number {
    return this.kernel.params.indexOf(buffer)
  }
  #bindingOf(buffer: Buffer): number {
    return this.#layout.bindingOf[this.#paramOf(buffer)]!
  }
  /** What the words of a binding are declared as. */
  #elementOf(binding: number): 'f32' | 'i32' | 'u32' | 'atomic<u32>' {
    if (this.#atomic.has(binding)) return 'atomic<u32>'
    const dtypes = new Set(
      this.kernel.params.filter((_, at) => this.#layout.bindingOf[at] === binding).map(({ dtype }) => dtype),
    )
    const [only] = dtypes
    return dtypes.size === 1 && perWord(only!) === 1 ? (wgslType(scalarType(only!)) as 'f32' | 'i32' | 'u32') : 'u32'
  }
  /** An array in workgroup memory, of a dtype that is a machine type, as a buffer. */
  addWorkgroup(buffer: Buffer): void {
    const name = this.names.unique('kept')
    this.#workgroup.set(buffer, name)
    this.declarations.push(`var<workgroup> ${name}: array<${wgslType(scalarType(buffer.dtype))}, ${buffer.length}>;`)
  }
  /** The place of an element in its binding; `index` is the text of an i32. */
  elementAt(buffer: Buffer, index: string): string {
    if (this.#workgroup.has(buffer)) return index
    return `(${index} + ${offsetOf(this.#paramOf(buffer))})`
  }
  #word(buffer: Buffer, at: string): string {
    const binding = this.#bindingOf(buffer)
    const [piece, ...more] = this.#piecesOf(binding)
    if (more.length > 0 || this.#vectors.has(binding)) return `read${binding}(${at})`
    return this.#read(binding, `${piece!}[${at}]`)
  }
  #read(binding: number, word: string): string {
    return this.#atomic.has(binding) ? `atomicLoad(&${word})` : word
  }
  /** The names of a binding's pieces. */
  #piecesOf(binding: number): string[] {
    const count = this.#layout.pieces[binding]!
    return count === 1 ? [`b${binding}`] : Array.from({ length: count }, (_, piece) => `b${binding}_${piece}`)
  }
  /** Statements that do something to a word of a binding, in whichever piece it lies; `at` is the text of an i32 without effects. */
  #toWord(binding: number, at: string, act: (word: string) => readonly string[]): string[] {
    const pieces = this.#piecesOf(binding)
    if (pieces.length === 1) return [...act(`${pieces[0]!}[${at}]`)]
    const { pieceWords } = this.#layout
    const place = this.names.unique('place')
    const branches = pieces.map((piece, number) => {
      const body = act(`${piece}[${number === 0 ? place : `${place} - ${number * pieceWords}`}]`).join(' ')
      return number === pieces.length - 1 ? `{ ${body} }` : `if (${place} < ${(number + 1) * pieceWords}) { ${body} }`
    })
    return [`{ let ${place} = ${at};`, `${branches.join(' else ')} }`]
  }
  /** A function that reads a word of a binding that has several pieces, or is bound as vectors. */
  #reader(binding: number): string {
    const { pieceWords } = this.#layout
    if (this.#vectors.has(binding)) {
      return `fn read${binding}(at: i32) -> ${this.#elementOf(binding)} { return b${binding}[at >> 2u][at & 3]; }`
    }
    const body = this.#piecesOf(binding).map((piece, number, { length }) => {
      const word = this.#read(binding, `${piece}[at${number === 0 ? '' : ` - ${number * pieceWords}`}]`)
      return number === length - 1
        ? `  return ${word};`
        : `  if (at < ${(number + 1) * pieceWords}) { return ${word}; }`
    })
    const element = this.#elementOf(binding)
    const type = element === 'atomic<u32>' ? 'u32' : element
    return `fn read${binding}(at: i32) -> ${type} {\n${body.join('\n')}\n}`
  }

  /** The value of an element: `at` is the text of its place in the binding, a name or a number where elements share words. */
  load(buffer: Buffer, at: string): string {
    const { dtype } = buffer
    const kept = this.#workgroup.get(buffer)
    if (kept !== undefined) return `${kept}[${at}]`
    const type = wgslType(scalarType(dtype))
    if (perWord(dtype) === 1) {
      const from = this.#elementOf(this.#bindingOf(buffer))
      const word = this.#word(buffer, at)
      return from === type ? word : type === 'u32' ? word : `bitcast<${type}>(${word})`
    }
    const lanes = perWord(dtype)
    const word = this.#word(buffer, `(${at} >> ${lanes === 4 ? 2 : 1}u)`)
    return this.fromBits(dtype, `(${word} >> ${shiftOf(lanes, at)})`)
  }
  /** A value from the bits of an element, which are the lowest of a word. */
  fromBits(dtype: DType, bits: string): string {
    switch (dtype) {
      case 'bool':
        return `((${bits} & 0xffu) != 0u)`
      case 'uint8':
        return `(${bits} & 0xffu)`
      case 'uint16':
        return `(${bits} & 0xffffu)`
      case 'int8':
        return `extractBits(bitcast<i32>(${bits}), 0u, 8u)`
      case 'int16':
        return `extractBits(bitcast<i32>(${bits}), 0u, 16u)`
      case 'float16':
        return this.library.call('halfValue', `(${bits} & 0xffffu)`)
      case 'bfloat16':
        return `bitcast<f32>(${bits} << 16u)`
      case 'float32':
        return `bitcast<f32>(${bits})`
      case 'int32':
        return `bitcast<i32>(${bits})`
      default:
        return bits
    }
  }
  /** The bits of an element, all others of the word 0; floats are rounded. */
  toBits(dtype: DType, value: string): string {
    switch (dtype) {
      case 'bool':
        return `select(0u, 1u, ${value})`
      case 'uint8':
        return `(${value} & 0xffu)`
      case 'uint16':
        return `(${value} & 0xffffu)`
      case 'int8':
        return `(bitcast<u32>(${value}) & 0xffu)`
      case 'int16':
        return `(bitcast<u32>(${value}) & 0xffffu)`
      case 'float16':
        return this.library.call('halfBits', value)
      case 'bfloat16':
        return this.library.call('bfloatBits', value)
      case 'float32':
      case 'int32':
        return `bitcast<u32>(${value})`
      default:
        return value
    }
  }

  /** Statements that store an element. Elements that share a word are stored by two atomic operations, which leave the others as they are. */
  store(buffer: Buffer, index: string, value: string): string[] {
    const { dtype } = buffer
    const kept = this.#workgroup.get(buffer)
    if (kept !== undefined) return [`${kept}[${index}] = ${value};`]
    const binding = this.#bindingOf(buffer)
    const at = this.elementAt(buffer, index)
    if (perWord(dtype) === 1) {
      const to = this.#elementOf(binding)
      return this.#toWord(binding, at, (word) => [
        to === 'atomic<u32>'
          ? `atomicStore(&${word}, ${this.toBits(dtype, value)});`
          : `${word} = ${to === 'u32' ? this.toBits(dtype, value) : value};`,
      ])
    }
    const lanes = perWord(dtype)
    const [place, word, shift] = ['at', 'word', 'shift'].map((name) => this.names.unique(name)) as [
      string,
      string,
      string,
    ]
    return [
      `let ${place} = ${at};`,
      `let ${shift} = ${shiftOf(lanes, place)};`,
      `let ${word} = ${place} >> ${lanes === 4 ? 2 : 1}u;`,
      ...this.#toWord(binding, word, (target) => [
        `atomicAnd(&${target}, ~(${lanes === 4 ? '0xffu' : '0xffffu'} << ${shift}));`,
        `atomicOr(&${target}, ${this.toBits(dtype, value)} << ${shift});`,
      ]),
    ]
  }
  /** A statement that stores a whole word of elements, or those bits of it that a mask has; `index` is the first element's. */
  storeWord(buffer: Buffer, index: string, word: string, mask?: string): string {
    const binding = this.#bindingOf(buffer)
    const at = `(${this.elementAt(buffer, index)} >> ${perWord(buffer.dtype) === 4 ? 2 : 1}u)`
    const store = this.#toWord(binding, at, (target) => {
      const bits = mask === undefined ? word : `(${this.#read(binding, target)} & ~${mask}) | ${word}`
      return [this.#atomic.has(binding) ? `atomicStore(&${target}, ${bits});` : `${target} = ${bits};`]
    }).join(' ')
    return mask === undefined ? store : `if (${mask} != 0u) { ${store} }`
  }

  /** Statements that combine a value with an element, whatever other invocations do to it. */
  update(buffer: Buffer, index: string, combine: Combine, value: string): string[] {
    const { dtype } = buffer
    const type = scalarType(dtype)
    const binding = this.#bindingOf(buffer)
    const at = this.elementAt(buffer, index)
    const native = perWord(dtype) === 1 ? nativeUpdate(combine, type) : undefined
    if (native !== undefined)
      return this.#toWord(binding, at, (word) => [`${native}(&${word}, ${this.toBits(dtype, value)});`])
    const unique = (name: string): string => this.names.unique(name)
    const [place, x, old, result] = [unique('at'), unique('value'), unique('old'), unique('result')]
    const lanes = perWord(dtype)
    const [word, shift] = [lanes === 1 ? place : unique('word'), unique('shift')]
    const before = this.fromBits(dtype, lanes === 1 ? old : `(${old} >> ${shift})`)
    const after = this.toBits(dtype, this.combine(combine, type, before, x))
    const mask = lanes === 4 ? '0xffu' : '0xffffu'
    const inWord = lanes === 1 ? after : `((${old} & ~(${mask} << ${shift})) | (${after} << ${shift}))`
    return [
      `let ${place} = ${at};`,
      `let ${x} = ${value};`,
      ...(lanes === 1
        ? []
        : [`let ${word} = ${place} >> ${lanes === 4 ? 2 : 1}u;`, `let ${shift} = ${shiftOf(lanes, place)};`]),
      ...this.#toWord(binding, word, (target) => [
        `var ${old} = atomicLoad(&${target});`,
        `loop {`,
        `  let ${result} = atomicCompareExchangeWeak(&${target}, ${old}, ${inWord});`,
        `  if (${result}.exchanged) { break; }`,
        `  ${old} = ${result}.old_value;`,
        `}`,
      ]),
    ]
  }
  /** Two values of a machine type as one. */
  combine(combine: Combine, type: ScalarType, x: string, y: string): string {
    const float = type === 'f32'
    switch (combine) {
      case 'add':
        return type === 'bool' ? `(${x} | ${y})` : `(${x} + ${y})`
      case 'mul':
        return type === 'bool' ? `(${x} & ${y})` : `(${x} * ${y})`
      case 'min':
        if (type === 'bool') return `(${x} & ${y})`
        return float ? this.library.call('least', x, y) : `min(${x}, ${y})`
      case 'max':
        if (type === 'bool') return `(${x} | ${y})`
        return float ? this.library.call('greatest', x, y) : `max(${x}, ${y})`
      case 'and':
        return type === 'bool' ? `(${x} & ${y})` : `(${x} & ${y})`
      case 'or':
        return type === 'bool' ? `(${x} | ${y})` : `(${x} | ${y})`
      case 'xor':
        return type === 'bool' ? `(${x} != ${y})` : `(${x} ^ ${y})`
    }
  }

  /** The module's text around an entry point. */
  source(workgroup: number, entry: readonly string[]): string {
    const { kernel } = this
    const layout = this.#layout
    const numbers = layout.writable.map((_, binding) => binding)
    const names = numbers.flatMap((binding) => this.#piecesOf(binding))
    const bindings = perPiece(layout, numbers).map((binding, at) => {
      const access = layout.writable[binding]! ? 'read_write' : 'read'
      const element = this.#elementOf(binding)
      const type = this.#vectors.has(binding) ? `vec4<${element}>` : element
      return `@group(0) @binding(${at}) var<storage, ${access}> ${names[at]!}: array<${type}>;`
    })
    const readers = numbers
      .filter((binding) => layout.pieces[binding]! > 1 || this.#vectors.has(binding))
      .map((binding) => this.#reader(binding))
    const inputs = [
      '@builtin(workgroup_id) group: vec3<u32>',
      '@builtin(local_invocation_index) lane: u32',
      ...(this.#subgroups ? ['@builtin(subgroup_size) subgroup: u32'] : []),
    ]
    return [
      ...(this.#subgroups ? ['enable subgroups;'] : []),
      ...(this.#half ? ['enable f16;'] : []),
      ...bindings,
      `@group(1) @binding(0) var<uniform> launch: array<vec4<u32>, ${blockVectors(kernel.params.length)}>;`,
      '',
      `${this.library.source}${[...readers, ...this.declarations].map((text) => `${text}\n`).join('')}`,
      `@compute @workgroup_size(${workgroup})`,
      `fn main(${inputs.join(', ')}) {`,
      ...entry.map((line) => `  ${line}`),
      '}',
      '',
    ].join('\n')
  }
}

/** How far up in its word an element lies. */
const shiftOf = (lanes: number, at: string): string =>
  lanes === 4 ? `(u32(${at} & 3) * 8u)` : `(u32(${at} & 1) * 16u)`

/** Atomic operations of u32 that do it at once. */
function nativeUpdate(combine: Combine, type: ScalarType): string | undefined {
  if (type === 'f32' || type === 'bool') return undefined
  if ((combine === 'min' || combine === 'max') && type === 'i32') return undefined
  const names: Partial<Record<Combine, string>> = {
    add: 'atomicAdd',
    min: 'atomicMin',
    max: 'atomicMax',
    and: 'atomicAnd',
    or: 'atomicOr',
    xor: 'atomicXor',
  }
  return names[combine]
}
