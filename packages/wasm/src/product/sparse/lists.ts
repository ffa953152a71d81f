/** From masks to lists: how many bits are set, and for each row the offsets of the rows of the right operand that they stand for. */
import type { FunctionRef } from '../../assembler/function.ts'
import type { ModuleBuilder } from '../../assembler/module.ts'
import { advance, loopWhole, parameters, registers } from '../lanes.ts'

/** Offsets that are written at once, whether or not there are as many: fewer branches. */
export const together = 8

/** A function (masks, bytes) that counts bits. */
export function printCount(module: ModuleBuilder): FunctionRef {
  const f = module.function('countBits', ['i32', 'i32'], ['i32'])
  const { masks, bytes } = parameters(f, 0, 'masks', 'bytes')
  const { at } = registers(f, 'at')
  const total = f.register('i64')
  f.i32(0).set(at)
  for (const words of [4, 1]) {
    loopWhole(f, at, bytes, 8 * words, () => {
      f.get(total)
      for (let word = 0; word < words; word++)
        f.get(masks)
          .memory('i64.load', 8 * word)
          .op('i64.popcnt', 'i64.add')
      f.set(total)
      advance(f, masks, 8 * words)
    })
  }
  f.get(total).op('i32.wrap_i64')
  return f
}

/**
 * A function (masks, list, ends, rows) that lists each set bit of each row, times `stride`: all rows one behind the other, and the address of the end of each.
 */
export function printLists(module: ModuleBuilder, maskRow: number, stride: number): FunctionRef {
  const f = module.function('listBits', ['i32', 'i32', 'i32', 'i32'])
  const { masks, list, ends, rows } = parameters(f, 0, 'masks', 'list', 'ends', 'rows')
  const { row, word, words, first, at } = registers(f, 'row', 'word', 'words', 'first', 'at')
  const bits = f.register('i64')
  f.i32(0).set(row).i32(maskRow).set(words)
  loopWhole(f, row, rows, 1, () => {
    f.i32(0).set(word).i32(0).set(first)
    loopWhole(f, word, words, 8, () => {
      f.get(masks).memory('i64.load').tee(bits).op('i64.eqz', 'i32.eqz')
      f.if(() => {
        f.get(list).set(at)
        f.get(list).get(bits).op('i64.popcnt', 'i32.wrap_i64').i32(4).op('i32.mul', 'i32.add').set(list)
        f.loop((again) => {
          for (let i = 0; i < together; i++) {
            f.get(at).get(bits).op('i64.ctz', 'i32.wrap_i64').i32(stride).op('i32.mul').get(first).op('i32.add')
            f.memory('i32.store', 4 * i)
            f.get(bits).get(bits).i64(1n).op('i64.sub', 'i64.and').set(bits)
          }
          advance(f, at, 4 * together)
          f.get(bits).op('i64.eqz', 'i32.eqz').brIf(again)
        })
      })
      advance(f, masks, 8)
      advance(f, first, 64 * stride)
    })
    f.get(ends).get(list).memory('i32.store')
    advance(f, ends, 4)
  })
  return f
}
