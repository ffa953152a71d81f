// How far the counts of spikes alone lead in the built-in digits: what the data card says is computed again.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { builtInDigits, readRecordings } from '@fluxion/data'
import { cardRow, measure } from '../../tools/spoken-digits/src/measure.ts'

test('logistic regression on spike counts stays below 0.45 on unheard voices, and reaches what the data card says', async () => {
  const train = await readRecordings(join(builtInDigits, 'shd_train.h5'))
  const heldOut = await readRecordings(join(builtInDigits, 'shd_test.h5'))
  const rows = measure(train, heldOut)
  const card = readFileSync(join(builtInDigits, 'README.md'), 'utf8')
  for (const row of rows) {
    expect(row.unheard).toBeLessThan(0.45)
    expect(card).toContain(cardRow(row))
  }
}, 1_200_000)
