/** Checks every answer of the local GitHub, and the payloads of its events, against GitHub's own OpenAPI description. */
import { readFileSync } from 'node:fs'
import { Ajv2019, type ValidateFunction } from 'ajv/dist/2019.js'
import { expect } from 'vitest'

interface Response {
  $ref?: string
  content?: Record<string, { schema?: object }>
}

interface Description {
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>
  components: { responses: Record<string, Response>; schemas: Record<string, Schema> }
}

interface Schema extends Record<string, unknown> {
  properties?: object
  required?: string[]
  allOf?: Schema[]
  anyOf?: Schema[]
}

/** The times that GitHub shows with milliseconds. All others have whole seconds. */
const logTimes = new Set(['delivered_at', 'throttled_at'])

/**
 * Translates OpenAPI 3.0 into JSON Schema: `nullable` allows `null`, also next to `enum` and `$ref`. The schema rejects
 * members that GitHub does not describe, except in errors: there, GitHub sends other members, too.
 */
function translate(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { nullable, ...schema } = value as Schema
  if (schema.format === 'date-time' && logTimes.has(key)) schema.format = 'date-time-ms'
  for (const part of schema.allOf ?? []) delete part.unevaluatedProperties
  const open = 'additionalProperties' in schema || 'documentation_url' in (schema.properties ?? {})
  if (schema.type === 'object' && schema.properties && !open) schema.unevaluatedProperties = false
  if (nullable === true) return { anyOf: [schema, { type: 'null' }] }
  return Array.isArray(value) ? value : Object.assign(value, schema)
}

// Written by scripts/extract-github-schemas.ts.
const file = new URL('api.github.com.json', import.meta.url)
const { paths, components } = JSON.parse(readFileSync(file, 'utf8'), translate) as Description

// GitHub describes each account of this list as both a user and an enterprise. Even GitHub's own example is not valid.
const installations = paths['/app/installations']?.get?.responses[200]?.content?.['application/json']
if (installations) installations.schema = { type: 'array', items: { $ref: '#/components/schemas/installation' } }

// GitHub describes this answer as an App plus further members (`allOf`), but the schema of an App rejects members that
// it does not list. So the two schemas are merged.
const conversion = paths['/app-manifests/{code}/conversions']?.post?.responses[201]?.content?.['application/json']
const [app] = components.schemas.integration?.anyOf ?? []
const [, secrets] = (conversion?.schema as Schema | undefined)?.allOf ?? []
if (conversion) {
  const required = [...(app?.required ?? []), ...(secrets?.required ?? [])]
  conversion.schema = { ...app, required, properties: { ...app?.properties, ...secrets?.properties } }
}

// GitHub describes the ids of deliveries as integers of 64 bits. `JSON.parse()` rounds them. All other ids fit a number.
for (const name of ['hook-delivery', 'hook-delivery-item']) {
  const { id } = (components.schemas[name]?.properties ?? {}) as { id?: Schema }
  if (id) id.format = 'delivery-id'
}

// The generated code runs too seldom to be worth an optimization, which takes as long as the rest of the compilation.
const ajv = new Ajv2019({ allErrors: true, strict: false, inlineRefs: false, code: { optimize: false } })
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
ajv.addFormat('date-time-ms', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
ajv.addFormat('uri', (text: string) => URL.canParse(text))
ajv.addFormat('uri-template', true)
ajv.addFormat('int64', { type: 'number', validate: Number.isSafeInteger })
ajv.addFormat('delivery-id', { type: 'number', validate: (id: number) => Number.isInteger(id) && id < 2 ** 63 })
ajv.addFormat('email', /@/)
ajv.addSchema({ $id: 'github', components })
const compiled = new Map<string, ValidateFunction>()

function validatorOf(name: string, schema: object): ValidateFunction {
  const known = compiled.get(name)
  if (known) return known
  const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"github#/components'))
  const validate = ajv.compile(absolute)
  compiled.set(name, validate)
  return validate
}

/** The responses that every operation may have, even if its description does not list them. */
const everywhere: Record<number, string> = {
  400: 'bad_request',
  401: 'requires_authentication',
  403: 'forbidden',
  404: 'not_found',
  422: 'validation_failed',
  429: 'forbidden',
}

/** Asserts that GitHub describes this answer to this request, and that the answer is valid. */
export function expectDescribed(method: string, path: string, status: number, body: unknown): void {
  const named = path.replace(/^\/repositories\/\d+/, '/repos/owner/repo').replace(/\/contents$/, '/contents/')
  const template = templateOf(method, named)
  const what = `${method} ${template ?? path}: ${status}`
  const operation = template === undefined ? undefined : paths[template]?.[method.toLowerCase()]
  const own = operation?.responses[status]
  const common = components.responses[everywhere[status] ?? '']
  // GitHub describes some errors without a body, but sends the same body as in other errors.
  const found = own?.$ref || own?.content ? own : (common ?? own)
  const response = found?.$ref ? components.responses[found.$ref.split('/').at(-1) ?? ''] : found
  if (status !== 304) expect(response, `${what} is described`).toBeDefined()
  const schema = response?.content?.['application/json']?.schema
  if (!schema) return void expect(body, `${what} has no body`).toBeUndefined()
  const validate = validatorOf(what, schema)
  expect(validate(body) || validate.errors, what).toBe(true)
}

/** Asserts that GitHub describes this payload of an event, such as `issues.closed`. */
export function expectDescribedPayload(name: string, payload: object): void {
  const schema = `webhook-${name.replaceAll(/[._]/g, '-')}`
  expect(components.schemas, `${name} is described`).toHaveProperty(schema)
  const validate = validatorOf(name, { $ref: `#/components/schemas/${schema}` })
  const sent: unknown = JSON.parse(JSON.stringify(payload))
  expect(validate(sent) || validate.errors, name).toBe(true)
}

/** The described paths by their number of parts. */
const templates = Object.groupBy(Object.keys(paths), (template) => template.split('/').length)

/** The described path that matches. If several match, the one with the fewest parameters: it is the most specific. */
export function templateOf(method: string, path: string): string | undefined {
  const parts = path.split('/')
  const fitting = (templates[parts.length] ?? []).filter((template) => {
    const fits = (part: string, index: number) => part.startsWith('{') || part === parts[index]
    return method.toLowerCase() in (paths[template] ?? {}) && template.split('/').every(fits)
  })
  return fitting.toSorted((a, b) => a.split('{').length - b.split('{').length)[0]
}
