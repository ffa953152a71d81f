/** Printed programs against what real JAX prints, whole texts. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeJaxpr } from '../transform/inspect.ts'
import { jaxprCases } from './jaxprs.testing.ts'
import { printJaxpr } from './print.ts'

interface Case {
  readonly case: string
  readonly args: readonly never[]
  readonly jaxpr: string
}
const file = new URL('../../../../test/golden/jaxprs.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] }

/** A change of JAX's text: replace, once, the first by the second. */
type Change = readonly [from: string, to: string]
// Programs that differ from JAX's, each with the reason, and with the whole difference.
const differs: Readonly<Record<string, { readonly reason: string; readonly changes: readonly Change[] }>> = {
  value_and_grad_max: {
    reason: "JAX's elementwise operations stretch axes of size 1; ours broadcast scalars only",
    changes: [['c:f32[1] = reshape[dimensions=None new_sizes=(1,) sharding=None] b', 'c:f32[4] = broadcast_in_dim b']],
  },
  grad_scan_weights: {
    reason:
      'zeros are made at another time; a cotangent is added to the sum of its constant after the step, not in the middle of it',
    changes: [
      [
        '    _:f32[] = reduce_sum[axes=(0,) out_sharding=None] d\n    _:f32[3] = broadcast_in_dim 0.0:f32[]\n',
        '    _:f32[3] = broadcast_in_dim 0.0:f32[]\n    _:f32[] = reduce_sum[axes=(0,) out_sharding=None] d\n',
      ],
      [
        'q:f32[3] = broadcast_in_dim 0.0:f32[]\n    r:f32[3,3] =',
        'q:f32[3,3] = broadcast_in_dim 0.0:f32[]\n    r:f32[3] =',
      ],
      ['] a r q p e f g', '] a q r p e f g'],
      [
        'bh:f32[3,3] = add_any u bg\n          bi:f32[3] = dot_general[dimension_numbers=(([0], [1]), ([], []))] be t\n        in (bh, bi)',
        'bh:f32[3] = dot_general[dimension_numbers=(([0], [1]), ([], []))] be t\n          bi:f32[3,3] = add_any u bg\n        in (bi, bh)',
      ],
    ],
  },
  grad_cond: {
    reason: 'what a branch has no residual for is a literal zero, in JAX an array that is left empty',
    changes: [
      [
        '{ lambda ; e:f32[]. let\n            f:f32[] = mul e 2.0:f32[]\n            g:f32[] = empty2[dtype=float32 memory_space=MemorySpace.Device] \n          in (f, g) }',
        '{ lambda ; e:f32[]. let f:f32[] = mul e 2.0:f32[] in (f, 0.0:f32[]) }',
      ],
      [
        '{ lambda ; h:f32[]. let\n            i:f32[] = sin h\n            j:f32[] = cos h\n            k:f32[] = empty2[dtype=float32 memory_space=MemorySpace.Device] \n          in (i, j) }',
        '{ lambda ; g:f32[]. let h:f32[] = sin g; i:f32[] = cos g in (h, i) }',
      ],
      ['    l:f32[] = cond[', '    j:f32[] = cond['],
      [
        '{ lambda ; m:f32[] n:f32[]. let o:f32[] = mul n 2.0:f32[] in (o,) }',
        '{ lambda ; k:f32[] l:f32[]. let m:f32[] = mul l 2.0:f32[] in (m,) }',
      ],
      [
        '{ lambda ; p:f32[] q:f32[]. let r:f32[] = mul q p in (r,) }',
        '{ lambda ; n:f32[] o:f32[]. let p:f32[] = mul o n in (p,) }',
      ],
      ['  in (l,) }', '  in (j,) }'],
    ],
  },
  vmap_while: {
    reason:
      'in JAX the lowering selects what is still running, with a condition that is no scalar; ours says so in the program',
    changes: [
      [
        'let d:f32[3] = mul c 2.0:f32[] in (d,) }',
        'let\n          d:bool[3] = lt c 10.0:f32[]\n          e:f32[3] = mul c 2.0:f32[]\n          f:f32[3] = select_n d c e\n        in (f,) }',
      ],
      [
        '{ lambda ; e:f32[3]. let f:bool[3] = lt e 10.0:f32[] in (f,) }',
        '{ lambda ; g:f32[3]. let\n          h:bool[3] = lt g 10.0:f32[]\n          i:bool[] = reduce_or[axes=(0,)] h\n        in (i,) }',
      ],
    ],
  },
  collectives: {
    reason: 'a sum over an axis of the array is a reduction',
    changes: [['psum[axes=(0,) axis_index_groups=None]', 'reduce_sum[axes=(0,) out_sharding=None]']],
  },
}
const expected = ({ case: name, jaxpr }: Case): string =>
  (differs[name]?.changes ?? []).reduce((text, [from, to]) => {
    expect(text).toContain(from)
    return text.replace(from, () => to)
  }, jaxpr)

test('every golden program is written here', () => {
  expect(Object.keys(jaxprCases)).toEqual(cases.map(({ case: name }) => name))
})

test.each(cases.map((row) => [row.case, row] as const))('%s prints as in JAX', (name, row) => {
  expect(printJaxpr(makeJaxpr(jaxprCases[name]!)(...row.args))).toBe(expected(row))
})
