// The SVG of figures: standalone, well-formed, nothing lost, nothing outside.
import { Resvg } from '@resvg/resvg-js'
import fc from 'fast-check'
import { parseHTML } from 'linkedom'
import { expect, test } from 'vitest'
import { curve, curves, figure, histogram, horizontalLine, image, raster, subplots, toElement, toSvg } from './index.ts'
import { textWidth, wrapText } from './text.ts'

/** A strict reader of XML: throws unless the text is well-formed. */
const check = (svg: string): string => {
  const { width, height } = new Resvg(svg)
  expect(width * height).toBeGreaterThan(0)
  return svg
}
const paths = (svg: string) =>
  [...svg.matchAll(/<path d="([^"]*)" fill="none" stroke="#0072b2"/g)].map((m) => m[1] ?? '')
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((m) => m[1])

test('an SVG stands alone, with title, labels and legend in it', () => {
  const marks = [curve([3, 1, 2], { label: 'train <1>' }), horizontalLine(2, { label: 'chance' })]
  const svg = check(toSvg(figure(marks, { title: 'Loss & "rate"', xLabel: 'epoch', yLabel: 'loss' })))
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="640" height="420"/)
  expect(texts(svg)).toEqual(
    expect.arrayContaining(['Loss &amp; &quot;rate&quot;', 'epoch', 'loss', 'train &lt;1&gt;', 'chance']),
  )
})

test('NaN, and zero on a logarithmic axis, leave gaps', () => {
  const gap = (svg: string) => paths(svg)[0]?.match(/[ML]/g)?.join('')
  expect(gap(check(toSvg(figure([curve([1, 2, NaN, 2, 3])]))))).toBe('MLML')
  expect(gap(check(toSvg(figure([curve([1, 2, 0, 2, 3])], { yScale: 'log' }))))).toBe('MLML')
})

test('a point alone is drawn as a dot', () => {
  expect(toSvg(figure([curve([0.7])])).match(/<circle/g)).toHaveLength(1)
  expect(toSvg(figure([curve([0, NaN, 1, 2])])).match(/<circle/g)).toHaveLength(1)
})

test('no number in a picture is ever NaN or infinite, whatever the data', () => {
  const value = fc.oneof(fc.double({ noDefaultInfinity: true, min: -1e12, max: 1e12 }), fc.constant(0), fc.constant(1))
  const data = fc.array(value, { minLength: 1, maxLength: 12 })
  const size = fc.integer({ min: 60, max: 700 })
  fc.assert(
    fc.property(data, data, size, size, fc.string(), (a, b, width, height, text) => {
      const finite = [...a, 1].filter((x) => !Number.isNaN(x))
      const options = { width, height, title: text, yLabel: text }
      const svg = toSvg(
        subplots([
          [figure([curve(a, { label: text }), curve(b, { label: 'b' })], options), figure([image([a])], options)],
          [figure([histogram(finite)], options), figure([raster([a.map(Number.isNaN)])], options)],
          [figure([curve([...a, 1])], { ...options, yScale: 'log' })],
        ]),
      )
      check(svg)
      expect(svg.replace(/>[^<]*<\/text>/g, '>')).not.toMatch(/NaN|Infinity|undefined/)
    }),
    { numRuns: 50 },
  )
})

test('the legend keeps off the data: a free corner, a free place, or beside the panel', () => {
  const legend = (svg: string) => Number(svg.match(/<rect x="([\d.]+)"[^>]*rx="3"/)?.[1])
  const rising = Array.from({ length: 50 }, (_, i) => i)
  const falling = rising.map((x) => -x)
  expect(legend(toSvg(figure([curve(rising, { label: 'a' })])))).toBeLessThan(100) // upper left
  expect(legend(toSvg(figure([curve(falling, { label: 'a' })])))).toBeGreaterThan(500) // upper right
  const noise = Array.from({ length: 400 }, (_, i) => (i * 7919) % 101)
  const crowded = toSvg(figure([curve(noise, { label: 'everywhere' })]))
  const panel =
    Number(crowded.match(/<svg x="([\d.]+)"/)?.[1]) + Number(crowded.match(/<svg x="[^>]*?width="([\d.]+)"/)?.[1])
  expect(legend(crowded)).toBeGreaterThan(panel)
})

test('without labels, or with legend: false, there is no legend', () => {
  expect(toSvg(figure([curve([1, 2])]))).not.toContain('rx="3"')
  expect(toSvg(figure([curve([1, 2], { label: 'a' })], { legend: false }))).not.toContain('rx="3"')
})

test('curves after the seventh differ by their dashes', () => {
  const matrix = [Array.from({ length: 8 }, (_, i) => i), Array.from({ length: 8 }, (_, i) => i + 1)]
  const strokes = [...toSvg(figure([curves(matrix)])).matchAll(/<path [^>]*stroke="(#\w+)"[^>]*stroke-linejoin[^>]*>/g)]
  const styles = strokes.map((m) => `${m[1]} ${m[0].match(/stroke-dasharray="[^"]*"/)?.[0]}`)
  expect(new Set(styles).size).toBe(8)
})

test('the first row of an image is on top, or at the bottom with origin lower', () => {
  const top = (origin: 'upper' | 'lower') => {
    const svg = toSvg(figure([image([[0], [1]], { origin })], { yTicks: [[0, 'first']] }))
    return Number(svg.match(/<text x="[\d.]+" y="([\d.]+)"[^>]*>first<\/text>/)?.[1])
  }
  expect(top('upper')).toBeLessThan(top('lower'))
})

test('shared axes show the union of their panels', () => {
  const svg = toSvg(subplots([[figure([curve([0, 1])])], [figure([curve([0, 100], [0, 1])])]], { shareX: true }))
  expect(texts(svg).filter((text) => text === '100')).toHaveLength(2)
})

test('a page gets an element, and where there is no page an error says what to use', () => {
  const { document } = parseHTML('<html><body></body></html>')
  const element = toElement(figure([curve([1, 2])], { title: 'shown' }), document)
  document.body.append(element)
  expect(document.querySelector('svg')?.textContent).toContain('shown')
  expect(() => toElement(figure([curve([1])]))).toThrow(/toElement: expected a document, got none\nhint: .*savefig/)
})

test('broken lines hold the same words and fit', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 })
  fc.assert(
    fc.property(words, fc.integer({ min: 80, max: 300 }), (list, width) => {
      const lines = wrapText(list.join(' '), width, 12)
      expect(lines.join(' ')).toBe(list.join(' '))
      for (const line of lines) if (line.includes(' ')) expect(textWidth(line, 12)).toBeLessThanOrEqual(width)
    }),
  )
})
