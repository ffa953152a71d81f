// Colours that people with a colour-vision deficiency can tell apart, and the colour maps of images.
import {
  interpolateBlues,
  interpolateCividis,
  interpolateGreys,
  interpolateInferno,
  interpolateMagma,
  interpolateRdBu,
  interpolateViridis,
} from 'd3-scale-chromatic'

/**
 * Colours of curves in their order: M. Okabe and K. Ito, "Color Universal Design" (2008), without the yellow, which is
 * too pale on white, and with the black last.
 */
export const palette: readonly string[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']

/** Name of a colour map; `redBlue` is for values around a middle, blue low and red high. */
export type ColorMap = 'viridis' | 'cividis' | 'magma' | 'inferno' | 'blues' | 'greys' | 'redBlue'

const maps: Readonly<Record<ColorMap, (at: number) => string>> = {
  viridis: interpolateViridis,
  cividis: interpolateCividis,
  magma: interpolateMagma,
  inferno: interpolateInferno,
  blues: interpolateBlues,
  greys: interpolateGreys,
  redBlue: (at) => interpolateRdBu(1 - at),
}

/** The names of all colour maps. */
export const colorMaps: readonly ColorMap[] = Object.keys(maps) as ColorMap[]

/** Red, green and blue, each 0 to 255. */
export type Rgb = readonly [number, number, number]

/** The colour at a place from 0 to 1 along a map. */
export const colorAt = (map: ColorMap, at: number): Rgb => {
  const text = maps[map](Math.min(1, Math.max(0, at)))
  // d3's maps answer either '#rrggbb' or 'rgb(r, g, b)'.
  const parts = text.startsWith('#')
    ? [1, 3, 5].map((start) => Number.parseInt(text.slice(start, start + 2), 16))
    : (text.match(/\d+/g) ?? []).map(Number)
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0]
}

/** Whether black text on a colour is harder to read than white: by relative luminance, ITU-R BT.709. */
export const isDark = ([r, g, b]: Rgb): boolean => 0.2126 * r + 0.7152 * g + 0.0722 * b < 140
