import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { watchEventful } from '../server/eventful.ts'
import { exactly, faultsOf, listOf, text } from './json-schema.ts'
import { Offered } from './offered.ts'

interface Rule {
  alert: string
  expr: string
  annotations: { summary: string; description: string }
}

const file = fileURLToPath(new URL('../../examples/observe/alerts.yml', import.meta.url))
const alerts: { groups: { name: string; rules: Rule[] }[] } = parse(readFileSync(file, 'utf8'))
const rules = alerts.groups.flatMap((group) => group.rules)

/** The format of alerting rules as Prometheus documents it, and our own requirements. */
const schema = exactly({
  groups: listOf(
    exactly({
      name: text,
      rules: listOf(
        exactly({
          alert: { type: 'string', pattern: '^Hookserver[A-Z][A-Za-z]+$' },
          expr: text,
          for: { type: 'string', pattern: '^[1-9][0-9]*[smhd]$' },
          labels: exactly({ severity: { enum: ['critical', 'warning'] } }),
          annotations: exactly({ summary: text, description: text }),
        }),
        { minItems: 1 },
      ),
    }),
  ),
})

const offered = await Offered.by(await watchEventful(afterAll))

describe('the alerts', () => {
  test('are valid for Prometheus, and have a summary and a description', () => {
    expect(faultsOf(alerts, schema)).toEqual([])
  })

  test('have unique names', () => {
    const names = rules.map(({ alert }) => alert)
    expect(names).toEqual([...new Set(names)])
    const groups = alerts.groups.map(({ name }) => name)
    expect(groups).toEqual([...new Set(groups)])
  })

  test.each(rules.map((rule) => [rule.alert, rule] as const))('%s uses existing metrics and labels', (_name, rule) => {
    const given = offered.expectToAnswer(rule.expr)
    const said = [
      ...Object.values(rule.annotations)
        .join(' ')
        .matchAll(/\{\{ \$labels\.(\w+)/g),
    ]
    expect(given).toEqual(expect.arrayContaining(said.map(([, label]) => label)))
  })
})
