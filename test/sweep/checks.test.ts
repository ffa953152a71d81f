// The checks of the sweep can fail: rows with one rule that is wrong do not pass the check of that rule.
import { type AnyPrimitive, type NDArray, type Primitive, np, primitives } from 'fluxion'
import { expect, test } from 'vitest'
import { checkAxes } from './axes.ts'
import { deviceOf, on } from '../compiled/devices.ts'
import { type Case, call } from './cases.ts'
import {
  checkBatching,
  checkDerivatives,
  checkJit,
  checkMissingTranspose,
  checkNestedBatching,
  checkTangents,
  checkTranspose,
  checkTypes,
} from './check.ts'
import { checkDevice } from './device.ts'

const sine: Case = { operands: [{ shape: [2, 2] }], params: {} }
const sum: Case = { operands: [{ shape: [3] }], params: { axis: 0, reverse: false }, linear: [[0]] }
/** A row of the table with some of its rules replaced. */
const wrong = (name: string, rules: Partial<Primitive>): AnyPrimitive =>
  ({ ...(primitives.get(name)! as Primitive), ...rules }) as AnyPrimitive
const right = (name: string): Primitive => primitives.get(name)! as Primitive
const run = (name: string, x: NDArray, params: object = {}): NDArray => call(name, [x], params)[0]!

test('rows that are right pass', () => {
  checkDerivatives(right('sin'), sine)
  checkTypes(right('sin'), sine, 'float16')
  checkTranspose(right('cumsum'), sum, 'float64')
  checkBatching(right('cumsum'), sum, 'float32', true)
  expect(checkAxes(right('sin'), sine, 'float32')).toBe(2)
})
test('a derivative of the wrong sign is found', () => {
  const row = wrong('cos', { jvp: ([x], [t]) => [[run('cos', x!)], [run('sin', x!).mul(t as NDArray)]] })
  expect(() => checkDerivatives(row, sine)).toThrow('checkGrads, order 1')
})
test('a derivative that is right, but not differentiable itself, is found', () => {
  const row = wrong('sin', {
    jvp: ([x], [t]) => [[run('sin', x!)], [run('stop_gradient', run('cos', x!)).mul(t as NDArray)]],
  })
  expect(() => checkDerivatives(row, sine)).toThrow('checkGrads, order 2')
})
test('a tangent of the wrong dtype is found', () => {
  const row = wrong('sin', { jvp: ([x]) => [[run('sin', x!)], [np.cos(x!).astype('float64')]] })
  expect(() => checkTangents(row, sine, 'float32')).toThrow('float64')
})
test('a transpose that is not the adjoint is found', () => {
  const row = wrong('cumsum', { transpose: ([ct], _, params) => [run('cumsum', ct as NDArray, params)] })
  expect(() => checkTranspose(row, sum, 'float64')).toThrow('less than or equal')
})
test('a batch rule that confuses axes is found', () => {
  const row = wrong('cumsum', { batch: ([x], [dim]) => [[run('cumsum', x!, sum.params)], [dim!]] })
  expect(() => checkBatching(row, sum, 'float32', true)).toThrow('expectClose')
})
test('a batch rule that says the wrong place of its axis is found', () => {
  const square: Case = { ...sum, operands: [{ shape: [2] }] }
  const row = wrong('cumsum', { batch: (...args) => [right('cumsum').batch!(...args)[0], [0]] })
  expect(() => checkNestedBatching(row, square, 'float32')).toThrow('expect')
})
test('a type rule that the reference does not follow is found', () => {
  const total: Case = { operands: [{ shape: [2, 3] }], params: { axes: [1] } }
  checkTypes(right('reduce_sum'), total, 'float32')
  expect(() => checkTypes(wrong('reduce_sum', { type: ([x]) => [x!] }), total, 'float32')).toThrow('expected')
})
test('a result that its dtype cannot hold is found', () => {
  const row = wrong('sin', { reference: ([x]) => [{ ...x!, data: x!.data.map((v) => Math.sin(v)) as Float32Array }] })
  expect(() => checkTypes(row, sine, 'float16')).toThrow('expected')
})
test('a reference that depends on how it is called is found', async () => {
  const reference = await deviceOf('reference')
  let calls = 0
  const row = wrong('sin', { reference: ([x]) => [{ ...x!, data: x!.data.map(() => calls++) as Float32Array }] })
  expect(() => on(reference, () => checkJit(row, sine, 'float32'))).toThrow('expected')
})
test('a device that gives something else is found', async () => {
  const devices = { reference: await deviceOf('reference'), device: await deviceOf('wasm') }
  await checkDevice(right('sin'), sine, 'float32', devices)
  await checkDevice(right('cumsum'), sum, 'float16', devices)
  // the reference of a wrong row stands for one of a device that is right
  const shifted = wrong('sin', { reference: ([x]) => [{ ...x!, data: x!.data.map((v) => Math.sin(v) + 1e-5) }] })
  await expect(checkDevice(shifted, sine, 'float32', devices)).rejects.toThrow('jit on wasm: result 0 float32[2,2]')
})
test('a transpose that is there without being expected is found', () => {
  const row = wrong('sin', { transpose: ([ct]) => [ct!] })
  expect(() => checkMissingTranspose(row, sine)).toThrow('expected')
})
const rows: Case = { operands: [{ shape: [3, 4] }], params: { axes: [1] } }
test('an axis rule that splits what elements share is found', () => {
  const row = wrong('cumsum', { axes: () => [{ operands: [0], results: [0] }] })
  expect(() => checkAxes(row, sum, 'float32')).toThrow('expectClose')
})
test('an axis rule that combines partial results wrongly is found', () => {
  expect(checkAxes(right('reduce_sum'), rows, 'float32')).toBe(3)
  const row = wrong('reduce_sum', { axes: () => [{ operands: [1], results: ['max'] }] })
  expect(() => checkAxes(row, rows, 'float32')).toThrow('expectClose')
})
test('an axis rule that splits along the wrong dimension of the result is found', () => {
  const square: Case = { operands: [{ shape: [3, 3] }], params: { permutation: [1, 0] } }
  const row = wrong('transpose', { axes: () => [{ operands: [0], results: [0] }] })
  expect(() => checkAxes(row, square, 'float32')).toThrow('expect')
})
test('an axis rule that keeps the parameters of the whole is found', () => {
  const wide: Case = { operands: [{ shape: [3] }], params: { shape: [3, 2], broadcastDimensions: [0] } }
  const row = wrong('broadcast_in_dim', { axes: () => [{ operands: [0], results: [0] }] })
  expect(() => checkAxes(row, wide, 'float32')).toThrow('broadcastInDim')
})
test('an axis rule that takes something nonlinear for linear is found', () => {
  const row = wrong('sin', { axes: () => [{ operands: ['sum'], results: ['sum'] }] })
  expect(() => checkAxes(row, sine, 'float32')).toThrow('expectClose')
})
test('an axis rule that cuts across pieces that belong together is found', () => {
  const merged: Case = { operands: [{ shape: [4, 3] }], params: { newSizes: [2, 6] } }
  const row = wrong('reshape', { axes: () => [{ operands: [0], results: [0], units: 4 }] })
  expect(() => checkAxes(row, merged, 'float32')).toThrow('expected')
})
