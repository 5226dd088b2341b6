import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { project } from '../service.ts'

const program = join(import.meta.dirname, 'load-modules.ts')

interface Loaded {
  config?: unknown
  message?: string
  trace?: string
}

/** Loads the `hooks.ts` of each folder in another process, because Vitest would import it in its own way. */
function load(folders: readonly string[]): Loaded[] {
  const env = { ...process.env, GITHUB_WEBHOOKS_KEY: 'a secret' }
  return JSON.parse(execFileSync(process.execPath, [program, ...folders], { env, encoding: 'utf8' }))
}

/** A module with a mistake, the message of its error after "Cannot import hooks.ts: ", and the lines of the trace. */
interface Mistake {
  module: string
  /** More files of the project. */
  files?: Record<string, string>
  message: string | RegExp
  trace: readonly (string | RegExp)[]
}

const files = {
  'package.json': '{ "type": "module" }',
  'comma.ts': 'export const names = {\n  a: 1\n  b: 2,\n}',
  'bracket.js': 'export const names = [1, 2\nexport const b = 1',
  'early.js': 'if (true) {\n',
  'good.ts': 'export const a = 1',
  'common.cjs': 'module.exports = { a: 1 b: 2 }',
  'undefined.ts': 'const client: any = undefined\nexport const user = client.login()',
}

const useRelativePath =
  'Node.js does not read "paths" and "baseUrl" of tsconfig.json: use a relative path, or "imports" in package.json'

/** An empty line, and a stack. */
const anyTrace = ['', /^(Syntax)?Error/]

