/** JSON Schema for files that are written by hand: unknown members are errors. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'

type Schemas = Readonly<Record<string, object>>

export const text = { type: 'string', minLength: 1 }

/** An object with these properties, and no other. */
export const exactly = (properties: Schemas) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})

export const listOf = (items: object, more: { minItems?: number; maxItems?: number } = {}) => ({
  type: 'array',
  items,
  ...more,
})

/** All errors of a value. */
export function faultsOf(value: unknown, schema: object): ErrorObject[] {
  const validate = new Ajv2020({ allErrors: true }).compile(schema)
  validate(value)
  return validate.errors ?? []
}
