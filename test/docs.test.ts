/** The documentation agrees with the code: all codes and options are listed, and all links work. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faults, withRows } from '../scripts/options-docs.ts'
import { errorTable } from '../src/errors.ts'
import { resolveHandlerOptions } from '../src/handler.ts'
import { missedDeliveryStates } from '../src/inbox/missed-deliveries.ts'
import { defaultAttempts, defaultBackoff, defaultTimeout, retryDelay } from '../src/inbox/retry.ts'
import { defaultConcurrency } from '../src/inbox/worker/slots.ts'
import { resolvePostgresOptions } from '../src/postgres/options.ts'
import { flagOf, variablesOf } from '../src/server/config/resolve-config.ts'
import { type SettingName, settings } from '../src/server/config/settings.ts'
import { cures, temporary } from '../src/server/database-errors.ts'
import { resolveSqliteOptions } from '../src/sqlite/options.ts'
import { diagnostics } from '../src/telemetry/diagnostics.ts'
import { tracing } from '../src/telemetry/tracing.ts'
import { eventually } from './inbox/stores.ts'
import { watchEventful } from './server/eventful.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
]

describe('docs/errors.md', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| (\d+) \| (.*?) \|/gm)]

  test('lists every code with its status and text, and no other', () => {
    const documented = Object.fromEntries(rows.map(([, code = '', status, text]) => [code, [Number(status), text]]))
    expect(documented).toEqual(errorTable)
  })
})

describe('docs/options.md', () => {
  test('lists every option once, as the code documents it', () => {
    const page = read('docs/options.md')
    expect(withRows(page)).toBe(page)
    expect(faults(page)).toEqual([])
  })
})

describe('docs/guides/commands.md', () => {
  test('shows a test of a command that passes', async () => {
    const programs = read('docs/guides/commands.md').match(/(?<=```ts\n)(?:(?!```).)*LocalGitHub(?:(?!```).)*/gs) ?? []
    expect(programs).toHaveLength(1)
    const args = ['--input-type=module-typescript', '--eval', ...programs]
    await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } })
  })
})

describe('docs/settings.md', () => {
  test('lists every setting with its variables and its help, and no other', () => {
    const rows = [...read('docs/settings.md').matchAll(/^\| `(--[\w-]+) (\S+)` \| (.*?) \| (.*) \|$/gm)]
    const documented = rows.map(([, flag, placeholder, variables, help]) => [flag, placeholder, variables, help])
    const expected = Object.entries(settings).map(([name, { placeholder, help }]) => {
      const variables = variablesOf(name as SettingName).map((variable) => `\`${variable}\``)
      return [flagOf(name), placeholder, variables.join(', '), help]
    })
    expect(documented).toEqual(expected)
  })
})

