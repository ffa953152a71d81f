/** Products without workgroup memory: each invocation computes a block of sums by itself, straight from the operands. */
import { Emitter } from './emitter.ts'
import { type Printed, groupNumber, groupsPerRow } from './nest.ts'
import type { ProductShader } from './product.ts'

const invocations = 64
/** Rows and columns of a block: large ones load less, small ones let more invocations work. */
const large = 8
const small = 4
/** From as many large blocks on they are used. */
const manyBlocks = 64

export function printDirect({ shader, type, sizes, add }: ProductShader): Printed {
  const blocksOf = (size: number): number =>
    Math.ceil(sizes.rows / size) * Math.ceil(sizes.columns / size) * sizes.batch
  const size = sizes.rows >= large && sizes.columns >= large && blocksOf(large) >= manyBlocks ? large : small
  const blocks = blocksOf(size)
  const groups = Math.ceil(blocks / invocations)
  const across = { rows: Math.ceil(sizes.rows / size), columns: Math.ceil(sizes.columns / size) }
  const quads = size / 4
  const emitter = new Emitter(shader)
  emitter.line(`let block = i32((${groupNumber(groups)}) * ${invocations}u + lane);`)
  if (groups * invocations !== blocks || groups > groupsPerRow) emitter.line(`if (block >= ${blocks}i) { return; }`)
  emitter.line(`let column = (block % ${across.columns}i) * ${size}i;`)
  emitter.line(`let row = ((block / ${across.columns}i) % ${across.rows}i) * ${size}i;`)
  emitter.line(`let b = block / ${across.columns * across.rows}i;`)
  // Beyond the last row or column anything does, since nobody uses its sums.
  const place = (start: string, offset: number, end: number): string => {
    const at = offset === 0 ? start : `${start} + ${offset}i`
    return end % size === 0 || offset === 0 ? at : `min(${at}, ${end - 1}i)`
  }
  const range = Array.from({ length: size }, (_, at) => at)
  for (const r of range) for (let q = 0; q < quads; q++) emitter.line(`var sum${r}_${q} = vec4<${type}>();`)
  emitter.block(`for (var k = 0i; k < ${sizes.inner}i; k++) {`, () => {
    for (let q = 0; q < quads; q++) {
      const four = [0, 1, 2, 3].map((i) => `rightAt(b, ${place('column', 4 * q + i, sizes.columns)}, k)`)
      emitter.line(`let y${q} = vec4<${type}>(${four.join(', ')});`)
    }
    for (const r of range) {
      emitter.line(`let x${r} = vec4<${type}>(leftAt(b, ${place('row', r, sizes.rows)}, k));`)
      for (let q = 0; q < quads; q++) emitter.line(add(`sum${r}_${q}`, `x${r}`, `y${q}`))
    }
  })
  for (const r of range) {
    for (let q = 0; q < quads; q++) {
      const checks = [
        sizes.rows % size === 0 || r === 0 ? [] : [`row + ${r}i < ${sizes.rows}i`],
        sizes.columns % size === 0 || q === 0 ? [] : [`column + ${4 * q}i < ${sizes.columns}i`],
      ].flat()
      const call = `finish(b, row + ${r}i, column + ${4 * q}i, sum${r}_${q});`
      emitter.line(checks.length === 0 ? call : `if (${checks.join(' && ')}) { ${call} }`)
    }
  }
  return { source: shader.source(invocations, emitter.lines), groups }
}
