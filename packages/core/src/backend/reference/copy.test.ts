/** Strided copies against one loop over every element. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { range, sizeOf, stridesOf } from '../../shape.ts'
import { bitsOf, copyBlock, offsetsOf } from './copy.ts'

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 })
const longShapes = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 30, max: 70 }), fc.integer({ min: 30, max: 70 }))
  .map((dims) => [...dims])
/** Strides of a dense array whose axes lie in some order, some of them read backwards and some repeated. */
const layouts = fc.oneof(shapes, longShapes).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    order: fc.shuffledSubarray(range(shape.length), { minLength: shape.length }),
    kinds: fc.array(fc.constantFrom('forwards', 'backwards', 'repeated'), {
      minLength: shape.length,
      maxLength: shape.length,
    }),
  }),
)

test('a block arrives as if copied element by element, whatever the order, direction and repetition of axes', () => {
  fc.assert(
    fc.property(layouts, ({ shape, order, kinds }) => {
      const strides = new Array<number>(shape.length).fill(0)
      const dense = stridesOf(order.map((axis) => shape[axis]!))
      order.forEach((axis, i) => (strides[axis] = dense[i]!))
      let at = 0
      kinds.forEach((kind, axis) => {
        if (kind === 'backwards') at += Math.max(0, shape[axis]! - 1) * strides[axis]!
        strides[axis]! *= kind === 'forwards' ? 1 : kind === 'backwards' ? -1 : 0
      })
      const source = Float32Array.from(range(Math.max(1, sizeOf(shape))))
      const target = new Float32Array(sizeOf(shape)).fill(NaN)
      copyBlock(shape, source, { at, strides }, target, { at: 0, strides: stridesOf(shape) })
      expect(target).toEqual(Float32Array.from(offsetsOf(shape, strides), (offset) => source[at + offset]!))
    }),
    { numRuns: 150 },
  )
})

test('the view of the bits shares memory and keeps the payload of a NaN', () => {
  const source = new Float32Array(new Uint32Array([0x7fa00001, 0]).buffer)
  const target = new Float32Array(2)
  copyBlock([2], source, { at: 0, strides: [1] }, target, { at: 0, strides: [1] })
  expect(new Uint32Array(target.buffer)[0]).toBe(0x7fa00001)
  expect(bitsOf(target).buffer).toBe(target.buffer)
})
