/** The text format of a built module, from the assembler's own instructions: for reading, with the names that the builder knows. */
import type { FunctionBuilder, FunctionRef, Instruction, Label, Register, ValueType } from './assembler/function.ts'
import type { ModuleBuilder } from './assembler/module.ts'

/** Print a module in WebAssembly's text format. */
export function printWat(module: ModuleBuilder): string {
  const names = uniqueNames([...module.imports, ...module.functions])
  const { initial, maximum, shared } = module.memory
  const limits = [initial, maximum, shared === true ? 'shared' : undefined].filter((x) => x !== undefined).join(' ')
  return [
    '(module',
    `  (import "env" "memory" (memory ${limits}))`,
    ...module.imports.map(
      (f) => `  (import ${quoted(f.module)} ${quoted(f.name)} (func ${names.get(f)!}${signature(f)}))`,
    ),
    ...module.functions.flatMap((f) => functionLines(f, names)),
    ...module.exports.map(({ name, callee }) => `  (export ${quoted(name)} (func ${names.get(callee)!}))`),
    ...module.data.map(({ offset, bytes }) => `  (data (i32.const ${offset}) "${escaped(bytes)}")`),
    ')',
  ].join('\n')
}

const quoted = (text: string): string => JSON.stringify(text)
const escaped = (bytes: Uint8Array): string => [...bytes].map((b) => `\\${b.toString(16).padStart(2, '0')}`).join('')

/** `$name` of each function; a number keeps equal names apart. */
function uniqueNames(functions: readonly FunctionRef[]): Map<FunctionRef, string> {
  const counts = new Map<string, number>()
  return new Map(
    functions.map((f) => {
      const name = `$${f.name.replace(/[^\w!#$%&'*+\-./:<=>?@\\^`|~]/g, '_')}`
      const count = counts.get(name) ?? 0
      counts.set(name, count + 1)
      return [f, count === 0 ? name : `${name}.${count}`]
    }),
  )
}
function signature({ params, results }: FunctionRef): string {
  const part = (word: string, types: readonly ValueType[]): string =>
    types.length === 0 ? '' : ` (${word} ${types.join(' ')})`
  return part('param', params) + part('result', results)
}

function functionLines(f: FunctionBuilder, names: ReadonlyMap<FunctionRef, string>): string[] {
  const lines = [`  (func ${names.get(f)!}${signature(f)}`]
  const locals = f.registers.slice(f.params.length)
  if (locals.length > 0) lines.push(`    (local ${locals.join(' ')})`)
  const open: string[] = []
  const labels = new Map<Label, string>()
  for (const instruction of f.instructions) {
    if (instruction.kind === 'end') open.pop()
    if (instruction.kind === 'open') labels.set(instruction.label, `$${labels.size}`)
    const depth = open.length - (instruction.kind === 'else' ? 1 : 0)
    lines.push('    ' + '  '.repeat(depth) + instructionText(instruction, labels, names))
    if (instruction.kind === 'open') open.push(labels.get(instruction.label)!)
  }
  lines.push('  )')
  return lines
}

const registerName = ({ index }: Register): string => `${index}`
const at = (offset: number): string => (offset === 0 ? '' : ` offset=${offset}`)

function instructionText(
  instruction: Instruction,
  labels: ReadonlyMap<Label, string>,
  names: ReadonlyMap<FunctionRef, string>,
): string {
  switch (instruction.kind) {
    case 'plain':
    case 'bulk':
    case 'size':
      return instruction.op
    case 'memory':
      return instruction.op + at(instruction.offset)
    case 'memoryLane':
      return `${instruction.op}${at(instruction.offset)} ${instruction.lane}`
    case 'lane':
      return `${instruction.op} ${instruction.lane}`
    case 'shuffle':
      return `i8x16.shuffle ${instruction.lanes.join(' ')}`
    case 'const':
      return constantText(instruction)
    case 'register':
      return `local.${instruction.op} ${registerName(instruction.register)}`
    case 'open': {
      const { label, result } = instruction
      return `${label.kind} ${labels.get(label)!}${result === undefined ? '' : ` (result ${result})`}`
    }
    case 'else':
    case 'end':
      return instruction.kind
    case 'branch':
      return `${instruction.op} ${labels.get(instruction.label)!}`
    case 'table':
      return ['br_table', ...[...instruction.labels, instruction.otherwise].map((label) => labels.get(label)!)].join(
        ' ',
      )
    case 'call':
      return `call ${names.get(instruction.callee)!}`
  }
}
function constantText(constant: Extract<Instruction, { kind: 'const' }>): string {
  if (constant.type === 'v128') {
    const words = new Uint32Array(constant.value.slice().buffer)
    return `v128.const i32x4 ${[...words].map((word) => `0x${word.toString(16).padStart(8, '0')}`).join(' ')}`
  }
  if (constant.type === 'i32' || constant.type === 'i64') return `${constant.type}.const ${constant.value}`
  return `${constant.type}.const ${floatText(constant.value)}`
}
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  return Object.is(value, -0) ? '-0' : `${value}`
}
