/** Notes, for the log, what makes a function be traced again and again. */
import type { NDArray } from '../array.ts'
import { showFullAval } from '../ir/aval.ts'
import { log } from '../log.ts'
import type { TreeDef } from '../tree.ts'

/** What a trace is remembered by. */
interface Signature {
  readonly def: TreeDef
  readonly leaves: readonly NDArray[]
  readonly paths: readonly string[]
  readonly staticKey: string
}
/** From so many traces on, each one is told of. */
const often = 4

export class Retraces {
  readonly #name: string
  #last: { readonly key: string; readonly types: readonly string[]; readonly staticKey: string } | undefined
  constructor(name: string) {
    this.#name = name
  }
  /** Note a trace, and say what set it apart from the one before. */
  note(traces: number, { def, leaves, paths, staticKey }: Signature): void {
    const types = leaves.map(({ aval }) => showFullAval(aval))
    const last = this.#last
    this.#last = { key: def.key, types, staticKey }
    if (last === undefined || traces < often) return
    const at = types.findIndex((type, i) => type !== last.types[i])
    const what =
      last.key !== def.key
        ? 'the structure of its arguments differs'
        : at >= 0
          ? `${paths[at]} was ${last.types[at]}, and is ${types[at]} now`
          : last.staticKey !== staticKey
            ? 'a static argument has another value'
            : 'what it closed over belonged to a trace that has ended'
    log(`jit(${this.#name}) has been traced ${traces} times: ${what}`)
  }
}
