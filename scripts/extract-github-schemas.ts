/**
 * Extracts the parts of GitHub's OpenAPI description that `test/testing/github/described.ts` compares with the answers
 * of the local GitHub: the responses of the operations in `src/testing/github/api/routes.ts`, the payloads of the events
 * that they send, and the schemas that these refer to. The whole description has 13 MB, and its package has 385 MB.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { routes } from '../src/testing/github/api/routes.ts'

const repository = join(import.meta.dirname, '..')
const target = join(repository, 'test/testing/github/api.github.com.json')
const usage = `Usage: node scripts/extract-github-schemas.ts <folder>

Writes ${relative(repository, target)}: the schemas of GitHub's answers that tests need.

  <folder>    An unpacked @octokit/openapi package: npm pack @octokit/openapi && tar -xzf octokit-openapi-*.tgz
  -h, --help  Print this text`

/** Responses that `described.ts` accepts from every operation, even if GitHub's description does not list them there. */
const commonResponses = ['bad_request', 'requires_authentication', 'forbidden', 'not_found', 'validation_failed']

/** The keywords of a schema that decide whether a value is valid. All other keywords only describe or illustrate. */
const keywords = new Set([
  ...['$ref', 'type', 'format', 'enum', 'nullable', 'allOf', 'anyOf', 'oneOf', 'not'],
  ...['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  ...['items', 'minItems', 'maxItems', 'uniqueItems', 'pattern', 'minLength', 'maxLength'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
])

type Json = Record<string, unknown>

interface Response extends Json {
  $ref?: string
  content?: Record<string, { schema?: Json }>
}

/**
 * Events that the routes send, one for each kind of change: GitHub describes the payload of each action in a large schema
 * of its own, although most actions of an event differ in one member.
 */
const sentEvents: Readonly<Record<string, readonly string[]>> = {
  check_run: ['created', 'completed'],
  issue_comment: ['created'],
  issues: ['closed', 'unlabeled', 'assigned', 'unassigned'],
  label: ['created', 'edited', 'deleted'],
  pull_request: ['opened', 'edited', 'closed', 'reopened', 'synchronize'],
  pull_request_review: ['submitted'],
  pull_request_review_comment: ['created', 'edited', 'deleted'],
  create: [''],
  delete: [''],
  push: [''],
  release: ['created', 'published', 'released', 'deleted'],
}

/** The references to the schemas of payloads: `webhook-issues-opened`, `webhook-push`. */
const payloadReferences = Object.entries(sentEvents).flatMap(([event, actions]) =>
  actions.map((action) => {
    const name = [event, action].filter((part) => part !== '').join('-')
    return `#/components/schemas/webhook-${name.replaceAll('_', '-')}`
  }),
)

interface Description {
  openapi: string
  info: { title: string; version: string; description: string; license: Json }
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>
  components: Record<string, Json>
}

function mapValues<Value, Result>(
  object: Record<string, Value>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
}

/** A schema with only the keywords that decide whether a value is valid. */
function reduceSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(reduceSchema)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(([keyword]) => keywords.has(keyword))
  return Object.fromEntries(
    kept.map(([keyword, value]) => [
      keyword,
      keyword === 'properties' ? mapValues(value, reduceSchema) : reduceSchema(value),
    ]),
  )
}

function reduceResponse({ $ref, content }: Response): Response {
  if ($ref !== undefined) return { $ref }
  const schema = content?.['application/json']?.schema
  return schema ? { content: { 'application/json': { schema: reduceSchema(schema) as Json } } } : {}
}

/** The responses of each route. @throws {Error} if GitHub does not describe a route. */
function extractPaths({ paths }: Description): Description['paths'] {
  const extracted: Description['paths'] = {}
  for (const { method, path } of routes) {
    const operation = paths[path]?.[method.toLowerCase()]
    if (!operation) throw new Error(`GitHub's description has no ${method} ${path}`)
    extracted[path] = {
      ...extracted[path],
      [method.toLowerCase()]: { responses: mapValues(operation.responses, reduceResponse) },
    }
  }
  return extracted
}

/**
 * The common responses, the payloads, and every component that they or `paths` refer to, directly or indirectly. Sorted
 * by name.
 */
function extractComponents({ components }: Description, paths: Description['paths']): Description['components'] {
  const extracted: Record<string, Json> = { responses: {}, schemas: {} }
  const common = commonResponses.map((name) => `#/components/responses/${name}`)
  const references = [...referencesIn(paths), ...common, ...payloadReferences]
  for (const reference of references) {
    const [, , kind = '', name = ''] = reference.split('/')
    const component = components[kind]?.[name]
    const group = extracted[kind]
    if (!component || !group) throw new Error(`Cannot resolve ${reference}`)
    if (name in group) continue
    group[name] = kind === 'schemas' ? reduceSchema(component) : reduceResponse(component as Response)
    references.push(...referencesIn(group[name])) // the loop also processes the references that it adds here
  }
  return mapValues(extracted, (group) =>
    Object.fromEntries(Object.entries(group).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  )
}

function referencesIn(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference)
}

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
})
const [folder] = positionals
if (values.help || folder === undefined) {
  console.log(usage)
  process.exit(values.help ? 0 : 2)
}

const description: Description = JSON.parse(readFileSync(join(folder, 'generated/api.github.com.json'), 'utf8'))
const { openapi, info } = description
const paths = extractPaths(description)
const excerpt = {
  openapi,
  info: {
    title: info.title,
    version: info.version,
    description: `An excerpt of @octokit/openapi ${info.version}: see scripts/extract-github-schemas.ts. ${info.description}`,
    license: { ...info.license, notice: readFileSync(join(folder, 'LICENSE'), 'utf8').trim().split(/\n+/) },
  },
  paths,
  components: extractComponents(description, paths),
}
writeFileSync(target, JSON.stringify(excerpt))
execFileSync(join(repository, 'node_modules/.bin/biome'), ['format', '--write', target], { stdio: 'inherit' })
