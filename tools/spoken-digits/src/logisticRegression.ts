/** Multinomial logistic regression, the yardstick of how much the spike counts alone tell. */

/** Rows of features in a row: f64[rows, columns]. */
export interface Features {
  readonly rows: number
  readonly columns: number
  readonly values: Float64Array
}

/** A linear classifier of standardised features. */
export interface Classifier {
  readonly predict: (features: Features) => Int32Array
}

/** Mean and standard deviation of each column; a constant column counts as one of deviation 1. */
const moments = ({ rows, columns, values }: Features): { mean: Float64Array; deviation: Float64Array } => {
  const mean = new Float64Array(columns)
  const deviation = new Float64Array(columns)
  for (let i = 0; i < values.length; i += 1) mean[i % columns] = mean[i % columns]! + values[i]! / rows
  for (let i = 0; i < values.length; i += 1) {
    deviation[i % columns] = deviation[i % columns]! + (values[i]! - mean[i % columns]!) ** 2 / rows
  }
  return { mean, deviation: deviation.map((variance) => Math.sqrt(variance) || 1) }
}

/** Standardise, and append a column of ones for the bias. */
const standardised = (features: Features, { mean, deviation }: ReturnType<typeof moments>): Features => {
  const columns = features.columns + 1
  const values = new Float64Array(features.rows * columns).fill(1)
  for (let row = 0; row < features.rows; row += 1) {
    for (let column = 0; column < features.columns; column += 1) {
      const value = features.values[row * features.columns + column]!
      values[row * columns + column] = (value - mean[column]!) / deviation[column]!
    }
  }
  return { rows: features.rows, columns, values }
}

/** Scores x·w: f64[rows, classes], from weights f64[columns, classes]. */
const scores = ({ rows, columns, values }: Features, weights: Float64Array, classes: number): Float64Array => {
  const out = new Float64Array(rows * classes)
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const value = values[row * columns + column]!
      for (let c = 0; c < classes; c += 1) {
        out[row * classes + c] = out[row * classes + c]! + value * weights[column * classes + c]!
      }
    }
  }
  return out
}

/** Mean cross-entropy and its slope xᵀ(softmax(x·w) − onehot)/rows. */
const crossEntropy = (
  features: Features,
  labels: ArrayLike<number>,
  weights: Float64Array,
  classes: number,
): { loss: number; slope: Float64Array } => {
  const { rows, columns, values } = features
  const delta = scores(features, weights, classes)
  let loss = 0
  for (let row = 0; row < rows; row += 1) {
    const out = delta.subarray(row * classes, (row + 1) * classes)
    const top = Math.max(...out)
    const total = out.reduce((sum, score) => sum + Math.exp(score - top), 0)
    const label = labels[row]!
    loss += (top + Math.log(total) - out[label]!) / rows
    for (let c = 0; c < classes; c += 1) out[c] = Math.exp(out[c]! - top) / total / rows
    out[label] = out[label]! - 1 / rows
  }
  const slope = new Float64Array(columns * classes)
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const value = values[row * columns + column]!
      for (let c = 0; c < classes; c += 1) {
        slope[column * classes + c] = slope[column * classes + c]! + value * delta[row * classes + c]!
      }
    }
  }
  return { loss, slope }
}

/** Summed over all entries. */
const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!
  return sum
}

const plus = (a: Float64Array, scale: number, b: Float64Array): Float64Array => a.map((x, i) => x + scale * b[i]!)

/** How many steps back the quasi-Newton method remembers. */
const memory = 10

/** The quasi-Newton direction −H·slope from remembered steps and changes of slope (Nocedal's two loops). */
const direction = (
  slope: Float64Array,
  history: readonly (readonly [step: Float64Array, change: Float64Array])[],
): Float64Array => {
  let q: Float64Array = slope.map((x) => -x)
  const parts: number[] = []
  for (const [step, change] of history) {
    const part = dot(step, q) / dot(step, change)
    parts.push(part)
    q = plus(q, -part, change)
  }
  const [last] = history
  if (last !== undefined) q = plus(new Float64Array(q.length), dot(last[0], last[1]) / dot(last[1], last[1]), q)
  for (const [i, [step, change]] of [...history.entries()].toReversed()) {
    q = plus(q, parts[i]! - dot(change, q) / dot(step, change), step)
  }
  return q
}

/**
 * Fit a classifier: minimises the mean cross-entropy + |w|²/(2·inverseRegularisation·rows), the bias unregularised, by L-BFGS from
 * zero with halved steps where the loss does not fall enough, to a gradient of 1e-4 of the first one's norm.
 */
export const fit = (
  raw: Features,
  labels: ArrayLike<number>,
  classes: number,
  inverseRegularisation: number,
): Classifier => {
  const scale = moments(raw)
  const features = standardised(raw, scale)
  const lambda = 1 / (inverseRegularisation * raw.rows)
  const penalised = raw.columns * classes
  const evaluate = (at: Float64Array): { loss: number; slope: Float64Array } => {
    const { loss, slope } = crossEntropy(features, labels, at, classes)
    let square = 0
    for (let i = 0; i < penalised; i += 1) {
      slope[i] = slope[i]! + lambda * at[i]!
      square += at[i]! ** 2
    }
    return { loss: loss + (lambda / 2) * square, slope }
  }
  let weights: Float64Array = new Float64Array(features.columns * classes)
  let { loss, slope } = evaluate(weights)
  const limit = 1e-4 * Math.sqrt(dot(slope, slope))
  let history: (readonly [step: Float64Array, change: Float64Array])[] = []
  while (dot(slope, slope) > limit ** 2) {
    const towards = direction(slope, history)
    const descent = dot(towards, slope)
    let length = history.length === 0 ? 1 / Math.sqrt(dot(towards, towards)) : 1
    let next = evaluate(plus(weights, length, towards))
    for (
      ;
      next.loss > loss + 1e-4 * length * descent && length > 1e-12;
      next = evaluate(plus(weights, length, towards))
    ) {
      length /= 2
    }
    const step = towards.map((x) => length * x)
    history = [[step, plus(next.slope, -1, slope)] as const, ...history].slice(0, memory)
    weights = plus(weights, 1, step)
    loss = next.loss
    slope = next.slope
  }
  return {
    predict: (fresh) => {
      const out = scores(standardised(fresh, scale), weights, classes)
      return Int32Array.from({ length: fresh.rows }, (_, row) => {
        const own = out.subarray(row * classes, (row + 1) * classes)
        return own.indexOf(Math.max(...own))
      })
    },
  }
}
