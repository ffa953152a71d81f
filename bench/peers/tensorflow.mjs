// The tasks of the bench in TensorFlow.js, on its back end `wasm` or `cpu`: operation by operation, since it compiles nothing.
import { truncatedNormal } from './random.mjs'

const noPrograms = 'compiles no programs: every operation is a call'

/** A function that runs the task once, or why there is none. */
export async function prepare(require, task, backend) {
  const tf = require('@tensorflow/tfjs')
  if (backend === 'wasm') require('@tensorflow/tfjs-backend-wasm')
  await tf.setBackend(backend)
  await tf.ready()
  // Checks of shapes and for NaN that a program in production does without.
  tf.enableProdMode()
  const make = tasks(tf)[task.kind]
  const made = make === undefined ? { missing: noPrograms } : make(task, backend)
  return { version: tf.version.tfjs, ...made }
}

const tasks = (tf) => {
  const normal = (...shape) => tf.randomNormal(shape)
  /** All that is made is freed; reading the smallest result waits for it. */
  const tidied = (f) => ({
    run: () => {
      tf.tidy(() => {
        const out = [f()].flat(Infinity)
        out
          .reduce((a, b) => (b.size < a.size ? b : a))
          .slice(0, 1)
          .dataSync()
      })
    },
  })
  const layers = (x, kernels) => kernels.reduce((y, kernel) => tf.relu(tf.conv2d(y, kernel, 2, 'same')), x)
  const convolutions = () => [normal(64, 28, 28, 1), [normal(5, 5, 1, 32), normal(5, 5, 32, 64)]]
  return {
    matmul: ({ n, batch }) => {
      const shape = batch === 1 ? [n, n] : [batch, n, n]
      const [x, y] = [normal(...shape), normal(...shape)]
      return tidied(() => tf.matMul(x, y).reshape([-1]))
    },
    chain: ({ n }) => {
      const x = normal(n)
      return tidied(() => x.mul(2).add(1))
    },
    sum: ({ n }) => {
      const x = normal(n)
      return tidied(() => x.sum().reshape([1]))
    },
    'tanh-sum': ({ n }) => {
      const x = normal(n)
      return tidied(() => x.tanh().sum().reshape([1]))
    },
    'softmax-xent': () => {
      const [logits, labels] = [normal(256, 1000), tf.oneHot(tf.randomUniform([256], 0, 1000, 'int32'), 1000)]
      const wanted = labels.toFloat()
      const gradient = tf.grad((x) => tf.logSoftmax(x).mul(wanted).sum(-1).mean().neg())
      return tidied(() => gradient(logits).reshape([-1]))
    },
    conv: () => {
      const [x, kernels] = convolutions()
      return tidied(() => layers(x, kernels).reshape([-1]))
    },
    'conv-grad': () => {
      const [x, kernels] = convolutions()
      const gradient = tf.grads((...ks) => layers(x, ks).sum())
      return tidied(() => gradient(kernels).map((g) => g.reshape([-1])))
    },
    'lstm-grad': () => lstm(tf, tidied),
    normal: ({ n }) => tidied(() => tf.randomNormal([n])),
    // There is no sort but that of the largest.
    sort: ({ n }) => {
      const x = normal(n)
      return tidied(() => tf.topk(x, n).values)
    },
    eager: () => {
      const [x, calls] = [normal(4), 1000]
      const run = () => {
        for (let i = 0; i < calls; i++) x.add(1).dispose()
      }
      return { calls, run }
    },
    network: (task, backend) => {
      if (task.precision === 'half') return { missing: 'has no float16' }
      // Products in plain JavaScript are some 30 times as slow; and each step of time is dozens of calls and their records.
      const most = backend === 'cpu' ? 2 * 64 * 64 : 2 * 256 * 128
      const size = task.batch * task.steps * task.layers
      return size > most ? { missing: 'a network of this size takes it very long' } : network(tf, task, tidied)
    },
  }
}

function lstm(tf, tidied) {
  const [steps, batch, units] = [100, 32, 128]
  const loss = (w, u, b, xs) => {
    let [h, c] = [tf.zeros([batch, units]), tf.zeros([batch, units])]
    const outputs = tf.unstack(xs, 0).map((x) => {
      const gates = tf.matMul(x, w).add(tf.matMul(h, u)).add(b)
      const [i, g, f, o] = tf.split(gates, 4, -1)
      c = tf
        .sigmoid(f)
        .mul(c)
        .add(tf.sigmoid(i).mul(tf.tanh(g)))
      h = tf.sigmoid(o).mul(tf.tanh(c))
      return h
    })
    return tf.stack(outputs).sum()
  }
  const normal = (...shape) => tf.randomNormal(shape, 0, 0.1)
  const params = [normal(units, 4 * units), normal(units, 4 * units), tf.zeros([4 * units])]
  const xs = tf.randomNormal([steps, batch, units])
  const gradient = tf.grads((...given) => loss(...given, xs))
  return tidied(() => gradient(params).map((g) => g.reshape([-1])))
}

