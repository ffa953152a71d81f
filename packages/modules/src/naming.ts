/** Names of modules, as Haiku gives them: in the order of creation within the scope, `parent/~/child` for those made in a constructor. */
import { ModuleError, type Scope } from './frame.ts'

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()

/** The prefix that a scope gives to modules made in it. */
function prefixOf({ moduleName, method }: Scope): string {
  if (moduleName === undefined) return ''
  return `${moduleName}/${method === 'call' ? '' : method === 'constructor' ? '~/' : `~${snake(method)}/`}`
}
/** A name and the number that its maker may have put behind it: `linear_1` is `linear`, 1. */
function numbered(name: string): [string, number | undefined] {
  const match = /^(.*)_(0|[1-9]\d*)$/.exec(name)
  return match === null ? [name, undefined] : [match[1]!, Number(match[2])]
}

/** A name that is unique in the scope, with everything that stands before it. */
export function uniqueName(scope: Scope, given: string): string {
  if (!/^[A-Za-z_][\w]*(\/[A-Za-z_~][\w]*)*$/.test(given))
    throw new ModuleError(`'${given}' is no name for a module: letters, digits and _ make one`)
  const [base, explicit] = numbered(prefixOf(scope) + given)
  const number = explicit ?? scope.counters.get(base) ?? 0
  const name = explicit === undefined && number === 0 ? base : `${base}_${number}`
  if (scope.used.has(name)) throw new ModuleError(`the module name '${name}' is used twice`)
  scope.used.add(name)
  scope.counters.set(base, Math.max(scope.counters.get(base) ?? 0, number + 1))
  return name
}