describe('docs/observability.md', () => {
  test('lists every metric with its labels, and no other', async () => {
    const rows = read('docs/observability.md').matchAll(/^\| `((?:hookserver|process|nodejs)_\w+)` \| (.*?) ?\|/gm)
    const documented = [...rows].map(([, name, labels = '']) => [name, labels.replaceAll('`', '').split(', ')])
    const watched = await watchEventful()
    for (let times = 0; times < 2; times++) await watched.deliver('label') // one runs, and one waits
    await eventually(async () => expect(await watched.value('hookserver_waiting_tasks{handler="hook:label"}')).toBe(1))
    const shown = await watched.scrape()
    const labelled = [...shown].map(([name, { samples }]) => {
      const labels = samples.flatMap((sample) => Object.keys(sample.labels)).filter((label) => label !== 'le')
      return [name, labels.length === 0 ? [''] : [...new Set(labels)]]
    })
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(labelled))
  })

  test.each([
    ['## Events', diagnostics],
    ['### Operations', tracing],
  ])('lists under %s every channel, and no other', (heading, channels) => {
    const [, section = ''] = read('docs/observability.md').split(`\n${heading}\n`)
    const rows = [...(section.split(/\n#+ /)[0] ?? '').matchAll(/^\| `hookserver:(\w+)` \|/gm)]
    expect(rows.map(([, name]) => name)).toEqual(Object.keys(channels))
  })
})

/** The anchor of a heading on GitHub. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')
}

/** The rows of the table below a heading: the first cell without its backticks, and the second cell. */
function tableUnder(heading: string, page: string): Record<string, string> {
  const [, section = ''] = read(page).split(`\n${heading}\n`)
  const rows = section.split(/\n#+ /)[0]?.matchAll(/^\| `?(\w+)`? \| (.*?) \|/gm) ?? []
  return Object.fromEntries(
    [...rows].map(([, name = '', value = '']) => [name, value]).filter(([name]) => name !== 'option'),
  )
}

describe('docs/guides/handlers.md', () => {
  const documented = tableUnder('## Options', 'docs/guides/handlers.md')

  test('lists every option of a handler, and no other', () => {
    const [, members = ''] = /interface HandlerOptions<.*?> \{(.*?)\n\}/s.exec(read('src/handler.ts')) ?? []
    const names = [...members.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name)
    expect(Object.keys(documented).toSorted()).toEqual(names.toSorted())
    for (const name of Object.keys(documented)) expect(() => resolveHandlerOptions({ [name]: undefined })).not.toThrow()
  })

  test('has the defaults of the code', () => {
    const { attempts, backoff, timeout, concurrency } = documented
    expect(attempts).toBe(String(defaultAttempts))
    expect(backoff).toBe(`\`'${defaultBackoff / 1000}s'\``)
    expect(timeout).toBe(`\`'${defaultTimeout / 60_000}m'\``)
    expect(concurrency).toBe(String(defaultConcurrency))
  })

  describe('has a reviver for integers above 2^53', () => {
    const [source = ''] = /^function exactIntegers.*?^}$/ms.exec(read('docs/guides/handlers.md')) ?? []
    const exactIntegers = new Function(`return ${stripTypeScriptTypes(source)}`)()

    test('that reads any integer with all its digits', () => {
      const integers = fc.oneof(fc.maxSafeInteger().map(BigInt), fc.bigInt())
      const keepsDigits = fc.property(integers, (integer) => {
        const { id, list } = JSON.parse(`{"id":${integer},"list":[${integer}]}`, exactIntegers)
        expect([BigInt(id), BigInt(list[0])]).toEqual([integer, integer])
      })
      fc.assert(keepsDigits)
    })

    test('that leaves all other JSON as it is', () => {
      const others = fc.json().filter((text) => !/\d{16}/.test(text))
      const same = fc.property(others, (text) => {
        expect(JSON.parse(text, exactIntegers)).toEqual(JSON.parse(text))
      })
      fc.assert(same)
      for (const number of ['1.5', '1e300', '1e400', '9007199254740991', '9007199254740993.0']) {
        expect(JSON.parse(number, exactIntegers)).toBe(JSON.parse(number))
      }
    })
  })
})

describe('docs/guides/retries.md', () => {
  const page = read('docs/guides/retries.md')
  const failures = Array.from({ length: defaultAttempts - 1 }, (_, index) => index + 1)
  const waits = (random: number) => failures.map((failed) => retryDelay(failed, defaultBackoff, random))

  test('lists every wait', () => {
    const number = (value: number) => Number(value.toFixed(1))
    const between = (least: number, most: number) => {
      const [size, unit] = most <= 180_000 ? [1000, 's'] : most <= 3_650_000 ? [60_000, 'min'] : [3_600_000, 'h']
      return `${number(least / size)} to ${number(most / size)} ${unit}`
    }
    const [least, most] = [waits(0), waits(1)]
    const expected = failures.map((failed, index) => [failed, between(least[index] ?? 0, most[index] ?? 0)])
    expect(tableUnder('## Retries', 'docs/guides/retries.md')).toEqual(Object.fromEntries(expected))
  })

  test('says how many attempts there are, and how long the delays between them are', () => {
    const hours = (random: number) => Math.round(waits(random).reduce((sum, wait) => sum + wait) / 3_600_000)
    expect(page.replaceAll('\n', ' ')).toContain(
      `up to ${defaultAttempts} attempts by default. The delays between the attempts last ${hours(0)} to ${hours(1)} hours in total`,
    )
    expect(page).toContain(`begins with \`backoff\`, ${defaultBackoff / 1000} s`)
    expect(page).toContain(`An attempt must finish within \`timeout\`, ${defaultTimeout / 60_000} minutes`)
    expect(read('docs/guides/order.md')).toContain(
      `A process runs at most ${defaultConcurrency} attempts of each handler at a time`,
    )
  })
})

describe('docs/guides/recovery.md', () => {
  const [, ...sections] = read('docs/guides/recovery.md').split(/^##+ /m)
  const cellsOf = (heading: string) =>
    [...(sections.find((one) => one.startsWith(`${heading}\n`)) ?? '').matchAll(/^\| (`.*?) \|/gm)].flatMap(
      ([, cell = '']) => [...cell.matchAll(/`(.*?)`/g)].map(([, name]) => name),
    )

  test('lists every option of recover() and startRecovery(), and no other', () => {
    const sources = read('src/github/recovery/options.ts')
    const interfaces = sources.matchAll(/interface (?:Recover|RecoverOnce|StartRecovery|Sweep)Options .*?\{(.*?)\n\}/gs)
    const names = [...interfaces].flatMap(([, members = '']) => [...members.matchAll(/^ {2}(\w+)\??:/gm)])
    expect(cellsOf('In a server of your own').toSorted()).toEqual(names.map(([, name]) => name).toSorted())
  })

  test('explains every state', () => {
    expect(cellsOf('States').toSorted()).toEqual([...missedDeliveryStates].toSorted())
  })
})

describe('docs/sqlite.md', () => {
  test('lists every option with its default, and no other', () => {
    const documented = tableUnder('## Options', 'docs/sqlite.md')
    const defaults = Object.entries(resolveSqliteOptions({})).map(([name, value]) => [
      name,
      value === Number.MAX_SAFE_INTEGER
        ? 'no limit'
        : expect.stringContaining(name === 'auditEntries' ? `${value}` : `${value} ms`),
    ])
    expect(documented).toEqual(Object.fromEntries(defaults))
  })

  test('names the defaults of a query', () => {
    const page = read('docs/sqlite.md').replaceAll('\n', ' ')
    const query = read('src/inbox/query/query.ts')
    const [, most, limit] = /: 1 to (\d+)\. Default: (\d+)\. \*\/\s+limit/.exec(query) ?? []
    const [, budget] = /Default: (\d+)\. \*\/\s+budget/.exec(query) ?? []
    expect(page).toContain(`\`limit\` (${limit}, at most ${most})`)
    expect(page).toContain(`\`budget\` milliseconds (${budget})`)
  })
})

describe('docs/postgres.md', () => {
  test('lists every option with its default, and no other', () => {
    const documented = tableUnder('## Options', 'docs/postgres.md')
    const defaults = Object.entries(resolvePostgresOptions({})).map(([name, value]) => {
      if (typeof value === 'string') return [name, `\`'${value}'\``]
      if (typeof value === 'boolean') return [name, `\`${value}\``]
      return [
        name,
        name === 'connections' || name === 'auditEntries'
          ? `${value}`
          : expect.stringMatching(new RegExp(`^${value} ms( \\(|$)`)),
      ]
    })
    expect(documented).toEqual(Object.fromEntries(defaults))
  })

  test('lists every error code with a fix, and marks those that a server waits for', () => {
    const [, section = ''] = read('docs/postgres.md').split('\n## When the inbox cannot be opened\n')
    const rows = [...section.matchAll(/^\| (.*?) \| (waits|ends) \|/gm)]
    const documented = rows.flatMap(([, said = '', serve]) => {
      return [...said.matchAll(/`(\w+)`/g)].map(([, code]) => [code, serve])
    })
    const codes = [...new Set([...Object.keys(cures), ...temporary])]
    const expected = codes.map((code) => [code, temporary.has(code) ? 'waits' : 'ends'])
    expect(documented.toSorted()).toEqual(expected.toSorted())
  })
})

describe('links', () => {
  test.each(pages)('%s links to existing files', (page) => {
    const targets = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, target = '']) => target)
    for (const target of targets)
      expect(existsSync(join(root, dirname(page), target)), `${page} -> ${target}`).toBe(true)
  })

  test.each(pages)('%s links to existing headings', (page) => {
    for (const [, file = '', anchor = ''] of read(page).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)) {
      const target = file === '' ? page : join(dirname(page), file)
      const headings = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))
      expect(headings, `${page} -> ${target}`).toContain(anchor)
    }
  })
})

describe('figures', () => {
  test.each(pages)('%s has no placeholder for a measured figure', (page) => {
    expect(read(page).match(/FIGURE\(.*?\)/g) ?? []).toEqual([])
  })
})

describe('the repository', () => {
  test('has its two commands at the top of the README', () => {
    const top = read('README.md').split('## ')[0]
    expect(top).toContain('    npm ci && npm run demo\n')
    expect(top).toContain('    npm test\n')
  })

  test('lists every page of docs in the index', () => {
    const index = read('docs/README.md')
    for (const page of pages.filter((one) => one.startsWith('docs/') && one !== 'docs/README.md')) {
      expect(index).toContain(`(${page.slice('docs/'.length)})`)
    }
  })
})
