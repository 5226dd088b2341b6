/** The chart for Helm: its templates have the manifests of `deploy/kubernetes`, with values in some places. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { read, readYaml, root } from './files.ts'
import { manifestsOf, setups } from './manifests.ts'

type Values = Record<string, string | number>

const chart = 'deploy/helm'
const templates = readdirSync(join(root, chart, 'templates')).map((name) => join(chart, 'templates', name))
const [defaults] = readYaml<Values>(join(chart, 'values.yaml')) as [Values]

/** Renders the few kinds of actions that the templates have, and throws at any other. */
function render(template: string, values: Values): string {
  const textOf = (name: string) => {
    if (!Object.hasOwn(values, name)) throw new Error(`values.yaml has no ${name}`)
    return String(values[name])
  }
  const [, name = '', wanted = '', conditional] =
    /^\{\{- if eq \.Values\.(\w+) "(\w+)" \}\}\n(.*)\{\{- end \}\}\n$/s.exec(template) ?? []
  const text = conditional === undefined ? template : textOf(name) === wanted ? conditional : ''
  return text
    .replace(/\{\{ required "[^"]+" \.Values\.(\w+) \| quote \}\}/g, (_, one: string) => JSON.stringify(textOf(one)))
    .replace(/\{\{ \.Values\.(\w+) \}\}/g, (_, one: string) => textOf(one))
    .replace(/\{\{.*/g, (action) => {
      throw new Error(`This test cannot render ${action}`)
    })
}

const renderAll = (values: Values) =>
  templates.flatMap((file) =>
    parseAllDocuments(render(read(file), { ...defaults, ...values })).flatMap((document) => document.toJS() ?? []),
  )

const byName = (manifests: readonly { kind: string; metadata: { name: string } }[]) =>
  Object.fromEntries(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest]))

describe.each(setups)('inbox: %s', (inbox) => {
  test('has the manifests of the folder, and the module', () => {
    const { 'ConfigMap hooks': hooks, ...manifests } = byName(renderAll({ inbox, hooks: 'export default hooks\n' }))
    expect(manifests).toEqual(byName(manifestsOf(inbox)))
    expect(hooks).toMatchObject({ data: { 'hooks.ts': 'export default hooks\n' } })
  })

  test('uses every value', () => {
    const values = { image: 'octo/hooks:1', secretName: 'octo', trustProxy: '10.0.0.1', memory: '1Gi', hooks: 'x' }
    const rendered = JSON.stringify(renderAll({ ...values, inbox, storage: '1Ti', receivers: 7, workers: 8 }))
    for (const value of Object.values(values)) expect(rendered).toContain(value)
    for (const value of inbox === 'sqlite' ? ['1Ti'] : ['"replicas":7', '"replicas":8']) {
      expect(rendered).toContain(value)
    }
  })
})

test('the chart has the version of the package', () => {
  const { version } = JSON.parse(read('package.json'))
  expect(readYaml(join(chart, 'Chart.yaml'))).toMatchObject([{ version, appVersion: version }])
})
