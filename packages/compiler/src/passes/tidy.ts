/** What is done after every pass: simplify, share, drop what is dead, until nothing changes. */
import { eliminateDead } from './dead.ts'
import { type Pass, untilStable } from './rewrite.ts'
import { share } from './share.ts'
import { simplify } from './simplify.ts'

export const tidy: Pass = untilStable((program) => eliminateDead(share(simplify(program))))
