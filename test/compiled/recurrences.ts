// Random scans whose carries meet only at their own elements.
import fc from 'fast-check'
import { type DType, type NDArray, lax, np } from 'fluxion'

export const allDtypes: readonly DType[] = [
  'float32',
  'float16',
  'bfloat16',
  'float64',
  'int32',
  'uint32',
  'int16',
  'uint16',
  'int8',
  'uint8',
  'bool',
]
const shapes: readonly (readonly number[])[] = [[3], [], [1], [2, 5], [1, 9], [3, 1, 6], [37], [2, 17], [0, 3], [4, 21]]

export interface Recurrence {
  readonly f: (...args: NDArray[]) => NDArray[]
  readonly args: readonly NDArray[]
}
/** A scan made from numbers, which run out to the simplest choices. */
function recurrence(numbers: readonly number[], dtypes: readonly DType[]): Recurrence {
  let at = 0
  const below = (n: number): number => (numbers[at++] ?? 0) % n
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
  const [length, reverse] = [pick([3, 1, 2, 5, 8, 0]), below(2) === 1]
  const scalarDtype = pick<DType>(['int32', 'float32', 'float16'])
  const count = 1 + below(3)
  const carries: { readonly shape: readonly number[]; readonly dtype: DType }[] = []
  while (carries.length < count) {
    const before = carries.at(-1)
    const own = { shape: pick(shapes), dtype: pick(dtypes) }
    carries.push(before === undefined || below(3) === 0 ? own : before)
  }
  const filled = (shape: readonly number[], dtype: DType, seed: number): NDArray => {
    const size = shape.reduce((a, b) => a * b, 1)
    const values = Array.from({ length: size }, (_, i) => (((i * 37 + seed * 11) % 23) - 9) / 4)
    return np.asarray(values).reshape(shape).astype(dtype)
  }
  const args = [
    np.asarray(1, { dtype: scalarDtype }),
    ...carries.flatMap(({ shape, dtype }, i) => [
      filled(shape, dtype, i),
      filled(shape.slice(-1), dtype, i + 5),
      filled([length, ...shape], dtype, i + 9),
    ]),
  ]
  const plans = carries.map(() =>
    Array.from({ length: 2 + below(6) }, () => [below(9), below(64), below(64), below(64)]),
  )
  const feeds = carries.map(() => below(64))
  const stacks = carries.map(() => below(4))

  /** One more value of a pool, of the same shape and dtype. */
  const made = (pool: readonly NDArray[], [kind, a, b, c]: readonly number[]): NDArray => {
    const [x, y, z] = [a, b, c].map((i) => pool[i! % pool.length]!) as [NDArray, NDArray, NDArray]
    const truth = x.dtype === 'bool'
    switch (kind) {
      case 0:
        return truth ? np.logicalAnd(x, y) : x.add(y)
      case 1:
        return truth ? np.logicalOr(x, y) : x.mul(y)
      case 2:
        return truth ? np.logicalNot(x) : x.sub(y)
      case 3:
        return np.maximum(x, y)
      case 4:
        return np.where(np.greater(x, y), z, x)
      case 5:
        return np.less(x, y).astype(x.dtype)
      case 6:
        return np.minimum(x, z)
      case 7:
        return x.astype('float32').astype('float16').astype(x.dtype)
      default:
        return x.ravel().reshape(x.shape)
    }
  }
  const f = (first: NDArray, ...rest: NDArray[]): NDArray[] => {
    const [init, consts, xs] = [0, 1, 2].map((k) => carries.map((_, i) => rest[3 * i + k]!)) as [
      NDArray[],
      NDArray[],
      NDArray[],
    ]
    const [last, ys] = lax.scan(
      ([counter, ...states]: NDArray[], inputs: NDArray[]): [NDArray[], NDArray[]] => {
        const pools = carries.map(({ shape, dtype }, i) => {
          const flipped = shape.length > 0 ? np.flip(inputs[i]!, { axis: -1 }) : inputs[i]!
          const pool = [states[i]!, inputs[i]!, np.broadcastTo(consts[i]!, shape), flipped]
          pool.push(np.broadcastTo(counter!.astype(dtype), shape))
          // carries of one shape feed each other
          states.forEach((other, k) => {
            if (k !== i && other.shape.join() === shape.join() && feeds[i]! % 2 === 0) pool.push(other.astype(dtype))
          })
          for (const plan of plans[i]!) pool.push(made(pool, plan))
          return pool
        })
        const next = pools.map((pool, i) => pool[(pool.length - 1 - (feeds[i]! >> 1)) % pool.length] ?? pool.at(-1)!)
        const out = pools.flatMap((pool, i) => pool.slice(pool.length - stacks[i]!))
        return [
          [counter!.add(np.asarray(1, { dtype: counter!.dtype })), ...next],
          [...out, counter!],
        ]
      },
      [first, ...init],
      xs,
      { reverse },
    )
    return [...last, ...ys]
  }
  return { f, args }
}
export const recurrences = (dtypes: readonly DType[] = allDtypes): fc.Arbitrary<Recurrence> =>
  fc.array(fc.nat(1 << 16), { minLength: 40, maxLength: 120 }).map((numbers) => recurrence(numbers, dtypes))
