/** Builds a module: imports, functions, exports, data; encoded in WebAssembly's binary format. */
import { Bytes } from './bytes.ts'
import { FunctionBuilder, typeCodes, type FunctionRef, type ValueType } from './function.ts'

/** Sizes in pages of 64 KiB; a shared memory must have a maximum. */
export interface MemoryLimits {
  readonly initial: number
  readonly maximum?: number
  readonly shared?: boolean
}
export interface ImportedFunction extends FunctionRef {
  readonly module: string
}

export class ModuleBuilder {
  readonly memory: MemoryLimits
  readonly imports: ImportedFunction[] = []
  readonly functions: FunctionBuilder[] = []
  readonly exports: { readonly name: string; readonly callee: FunctionRef }[] = []
  readonly data: { readonly offset: number; readonly bytes: Uint8Array }[] = []

  /** The one memory is imported as `env.memory`. */
  constructor(memory: MemoryLimits = { initial: 0 }) {
    this.memory = memory
  }
  /** The imported function of that name, the same at each call. */
  import(module: string, name: string, params: readonly ValueType[], results: readonly ValueType[]): FunctionRef {
    const known = this.imports.find((f) => f.module === module && f.name === name)
    if (known !== undefined) return known
    const made = { module, name, params, results }
    this.imports.push(made)
    return made
  }
  /** A function of the host's: `host.NAME`, of f64s. */
  host(name: string, arity: number): FunctionRef {
    return this.import('host', name, new Array<ValueType>(arity).fill('f64'), ['f64'])
  }
  /** A new function, for the caller to fill. */
  function(name: string, params: readonly ValueType[], results: readonly ValueType[] = []): FunctionBuilder {
    const made = new FunctionBuilder(name, params, results)
    this.functions.push(made)
    return made
  }
  export(name: string, callee: FunctionRef): void {
    this.exports.push({ name, callee })
  }
  /** Bytes that the memory holds from the start, at a fixed address. */
  place(offset: number, bytes: Uint8Array): void {
    this.data.push({ offset, bytes })
  }

  encode(): Uint8Array<ArrayBuffer> {
    const indices = new Map<FunctionRef, number>([...this.imports, ...this.functions].map((f, i) => [f, i]))
    const indexOf = (callee: FunctionRef): number => indices.get(callee)!
    const types = new Map<string, { readonly index: number; readonly of: FunctionRef }>()
    const typeOf = (f: FunctionRef): number => {
      const key = `${f.params.join()}:${f.results.join()}`
      const known = types.get(key)?.index
      if (known !== undefined) return known
      types.set(key, { index: types.size, of: f })
      return types.size - 1
    }
    for (const f of [...this.imports, ...this.functions]) typeOf(f)

    const out = new Bytes().bytes(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
    const section = (id: number, write: (content: Bytes) => void): void => {
      const content = new Bytes()
      write(content)
      out.byte(id).sized(content.done())
    }
    section(1, (content) =>
      content.list([...types.values()], ({ of }) => {
        content.byte(0x60)
        content.list(of.params, (type) => content.byte(typeCodes[type]))
        content.list(of.results, (type) => content.byte(typeCodes[type]))
      }),
    )
    section(2, (content) => {
      content
        .unsigned(this.imports.length + 1)
        .string('env')
        .string('memory')
        .byte(0x02)
      writeLimits(content, this.memory)
      for (const f of this.imports) content.string(f.module).string(f.name).byte(0x00).unsigned(typeOf(f))
    })
    section(3, (content) => content.list(this.functions, (f) => content.unsigned(typeOf(f))))
    section(7, (content) =>
      content.list(this.exports, ({ name, callee }) => content.string(name).byte(0x00).unsigned(indexOf(callee))),
    )
    section(10, (content) =>
      content.list(this.functions, (f) => {
        const body = new Bytes()
        f.encode(body, indexOf)
        content.sized(body.done())
      }),
    )
    section(11, (content) =>
      content.list(this.data, ({ offset, bytes }) => {
        content.bytes(0x00, 0x41).signed32(offset).byte(0x0b)
        content.sized(bytes)
      }),
    )
    // names of functions, for stack traces and profiles
    section(0, (content) => {
      const names = new Bytes()
      names.list([...this.imports, ...this.functions], (f) => names.unsigned(indexOf(f)).string(f.name))
      content.string('name').byte(0x01).sized(names.done())
    })
    return out.done()
  }
}

function writeLimits(out: Bytes, { initial, maximum, shared = false }: MemoryLimits): void {
  out.byte((shared ? 2 : 0) | (maximum === undefined ? 0 : 1)).unsigned(initial)
  if (maximum !== undefined) out.unsigned(maximum)
}
