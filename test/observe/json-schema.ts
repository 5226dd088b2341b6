/** JSON Schema for what is written by hand: what nobody has named is a mistake. */
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

/** Whatever is wrong with a value. */
export function faultsOf(value: unknown, schema: object): ErrorObject[] {
  const validate = new Ajv2020({ allErrors: true }).compile(schema)
  validate(value)
  return validate.errors ?? []
}
