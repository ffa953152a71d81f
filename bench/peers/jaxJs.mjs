// The tasks of the bench in @jax-js/jax on its WebAssembly back end. Its arrays are counted by hand: `.ref` keeps one that is used again.
import { truncatedNormal } from './random.mjs'

const loops =
  'has no loops: unrolled by hand, compiling and running grow with the square of the steps, so only up to 16 steps'

/** A function that runs the task once, or why there is none. */
export async function prepare(require, task) {
  const jax = require('@jax-js/jax')
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  const make = tasks(jax)[task.kind]
  if (make === undefined) return { missing: `has no loops: ${task.kind} cannot be written` }
  return { version: require('./package.json').dependencies['@jax-js/jax'], ...(await make(task)) }
}

const tasks = (jax) => {
  const { numpy: np, nn, lax, random } = jax
  const normal = (seed, ...shape) => random.normal(random.key(seed), shape)
  /** Calls a function with the same arguments each time, and waits for what it gives. */
  const calling = async (f, ...args) => {
    await jax.blockUntilReady(args)
    const once = () => f(...args.map((arg) => jax.tree.ref(arg)))
    return {
      once,
      run: async () => {
        const out = once()
        await jax.blockUntilReady(out)
        jax.tree.dispose(out)
      },
    }
  }
  const layers = (x, kernels) =>
    kernels.reduce((y, kernel) => nn.relu(lax.convGeneralDilated(y, kernel, [2, 2], 'SAME')), x)
  /** Channels stand first: it has no other layout. */
  const convolutions = () => [normal(0, 64, 1, 28, 28), [normal(1, 32, 1, 5, 5), normal(2, 64, 32, 5, 5)]]
  return {
    matmul: ({ n, batch }) => {
      const shape = batch === 1 ? [n, n] : [batch, n, n]
      return calling(
        jax.jit((x, y) => np.matmul(x, y)),
        normal(0, ...shape),
        normal(1, ...shape),
      )
    },
    chain: ({ n }) =>
      calling(
        jax.jit((x) => x.mul(2).add(1)),
        normal(0, n),
      ),
    sum: ({ n }) =>
      calling(
        jax.jit((x) => np.sum(x)),
        normal(0, n),
      ),
    'tanh-sum': ({ n }) =>
      calling(
        jax.jit((x) => np.sum(np.tanh(x))),
        normal(0, n),
      ),
    'softmax-xent': () => {
      const loss = (logits, labels) => np.mean(np.sum(nn.logSoftmax(logits).mul(nn.oneHot(labels, 1000)), -1)).mul(-1)
      const labels = Int32Array.from({ length: 256 }, () => Math.floor(Math.random() * 1000))
      return calling(jax.jit(jax.grad(loss)), normal(0, 256, 1000), np.array(labels))
    },
    conv: () => calling(jax.jit(layers), ...convolutions()),
    'conv-grad': () => {
      const [x, kernels] = convolutions()
      return calling(jax.jit(jax.grad((k, y) => np.sum(layers(y, k)))), kernels, x)
    },
    normal: ({ n }) =>
      calling(
        jax.jit((key) => random.normal(key, [n])),
        random.key(0),
      ),
    sort: ({ n }) =>
      calling(
        jax.jit((x) => np.sort(x)),
        normal(0, n),
      ),
    dispatch: async () => {
      const leaves = Array.from({ length: 10 }, (_, i) => normal(i, 4))
      const { once } = await calling(
        jax.jit((xs) => xs.map((x) => x.add(1))),
        leaves,
      )
      return repeated(jax, once)
    },
    eager: async () => {
      const { once } = await calling((x) => x.add(1), normal(0, 4))
      return repeated(jax, once)
    },
    'lstm-grad': () => ({ missing: loops }),
    network: (task) => {
      const known = ['lif', 'rlif'].includes(task.neuron) && task.recurrence === 'elementwise'
      if (task.precision === 'half') return { missing: 'has float16 in few of the operations of a network' }
      return task.steps > 16 || !known ? { missing: loops } : network(jax, task, calling)
    },
  }
}

/** A thousand calls, each result let go before the next; the last one is waited for. */
function repeated(jax, once) {
  const calls = 1000
  const run = async () => {
    for (let i = 1; i < calls; i++) {
      const out = once()
      await jax.blockUntilReady(out)
      jax.tree.dispose(out)
    }
    const out = once()
    await jax.blockUntilReady(out)
    jax.tree.dispose(out)
  }
  return { calls, run }
}

/** Loss and gradients of a network of LIF or RLIF, all steps written out. */
function network(jax, { neuron, layers, batch, steps, channels, hidden, gain }, calling) {
  const { numpy: np, nn, lax } = jax
  const drawn = (shape, deviation, mean = 0) => {
    const count = shape.reduce((a, b) => a * b, 1)
    const values = Float32Array.from({ length: count }, () => mean + deviation * truncatedNormal())
    return np.array(values, { shape })
  }
  // There are no custom derivatives: the spike is the surrogate's integral, plus what it lacks to a step without a derivative.
  const spike = (x) => {
    const smooth = np.atan(x.ref.mul(2 * Math.PI)).mul(1 / (2 * Math.PI ** 2))
    const step = np.where(np.greater(x, 0), 1, 0)
    return lax.stopGradient(step.sub(smooth.ref)).add(smooth)
  }
  const loss = ({ linears, betas, recurrents }, events, wanted) => {
    const inputs = np.split(np.matmul(events, linears[0]).reshape([steps, batch, hidden]), steps, 0)
    const decays = betas.map((beta) => nn.hardSigmoid(beta))
    const states = Array.from({ length: layers }, () => np.zeros([batch, hidden]))
    let membrane = np.zeros([batch, 20])
    let readout = np.zeros([batch, 20])
    for (const input of inputs) {
      let x = input.reshape([batch, hidden])
      for (let i = 0; i < layers; i++) {
        const spikes = spike(states[i].ref.sub(1))
        const drive = neuron === 'rlif' ? x.add(recurrents[i].ref.mul(spikes.ref)) : x
        states[i] = states[i].mul(decays[i].ref).add(drive).sub(spikes.ref)
        x = np.matmul(spikes, linears[i + 1].ref)
      }
      membrane = membrane.mul(0.8).add(x)
      readout = readout.add(membrane.ref)
    }
    const leftovers = [membrane, ...states, ...decays, ...linears.slice(1), ...recurrents]
    for (const x of leftovers) x.dispose()
    return np.mean(np.sum(wanted.mul(nn.logSoftmax(readout)), -1)).mul(-1)
  }
  const sizes = Array.from({ length: layers + 1 }, (_, i) => [i === 0 ? channels : hidden, i === layers ? 20 : hidden])
  const params = {
    linears: sizes.map(([inputs, outputs], i) => drawn([inputs, outputs], (i < layers ? gain : 1) / Math.sqrt(inputs))),
    betas: Array.from({ length: layers }, () => drawn([hidden], 0.25, 0.5)),
    recurrents: neuron === 'rlif' ? Array.from({ length: layers }, () => drawn([hidden], 1)) : [],
  }
  const events = Float32Array.from({ length: steps * batch * channels }, () => (Math.random() < 0.07 ? 1 : 0))
  const wanted = Float32Array.from({ length: batch * 20 }, () => 0.3 / 20)
  for (let i = 0; i < batch; i++) wanted[i * 20 + Math.floor(Math.random() * 20)] += 0.7
  return calling(
    jax.jit(jax.valueAndGrad(loss)),
    params,
    np.array(events, { shape: [steps * batch, channels] }),
    np.array(wanted, { shape: [batch, 20] }),
  )
}
