// Compiled, never run: shapes and indices of arrays.
import { type NDArray, ellipsis, newaxis, np, slice } from 'fluxion'
import { x, y } from './same.ts'

// Small axes of a shape are numbers, though an index of a list might be missing.
export const elements = (a: NDArray): number => {
  const [n, t, c] = a.shape
  return n * t * c * a.shape[0] * a.shape.length
}
export const flat: NDArray = np.zeros(x.shape).reshape([...x.shape, 1])
export const stacked: NDArray = np.array([x, [1, y.mean()]])
const part = x.get(0, slice(1, null, 2), newaxis, ellipsis, '1:3', '::-1', y, [0, 2])
export const written: NDArray = part.at(0, ':').set(1)
export const text: string = x.get(-1).item().toFixed(3)
