/** Compiles programs against the published types, as the newest and the oldest supported version of TypeScript do. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ts } from '../../scripts/typescript-api.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'hookserver-types-'))
const compilerOptions = {
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2023', 'dom'],
  types: [],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  declaration: true, // so that the compiler must be able to name all types that a program exports
}

/** A program without errors. `other-copy` is another copy of the package. */
const correct = `
import { type Config, type Delivery, type Handler, type HandlerOptions, Hooks, verify } from 'hookserver'
import { recover } from 'hookserver/github'
import type { BasicStore } from 'hookserver/store'
import { inboxContract, inject, run, signedRequest } from 'hookserver/testing'
import { hookserver } from 'hookserver/web'
import { Hooks as OtherHooks } from 'other-copy'

class BotOctokit {
  greet() { return 'hello' }
}
declare module 'hookserver' {
  interface Register { octokit: BotOctokit }
}

const hooks = new Hooks()
hooks.on(['push', 'issues'], async ({ event, action, payload, octokit }) => {
  if (event === 'push') return payload.commits.length
  if (action === 'labeled') return payload.label?.name
  return (await octokit()).greet()
})
hooks.on('brand_new' as string, ({ payload }) => payload.repository?.full_name)
const listIssue: Handler<'issues'> = ({ payload }) => payload.issue.title
hooks.on('issues.opened', listIssue)
const deploy = hooks.command('/deploy <environment> [version] --force', async ({ args, reply }) => {
  await reply(args.environment.trim() + (args.version?.trim() ?? '') + (args.force ? '!' : ''))
})
hooks.off('/deploy', deploy)
const byNumber: HandlerOptions<'pull_request'> = { order: ({ payload }) => String(payload.pull_request.number), attempts: 5 }
hooks.on('pull_request', byNumber, ({ payload }) => payload.pull_request.title)
hooks.use(async (delivery, next) => {
  const result = await next()
  return delivery.payload.sender ? result : undefined
})
export const log = ({ event, payload }: Delivery) => [event, payload.repository?.full_name]
export const call = (handle: Handler, delivery: Delivery) => handle(delivery)
export const isSigned: Promise<boolean> = verify('secret', new Uint8Array(), null)
export const config = { port: 8000, permissions: { issues: 'write' } } satisfies Config
export const request = signedRequest('push', { payload: { ref: 'refs/heads/main' } })
export const outcomes = run(hooks, 'issues.opened', { payload: { issue: { number: 7 } }, attempt: 2 })
hooks.on('repository_dispatch.any_text', ({ payload }) => payload.client_payload)

export const { casesFor } = inboxContract
export const casesOfProcesses = inboxContract.casesFor('ProcessStore')
export const closeStore = (store: BasicStore) => store.close()

export async function serveOther(other: OtherHooks) {
  hookserver(other)
  await inject(other, { body: '{}' })
  await recover(other, { targets: 'acme/shop' })
  return (await hooks.octokit({ user: 'octocat' })).greet()
}
`

const actionsOfStar = 'The actions of star are created deleted.'
/** Calls with one wrong name each, and the text of their error. */
const wrong = {
  "hooks.on('isues', () => {})": 'isues is not an event of GitHub. Did you mean issues?',
  "hooks.on(['push', 'isues'], () => {})": 'isues is not an event of GitHub. Did you mean issues?',
  "hooks.on('pull-request.opened', { attempts: 1 }, () => {})": 'Did you mean pull_request?',
  "hooks.on('forks', () => {})": 'Did you mean fork?',
  "hooks.on('star.exploded', () => {})": `star.exploded is not an event of GitHub. ${actionsOfStar}`,
  "hooks.hook('star.exploded', () => {})": actionsOfStar,
  "hooks.hook('push.forced')": 'push has no actions.',
  "sample('brand_new.done')": "If it is new, write 'brand_new.done' as string.",
  "signedRequest('isues')": 'isues is not an event of GitHub.',
}
const heading = `import { Hooks } from 'hookserver'
import { sample, signedRequest } from 'hookserver/testing'
const hooks = new Hooks()
void [sample, signedRequest]
`
const incorrect = heading + Object.keys(wrong).join('\n')

