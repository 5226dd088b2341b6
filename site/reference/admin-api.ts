/** The reference of the admin API, from the OpenAPI description that a server returns. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Served } from '../../scripts/served.ts'
import { anchorOf } from '../sources.ts'

interface JsonSchema {
  $ref?: string
  type?: string | readonly string[]
  description?: string
  const?: unknown
  enum?: readonly unknown[]
  items?: JsonSchema
  anyOf?: readonly JsonSchema[]
  oneOf?: readonly JsonSchema[]
  allOf?: readonly JsonSchema[]
  properties?: Readonly<Record<string, JsonSchema>>
  additionalProperties?: JsonSchema | boolean
  required?: readonly string[]
}

interface Parameter {
  name: string
  in: string
  required?: boolean
  description?: string
  schema?: JsonSchema
}

type Content = Readonly<Record<string, { schema?: JsonSchema }>>

interface Operation {
  summary: string
  parameters?: readonly Parameter[]
  requestBody?: { content: Content }
  responses: Readonly<Record<string, { $ref?: string; description?: string; content?: Content }>>
}

interface Description {
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  components: { schemas: Readonly<Record<string, JsonSchema>> }
}

/** The description of the API of a server that starts with an empty inbox. */
async function readDescription(): Promise<Description> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-site-'))
  try {
    const served = await Served.start(folder, { args: ['--dev'] })
    try {
      return await served.get<Description>('/openapi.json')
    } finally {
      await served.stop()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A type in one line, with a link to each named schema. */
function typeOf(schema: JsonSchema | undefined): string {
  if (schema === undefined) return ''
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? ''
    return `[${name}](#${anchorOf(name)})`
  }
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ')
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives) return [...new Set(alternatives.map(typeOf))].join(' or ')
  if (schema.allOf) return schema.allOf.map(typeOf).join(' and ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items)}`
  if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties)}`
  return Array.isArray(schema.type) ? schema.type.join(' or ') : ((schema.type as string | undefined) ?? 'any')
}

/** A cell of a table: `|` and `<` have a meaning in Markdown, and `{{` in a page of the site. */
const cell = (text: string): string =>
  text.replaceAll('\n', ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('{{', '&#123;{')

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))]
  return `${lines.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n\n`
}

/** The types of a body or an answer: a schema for each content type. */
function contentOf(content: Content = {}): string {
  return Object.entries(content)
    .map(([type, { schema }]) => [`\`${type}\``, typeOf(schema)].filter(Boolean).join(': '))
    .join(', ')
}

function operationSection(method: string, path: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map((one) => [
    `\`${one.name}\`${one.required ? ', required' : ''}`,
    one.in,
    typeOf(one.schema),
    one.description ?? one.schema?.description ?? '',
  ])
  const responses = Object.entries(operation.responses).map(([status, { description = '', content }]) => [
    status,
    description,
    contentOf(content),
  ])
  const body = operation.requestBody && `Body: ${contentOf(operation.requestBody.content)}\n\n`
  return [
    `### ${method.toUpperCase()} ${path}\n\n${operation.summary}.\n\n`,
    body ?? '',
    table(['parameter', 'in', 'type', 'meaning'], parameters),
    table(['status', 'answer', 'content'], responses),
  ].join('')
}

type Schemas = Description['components']['schemas']

/** The meaning of a member: its own, or that of the schema that it refers to. */
const meaningOf = ({ description, $ref }: JsonSchema, schemas: Schemas): string =>
  description ?? schemas[$ref?.split('/').at(-1) ?? '']?.description ?? ''

function schemaSection(name: string, schema: JsonSchema, schemas: Schemas): string {
  const members = Object.entries(schema.properties ?? {}).map(([member, value]) => [
    `\`${member}\`${schema.required?.includes(member) ? '' : ', optional'}`,
    typeOf(value),
    meaningOf(value, schemas),
  ])
  const description = schema.description ? `${cell(schema.description)}\n\n` : ''
  const type = members.length === 0 ? `${typeOf(schema)}\n\n` : ''
  return `### ${name}\n\n${description}${type}${table(['member', 'type', 'meaning'], members)}`
}

export async function adminApiPage(): Promise<string> {
  const { paths, components } = await readDescription()
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationSection(method, path, operation)),
  )
  const schemas = Object.entries(components.schemas).map(([name, schema]) =>
    schemaSection(name, schema, components.schemas),
  )
  const intro =
    'Every request and every type, from the OpenAPI description that `GET /api/v1/openapi.json` returns. [The admin API](../api.md) explains them, with examples.'
  return `# Admin API: all requests\n\n${intro}\n\n## Requests\n\n${operations.join('')}## Types\n\n${schemas.join('')}`
}
