/**
 * The JSON of a dashboard as Grafana documents it (the classic model, schema version 42), limited to the members that
 * we use. A member that is not listed is either mistyped, or has to be looked up and added.
 */
import { exactly, listOf, text } from './json-schema.ts'

const flag = { type: 'boolean' }
const whole = { type: 'integer', minimum: 0 }

/** The data source. Grafana replaces it with the one that the user chooses at import. */
const datasource = exactly({
  type: { const: 'prometheus' },
  uid: { type: 'string', pattern: '^\\$\\{DS_PROMETHEUS\\}$' },
})

/** The grid has 24 columns; a unit of height is 30 pixels. */
const gridPos = exactly({
  h: { type: 'integer', minimum: 1 },
  w: { type: 'integer', minimum: 1, maximum: 24 },
  x: { type: 'integer', minimum: 0, maximum: 23 },
  y: whole,
})

const place = { id: { type: 'integer', minimum: 1 }, title: text, gridPos }

const row = exactly({ ...place, type: { const: 'row' }, collapsed: flag, panels: listOf({}, { maxItems: 0 }) })

/** Ids of units that Grafana knows. */
const unit = { enum: ['none', 'cps', 's', 'bytes', 'dateTimeFromNow'] }

const panel = exactly({
  ...place,
  type: { enum: ['timeseries', 'stat'] },
  description: text,
  datasource,
  fieldConfig: exactly({ defaults: exactly({ unit, min: { const: 0 } }), overrides: listOf({}) }),
  targets: listOf(exactly({ refId: { type: 'string', pattern: '^[A-Z]$' }, expr: text, legendFormat: text }), {
    minItems: 1,
  }),
})

/** A query to Prometheus, repeated whenever the time range changes. */
const variable = exactly({
  name: text,
  label: text,
  type: { const: 'query' },
  datasource,
  query: exactly({ refId: text, query: { type: 'string', pattern: '^label_values\\(\\w+, \\w+\\)$' } }),
  refresh: { enum: [1, 2] },
  multi: flag,
  includeAll: flag,
  allValue: text,
  current: exactly({ text: listOf(text), value: listOf(text) }),
})

const input = exactly({
  name: { const: 'DS_PROMETHEUS' },
  label: text,
  type: { const: 'datasource' },
  pluginId: { const: 'prometheus' },
  pluginName: { const: 'Prometheus' },
})

export const dashboardSchema = exactly({
  __inputs: listOf(input, { minItems: 1, maxItems: 1 }),
  uid: { type: 'string', pattern: '^[\\w-]{1,40}$' },
  title: text,
  description: text,
  tags: listOf(text),
  schemaVersion: { const: 42 },
  version: whole,
  editable: flag,
  graphTooltip: { enum: [0, 1, 2] },
  timezone: { enum: ['browser', 'utc'] },
  refresh: { type: 'string', pattern: '^[1-9][0-9]*[smhd]$' },
  time: exactly({ from: { type: 'string', pattern: '^now' }, to: { const: 'now' } }),
  annotations: exactly({ list: listOf({}) }),
  templating: exactly({ list: listOf(variable) }),
  panels: listOf({ anyOf: [row, panel] }, { minItems: 1 }),
})
