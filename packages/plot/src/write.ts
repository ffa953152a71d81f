// Writes figures to files: Node only.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { Resvg } from '@resvg/resvg-js'
import { sharpCells } from './draw.ts'
import { checkOptions, checkPositive, PlotError } from './errors.ts'
import type { Figure } from './figure.ts'
import { toSvg } from './render.ts'

export interface PngOptions {
  /** Pixels of the picture for each pixel of the figure: 2 by default. */
  readonly scale?: number
}

const fontFiles = (): string[] => {
  const { resolve } = createRequire(import.meta.url)
  return ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => resolve(`dejavu-fonts-ttf/ttf/${file}`))
}

/**
 * Draw a figure as PNG bytes, with the DejaVu fonts that come along, so that it looks the same on every machine.
 *
 * @throws PlotError for a scale that is not above zero, or an unknown option.
 * @example
 * ```ts
 * import { curve, figure, toPng } from '@fluxion/plot/node'
 * toPng(figure([curve([3, 1, 2])])).subarray(1, 4).toString() // => 'PNG'
 * ```
 */
export const toPng = (figure: Figure, options: PngOptions = {}): Uint8Array => {
  checkOptions('toPng', options, ['scale'])
  checkPositive('toPng', 'scale', options.scale)
  // resvg blurs cells unless asked by SVG's own word for it, which browsers in turn do not all obey.
  const svg = toSvg(figure).replaceAll(sharpCells, 'image-rendering:optimizeSpeed')
  const renderer = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: options.scale ?? 2 },
    font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: 'DejaVu Sans' },
  })
  return renderer.render().asPng()
}

const formats: Readonly<Record<string, (figure: Figure, options: PngOptions) => string | Uint8Array>> = {
  '.svg': (figure) => toSvg(figure),
  '.png': toPng,
}

/**
 * Write a figure to a file, SVG or PNG by the ending of its name; missing folders are made.
 *
 * The file appears whole or not at all: it is written under another name beside its place and then renamed, so that an
 * interrupt never leaves half a picture.
 *
 * @throws PlotError for an ending other than `.svg` and `.png`, before anything is drawn.
 * @example
 * ```ts
 * import { curve, figure, savefig } from '@fluxion/plot/node'
 * const save = (losses: number[]) => savefig(figure([curve(losses)]), 'pictures/loss.png', { scale: 3 })
 * ```
 */
export const savefig = (figure: Figure, path: string, options: PngOptions = {}): void => {
  const format = formats[extname(path).toLowerCase()]
  if (format === undefined) throw new PlotError('savefig', 'a name that ends in .svg or .png', `'${path}'`)
  checkOptions('savefig', options, ['scale'])
  const contents = format(figure, options)
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true })
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`)
  try {
    writeFileSync(temporary, contents)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
