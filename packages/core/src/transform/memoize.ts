/** Remembers transformations of programs for as long as the program lives. */
import type { ClosedJaxpr } from '../ir/jaxpr.ts'

/** Memoize a pure function of a program and of plain data, which is compared as JSON. */
export function memoize<A extends readonly unknown[], R>(
  f: (program: ClosedJaxpr, ...rest: A) => R,
): (program: ClosedJaxpr, ...rest: A) => R {
  const results = new WeakMap<object, Map<string, R>>()
  return (program, ...rest) => {
    const key = JSON.stringify(rest)
    let known = results.get(program.jaxpr)
    if (known === undefined) results.set(program.jaxpr, (known = new Map()))
    // Constants may be tracers of a trace that ends: such a program is transformed afresh.
    if (program.consts.length > 0) return f(program, ...rest)
    let result = known.get(key)
    if (result === undefined) known.set(key, (result = f(program, ...rest)))
    return result
  }
}
