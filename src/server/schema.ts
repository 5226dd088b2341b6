import * as v from 'valibot'
import { type Fault, ProblemError } from './problem.ts'

/** Any schema for an unknown input. */
export type Schema<Value = unknown> = v.GenericSchema<unknown, Value>

/** A schema with the meaning of its values, which OpenAPI shows. */
export const described = <Described extends v.GenericSchema>(schema: Described, meaning: string) =>
  v.pipe(schema, v.description(meaning))

/**
 * A value in text form: a query parameter, a flag, an environment variable. In JSON it may also be a number.
 * @param expected Describes valid values, in error messages and in OpenAPI.
 * @param parse Returns `undefined` for a text that is not valid.
 * @param jsonSchema The schema in OpenAPI.
 */
export const textValue = <Value>(
  expected: string,
  parse: (text: string) => Value | undefined,
  jsonSchema: Readonly<Record<string, unknown>> = { type: 'string' },
) =>
  v.pipe(
    v.unknown(),
    v.metadata({ ...jsonSchema, description: expected }),
    v.rawTransform<unknown, Value>(({ dataset, addIssue, NEVER }) => {
      const text = typeof dataset.value === 'number' ? String(dataset.value) : dataset.value
      const value = typeof text === 'string' ? parse(text) : undefined
      if (value !== undefined) return value
      addIssue({ message: expected })
      return NEVER
    }),
  )

/** An object with these members only. An unknown member is a fault, because it may be a mistyped filter. */
export const members = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.strictObject(entries, ({ path }) => {
    const name = String(path?.[0]?.key)
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
    if (entry !== undefined) return expectedBy(entry)
    return path === undefined ? 'an object' : oneOf(Object.keys(entries))
  })

/** The description of valid values, from the metadata of a schema. */
function expectedBy(schema: v.GenericSchema): string {
  return String(v.getMetadata(schema).description ?? 'a value')
}

/** One of these words. */
export const choice = <Word extends string>(words: readonly Word[]) =>
  textValue(oneOf(words), (text) => words.find((word) => word === text), { type: 'string', enum: words })

export const oneOf = (words: readonly string[]): string => (words.length > 0 ? `one of ${words.join(', ')}` : 'nothing')

/** Checks an object. @throws {ProblemError} that lists everything that is wrong, in the order of the input. */
export function check<Value>(schema: Schema<Value> & { entries?: v.ObjectEntries }, input: object): Value {
  const { success, output, issues } = v.safeParse(schema, input)
  if (success) return output
  const { entries = input } = schema
  const unknown = Object.keys(input).filter((name) => !Object.hasOwn(entries, name)) // Valibot reports only one
  const expected = oneOf(Object.keys(entries))
  const faults = new Map(unknown.map((name): [string, Fault] => [name, { name, expected }]))
  for (const { path = [], message: expected } of issues) {
    // A fault in an item of a list has the name of the list.
    const name = path.flatMap(({ key }) => (typeof key === 'string' ? [key] : [])).join('.')
    if (!faults.has(name)) faults.set(name, { name, expected })
  }
  const order = Object.keys(input)
  const position = (name: string) => order.indexOf(name.split('.', 1)[0] ?? '')
  throw ProblemError.because([...faults.values()].toSorted((a, b) => position(a.name) - position(b.name)))
}
