/** Builds the body of one function: instructions in lists that may be written apart and joined, registers, structured control flow. */
import type { Bytes } from './bytes.ts'
import { encodingOf, type LaneOp, type MemoryLaneOp, type MemoryOp, type PlainOp } from './instructions.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'
export const typeCodes: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }

/** A local of WebAssembly's: a parameter, or a register of the body. */
export interface Register {
  readonly type: ValueType
  readonly index: number
}
/** Where a branch goes; which depth that is shows when the function is encoded. */
export interface Label {
  readonly kind: 'block' | 'loop' | 'if'
}
/** A function of a module, imported or built; its index is known when the module is encoded. */
export interface FunctionRef {
  readonly name: string
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

export type Instruction =
  | { readonly kind: 'plain'; readonly op: PlainOp }
  | { readonly kind: 'memory'; readonly op: MemoryOp; readonly offset: number }
  | { readonly kind: 'memoryLane'; readonly op: MemoryLaneOp; readonly offset: number; readonly lane: number }
  | { readonly kind: 'lane'; readonly op: LaneOp; readonly lane: number }
  | { readonly kind: 'shuffle'; readonly lanes: readonly number[] }
  | { readonly kind: 'const'; readonly type: 'i32' | 'f32' | 'f64'; readonly value: number }
  | { readonly kind: 'const'; readonly type: 'i64'; readonly value: bigint }
  | { readonly kind: 'const'; readonly type: 'v128'; readonly value: Uint8Array }
  | { readonly kind: 'register'; readonly op: 'get' | 'set' | 'tee'; readonly register: Register }
  | { readonly kind: 'open'; readonly label: Label; readonly result: ValueType | undefined }
  | { readonly kind: 'else' }
  | { readonly kind: 'end' }
  | { readonly kind: 'branch'; readonly op: 'br' | 'br_if'; readonly label: Label }
  | { readonly kind: 'table'; readonly labels: readonly Label[]; readonly otherwise: Label }
  | { readonly kind: 'call'; readonly callee: FunctionRef }
  | { readonly kind: 'bulk'; readonly op: 'memory.copy' | 'memory.fill' }
  | { readonly kind: 'size'; readonly op: 'memory.size' | 'memory.grow' }

export class FunctionBuilder implements FunctionRef {
  readonly name: string
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
  /** The types of all registers, parameters first. */
  readonly registers: ValueType[]
  private code: Instruction[] = []
  private readonly free = new Map<ValueType, Register[]>()

  constructor(name: string, params: readonly ValueType[], results: readonly ValueType[]) {
    this.name = name
    this.params = params
    this.results = results
    this.registers = [...params]
  }
  get instructions(): readonly Instruction[] {
    return this.code
  }
  param(index: number): Register {
    return { type: this.params[index]!, index }
  }
  /** A register that nothing else uses. */
  register(type: ValueType): Register {
    return { type, index: this.registers.push(type) - 1 }
  }
  /** A register for a while: `release` it for others to use. */
  temporary(type: ValueType): Register {
    return this.free.get(type)?.pop() ?? this.register(type)
  }
  release(register: Register): void {
    const { type } = register
    const list = this.free.get(type)
    if (list === undefined) this.free.set(type, [register])
    else list.push(register)
  }

  /** What `write` emits goes into a list of its own, for `append` to put where it belongs. */
  apart(into: Instruction[], write: () => void): void {
    const outer = this.code
    this.code = into
    try {
      write()
    } finally {
      this.code = outer
    }
  }
  append(instructions: readonly Instruction[]): this {
    for (const instruction of instructions) this.code.push(instruction)
    return this
  }
  private push(instruction: Instruction): this {
    this.code.push(instruction)
    return this
  }

  /** Emit instructions without immediates. */
  op(...ops: readonly PlainOp[]): this {
    for (const op of ops) this.code.push({ kind: 'plain', op })
    return this
  }
  memory(op: MemoryOp, offset = 0): this {
    return this.push({ kind: 'memory', op, offset })
  }
  memoryLane(op: MemoryLaneOp, lane: number, offset = 0): this {
    return this.push({ kind: 'memoryLane', op, lane, offset })
  }
  lane(op: LaneOp, lane: number): this {
    return this.push({ kind: 'lane', op, lane })
  }
  /** Sixteen bytes chosen from two vectors, by `i8x16.shuffle`. */
  shuffle(lanes: readonly number[]): this {
    return this.push({ kind: 'shuffle', lanes })
  }
  i32(value: number): this {
    return this.push({ kind: 'const', type: 'i32', value: value | 0 })
  }
  i64(value: bigint): this {
    return this.push({ kind: 'const', type: 'i64', value: BigInt.asIntN(64, value) })
  }
  f32(value: number): this {
    return this.push({ kind: 'const', type: 'f32', value })
  }
  f64(value: number): this {
    return this.push({ kind: 'const', type: 'f64', value })
  }
  /** A vector constant: the bytes of a typed array of 16 bytes. */
  v128(value: Float32Array | Float64Array | Int32Array | Uint32Array | BigInt64Array | Uint8Array): this {
    return this.push({ kind: 'const', type: 'v128', value: new Uint8Array(value.buffer, value.byteOffset, 16).slice() })
  }
  get(register: Register): this {
    return this.push({ kind: 'register', op: 'get', register })
  }
  set(register: Register): this {
    return this.push({ kind: 'register', op: 'set', register })
  }
  tee(register: Register): this {
    return this.push({ kind: 'register', op: 'tee', register })
  }
  call(callee: FunctionRef): this {
    return this.push({ kind: 'call', callee })
  }
  /** Takes destination, source and length. */
  memoryCopy(): this {
    return this.push({ kind: 'bulk', op: 'memory.copy' })
  }
  /** Takes destination, byte and length. */
  memoryFill(): this {
    return this.push({ kind: 'bulk', op: 'memory.fill' })
  }
  memorySize(): this {
    return this.push({ kind: 'size', op: 'memory.size' })
  }
  memoryGrow(): this {
    return this.push({ kind: 'size', op: 'memory.grow' })
  }

