/** Unpacking bits against the definition. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DtypeError, OptionError } from '../errors.ts'
import { range, sizeOf } from '../shape.ts'
import { unpackbits } from './bits.ts'
import { array, f32, hostOf, useHostBackend } from './hostBackend.testing.ts'
import { transpose } from './movement.ts'

useHostBackend()

const bytesOf = (shape: readonly number[], seed: number): ReturnType<typeof array> =>
  array({ shape, dtype: 'uint8', data: Uint8Array.from(range(sizeOf(shape)), (i) => (i * 37 + seed) % 256) })

test('along the last axis each byte becomes its eight binary digits, or these backwards', () => {
  fc.assert(
    fc.property(fc.nat(255), (byte) => {
      const x = array({ shape: [1], dtype: 'uint8', data: Uint8Array.of(byte) })
      const digits = [...byte.toString(2).padStart(8, '0')].map(Number)
      expect([...hostOf(unpackbits(x, 0)).data]).toEqual(digits)
      expect([...hostOf(unpackbits(x, 0, 'little')).data]).toEqual(digits.reverse())
    }),
  )
})

test('along another axis it is the same with the axes exchanged', () => {
  fc.assert(
    fc.property(
      fc.nat(4),
      fc.nat(4),
      fc.nat(255),
      fc.constantFrom('big' as const, 'little' as const),
      (rows, columns, seed, order) => {
        const x = bytesOf([rows, columns], seed)
        const along = transpose(unpackbits(transpose(x, [1, 0]), 1, order), [1, 0])
        expect(hostOf(unpackbits(x, 0, order))).toEqual(hostOf(along))
      },
    ),
  )
})

test('only bytes are unpacked, in an order that exists', () => {
  expect(() => unpackbits(f32([1], [1]), 0)).toThrow(DtypeError)
  expect(() => unpackbits(bytesOf([1], 0), 0, 'middle' as 'big')).toThrow(OptionError)
})
