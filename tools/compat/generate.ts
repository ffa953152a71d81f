// Writes docs/compat.md: `node tools/compat/generate.ts`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../workspace.ts'
import { page } from './page.ts'

writeFileSync(join(root, 'docs/compat.md'), page())
