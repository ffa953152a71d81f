// Estimated widths of texts, for layout without a browser: DejaVu Sans, wider than what most pages fall back to.

const narrow = "ijl.,:;'|!I"
const slim = ' ()[]{}ftr-/\\°·⁻¹"`'
const broad = 'mwMW@%—…+<>=~'

/** Width of a text in pixels at a font size; bold is a tenth wider. */
export const textWidth = (text: string, size: number, bold = false): number => {
  let width = 0
  for (const character of text) {
    if (narrow.includes(character)) width += 0.33
    else if (slim.includes(character)) width += 0.42
    else if (broad.includes(character)) width += 0.95
    // East Asian characters and emoji fill a square.
    else if (character > '\u2e7f') width += 1.05
    else width += character >= 'A' && character <= 'Z' ? 0.72 : 0.635
  }
  return width * size * (bold ? 1.12 : 1)
}

/** Break a text into lines that fit a width, at spaces and at line feeds. */
export const wrapText = (text: string, width: number, size: number, bold = false): readonly string[] =>
  text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(' ')) {
      const longer = line === '' ? word : `${line} ${word}`
      if (line !== '' && textWidth(longer, size, bold) > width) {
        lines.push(line)
        line = word
      } else line = longer
    }
    return [...lines, line]
  })