const mistakes: Record<string, Mistake> = {
  'a syntax error in an imported TypeScript file': {
    module: `import './good.ts'\nimport { names } from './comma.ts'\nimport './undefined.ts'`,
    message: /^comma\.ts:3:3: Expected ','/,
    trace: ['comma.ts:3:3', '  b: 2,', '  ^', '', /^SyntaxError.*: Expected ','/],
  },
  'a TypeScript file that ends too early': {
    module: 'export const name = f(1, 2',
    message: /^hooks\.ts:1:27: /,
    trace: ['hooks.ts:1:27', 'export const name = f(1, 2', `${' '.repeat(26)}^`, '', /^SyntaxError/],
  },
  'a JavaScript file that ends too early': {
    module: `import './early.js'`,
    message: 'early.js:2:1: Unexpected end of input',
    trace: ['early.js:2:1', '', '^', '', 'SyntaxError: Unexpected end of input'],
  },
  'a syntax error in an imported JavaScript file': {
    module: `import './bracket.js'\nimport './good.ts'`,
    message: "bracket.js:2:1: Unexpected token 'export'",
    trace: ['bracket.js:2:1', 'export const b = 1', '^^^^^^', '', "SyntaxError: Unexpected token 'export'"],
  },
  'a syntax error in an imported CommonJS file': {
    module: `import './common.cjs'`,
    message: "common.cjs:1:25: Unexpected identifier 'b'",
    trace: [
      'common.cjs:1:25',
      'module.exports = { a: 1 b: 2 }',
      `${' '.repeat(24)}^`,
      '',
      "SyntaxError: Unexpected identifier 'b'",
    ],
  },
  'a name that is declared twice': {
    module: `const a: number = 1\n\tlet a = '2'`,
    message: "hooks.ts:2:6: Identifier 'a' has already been declared",
    trace: ['hooks.ts:2:6', "\tlet a = '2'", '\t    ^', '', "SyntaxError: Identifier 'a' has already been declared"],
  },
  'TypeScript that Node.js cannot strip': {
    module: 'enum Color { Red }',
    message: /^hooks\.ts:1:1: TypeScript enum is not supported in strip-only mode \(Node\.js only strips types: /,
    trace: ['hooks.ts:1:1', 'enum Color { Red }', '^^^^^^^^^^^^^^^^^^', '', /^SyntaxError .*: TypeScript enum/],
  },
  'an import of a name that is not exported': {
    module: `import {\n  missing } from './good.ts'`,
    message: "hooks.ts:2:3: The requested module './good.ts' does not provide an export named 'missing'",
    trace: ['hooks.ts:2:3', "  missing } from './good.ts'", '  ^^^^^^^', '', /^SyntaxError: The requested module/],
  },
  'an import of a package that is not installed': {
    module: `// 'left-pad/lib'\nimport 'left-pad/lib'`,
    message: "hooks.ts:2:8: Cannot find package 'left-pad': run npm install left-pad",
    trace: [
      'hooks.ts:2:8',
      "import 'left-pad/lib'",
      '       ^^^^^^^^^^^^^^',
      '',
      /^Error .*Cannot find package 'left-pad'/,
    ],
  },
  'a package that is not installed, in require()': {
    module: `import { createRequire } from 'node:module'\ncreateRequire(import.meta.url)('left-pad')`,
    message: /Cannot find module 'left-pad': run npm install left-pad$/,
    trace: [
      'hooks.ts:2:32',
      "createRequire(import.meta.url)('left-pad')",
      `${' '.repeat(31)}^^^^^^^^^^`,
      ...anyTrace,
      'Require stack:',
      /hooks\.ts$/,
    ],
  },
  'a path of tsconfig.json that is no name of a package': {
    module: `import '@/lib/util'`,
    message: `hooks.ts:1:8: Cannot find package '@/lib': ${useRelativePath}`,
    trace: ['hooks.ts:1:8', "import '@/lib/util'", '       ^^^^^^^^^^^^', ...anyTrace],
  },
  'a path of tsconfig.json': {
    files: { 'tsconfig.json': '{ "compilerOptions": { "paths": { "@app/*": ["./*"] /* ours */ } } }' },
    module: `import '@app/good'`,
    message: `hooks.ts:1:8: Cannot find package '@app/good': ${useRelativePath}`,
    trace: ['hooks.ts:1:8', "import '@app/good'", '       ^^^^^^^^^^^', ...anyTrace],
  },
  'the path of a file from "baseUrl"': {
    files: { 'tsconfig.json': '{ "compilerOptions": { "baseUrl": "." } }' },
    module: `import 'good'`,
    message: `hooks.ts:1:8: Cannot find package 'good': ${useRelativePath}`,
    trace: ['hooks.ts:1:8', "import 'good'", '       ^^^^^^', ...anyTrace],
  },
  'an import in a package of CommonJS modules': {
    files: { 'package.json': '{ "type": "commonjs" }' },
    module: `import './good.ts'`,
    message:
      'hooks.ts:1:1: Cannot use import statement outside a module: run npm pkg set type=module or, if other files are CommonJS, rename the file to .mts',
    trace: ['hooks.ts:1:1', "import './good.ts'", '^^^^^^', ...anyTrace],
  },
  'an export in a package of CommonJS modules': {
    files: { 'package.json': '{ "type": "commonjs" }' },
    module: 'export const a = 1',
    message:
      "hooks.ts:1:1: Unexpected token 'export': run npm pkg set type=module or, if other files are CommonJS, rename the file to .mts",
    trace: ['hooks.ts:1:1', 'export const a = 1', '^^^^^^', ...anyTrace],
  },
  'an import in a file that is always a CommonJS module': {
    files: { 'old.cts': `import './good.ts'` },
    module: `import './old.cts'`,
    message: 'old.cts:1:1: Cannot use import statement outside a module: rename the file to .mts',
    trace: ['old.cts:1:1', "import './good.ts'", '^^^^^^', ...anyTrace],
  },
  'an import of a type as a value': {
    module: `import { Hooks, Delivery } from 'hookserver'`,
    message:
      /does not provide an export named 'Delivery': correct the name or, if it is a type, write import \{ type Delivery \}$/,
    trace: ['hooks.ts:1:17', "import { Hooks, Delivery } from 'hookserver'", `${' '.repeat(16)}^^^^^^^^`, ...anyTrace],
  },
  'an import of a file that does not exist': {
    module: `import './deploy.ts'`,
    message: /^hooks\.ts:1:8: Cannot find module '.*deploy\.ts': create the file, or correct the path$/,
    trace: ['hooks.ts:1:8', "import './deploy.ts'", '       ^^^^^^^^^^^^^', '', /^Error .*: Cannot find module/],
  },
  'an import of a file with a mistyped name': {
    module: `import './goood.ts'`,
    message: /: create the file, or correct the path\. Did you mean "\.\/good\.ts"\?$/,
    trace: ['hooks.ts:1:8', "import './goood.ts'", '       ^^^^^^^^^^^^', '', /^Error .*: Cannot find module/],
  },
  'an import of a file without its ending': {
    module: 'import "./good"',
    message: /^hooks\.ts:1:8: Cannot find module '.*good': did you mean "\.\/good\.ts"\?$/,
    trace: ['hooks.ts:1:8', 'import "./good"', '       ^^^^^^^^', '', /^Error .*: Cannot find module/],
  },
  'an import of the file that a compiler would write': {
    module: `import './good.js'`,
    message: /^hooks\.ts:1:8: Cannot find module '.*good\.js': did you mean "\.\/good\.ts"\?$/,
    trace: ['hooks.ts:1:8', "import './good.js'", '       ^^^^^^^^^^^', '', /^Error .*: Cannot find module/],
  },
  'an import of a subpath that hookserver does not have': {
    module: `import 'hookserver/nodejs'`,
    message: /^hooks\.ts:1:8: Package subpath '\.\/nodejs' is not defined by "exports"/,
    trace: ['hooks.ts:1:8', "import 'hookserver/nodejs'", '       ^^^^^^^^^^^^^^^^^^^', '', /^Error /],
  },
  'a TypeError in an imported file': {
    module: `import './undefined.ts'`,
    message: "undefined.ts:2:28: Cannot read properties of undefined (reading 'login')",
    trace: [
      'undefined.ts:2:28',
      'export const user = client.login()',
      `${' '.repeat(27)}^`,
      '',
      "TypeError: Cannot read properties of undefined (reading 'login')",
      /^ {4}at file:.*undefined\.ts:2:28$/,
    ],
  },
  'the folder of a file, as CommonJS modules name it': {
    module: 'console.log(__dirname)',
    message: 'hooks.ts:1:13: __dirname is not defined in ES module scope: write import.meta.dirname',
    trace: [
      'hooks.ts:1:13',
      'console.log(__dirname)',
      `${' '.repeat(12)}^`,
      '',
      /^ReferenceError: __dirname/,
      /^ {4}at file:.*:1:13$/,
    ],
  },
  'an error with a cause': {
    module: `const cause = new TypeError('inner')\nthrow new Error('outer\\nsecond line', { cause })`,
    message: 'hooks.ts:2:7: outer',
    trace: [
      'hooks.ts:2:7',
      "throw new Error('outer\\nsecond line', { cause })",
      '      ^',
      '',
      'Error: outer',
      'second line',
      /^ {4}at file:.*:2:7$/,
      'caused by: TypeError: inner',
      /^ {4}at file:.*:1:15$/,
    ],
  },
  'a wrong option of new Hooks()': {
    module: `import { Hooks } from 'hookserver'\nexport const hooks = new Hooks({ seconds: 5 })`,
    message: /^hooks\.ts:2:22: Unknown option "seconds"/,
    trace: [
      'hooks.ts:2:22',
      'export const hooks = new Hooks({ seconds: 5 })',
      `${' '.repeat(21)}^`,
      '',
      /^TypeError: Unknown option "seconds"/,
      /^ {4}at file:.*hooks\.ts:2:22$/,
    ],
  },
}

test('the error of a module shows the line of the user, and only frames of the user', () => {
  const projects = Object.values(mistakes).map((one) => project({ ...files, ...one.files, 'hooks.ts': one.module }))
  const errors = load(projects)
  for (const [index, [mistake, { message, trace }]] of Object.entries(mistakes).entries()) {
    const [, found = ''] = /^Cannot import hooks\.ts: (.*)$/.exec(errors[index]?.message ?? '') ?? []
    const lines = errors[index]?.trace?.split('\n').filter((line) => !line.includes(program))
    expect.soft(found, mistake).toEqual(matching(message))
    expect.soft(lines, mistake).toEqual(trace.map(matching))
  }
})

test('an error whose stack names no file shows its cause', () => {
  // As fetch() throws it at the top level of a module in Node.js 24.
  const code = `const error = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') })
    error.stack = 'TypeError: fetch failed'
    throw error`
  const folder = project({ ...files, 'hooks.ts': code })
  expect(load([folder])).toEqual([
    { message: 'Cannot import hooks.ts: fetch failed: connect ECONNREFUSED 127.0.0.1:1' },
  ])
})

const matching = (expected: string | RegExp) =>
  typeof expected === 'string' ? expected : expect.stringMatching(expected)

test.each([
  ['as `exports.default`', 'exports.default = hooks; exports.config = { port: 8001 }'],
  ['as `exports.hooks`', 'exports.hooks = hooks; exports.config = { port: 8001 }'],
  ['in an object', 'module.exports = Object.assign({}, { hooks, config: { port: 8001 } })'],
])('a Hooks is found in a CommonJS module that exports it %s', (_name, exported) => {
  const code = `Object.defineProperty(exports, '__esModule', { value: true })
    const hooks = new (require('hookserver').Hooks)()
    ${exported}`
  const folder = project({ 'package.json': '{ "type": "commonjs" }', 'hooks.js': code })
  expect(load([folder])).toEqual([{ config: { port: 8001 } }])
})
