// Writes SVG elements as text.

type Attribute = string | number | undefined

const escape = (text: string): string =>
  text
    // Characters that XML 1.0 cannot hold, even escaped.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

/** Print a coordinate with at most two decimals. */
export const coordinate = (value: number): string => String(Math.round(value * 100) / 100)

/** Write an element; attributes that are undefined are left out. */
export const element = (
  name: string,
  attributes: Readonly<Record<string, Attribute>>,
  ...children: string[]
): string => {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escape(String(value))}"`)
    .join('')
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`
}

/** Write a text element. */
export const textElement = (text: string, attributes: Readonly<Record<string, Attribute>>): string =>
  element('text', attributes, escape(text))

/** Write a straight line. */
export const lineElement = (
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  attributes: Readonly<Record<string, Attribute>>,
): string => element('line', { x1, y1, x2, y2, ...attributes })
