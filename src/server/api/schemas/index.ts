import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { problems } from '../../problem.ts'
import * as operators from './operators.ts'
import { bodies } from './requests.ts'
import * as responses from './responses.ts'

/** The bodies of requests and answers, by their names in OpenAPI. */
export const schemas: typeof responses & typeof operators & typeof bodies = {
  ...responses,
  ...operators,
  ...bodies,
}

export type SchemaName = keyof typeof schemas
export type Output<Name extends SchemaName> = v.InferOutput<(typeof schemas)[Name]>

const referenceTo = (name: string): string => `#/components/schemas/${name}`

/** A reference to a schema in OpenAPI. */
export const reference = (name: SchemaName): object => ({ $ref: referenceTo(name) })

const conversion: ConversionConfig = {
  typeMode: 'input',
  overrideRef: ({ referenceId }) => referenceTo(referenceId),
  ignoreActions: ['raw_check', 'readonly'],
}

/** All schemas as JSON Schema. They refer to each other by name. */
export const jsonSchemas = (): Record<string, object> => toJsonSchemaDefs(schemas, conversion)

/** The parameters of a query in the format of OpenAPI. */
export function parametersOf(query: { entries: v.ObjectEntries }): object[] {
  return Object.entries(query.entries).map(([name, entry]) => {
    const { $schema: _, description, ...schema } = toJsonSchema(entry, conversion)
    return { name, in: 'query', required: entry.type === 'unknown' || undefined, description, schema }
  })
}

/** The problems with these statuses in the format of OpenAPI. */
export function problemResponses(...statuses: number[]): Record<string, object> {
  const content = { 'application/problem+json': { schema: reference('Problem') } }
  const codesOf = (status: number) =>
    Object.entries(problems).flatMap(([code, itsStatus]) => (itsStatus === status ? [code] : []))
  return Object.fromEntries(statuses.map((status) => [status, { description: codesOf(status).join(', '), content }]))
}
