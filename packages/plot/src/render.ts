// Turns a figure into the text of an SVG, or into an element of a page. Needs no DOM for the text.
import { extent } from './data.ts'
import { PlotError } from './errors.ts'
import type { Figure, Grid, Panel } from './figure.ts'
import { dataDomain, type SharedDomains } from './domain.ts'
import { drawPanel } from './panel.ts'
import { element, textElement } from './svg.ts'
import { wrapText } from './text.ts'

interface Drawn {
  readonly width: number
  readonly height: number
  readonly svg: string
}

const draw = (figure: Figure, shared: SharedDomains): Drawn => {
  if (figure.kind === 'grid') return drawGrid(figure)
  const { width = 640, height = 420 } = figure.options
  return { width, height, svg: drawPanel(figure, width, height, shared) }
}

const union = (panels: readonly (Figure | undefined)[], axis: 'x' | 'y'): readonly [number, number] => {
  const ends = panels.filter((panel): panel is Panel => panel?.kind === 'panel').flatMap((p) => dataDomain(p, axis))
  return extent(ends)
}

const drawGrid = ({ rows, options }: Grid): Drawn => {
  const drawn = rows.map((row) =>
    row.map((figure, column) =>
      draw(figure, {
        ...(options.shareX
          ? {
              x: union(
                rows.map((other) => other[column]),
                'x',
              ),
            }
          : {}),
        ...(options.shareY ? { y: union(row, 'y') } : {}),
      }),
    ),
  )
  const columns = Math.max(...drawn.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, i) => extent(drawn.map((row) => row[i]?.width ?? 0))[1])
  const heights = drawn.map((row) => extent(row.map((cell) => cell.height).concat(0))[1])
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)
  const width = sum(widths)
  const titleLines = options.title === undefined ? [] : wrapText(options.title, width - 20, 17, true)
  const top = titleLines.length > 0 ? 10 + 22 * titleLines.length : 0
  const cells = drawn.flatMap((row, r) =>
    row.map((cell, c) => {
      const [x, y] = [sum(widths.slice(0, c)), top + sum(heights.slice(0, r))]
      return element('g', { transform: `translate(${x},${y})` }, cell.svg)
    }),
  )
  const title = titleLines.map((line, i) =>
    textElement(line, {
      x: width / 2,
      y: 26 + 22 * i,
      'font-size': 17,
      'font-weight': 'bold',
      'text-anchor': 'middle',
    }),
  )
  return { width, height: top + sum(heights), svg: [...title, ...cells].join('') }
}

/**
 * Write a figure as an SVG that stands alone: it names its namespace, and holds its legend and its colour bar.
 *
 * @example
 * ```ts
 * import { curve, figure, toSvg } from '@fluxion/plot'
 * toSvg(figure([curve([3, 1, 2])])).startsWith('<svg xmlns="http://www.w3.org/2000/svg"') // => true
 * ```
 */
export const toSvg = (figure: Figure): string => {
  const { width, height, svg } = draw(figure, {})
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      'font-family': "'DejaVu Sans', Verdana, sans-serif",
      fill: '#262626',
    },
    element('rect', { width, height, fill: '#ffffff' }),
    svg,
  )
}

/**
 * Make an element of a page from a figure, to be appended wherever it should stand.
 *
 * @throws PlotError where there is no document, as in Node.
 * @example
 * ```ts
 * import { curve, figure, toElement } from '@fluxion/plot'
 * const show = (losses: number[]) => document.body.append(toElement(figure([curve(losses)])))
 * ```
 */
export const toElement = (figure: Figure, document: Document | undefined = globalThis.document): SVGSVGElement => {
  if (document === undefined) {
    throw new PlotError('toElement', 'a document', 'none', 'outside a page use toSvg, or savefig of @fluxion/plot/node')
  }
  const template = document.createElement('template')
  template.innerHTML = toSvg(figure)
  return template.content.firstElementChild as SVGSVGElement
}
