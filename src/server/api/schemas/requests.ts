/** The requests of the API: query parameters and bodies. */
import * as v from 'valibot'
import { auditAccess, auditActions } from '../../../inbox/audit-log.ts'
import { excessOf } from '../../../inbox/query/paging.ts'
import { parseQuery } from '../../../inbox/query/parse-query.ts'
import { type Query, QueryError, queryFlags } from '../../../inbox/query/query.ts'
import { expectedTimestamp, parseTimestamp } from '../../../inbox/query/timestamp.ts'
import { valueColumns } from '../../../inbox/query/values.ts'
import { deliveryStates } from '../../../inbox/records.ts'
import { isObject } from '../../../runtime/json.ts'
import { type Fault, ProblemError } from '../../problem.ts'
import { choice, members, textValue } from '../../schema.ts'
import { idIn, placeIn } from '../cursor.ts'

const optional = v.optional
const flag = v.boolean('true or false')

const id = (expected: string) => v.pipe(v.number(expected), v.safeInteger(expected), v.minValue(1, expected))

const maxText = 1000

/** Describes a valid text in a query parameter, a filter or a reason. */
const expectedText = `a single non-blank text of at most ${maxText} characters`

const aText = textValue(expectedText, (value) => (value.trim() !== '' && value.length <= maxText ? value : undefined), {
  type: 'string',
  minLength: 1,
  maxLength: maxText,
})

const aPrefix = textValue(
  `a single text of at most ${maxText} characters`,
  (value) => (value.length <= maxText ? value : undefined),
  { type: 'string', maxLength: maxText },
)

/** A text in the body of a request. */
const bodyText = (expected: string, pattern = /\S/) =>
  v.pipe(v.string(expected), v.regex(pattern, expected), v.maxLength(maxText, expected), v.description(expected))

export const expectedJson = 'the text of a JSON object, without lone surrogates'

function aCount(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const expected =
    max < Number.MAX_SAFE_INTEGER ? `a whole number from ${min} to ${max}` : `a whole number of at least ${min}`
  const parse = (value: string): number | undefined => {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
    return number >= min && number <= max ? number : undefined
  }
  return textValue(expected, parse, { type: 'integer', minimum: min, maximum: max })
}

/** A time. The value is in milliseconds since 1970. */
const aTimestamp = textValue(expectedTimestamp, (value) => parseTimestamp(value), { type: ['string', 'integer'] })

/** The filters of deliveries. */
const Filters = members({
  state: optional(choice(deliveryStates)),
  event: optional(aText),
  action: optional(aText),
  repository: optional(aText),
  sender: optional(aText),
  source: optional(aText),
  guid: optional(aText),
  ref: optional(aText),
  sha: optional(aText),
  number: optional(aCount(0)),
  handler: optional(aText),
  flag: optional(choice(queryFlags)),
  since: optional(aTimestamp),
  until: optional(aTimestamp),
  q: optional(aText),
} satisfies Record<Exclude<keyof Query, 'words' | 'paths' | 'where' | 'before' | 'limit' | 'budget'> | 'q', unknown>)

const before = { before: optional(aCount(1)) }

/** The filters of an operation on many deliveries. */
const SelectionFilters = members({ ...Filters.entries, ...before })

const aCursor = textValue('the member "next" of a page', idIn, { type: 'string' })

/** The maximum number of deliveries in a page. */
const maxPage = 500

export const ListQuery = members({
  ...Filters.entries,
  ...before,
  cursor: optional(aCursor),
  limit: optional(aCount(1, maxPage)),
})

export const HistogramQuery = members({ ...Filters.entries })

export const FailuresQuery = members({
  handler: optional(aText),
  since: optional(aTimestamp),
  cursor: optional(textValue('the member "next" of a page', placeIn, { type: 'string' })),
  limit: optional(aCount(1, 100)),
})

export const AuditQuery = members({
  action: optional(choice(auditActions)),
  access: optional(choice(auditAccess)),
  person: optional(aText),
  cursor: optional(aCursor),
  limit: optional(aCount(1, maxPage)),
})

export const ValuesQuery = members({
  column: choice(valueColumns),
  prefix: optional(aPrefix),
  limit: optional(aCount(1, 100)),
})

const windowNames = ['1h', '24h', '7d'] as const
export type WindowName = (typeof windowNames)[number]

export const StatsQuery = members({ window: optional(choice(windowNames), '1h') })

export const HandlersQuery = members({ window: optional(choice(windowNames), '1h') })

/**
 * Merges the search `q` into the other filters. All conditions must hold, so a filter that is also in `q` must have the
 * same value there.
 * @param prefix Precedes the names of parameters in faults.
 * @throws {ProblemError} that lists everything that is wrong with `q`.
 */
export function queryOf({ q, ...filters }: v.InferOutput<typeof SelectionFilters>, prefix = ''): Query {
  if (q === undefined) return filters
  const faults: Fault[] = []
  const fault = (name: string, expected: string, message?: string) =>
    faults.push({ name: prefix + name, expected, ...(message && { message }) })
  const search = searchIn(q, fault)
  const excess = excessOf(search)
  if (excess) fault('q', excess)
  const query: Query = filters
  for (const name of Object.keys(search) as (keyof Query)[]) {
    if (query[name] !== undefined && query[name] !== search[name]) {
      fault('q', `a search without the filter ${name}, or with the same value as in the parameter ${name}`)
    }
  }
  if (faults.length > 0) throw ProblemError.because(faults)
  return { ...query, ...search }
}