  /** A block; branches to its label leave it. */
  block(body: (label: Label) => void, result?: ValueType): this {
    return this.structure({ kind: 'block' }, body, result)
  }
  /** A loop; branches to its label start its next turn, and it ends where its body does. */
  loop(body: (label: Label) => void, result?: ValueType): this {
    return this.structure({ kind: 'loop' }, body, result)
  }
  private structure(label: Label, body: (label: Label) => void, result: ValueType | undefined): this {
    this.push({ kind: 'open', label, result })
    body(label)
    return this.push({ kind: 'end' })
  }
  /** Takes the condition from the stack. */
  if(yes: () => void, no?: () => void, result?: ValueType): this {
    this.push({ kind: 'open', label: { kind: 'if' }, result })
    yes()
    if (no !== undefined) {
      this.push({ kind: 'else' })
      no()
    }
    return this.push({ kind: 'end' })
  }
  br(label: Label): this {
    return this.push({ kind: 'branch', op: 'br', label })
  }
  brIf(label: Label): this {
    return this.push({ kind: 'branch', op: 'br_if', label })
  }
  brTable(labels: readonly Label[], otherwise: Label): this {
    return this.push({ kind: 'table', labels, otherwise })
  }

  /** The body as in a code section's entry: registers, instructions, end. */
  encode(out: Bytes, indexOf: (callee: FunctionRef) => number): void {
    const runs: { count: number; type: ValueType }[] = []
    for (const type of this.registers.slice(this.params.length)) {
      const last = runs.at(-1)
      if (last?.type === type) last.count++
      else runs.push({ count: 1, type })
    }
    out.list(runs, ({ count, type }) => out.unsigned(count).byte(typeCodes[type]))
    const open: Label[] = []
    const depth = (label: Label): number => open.length - 1 - open.lastIndexOf(label)
    for (const instruction of this.code) encodeInstruction(instruction, out, open, depth, indexOf)
    out.byte(0x0b)
  }
}

const openCodes = { block: 0x02, loop: 0x03, if: 0x04 } as const
const registerCodes = { get: 0x20, set: 0x21, tee: 0x22 } as const

function encodeInstruction(
  instruction: Instruction,
  out: Bytes,
  open: Label[],
  depth: (label: Label) => number,
  indexOf: (callee: FunctionRef) => number,
): void {
  const opcode = (op: PlainOp | MemoryOp | MemoryLaneOp | LaneOp): void => {
    const { prefix, code } = encodingOf(op)
    if (prefix === undefined) out.byte(code)
    else out.byte(prefix).unsigned(code)
  }
  const place = (op: MemoryOp | MemoryLaneOp, offset: number): void => {
    opcode(op)
    out.unsigned(encodingOf(op).align).unsigned(offset)
  }
  switch (instruction.kind) {
    case 'plain':
      opcode(instruction.op)
      break
    case 'memory':
      place(instruction.op, instruction.offset)
      break
    case 'memoryLane':
      place(instruction.op, instruction.offset)
      out.byte(instruction.lane)
      break
    case 'lane':
      opcode(instruction.op)
      out.byte(instruction.lane)
      break
    case 'shuffle':
      out.bytes(0xfd, 0x0d, ...instruction.lanes)
      break
    case 'const':
      if (instruction.type === 'v128') out.bytes(0xfd, 0x0c).append(instruction.value)
      else if (instruction.type === 'i64') out.byte(0x42).signed(instruction.value)
      else if (instruction.type === 'i32') out.byte(0x41).signed32(instruction.value)
      else if (instruction.type === 'f32') out.byte(0x43).float32(instruction.value)
      else out.byte(0x44).float64(instruction.value)
      break
    case 'register':
      out.byte(registerCodes[instruction.op]).unsigned(instruction.register.index)
      break
    case 'open':
      open.push(instruction.label)
      out.bytes(
        openCodes[instruction.label.kind],
        instruction.result === undefined ? 0x40 : typeCodes[instruction.result],
      )
      break
    case 'else':
      out.byte(0x05)
      break
    case 'end':
      open.pop()
      out.byte(0x0b)
      break
    case 'branch':
      out.byte(instruction.op === 'br' ? 0x0c : 0x0d).unsigned(depth(instruction.label))
      break
    case 'table':
      out.byte(0x0e).list(instruction.labels, (label) => out.unsigned(depth(label)))
      out.unsigned(depth(instruction.otherwise))
      break
    case 'call':
      out.byte(0x10).unsigned(indexOf(instruction.callee))
      break
    case 'bulk':
      if (instruction.op === 'memory.copy') out.bytes(0xfc, 0x0a, 0x00, 0x00)
      else out.bytes(0xfc, 0x0b, 0x00)
      break
    case 'size':
      out.bytes(instruction.op === 'memory.size' ? 0x3f : 0x40, 0x00)
      break
  }
}
