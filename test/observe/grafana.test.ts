import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { watchEventful } from '../server/eventful.ts'
import { dashboardSchema } from './grafana-schema.ts'
import { faultsOf } from './json-schema.ts'
import { Offered } from './offered.ts'

interface Panel {
  id: number
  type: string
  title: string
  gridPos: { h: number; w: number; x: number; y: number }
  targets?: { refId: string; expr: string; legendFormat: string }[]
}

const file = fileURLToPath(new URL('../../examples/observe/grafana.json', import.meta.url))
const dashboard = JSON.parse(readFileSync(file, 'utf8'))
const panels: Panel[] = dashboard.panels

const offered = await Offered.by(await watchEventful(afterAll))

describe('the dashboard', () => {
  test('has the documented format', () => {
    expect(faultsOf(dashboard, dashboardSchema)).toEqual([])
  })

  test('has a row for each part, and panels with unique ids', () => {
    const rows = panels.filter(({ type }) => type === 'row')
    expect(rows.map(({ title }) => title)).toEqual(['Receiving', 'Inbox', 'Handlers', 'Process', 'Recovery'])
    const ids = panels.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)])
  })

  test('has panels that stay in the grid and do not overlap', () => {
    const taken = new Set<string>()
    for (const { title, gridPos } of panels) {
      const { h, w, x, y } = gridPos
      expect(x + w, title).toBeLessThanOrEqual(24)
      for (let cell = 0; cell < h * w; cell++) {
        const place = `${x + (cell % w)} ${y + Math.floor(cell / w)}`
        expect(taken.has(place), `${title} overlaps another panel at ${place}`).toBe(false)
        taken.add(place)
      }
    }
  })

  test('offers the existing processes', () => {
    const [, metric = '', label] = /^label_values\((\w+), (\w+)\)$/.exec(dashboard.templating.list[0].query.query) ?? []
    expect(offered.labelsOf(metric)).toContain(label)
  })

  const shown = panels.filter(({ targets }) => targets)
  test.each(shown.map((panel) => [panel.title, panel] as const))(
    '%s uses existing metrics and labels',
    (_title, { targets = [] }) => {
      const refs = targets.map(({ refId }) => refId)
      expect(refs).toEqual([...new Set(refs)])
      for (const { expr, legendFormat } of targets) {
        const given = offered.expectToAnswer(expr.replaceAll('$__rate_interval', '1m'))
        const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)
        expect(given, legendFormat).toEqual(expect.arrayContaining(named))
      }
    },
  )
})
