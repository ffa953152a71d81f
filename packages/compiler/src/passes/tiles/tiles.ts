/**
 * Tiles: stretches of a program that are independent along one axis, such as the batch, become a loop over pieces of the axis. What lies
 * between their equations is then as large as a piece, and stays in cache; sums over the axis are gathered by the loop.
 */
import { type Atom, type ClosedJaxpr, type Equation, type Jaxpr, type Var, closed } from '@fluxion/core'
import { Analysis } from '../axes/analysis.ts'
import { Axes } from '../axes/sets.ts'
import { type Environment, type Pass, Writer, mapPrograms, remembered, substitutedAll } from '../rewrite.ts'
import { definitionsOf } from '../scans/rewriteScans.ts'
import type { Region } from './part.ts'
import { writeRegion } from './region.ts'
import { type Schedule, scheduleAlong } from './schedule.ts'
import { type TileLimits, type Tiling, tilingOf } from './size.ts'
import { hasLoop, workOf } from './work.ts'

interface Plan {
  readonly schedule: Schedule
  /** By stage: the equations of its region. */
  readonly regions: readonly (readonly Equation[])[]
  readonly tilings: readonly (Tiling | undefined)[]
  readonly units: number
  readonly worth: number
}

/** The pass: `optimise` is run on the program of a tile. */
export function tilesOf(limits: TileLimits, optimise: Pass): Pass {
  const loops = new WeakSet<Jaxpr>()
  const isTiled = ({ params }: Equation): boolean => {
    const { jaxpr } = params as { readonly jaxpr?: ClosedJaxpr }
    return jaxpr !== undefined && loops.has(jaxpr.jaxpr)
  }

  /** The way to tile a program along one axis that takes in most of its work. */
  function planOf(jaxpr: Jaxpr): Plan | undefined {
    const heavy = jaxpr.equations.filter((equation) => (limits.loops === 0 || hasLoop(equation)) && !isTiled(equation))
    if (heavy.reduce((sum, equation) => sum + workOf(equation), 0) < limits.work) return undefined
    const axes = new Axes()
    const inputs = jaxpr.inputs.map(({ aval }) => aval.shape.map((size) => axes.add(size)))
    const analysis = new Analysis(axes, jaxpr, inputs, true)
    analysis.settle()
    let best: Plan | undefined
    // At most what an axis can take in, the most first.
    const bounds = new Map<number, number>()
    for (const equation of jaxpr.equations)
      for (const axis of isTiled(equation) ? [] : analysis.axesOf(equation))
        bounds.set(axis, (bounds.get(axis) ?? 0) + workOf(equation))
    for (const [axis, bound] of [...bounds].sort(([, a], [, b]) => b - a)) {
      const units = axes.unitsOf(axis)
      if (bound < limits.work || bound <= (best?.worth ?? 0)) break
      if (units < 2) continue
      const schedule = scheduleAlong(jaxpr, analysis, axis, isTiled)
      const regions = Array.from({ length: schedule.stages }, (): Equation[] => [])
      for (const equation of jaxpr.equations) {
        const { kind, stage } = schedule.placements.get(equation)!
        if (kind === 'region') regions[stage]!.push(equation)
      }
      const isSplit = (v: Var): boolean => analysis.dimsOn(v, axis).length > 0
      const tilings = regions.map((region) => tilingOf(region, units, isSplit, limits))
      const worth = tilings.reduce((sum, tiling) => sum + (tiling?.worth ?? 0), 0)
      if (worth > (best?.worth ?? 0)) best = { schedule, regions, tilings, units, worth }
    }
    return best
  }

  function rewritten({ jaxpr, consts }: ClosedJaxpr, { schedule, regions, tilings, units }: Plan): ClosedJaxpr {
    const writer = new Writer()
    const environment: Environment = new Map()
    const definitions = definitionsOf(jaxpr)
    const place = (equation: Equation): void =>
      writer.add({ ...equation, inputs: substitutedAll(environment, equation.inputs) })
    const { placements } = schedule
    const renaming: Pass = (body) => {
      const next = optimise(body)
      loops.add(next.jaxpr)
      return next
    }
    regions.forEach((equations, stage) => {
      for (const equation of jaxpr.equations) {
        const { kind, stage: own } = placements.get(equation)!
        if (kind !== 'region' && own === stage) place(equation)
      }
      const tiling = tilings[stage]
      if (tiling === undefined) equations.forEach(place)
      else {
        const own = new Set(equations)
        const read = new Set<Atom>(jaxpr.outputs)
        for (const equation of jaxpr.equations)
          if (!own.has(equation)) for (const atom of equation.inputs) read.add(atom)
        const region: Region = { equations, placements, definitions, isRead: (v) => read.has(v) }
        const current = (v: Var): Atom => environment.get(v) ?? v
        for (const [v, value] of writeRegion(region, tiling.chunks, units, writer, renaming, current))
          environment.set(v, value)
      }
    })
    return closed(
      { ...jaxpr, equations: writer.equations, outputs: substitutedAll(environment, jaxpr.outputs) },
      consts,
    )
  }

  const pass: Pass = remembered((program) => {
    let current = program
    // One axis after the other, for what the one before has left.
    for (let round = 0; round < 3; round++) {
      const plan = planOf(current.jaxpr)
      if (plan === undefined) break
      current = rewritten(current, plan)
    }
    const { jaxpr, consts } = current
    let changed = false
    const equations = jaxpr.equations.map((equation) => {
      const params = isTiled(equation) ? equation.params : mapPrograms(equation.params, pass)
      if (params === equation.params) return equation
      changed = true
      return { ...equation, params }
    })
    return changed ? closed({ ...jaxpr, equations }, consts) : current
  })
  return pass
}
