// Every error class that the packages export has its section in docs/errors.md, and no section is left over.
import { readFileSync } from 'node:fs'
import * as data from '@fluxion/data'
import * as losses from '@fluxion/losses'
import * as modules from '@fluxion/modules'
import * as neurons from '@fluxion/neurons'
import * as optim from '@fluxion/optim'
import * as plot from '@fluxion/plot'
import * as precision from '@fluxion/precision'
import * as progress from '@fluxion/progress'
import * as surrogates from '@fluxion/surrogates'
import * as testing from '@fluxion/testing'
import * as fluxion from 'fluxion'
import { expect, test } from 'vitest'

const packages = [fluxion, modules, precision, optim, surrogates, neurons, losses, data, progress, plot, testing]

test('docs/errors.md has a section for each exported error', () => {
  const errors = packages.flatMap((exports) =>
    Object.entries(exports).flatMap(([name, value]: [string, unknown]) =>
      typeof value === 'function' && value.prototype instanceof Error ? [name] : [],
    ),
  )
  const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
  const sections = [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name)
  expect(sections.toSorted()).toEqual([...new Set(errors)].toSorted())
})
