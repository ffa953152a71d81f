/** Functions in WGSL that printed kernels call: what the language leaves open about floats, done by bits. */

import { special } from './launch.ts'

interface Helper {
  readonly needs?: readonly HelperName[]
  readonly source: string
}
const helper = (source: string, ...needs: HelperName[]): Helper => ({ source, needs })

export type HelperName =
  | 'isNan'
  | 'isEqual'
  | 'isLess'
  | 'isAtMost'
  | 'orderOf'
  | 'least'
  | 'greatest'
  | 'toI32'
  | 'toU32'
  | 'isNonzero'
  | 'halfBits'
  | 'halfValue'
  | 'bfloatBits'
  | 'flooredDiv'
  | 'flooredMod'
  | 'floatRem'

/**
 * WGSL lets a compiler assume that there are no NaNs: so comparisons ask for them by bits. `orderOf` maps floats to integers in the order
 * −∞ … −0, 0 … ∞, which extremes are taken by.
 */
const helpers: Readonly<Record<HelperName, Helper>> = {
  isNan: helper(`fn isNan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`),
  isNonzero: helper(`fn isNonzero(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) != 0u;
}`),
  isEqual: helper(
    `fn isEqual(x: f32, y: f32) -> bool {
  return x == y && !isNan(x) && !isNan(y);
}`,
    'isNan',
  ),
  isLess: helper(
    `fn isLess(x: f32, y: f32) -> bool {
  return x < y && !isNan(x) && !isNan(y);
}`,
    'isNan',
  ),
  isAtMost: helper(
    `fn isAtMost(x: f32, y: f32) -> bool {
  return x <= y && !isNan(x) && !isNan(y);
}`,
    'isNan',
  ),
  orderOf: helper(`fn orderOf(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  return bits ^ ((bits >> 31u) & 0x7fffffff);
}`),
  least: helper(
    `fn least(x: f32, y: f32) -> f32 {
  let least = select(y, x, orderOf(x) <= orderOf(y));
  return select(select(least, y, isNan(y)), x, isNan(x));
}`,
    'isNan',
    'orderOf',
  ),
  greatest: helper(
    `fn greatest(x: f32, y: f32) -> f32 {
  let greatest = select(y, x, orderOf(x) >= orderOf(y));
  return select(select(greatest, y, isNan(y)), x, isNan(x));
}`,
    'isNan',
    'orderOf',
  ),
  toI32: helper(
    `fn toI32(x: f32) -> i32 {
  if (isNan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return i32(-2147483648); }
  return i32(x);
}`,
    'isNan',
  ),
  toU32: helper(
    `fn toU32(x: f32) -> u32 {
  if (isNan(x) || x <= 0.0) { return 0u; }
  if (x >= 4294967296.0) { return 4294967295u; }
  return u32(x);
}`,
    'isNan',
  ),
  halfBits: helper(`fn halfBits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let sign = (bits >> 16u) & 0x8000u;
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) { return sign | 0x7e00u; }
  if (size >= 0x477ff000u) { return sign | 0x7c00u; } // from 65520 on
  if (size <= 0x33000000u) { return sign; } // to 2^-25
  if (size < 0x38800000u) { // below 2^-14: a multiple of 2^-24
    let whole = (size & 0x7fffffu) | 0x800000u;
    let by = 126u - (size >> 23u);
    let count = whole >> by;
    let rest = whole & ((1u << by) - 1u);
    let half = 1u << (by - 1u);
    return sign | (count + select(0u, 1u, rest > half || (rest == half && (count & 1u) == 1u)));
  }
  return sign | ((size - 0x38000000u + 0xfffu + ((size >> 13u) & 1u)) >> 13u);
}`),
  halfValue: helper(`fn halfValue(bits: u32) -> f32 {
  let sign = (bits & 0x8000u) << 16u;
  let size = bits & 0x7fffu;
  if (size >= 0x7c00u) { return bitcast<f32>(sign | 0x7f800000u | ((size & 0x3ffu) << 13u)); }
  if (size < 0x400u) { return bitcast<f32>(sign | bitcast<u32>(f32(size) * 0x1p-24f)); }
  return bitcast<f32>(sign | ((size << 13u) + 0x38000000u));
}`),
  bfloatBits: helper(`fn bfloatBits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return (bits >> 16u) | 0x40u; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}`),
  flooredDiv: helper(`fn flooredDiv(x: i32, y: i32) -> i32 {
  return select(x / y, -1 - (-1 - x) / y, x < 0);
}`),
  // Long division by bits: every step is exact.
  floatRem: helper(
    `fn floatRem(x: f32, y: f32) -> f32 {
  if (isNan(x) || isNan(y) || (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u || !isNonzero(y)) { return ${special.nan}; }
  let divisor = abs(y);
  var rest = abs(x);
  var multiple = divisor;
  while (multiple * 2.0 <= rest) { multiple *= 2.0; }
  loop {
    if (multiple <= rest) { rest -= multiple; }
    if (multiple <= divisor) { break; }
    multiple *= 0.5;
  }
  return select(rest, -rest, (bitcast<u32>(x) & 0x80000000u) != 0u);
}`,
    'isNan',
    'isNonzero',
  ),
  flooredMod: helper(`fn flooredMod(x: i32, y: i32) -> i32 {
  let rest = x % y;
  return select(rest, rest + y, rest < 0);
}`),
}

/** Names of the helpers, which nothing else may have. */
export const helperNames: readonly string[] = Object.keys(helpers)

/** The helpers of one module, each once and after those that it calls. */
export class Library {
  readonly #used = new Set<HelperName>()
  /** A call of a helper. */
  call(name: HelperName, ...args: readonly string[]): string {
    this.#use(name)
    return `${name}(${args.join(', ')})`
  }
  #use(name: HelperName): void {
    if (this.#used.has(name)) return
    helpers[name].needs?.forEach((other) => this.#use(other))
    this.#used.add(name)
  }
  get source(): string {
    return [...this.#used].map((name) => `${helpers[name].source}\n`).join('')
  }
}
