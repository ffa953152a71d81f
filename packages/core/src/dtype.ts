/** Dtypes, their properties, and JAX's promotion lattice with weak types. */
import { DtypeError } from './errors.ts'

export type DType =
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
export type Kind = 'bool' | 'unsigned' | 'signed' | 'float'

/** What is known of a dtype: `short` is the name in printed programs; `eps` and `max` are those of `finfo` and `iinfo`. */
export interface DTypeInfo {
  readonly short: string
  readonly kind: Kind
  readonly bits: number
  readonly min: number
  readonly max: number
  readonly eps: number
  /** The smallest positive normal number; 0 for integers. */
  readonly tiny: number
}

const integer = (short: string, kind: Kind, bits: number): DTypeInfo => ({
  short,
  kind,
  bits,
  min: kind === 'signed' ? -(2 ** (bits - 1)) : 0,
  max: kind === 'signed' ? 2 ** (bits - 1) - 1 : 2 ** bits - 1,
  eps: 0,
  tiny: 0,
})
/** `mantissa` counts the stored bits; `exponent` is the largest one, so that the range is (2 − eps)·2^exponent. */
const float = (short: string, bits: number, mantissa: number, exponent: number): DTypeInfo => ({
  short,
  kind: 'float',
  bits,
  min: -(2 - 2 ** -mantissa) * 2 ** exponent,
  max: (2 - 2 ** -mantissa) * 2 ** exponent,
  eps: 2 ** -mantissa,
  tiny: 2 ** (1 - exponent),
})

export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  bool: { ...integer('bool', 'bool', 8), max: 1 },
  uint8: integer('u8', 'unsigned', 8),
  int8: integer('i8', 'signed', 8),
  uint16: integer('u16', 'unsigned', 16),
  int16: integer('i16', 'signed', 16),
  uint32: integer('u32', 'unsigned', 32),
  int32: integer('i32', 'signed', 32),
  float16: float('f16', 16, 10, 15),
  bfloat16: float('bf16', 16, 7, 127),
  float32: float('f32', 32, 23, 127),
  float64: float('f64', 64, 52, 1023),
}

export const isFloat = (dtype: DType): boolean => dtypes[dtype].kind === 'float'
export const isInteger = (dtype: DType): boolean => dtypes[dtype].kind === 'signed' || dtypes[dtype].kind === 'unsigned'
export const isSigned = (dtype: DType): boolean => dtypes[dtype].kind === 'signed'
export const bytesOf = (dtype: DType): number => dtypes[dtype].bits / 8
/** No value is lower: what a maximum of no values is. */
export const lowest = (dtype: DType): number => (isFloat(dtype) ? -Infinity : dtypes[dtype].min)
/** No value is higher: what a minimum of no values is. */
export const highest = (dtype: DType): number => (isFloat(dtype) ? Infinity : dtypes[dtype].max)
/** The number whose bits are all set, of a dtype that is no float; of truth values, true. */
export const allBits = (dtype: DType): number => (isSigned(dtype) ? -1 : dtypes[dtype].max)

/** Check a dtype that came from a caller. */
export function checkDtype(where: string, dtype: DType): DType {
  if (!Object.hasOwn(dtypes, dtype)) {
    throw new DtypeError(
      `${where}: unknown dtype '${String(dtype)}'\nhint: the dtypes are ${Object.keys(dtypes).join(', ')}`,
    )
  }
  return dtype
}

export interface Typed {
  readonly dtype: DType
  readonly weakType: boolean
}

// The lattice: each node with those directly above it. `i*` and `f*` are weak integers and weak floats. Where JAX's lattice goes
// through 64-bit integers, which its default configuration narrows to 32 bits, the edge goes to int32 by way of `i8`.
type Node = DType | 'i*' | 'f*' | 'i8'
const above: Readonly<Record<Node, readonly Node[]>> = {
  bool: ['i*'],
  'i*': ['uint8', 'int8'],
  uint8: ['int16', 'uint16'],
  uint16: ['int32', 'uint32'],
  uint32: ['i8'],
  int8: ['int16'],
  int16: ['int32'],
  int32: ['i8'],
  i8: ['f*'],
  'f*': ['bfloat16', 'float16'],
  bfloat16: ['float32'],
  float16: ['float32'],
  float32: ['float64'],
  float64: [],
}
const reach = (node: Node): ReadonlySet<Node> => new Set([node, ...above[node].flatMap((next) => [...reach(next)])])
const upper = Object.fromEntries(Object.keys(above).map((node) => [node, reach(node as Node)])) as unknown as Record<
  Node,
  ReadonlySet<Node>
>

const nodeOf = ({ dtype, weakType }: Typed): Node =>
  !weakType ? dtype : isFloat(dtype) ? 'f*' : dtype === 'bool' ? 'bool' : 'i*'

/** The least upper bound of two nodes: of all common upper bounds the one that every other lies above. */
function join(a: Node, b: Node): Node {
  const common = [...upper[a]].filter((node) => upper[b].has(node))
  const least = common.find((node) => common.every((other) => upper[node].has(other)))
  if (least === undefined) throw new DtypeError(`no common dtype for ${a} and ${b}`)
  return least
}

/** The dtype and weakness of an operation's result, as `jnp.result_type` has it. */
export function promote(types: readonly Typed[]): Typed {
  const [first, ...rest] = types
  if (first === undefined) return { dtype: 'float32', weakType: false }
  if (rest.every((type) => type.dtype === first.dtype)) {
    return { dtype: first.dtype, weakType: types.every((type) => type.weakType) }
  }
  const node = types.map(nodeOf).reduce(join)
  if (node === 'i*') return { dtype: 'int32', weakType: true }
  if (node === 'f*') return { dtype: 'float32', weakType: true }
  return { dtype: node === 'i8' ? 'int32' : node, weakType: false }
}

/** The floating dtype that a function of real numbers computes in: floats stay, integers become (weak or strong) float32. */
export const inexact = ({ dtype, weakType }: Typed): Typed =>
  isFloat(dtype) ? { dtype, weakType } : { dtype: 'float32', weakType }
