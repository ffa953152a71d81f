/** Names in WGSL, each once in a module. */

export class Names {
  readonly #counts = new Map<string, number>()
  /** A name like the one wished for. Its number keeps it apart from the language's words, of which none ends in `_` and digits. */
  unique(wish: string): string {
    const cleaned = wish.replaceAll(/[^a-zA-Z0-9]+/g, '_').replaceAll(/^[_0-9]+|_+$/g, '')
    const stem = cleaned === '' ? 'x' : cleaned
    const count = this.#counts.get(stem) ?? 0
    this.#counts.set(stem, count + 1)
    return `${stem}_${count}`
  }
}
