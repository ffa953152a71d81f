/** Texts that two kernels share exactly when the same function does for both. */
import type { Buffer, Expr, Kernel, Local, LoopVar, ScalarFunction, Stmt } from '@fluxion/compiler'
import { notesOf } from '../print/temporaries.ts'

/** The text of a kernel, with its buffers, variables and shared expressions numbered in the order in which they are met. */
export function kernelKey(kernel: Kernel): string {
  const numbers = new Map<object, number>()
  const out: string[] = []
  const known = (x: object): number | undefined => numbers.get(x)
  const number = (x: object): number => {
    numbers.set(x, numbers.size)
    return numbers.size - 1
  }
  const buffer = (x: Buffer): string => `${known(x) ?? `${number(x)}:${x.dtype} ${x.holds}${notesOf(x)}`}`
  const variable = (x: LoopVar): string => `${known(x) ?? `${number(x)}:${x.extent}`}`
  const local = (x: Local): string => `${known(x) ?? `${number(x)}:${x.type}`}`
  /** Writes an expression that is new, after its operands; gives its number. */
  const expr = (x: Expr): string => {
    const seen = known(x)
    if (seen !== undefined) return `#${seen}`
    let text: string
    switch (x.op) {
      case 'const':
        return `${x.type} ${Object.is(x.value, -0) ? '-0' : x.value}`
      case 'var':
        return `v${variable(x.variable)}`
      case 'local':
        return `l${local(x.local)}`
      case 'load':
        text = `load ${buffer(x.buffer)} ${expr(x.index)}`
        break
      case 'unary':
        text = `${x.fn} ${expr(x.x)}`
        break
      case 'binary':
      case 'compare':
        text = `${x.fn} ${expr(x.x)} ${expr(x.y)}`
        break
      case 'fma':
        text = `fma ${expr(x.x)} ${expr(x.y)} ${expr(x.z)}`
        break
      case 'select':
        text = `select ${expr(x.condition)} ${expr(x.x)} ${expr(x.y)}`
        break
      case 'convert':
      case 'bitcast':
        text = `${x.op} ${expr(x.x)}`
        break
      case 'narrow':
        text = `narrow ${x.dtype} ${expr(x.x)}`
        break
      case 'call':
        text = `call ${callee(x.callee)} ${x.args.map(expr).join()}`
        break
      case 'host':
        text = `host ${x.fn} ${x.args.map(expr).join()}`
        break
    }
    const own = number(x)
    out.push(`${own}=${x.type} ${text}`)
    return `#${own}`
  }
  const callee = (f: ScalarFunction): string => {
    const seen = known(f)
    if (seen !== undefined) return `f${seen}`
    const own = number(f)
    out.push(`f${own}(${f.params.map(local).join()}){`)
    f.body.forEach(statement)
    const result = expr(f.result)
    out.push(`}${result}`)
    return `f${own}`
  }
  const block = (body: readonly Stmt[]): void => {
    out.push('{')
    body.forEach(statement)
    out.push('}')
  }
  const statement = (s: Stmt): void => {
    switch (s.op) {
      case 'for':
        out.push(`for ${variable(s.variable)} ${expr(s.extent)}`)
        return block(s.body)
      case 'while':
        out.push(`while ${expr(s.condition)}`)
        return block(s.body)
      case 'if':
        out.push(`if ${expr(s.condition)}`)
        block(s.yes)
        return block(s.no)
      case 'assign':
        out.push(`assign ${local(s.local)} ${expr(s.value)}`)
        return
      case 'store':
        out.push(`store ${buffer(s.buffer)} ${expr(s.index)} ${expr(s.value)}`)
        return
      case 'update':
        out.push(`update ${s.combine} ${buffer(s.buffer)} ${expr(s.index)} ${expr(s.value)}`)
        return
      case 'reduce':
        out.push(
          `reduce ${s.variables.map(variable).join()} ${s.accumulators.map(({ into, combine, value }) => `${combine} ${local(into)} ${expr(value)}`).join()}`,
        )
    }
  }
  out.push(kernel.params.map((x) => `${buffer(x)}/${x.length}`).join())
  if (kernel.kind === 'nest') out.push(kernel.grid.map(variable).join())
  else {
    const groups = [kernel.batch, kernel.rows, kernel.columns, kernel.inner]
    out.push(groups.map((vars) => vars.map(variable).join()).join(';'), local(kernel.sum))
    out.push(
      expr(kernel.left),
      expr(kernel.right),
      kernel.zeroOne ?? '',
      kernel.finite === undefined ? '' : expr(kernel.finite),
    )
  }
  kernel.body.forEach(statement)
  return out.join('\n')
}
