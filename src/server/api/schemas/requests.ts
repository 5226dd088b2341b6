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
import { choice, described, members, textValue } from '../../schema.ts'
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

/** A parameter with the meaning of its values. An error names the valid values instead. */
const filter = <Value>(valid: v.GenericSchema<unknown, Value>, meaning: string) => optional(described(valid, meaning))

/** The filters of deliveries. */
const Filters = members({
  state: filter(choice(deliveryStates), 'Deliveries in this state'),
  event: filter(aText, 'Deliveries of this event, such as issues'),
  action: filter(aText, 'Deliveries of this action, such as opened'),
  repository: filter(aText, 'Deliveries of this repository, such as acme/shop'),
  sender: filter(aText, 'Deliveries of this sender, a login'),
  source: filter(aText, 'Deliveries that this mount received: its path, unless the option "source" sets another name'),
  guid: filter(aText, 'Deliveries with this GUID'),
  ref: filter(aText, 'Deliveries about this branch or tag'),
  sha: filter(aText, 'Deliveries about this commit'),
  number: filter(aCount(0), 'Deliveries about this issue, pull request or discussion'),
  handler: filter(aText, 'Deliveries that have a task of this handler'),
  flag: filter(choice(queryFlags), 'Deliveries with this flag'),
  since: filter(aTimestamp, `Deliveries received at this time or later: ${expectedTimestamp}`),
  until: filter(aTimestamp, `Deliveries received before this time: ${expectedTimestamp}`),
  q: filter(aText, 'Deliveries that match this search, such as state:dead,retrying repo:acme/*'),
} satisfies Record<Exclude<keyof Query, 'words' | 'paths' | 'where' | 'before' | 'limit' | 'budget'> | 'q', unknown>)

const before = { before: filter(aCount(1), 'Deliveries older than the delivery with this id') }

/** The filters of an operation on many deliveries. */
const SelectionFilters = described(
  members({ ...Filters.entries, ...before }),
  'The filters of the deliveries to select. {} selects all deliveries',
)

const aCursor = textValue('the member "next" of a page', idIn, { type: 'string' })

/** The maximum number of deliveries in a page. */
const maxPage = 500

const nextPage = 'The next page: the member "next" of the page before, with the same other parameters'

export const ListQuery = members({
  ...Filters.entries,
  ...before,
  cursor: filter(aCursor, nextPage),
  limit: filter(aCount(1, maxPage), 'At most this many deliveries. Default: 50'),
})

export const HistogramQuery = members({ ...Filters.entries })

export const FailuresQuery = members({
  handler: filter(aText, 'Groups of this handler'),
  since: filter(aTimestamp, `Groups whose latest failure was at this time or later: ${expectedTimestamp}`),
  cursor: filter(textValue('the member "next" of a page', placeIn, { type: 'string' }), nextPage),
  limit: filter(aCount(1, 100), 'At most this many groups. Default: 50'),
})

export const AuditQuery = members({
  action: filter(choice(auditActions), 'Entries of this action'),
  access: filter(choice(auditAccess), 'Entries of operators with this kind of access'),
  person: filter(aText, 'Entries of this login on GitHub, or of this user of the operating system'),
  cursor: filter(aCursor, nextPage),
  limit: filter(aCount(1, maxPage), 'At most this many entries. Default: 50'),
})

export const ValuesQuery = members({
  column: choice(valueColumns),
  prefix: filter(aPrefix, 'Values that begin with this text; upper and lower case do not matter'),
  limit: filter(aCount(1, 100), 'At most this many values. Default: 20'),
})

const windowNames = ['1h', '24h', '7d'] as const
export type WindowName = (typeof windowNames)[number]

const window = optional(described(choice(windowNames), 'The time until now for which events are counted'), '1h')

export const StatsQuery = members({ window })

export const HandlersQuery = members({ window })

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
    described(
      v.pipe(v.array(id(expectedIds), expectedIds), v.minLength(1, expectedIds), v.maxLength(maxIds, expectedIds)),
      `The ids of the deliveries, at most ${maxIds}`,
    ),
  ),
  query: optional(filtersOfBody),
  cursor: optional(described(aCursor, 'Only with query: the member "next" of the response before')),
  states: optional(
    described(
      v.pipe(v.array(v.picklist(deliveryStates, expectedStates), expectedStates), v.minLength(1, expectedStates)),
      'Only with ids: skips deliveries that are in another state now',
    ),
  ),
  search: optional(
    described(
      v.string(expectedSearch),
      'Only with ids: the search with which the client selected them, for the audit log',
    ),
  ),
  dryRun: optional(described(flag, 'Only count the deliveries. Default: false')),
  operationId: optional(
    described(
      v.pipe(v.string(expectedOperationId), v.regex(/^[\x21-\x7e]{1,100}$/, expectedOperationId)),
      'Requests with the same operationId become one entry of the audit log',
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

const dryRun = { dryRun: optional(described(flag, 'Only count the tasks. Default: false')) }

const reason = { reason: optional(described(bodyText(expectedText), 'Why, for the deliveries and the audit log')) }

const onlyHandler = {
  handler: optional(described(bodyText(expectedText), 'Only this handler, also if it has succeeded')),
}

/** Contains either `payload` (an object) or `text` (the text of a JSON object, which is stored byte for byte). */
const NewDelivery = v.pipe(
  members({
    event: bodyText('the name of an event, such as push', /^[\w-]{1,100}$/),
    payload: optional(described(v.pipe(v.unknown(), v.metadata({ type: 'object' })), 'The payload')),
    text: optional(
      described(
        v.string(expectedJson),
        'Instead of payload: its JSON, which is signed and stored byte for byte, so that large numbers keep all digits',
      ),
    ),
    editedFrom: optional(
      described(id('the id of a delivery'), 'The stored delivery whose headers the new delivery gets'),
    ),
    guid: optional(
      described(
        bodyText('1 to 100 visible ASCII characters', /^[\x21-\x7e]{1,100}$/),
        'The GUID, with which the request can be repeated. Default: a new one',
      ),
    ),
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
  AllHandlers: members({ all: described(v.literal(true, 'true'), 'true') }),
  Login: members({ token: described(v.string('the token'), 'the token') }),
  NewDelivery,
  OnlyHandler: members(onlyHandler),
  Reason: members(reason),
  SelectionAndHandler: v.pipe(members({ ...selection, ...onlyHandler }), idsOrQuery(), v.metadata(oneOfTheTwo)),
  SelectionAndReason: v.pipe(members({ ...selection, ...reason }), idsOrQuery(), v.metadata(oneOfTheTwo)),
  SweepOptions: members({
    dryRun: v.exactOptional(described(flag, 'Request and record nothing. Default: false')),
    thorough: v.exactOptional(
      described(flag, "Read GitHub's log as far back as allowed, not only since the last sweep. Default: false"),
    ),
  }),
}