/** Calls in which a name is being typed; the bar is the cursor. */
const typing = ["hooks.on('|', () => {})", "hooks.on(['push', '|'], () => {})", "hooks.hook('iss|')", "sample('|')"]

const fileOf = (name: string): string => join(folder, name)

beforeAll(() => {
  for (const copy of ['hookserver', 'other-copy']) {
    const target = fileOf(`node_modules/${copy}`)
    mkdirSync(target, { recursive: true })
    cpSync(join(root, 'dist'), join(target, 'dist'), {
      recursive: true,
      filter: (file) => !/\.(js|json|sql|br|txt)$|\/dashboard$/.test(file),
    })
    cpSync(join(root, 'package.json'), join(target, 'package.json'))
  }
  writeFileSync(fileOf('package.json'), '{ "type": "module" }')
  writeFileSync(fileOf('tsconfig.json'), JSON.stringify({ compilerOptions, files: ['correct.ts', 'incorrect.ts'] }))
  writeFileSync(fileOf('correct.ts'), correct)
  writeFileSync(fileOf('incorrect.ts'), incorrect)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A language service for one text at a time, in the file `typed.ts`. */
function openService(): { service: ts.LanguageService; type: (text: string) => string } {
  let typed = ''
  let version = 0
  const name = fileOf('typed.ts')
  const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, folder)
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    getScriptFileNames: () => [fileOf('correct.ts'), fileOf('incorrect.ts'), name],
    getScriptVersion: (file) => (file === name ? String(version) : '0'),
    getScriptSnapshot: (file) => ts.ScriptSnapshot.fromString(file === name ? typed : (ts.sys.readFile(file) ?? '')),
    fileExists: (file) => file === name || ts.sys.fileExists(file),
    readFile: ts.sys.readFile,
  })
  const type = (text: string) => {
    typed = text
    version++
    return name
  }
  return { service, type }
}

/** The output of the newest version: a line for each error, and indented lines with its details. */
function newestErrors(): string {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  try {
    return execFileSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

/** Expects one error for each line of `incorrect.ts`, with the text of the table. */
function expectTexts(errorOfLine: (line: number) => string): void {
  const firstLine = heading.split('\n').length
  for (const [index, [call, text]] of Object.entries(wrong).entries()) {
    expect(errorOfLine(firstLine + index), call).toContain(text)
  }
}

test('the newest version accepts correct programs, and explains wrong names', () => {
  const errors = newestErrors()
  expect(errors).not.toMatch(/^correct\.ts/m)
  expectTexts((line) => errors.split(/^(?=\w)/m).find((error) => error.startsWith(`incorrect.ts(${line},`)) ?? '')
})

describe(`TypeScript ${ts.version}`, () => {
  const { service, type } = openService()
  const textsOf = (file: string) =>
    service.getSemanticDiagnostics(fileOf(file)).map(({ messageText, start = 0 }) => {
      const line = readFileSync(fileOf(file), 'utf8').slice(0, start).split('\n').length
      return { line, text: ts.flattenDiagnosticMessageText(messageText, '\n') }
    })

  test('accepts correct programs, and explains wrong names', () => {
    expect(textsOf('correct.ts')).toEqual([])
    const errors = textsOf('incorrect.ts')
    expectTexts((line) => errors.find((error) => error.line === line)?.text ?? '')
  })

  test('checks a program without computing many types', () => {
    const { options } = ts.convertCompilerOptionsFromJson({ ...compilerOptions, types: ['node'] }, root)
    const program = ts.createProgram([join(root, 'examples/hooks.ts')], options)
    expect(program.getSemanticDiagnostics()).toEqual([])
    // Counts, because times depend on the machine. The compiler prints this one with --extendedDiagnostics.
    const { getInstantiationCount } = program as ts.Program & { getInstantiationCount(): number }
    expect(getInstantiationCount()).toBeLessThan(30_000)
  })

  test.each(typing)('completes %s', (call) => {
    const text = heading + call
    const file = type(text.replace('|', ''))
    const { entries = [] } = service.getCompletionsAtPosition(file, text.indexOf('|'), {}) ?? {}
    const names = entries.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['push', 'issues.opened', 'organization_custom_property.created']))
  })
})