/** Loss and gradients of a network; events are given as numbers, since there are no bits to unpack. */
function network(tf, { neuron, recurrence, layers, batch, steps, channels, hidden, gain }, tidied) {
  const spike = tf.customGrad((x, save) => {
    save([x])
    const gradFunc = (cotangent, [saved]) =>
      cotangent.div(
        saved
          .mul(2 * Math.PI ** 1.5)
          .square()
          .add(Math.PI),
      )
    return { value: tf.cast(tf.greater(x, 0), 'float32'), gradFunc }
  })
  const drawn = (shape, deviation, mean = 0) => {
    const count = shape.reduce((a, b) => a * b, 1)
    return tf.tensor(
      Float32Array.from({ length: count }, () => mean + deviation * truncatedNormal()),
      shape,
    )
  }
  const hardSigmoid = (x) => tf.relu6(x.add(3)).div(6)
  const decay = () => drawn([hidden], 0.25, 0.5)
  const recurrent = () => (recurrence === 'dense' ? drawn([hidden, hidden], 1 / Math.sqrt(hidden)) : drawn([hidden], 1))
  const fed = (x, spikes, w) => {
    if (w === undefined) return x
    return x.add(recurrence === 'dense' ? tf.matMul(spikes, w) : spikes.mul(w))
  }
  const leaky = ([beta, w], x, [v]) => {
    const spikes = spike(v.sub(1))
    return [
      spikes,
      [
        v
          .mul(hardSigmoid(beta))
          .add(fed(x, spikes, w))
          .sub(spikes),
      ],
    ]
  }
  const adaptive = ([beta, gamma], x, [v, rise]) => {
    const [kept, raised] = [hardSigmoid(gamma), rise.add(1)]
    const spikes = spike(v.sub(raised))
    const membrane = v.mul(hardSigmoid(beta)).add(x).sub(spikes.mul(raised))
    return [spikes, [membrane, rise.mul(kept).add(tf.sub(1, kept).mul(spikes))]]
  }
  const currentBased = ([beta, alpha, w], x, [v, current]) => {
    const spikes = spike(v.sub(1))
    const next = fed(current.mul(hardSigmoid(alpha)).add(x), spikes, w)
    return [spikes, [v.sub(spikes).mul(hardSigmoid(beta)).add(next), next]]
  }
  // A step, its state variables, and how its parameters are drawn.
  const [step, variables, makers] = {
    lif: [leaky, 1, [decay]],
    rlif: [leaky, 1, [decay, recurrent]],
    alif: [adaptive, 2, [decay, decay]],
    cubalif: [currentBased, 2, [decay, decay]],
    rcubalif: [currentBased, 2, [decay, decay, recurrent]],
  }[neuron]
  const linears = Array.from({ length: layers + 1 }, (_, i) => {
    const inputs = i === 0 ? channels : hidden
    return i === layers ? drawn([inputs, 20], 1 / Math.sqrt(inputs)) : drawn([inputs, hidden], gain / Math.sqrt(inputs))
  })
  const params = [...linears, ...Array.from({ length: layers }, () => makers.map((make) => make())).flat()]
  const events = tf.tensor(
    Float32Array.from({ length: steps * batch * channels }, () => (Math.random() < 0.07 ? 1 : 0)),
    [steps * batch, channels],
  )
  const labels = Int32Array.from({ length: batch }, () => Math.floor(Math.random() * 20))
  const wanted = tf
    .oneHot(tf.tensor(labels, [batch], 'int32'), 20)
    .toFloat()
    .mul(0.7)
    .add(0.3 / 20)
  const loss = (...given) => {
    const weights = (i) => given.slice(layers + 1 + i * makers.length, layers + 1 + (i + 1) * makers.length)
    const inputs = tf.matMul(events, given[0]).reshape([steps, batch, hidden])
    const zeros = () => tf.zeros([batch, hidden])
    const states = Array.from({ length: layers }, () => Array.from({ length: variables }, zeros))
    let membrane = tf.zeros([batch, 20])
    let readout = membrane
    for (const input of tf.unstack(inputs, 0)) {
      let x = input
      for (let i = 0; i < layers; i++) {
        const [spikes, next] = step(weights(i), x, states[i])
        states[i] = next
        x = tf.matMul(spikes, given[i + 1])
      }
      membrane = membrane.mul(0.8).add(x)
      readout = readout.add(membrane)
    }
    return tf.logSoftmax(readout).mul(wanted).sum(-1).mean().neg()
  }
  const gradient = tf.valueAndGrads(loss)
  return tidied(() => {
    const { value, grads } = gradient(params)
    return [value.reshape([1]), ...grads.map((g) => g.reshape([-1]))]
  })
}
