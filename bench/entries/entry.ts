/** What an entry of the bench is: something to call again and again, and how to know that it has finished. */
import { type Jitted, type NDArray, type Tree, backend, tree } from 'fluxion'

export interface Prepared {
  /** Start it once. */
  readonly run: () => unknown
  /** Trace it without running. */
  readonly trace?: () => unknown
  /** What it costs, as the compiler counts it; nothing on a back end that does not compile. */
  readonly cost?: () => string | undefined
}
/** What is computed, as data: other libraries know from it what to run. */
export interface Task {
  readonly kind: string
  readonly [parameter: string]: unknown
}
export interface Entry {
  readonly name: string
  readonly about: string
  readonly task: Task
  readonly prepare: () => Prepared | Promise<Prepared>
  /** Floating-point operations and bytes of one run, where a rate says more than a time. */
  readonly flops?: number
  readonly bytes?: number
  /** Calls in one run, where one alone is too short to time. */
  readonly calls?: number
}

/** An entry that calls a jitted function with the same arguments. */
export function prepared<A extends readonly unknown[], R extends Tree>(f: Jitted<A, R>, ...args: A): Prepared {
  return {
    run: () => f(...args),
    trace: () => f.lower(...args),
    cost: () => {
      try {
        return f.lower(...args).asText('cost')
      } catch {
        return undefined
      }
    },
  }
}

/** Wait until a run has finished: on a GPU calls return before they have begun, elsewhere they have ended. */
export async function finished(result: unknown): Promise<void> {
  if (backend().name !== 'webgpu') return
  const leaves = tree.leaves(result as Tree) as NDArray[]
  const least = leaves.reduce<NDArray | undefined>((a, b) => (a === undefined || b.size < a.size ? b : a), undefined)
  if (least !== undefined) await least.ravel().get(0).data()
}
