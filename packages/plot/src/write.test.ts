// Files of figures: right format, whole or not at all.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Resvg } from '@resvg/resvg-js'
import { expect, test } from 'vitest'
import { curve, figure, image, PlotError, savefig, toPng, toSvg } from './node.ts'

const fig = figure([curve([3, 1, 2], { label: 'loss' })], { title: 'Loss', width: 200, height: 150 })
const folder = () => mkdtempSync(join(tmpdir(), 'fluxion-plot-'))
const pixels = (png: Buffer) => {
  const href = `data:image/png;base64,${png.toString('base64')}`
  const { width, height } = { width: png.readUInt32BE(16), height: png.readUInt32BE(20) }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" href="${href}"/></svg>`
  const { pixels: rgba } = new Resvg(svg).render() // each look at this property copies the whole picture
  return {
    width,
    height,
    at: (x: number, y: number) => [...rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)],
  }
}

test('the ending of the name decides the format, and missing folders are made', () => {
  const place = folder()
  savefig(fig, join(place, 'a', 'b', 'loss.svg'))
  savefig(fig, join(place, 'a', 'loss.PNG'), { scale: 3 })
  expect(readFileSync(join(place, 'a', 'b', 'loss.svg'), 'utf8')).toBe(toSvg(fig))
  const png = readFileSync(join(place, 'a', 'loss.PNG'))
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([600, 450])
})

test('an unknown ending or option is refused and leaves nothing behind', () => {
  const place = folder()
  expect(() => savefig(fig, join(place, 'loss.jpg'))).toThrow(PlotError)
  expect(() => savefig(fig, join(place, 'loss'))).toThrow(/^savefig: expected a name that ends in .svg or .png, got /)
  expect(() => savefig(fig, join(place, 'loss.png'), { dpi: 100 } as object)).toThrow(/options among scale, got 'dpi'/)
  expect(() => savefig(fig, join(place, 'loss.png'), { scale: -1 })).toThrow(/scale to be a number above zero/)
  expect(readdirSync(place)).toEqual([])
})

test('a file is replaced whole, and a failed write leaves the old one and no temporary', () => {
  const place = folder()
  writeFileSync(join(place, 'loss.svg'), 'old')
  savefig(fig, join(place, 'loss.svg'))
  expect(readFileSync(join(place, 'loss.svg'), 'utf8')).toBe(toSvg(fig))
  mkdirSync(join(place, 'taken.svg', 'inner'), { recursive: true }) // renaming a file onto a folder fails
  expect(() => savefig(fig, join(place, 'taken.svg'))).toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM|rename/)
  expect(readdirSync(place).toSorted()).toEqual(['loss.svg', 'taken.svg'])
})

test('texts are drawn: without its texts a picture has fewer dark pixels', () => {
  const dark = (png: Buffer) => {
    const { width, height, at } = pixels(png)
    let count = 0
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (at(x, y)[0]! < 80) count++
    return count
  }
  const silent = figure([curve([3, 1, 2], { color: '#ff0000' })], { width: 200, height: 150, xTicks: [], yTicks: [] })
  const titled = figure(silent.marks, { ...silent.options, title: 'Loss' })
  expect(dark(Buffer.from(toPng(titled)))).toBeGreaterThan(dark(Buffer.from(toPng(silent))) + 100)
})

test('the cells of an image have sharp edges and the colours of their values', () => {
  const cells = image([[0, 1]], { colorMap: 'greys', colorBar: false })
  const { width, height, at } = pixels(
    Buffer.from(toPng(figure([cells], { width: 300, height: 100, xTicks: [], yTicks: [] }))),
  )
  const row = Array.from({ length: width }, (_, x) => at(x, Math.floor(height / 3))[0]!)
  const black = row.filter((value) => value < 20).length
  const between = row.filter((value) => value >= 20 && value <= 235).length
  expect(black).toBeGreaterThan(200)
  expect(between).toBeLessThan(20) // the frame; blurred cells would put hundreds here
})
