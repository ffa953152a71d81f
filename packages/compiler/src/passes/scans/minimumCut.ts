/** Minimum cuts of small networks, by Dinic's algorithm: blocking flows along shortest paths, until no path is left. */

export const source = 0
export const sink = 1

interface Edge {
  readonly to: number
  capacity: number
  /** Where the edge back is in the list of `to`. */
  readonly back: number
}

/** A network with edges of given capacities. Source and sink are nodes 0 and 1. */
export class Network {
  readonly #edges: Edge[][] = [[], []]

  /** A new node. */
  node(): number {
    return this.#edges.push([]) - 1
  }
  edge(from: number, to: number, capacity: number): void {
    const [out, into] = [this.#edges[from]!, this.#edges[to]!]
    out.push({ to, capacity, back: into.length })
    into.push({ to: from, capacity: 0, back: out.length - 1 })
  }

  /** Whether each node lies on the sink's side of a minimum cut: of all such cuts, the one nearest to the sink. */
  sinkSide(): readonly boolean[] {
    for (;;) {
      const level = this.#levels()
      if (level[sink]! < 0) break
      const next = this.#edges.map(() => 0)
      while (this.#push(source, Infinity, level, next) > 0);
    }
    const isBehind = this.#edges.map((_, node) => node === sink)
    const queue = [sink]
    // From the sink, back over what is not full.
    for (const node of queue)
      for (const { to, back } of this.#edges[node]!) {
        if (isBehind[to] || this.#edges[to]![back]!.capacity <= 0) continue
        isBehind[to] = true
        queue.push(to)
      }
    return isBehind
  }

  /** Distances from the source over edges that are not full; −1 where there is no way. */
  #levels(): number[] {
    const level = this.#edges.map(() => -1)
    level[source] = 0
    const queue = [source]
    for (const node of queue)
      for (const { to, capacity } of this.#edges[node]!) {
        if (capacity <= 0 || level[to]! >= 0) continue
        level[to] = level[node]! + 1
        queue.push(to)
      }
    return level
  }
  /** Send flow on towards the sink; `next` is the first edge of each node that is worth trying. */
  #push(node: number, most: number, level: readonly number[], next: number[]): number {
    if (node === sink) return most
    const edges = this.#edges[node]!
    for (; next[node]! < edges.length; next[node]!++) {
      const edge = edges[next[node]!]!
      if (edge.capacity <= 0 || level[edge.to] !== level[node]! + 1) continue
      const sent = this.#push(edge.to, Math.min(most, edge.capacity), level, next)
      if (sent <= 0) continue
      edge.capacity -= sent
      this.#edges[edge.to]![edge.back]!.capacity += sent
      return sent
    }
    return 0
  }
}
