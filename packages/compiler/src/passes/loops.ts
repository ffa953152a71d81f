/** All passes over loops, in their order. */
import { type Pass, untilStable } from './rewrite.ts'
import { moveAccumulations } from './scans/accumulate.ts'
import { moveAround } from './scans/around.ts'
import { splitCarries } from './scans/carryParts.ts'
import { hoistInvariants } from './scans/hoist.ts'
import { hoistProducts } from './scans/products.ts'
import { chooseResiduals } from './scans/residuals.ts'
import { splitScans } from './scans/split.ts'
import { takeSums } from './scans/sums.ts'
import { tidy } from './tidy.ts'

/** What leaves loops opens ways for more to leave, and leaves things to simplify. */
const shrink = untilStable(
  (program) => tidy(moveAccumulations(hoistProducts(hoistInvariants(splitCarries(program))))),
  4,
)
/** A pass whose results, if it does anything, are tidied and shrunk. */
const then =
  (pass: Pass): Pass =>
  (program) => {
    const next = pass(program)
    return next === program ? program : shrink(tidy(next))
  }

const inOrder = [shrink, then(splitScans), then(moveAround), then(takeSums), then(chooseResiduals)]

export const loops: Pass = (program) => inOrder.reduce((current, pass) => pass(current), program)
