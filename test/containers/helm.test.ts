/** The chart for Helm: its templates have the manifests of `deploy/kubernetes`, with values in some places. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { read, readYaml, root } from './files.ts'
import { manifestsOf, setups } from './manifests.ts'

type Values = Record<string, string | number | readonly unknown[]>

const chart = 'deploy/helm'
const templates = readdirSync(join(root, chart, 'templates')).map((name) => join(chart, 'templates', name))
const [defaults] = readYaml<Values>(join(chart, 'values.yaml')) as [Values]

/** Renders the few kinds of actions that the templates have, and throws at any other. */
function render(template: string, values: Values): string {
  const valueNamed = (name: string) => {
    if (!Object.hasOwn(values, name)) throw new Error(`values.yaml has no ${name}`)
    return values[name]
  }
  const textOf = (name: string) => String(valueNamed(name))
  const listOf = (name: string) => valueNamed(name) as readonly unknown[]
  const [, name = '', wanted = '', conditional] =
    /^\{\{- if eq \.Values\.(\w+) "(\w+)" \}\}\n(.*)\{\{- end \}\}\n$/s.exec(template) ?? []
  const text = conditional === undefined ? template : textOf(name) === wanted ? conditional : ''
  return text
    .replace(/\{\{ required "[^"]+" \.Values\.(\w+) \| quote \}\}/g, (_, one: string) => JSON.stringify(textOf(one)))
    .replace(/ *\{\{- range \.Values\.(\w+) \}\}\n(.*\n) *\{\{- end \}\}\n/g, (_, one: string, line: string) =>
      listOf(one)
        .map((item) => line.replace('{{ toJson . }}', JSON.stringify(item)))
        .join(''),
    )
    .replace(/\{\{ concat \(list (.*)\) \.Values\.(\w+) \| toJson \}\}/g, (_, words: string, one: string) =>
      JSON.stringify([...JSON.parse(`[${words.replaceAll(' ', ',')}]`), ...listOf(one)]),
    )
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
    const [variable, args] = [{ name: 'GITHUB_TOKEN', value: 'a token' }, ['--grace', '60s']]
    const values = { image: 'octo/hooks:1', secretName: 'octo', trustProxy: '10.0.0.1', memory: '1Gi', hooks: 'x' }
    const lists = { env: [variable], args, gracePeriod: 75 }
    const manifests = renderAll({ ...values, ...lists, inbox, storage: '1Ti', receivers: 7, workers: 8 })
    const rendered = JSON.stringify(manifests)
    for (const { spec } of manifests.filter((manifest) => manifest.spec?.template)) {
      const { containers, terminationGracePeriodSeconds } = spec.template.spec
      expect(containers[0].env).toContainEqual(variable)
      expect(containers[0].args.slice(-2)).toEqual(
        containers[0].args.includes('receiver') ? ['--role', 'receiver'] : args,
      )
      expect(terminationGracePeriodSeconds).toBe(75)
    }
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
