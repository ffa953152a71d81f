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
 * Without branches, which drivers for CPUs are slow to compile. WGSL lets a compiler assume that there are no NaNs: so comparisons ask for them by bits. `orderOf` maps floats to integers in the order
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
  return (x == y) & !isNan(x) & !isNan(y);
}`,
    'isNan',
  ),
  isLess: helper(
    `fn isLess(x: f32, y: f32) -> bool {
  return (x < y) & !isNan(x) & !isNan(y);
}`,
    'isNan',
  ),
  isAtMost: helper(
    `fn isAtMost(x: f32, y: f32) -> bool {
  return (x <= y) & !isNan(x) & !isNan(y);
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
  // The largest float below 2^31.
  let near = i32(clamp(x, -2147483648.0, 2147483520.0));
  return select(select(near, 2147483647, x >= 2147483648.0), 0, isNan(x));
}`,
    'isNan',
  ),
  toU32: helper(
    `fn toU32(x: f32) -> u32 {
  let near = u32(clamp(x, 0.0, 4294967040.0));
  return select(select(near, 4294967295u, x >= 4294967296.0), 0u, isNan(x));
}`,
    'isNan',
  ),
  halfBits: helper(`fn halfBits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  let normal = (size - 0x38000000u + 0xfffu + ((size >> 13u) & 1u)) >> 13u;
  // Below 2^-14: floats from 0.5 to 1 are 2^-24 apart, so that adding rounds to multiples of that.
  let small = bitcast<u32>(bitcast<f32>(size) + 0.5) - 0x3f000000u;
  let finite = select(normal, small, size < 0x38800000u);
  let any = select(select(finite, 0x7c00u, size >= 0x477ff000u), 0x7e00u, size > 0x7f800000u);
  return ((bits >> 16u) & 0x8000u) | any;
}`),
  halfValue: helper(`fn halfValue(bits: u32) -> f32 {
  let size = bits & 0x7fffu;
  let small = bitcast<u32>(f32(size) * 0x1p-24f);
  let finite = select((size << 13u) + 0x38000000u, small, size < 0x400u);
  let any = select(finite, 0x7f800000u | ((size & 0x3ffu) << 13u), size >= 0x7c00u);
  return bitcast<f32>(((bits & 0x8000u) << 16u) | any);
}`),
  bfloatBits: helper(`fn bfloatBits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let rounded = (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
  return select(rounded, (bits >> 16u) | 0x40u, (bits & 0x7fffffffu) > 0x7f800000u);
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
