/** The libraries that the bench compares with, and how each is started for a task. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import type { Command } from '../child.ts'
import type { Task } from '../entries/entry.ts'
import { folder, install } from './install.ts'

export interface Peer {
  readonly name: string
  readonly about: string
  /** Make ready; gives the reason if it cannot be had on this machine. */
  readonly open: () => string | undefined
  readonly command: (task: Task, seconds: string, unrolls: readonly number[]) => Command
}

const pythons = env['FLUXION_PYTHON'] === undefined ? ['python3', 'python'] : [env['FLUXION_PYTHON']]
const hasJax = (file: string): boolean => spawnSync(file, ['-c', 'import jax'], { stdio: 'ignore' }).status === 0
let python: string | undefined

const fromNpm = (name: string, about: string, adapter: string, ...options: readonly string[]): Peer => ({
  name,
  about,
  open: install,
  command: (task, seconds) => ({
    file: execPath,
    args: [join(import.meta.dirname, 'measure.mjs'), adapter, folder, JSON.stringify(task), seconds, ...options],
  }),
})

export const peers: readonly Peer[] = [
  {
    name: 'jax.jit',
    about: 'JAX on the CPU, on all cores, at the best of the unrolls that were asked for',
    open: () => {
      python = pythons.find(hasJax)
      return python === undefined ? `${pythons[0]} has no jax; FLUXION_PYTHON names another Python` : undefined
    },
    command: (task, seconds, unrolls) => ({
      file: python ?? pythons[0]!,
      args: [join(import.meta.dirname, 'jax', 'measure.py'), JSON.stringify(task), seconds, JSON.stringify(unrolls)],
      // What it compiles is not written beside its sources.
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    }),
  },
  fromNpm('jax-js', '@jax-js/jax, its back end wasm', 'jaxJs'),
  fromNpm('tfjs-wasm', 'TensorFlow.js, its back end wasm', 'tensorflow', 'wasm'),
  fromNpm('tfjs-cpu', 'TensorFlow.js, its back end cpu', 'tensorflow', 'cpu'),
]
