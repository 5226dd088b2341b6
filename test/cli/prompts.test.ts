import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { hasTerminals } from './command.ts'

const confirming = new URL('../../src/cli/prompts.ts', import.meta.url).href

/** A program that prints the result of an expression with `confirm` or `ask`, or its error. */
const programOf = (expression: string): string =>
  `const { ask, confirm } = await import('${confirming}')
   await Promise.resolve().then(() => ${expression}).then(
     (result) => console.log('result', result),
     (error) => console.log(error.constructor.name, error.message),
   )`

/** Runs the program without a terminal. */
async function run(expression: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', programOf(expression)])
  child.stdin.end('y\n')
  return outputOf(child)
}

/** Runs the program on a terminal, and types an answer to its question. */
async function type(typed: string, expression: string): Promise<string> {
  const quoted = programOf(expression).replaceAll("'", "'\\''")
  const command = `stty -echo; '${process.execPath}' --input-type=module -e '${quoted}'`
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, TERM: 'dumb' } })
  child.stdout.on('data', (chunk: Buffer) => void (chunk.includes('] ') && child.stdin.write(typed)))
  return outputOf(child)
}

async function outputOf(child: ReturnType<typeof spawn>): Promise<string> {
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk))
  await once(child, 'close')
  return output
}

describe.runIf(hasTerminals)('on a terminal', () => {
  test.each([
    ['y\n', true],
    [' YES \n', true],
    ['n\n', false],
    ['\n', false],
    ['\x04', false],
  ])('the answer %j confirms: %s', async (typed, confirmed) => {
    const output = await type(typed, `confirm('Create it?', {})`)
    expect(output).toContain('Create it? [y/N] ')
    expect(output).toContain(`result ${confirmed}`)
  })

  test('ask returns the answer, or the default for an empty one', async () => {
    expect(await type(' mine \n', `ask('Name?', 'bot')`)).toMatch(/Name\? \[bot\] [\s\S]*result mine/)
    expect(await type('\n', `ask('Name?', 'bot')`)).toContain('result bot')
    expect(await type('\x04', `ask('Name?', 'bot')`)).toContain('Error No answer. Nothing was changed.')
  })
})

describe('without a terminal', () => {
  test('confirm needs --yes, and does not read the input', async () => {
    expect(await run(`confirm('Create it?', {})`)).toBe(
      'UsageError Cannot ask for confirmation without a terminal: pass --yes\n',
    )
    expect(await run(`confirm('Create it?', { yes: true })`)).toBe('result true\n')
  })

  test('ask is an error', async () => {
    expect(await run(`ask('Name?', 'bot')`)).toBe('UsageError Cannot ask without a terminal: Name?\n')
  })
})