/** Parses a search. If it is not valid, reports why and returns an empty query. */
function searchIn(text: string, fault: (name: string, expected: string, message?: string) => void): Query {
  try {
    return parseQuery(text)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    for (const { name, expected, message } of error.faults) fault(`q.${name}`, expected, message)
    return {}
  }
}

/** The maximum number of ids in one request. */
const maxIds = 10_000
const expectedIds = `a list of 1 to ${maxIds} whole numbers`
const expectedOperationId = '1 to 100 visible ASCII characters'
const expectedSearch = 'a text'
const expectedStates = `a list of one or more of: ${deliveryStates.join(', ')}`

/** Rejects lists, because Valibot treats a list as an empty object, and an empty query selects all deliveries. */
const filtersOfBody = v.lazy((input) =>
  input === undefined || isObject(input)
    ? SelectionFilters
    : (v.never('an object with filters; {} selects all deliveries') as never),
)

const selection = {
  ids: optional(
    v.pipe(v.array(id(expectedIds), expectedIds), v.minLength(1, expectedIds), v.maxLength(maxIds, expectedIds)),
  ),
  query: optional(filtersOfBody),
  cursor: optional(v.pipe(aCursor, v.description('The member "next" of the response before'))),
  states: optional(
    v.pipe(
      v.array(v.picklist(deliveryStates, expectedStates), expectedStates),
      v.minLength(1, expectedStates),
      v.description('Only the ids of deliveries that are in one of these states now'),
    ),
  ),
  search: optional(
    v.pipe(
      v.string(expectedSearch),
      v.description('Only with ids: the search with which the client selected them, for the audit log'),
    ),
  ),
  dryRun: optional(v.pipe(flag, v.description('Only count the deliveries'))),
  operationId: optional(
    v.pipe(
      v.string(expectedOperationId),
      v.regex(/^[\x21-\x7e]{1,100}$/, expectedOperationId),
      v.description('Requests with the same operationId become one entry of the audit log'),
    ),
  ),
}

/**
 * Requires either `ids` or `query`. A body that has neither is rejected, because it would select all deliveries. To
 * select all deliveries, a client sends `query: {}`.
 */
const idsOrQuery = <Body extends Partial<Record<keyof typeof selection, unknown>>>() =>
  v.rawCheck<Body>(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const { ids, query, cursor, states, search } = dataset.value
    if ((ids === undefined) === (query === undefined)) addIssue(issue('ids, query', 'exactly one of them'))
    if (cursor && !query) addIssue(issue('cursor', 'only together with query'))
    if (states && !ids) addIssue(issue('states', 'only together with ids (a query has the filter "state" instead)'))
    if (search !== undefined && !ids) addIssue(issue('search', 'only together with ids'))
  })

/** An issue about one or more members of the body. @param names Their names, separated by commas. */
function issue(names: string, message: string): v.RawCheckIssueInfo<unknown> {
  return { message, path: [{ type: 'object', origin: 'value', input: {}, key: names, value: undefined }] }
}

const oneOfTheTwo = { oneOf: [{ required: ['ids'] }, { required: ['query'] }] }

const dryRun = { dryRun: optional(v.pipe(flag, v.description('Only count the tasks'))) }

const reason = { reason: optional(bodyText(expectedText)) }

const onlyHandler = {
  handler: optional(v.pipe(bodyText(expectedText), v.description('Only this handler, also if it has succeeded'))),
}

/** Contains either `payload` (an object) or `text` (the text of a JSON object, which is stored byte for byte). */
const NewDelivery = v.pipe(
  members({
    event: bodyText('the name of an event, such as push', /^[\w-]{1,100}$/),
    payload: optional(v.pipe(v.unknown(), v.metadata({ type: 'object' }))),
    text: optional(v.string(expectedJson)),
    editedFrom: optional(id('the id of a delivery')),
    guid: optional(bodyText('1 to 100 visible ASCII characters', /^[\x21-\x7e]{1,100}$/)),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const { payload, text } = dataset.value as { payload?: unknown; text?: unknown }
    if (text === undefined && !isObject(payload)) addIssue(issue('payload', 'an object'))
    if (text !== undefined && payload !== undefined) addIssue(issue('payload, text', 'only one of them'))
  }),
)

/** The bodies, by their names in OpenAPI. */
export const bodies = {
  EmptyBody: members({}),
  SelectionFilters,
  DryRun: members(dryRun),
  DryRunAndReason: members({ ...dryRun, ...reason }),
  AllHandlers: members({ all: v.literal(true, 'true') }),
  Login: members({ token: v.pipe(v.string('the token'), v.description('the token')) }),
  NewDelivery,
  OnlyHandler: members(onlyHandler),
  Reason: members(reason),
  SelectionAndHandler: v.pipe(members({ ...selection, ...onlyHandler }), idsOrQuery(), v.metadata(oneOfTheTwo)),
  SelectionAndReason: v.pipe(members({ ...selection, ...reason }), idsOrQuery(), v.metadata(oneOfTheTwo)),
  SweepOptions: members({ dryRun: v.exactOptional(flag), thorough: v.exactOptional(flag) }),
}
