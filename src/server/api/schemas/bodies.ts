/** The bodies of requests. */
import * as v from 'valibot'
import { type Query, queryFlags } from '../../../inbox/query/query.ts'
import { deliveryStates } from '../../../inbox/records.ts'
import { isObject } from '../../../runtime/json.ts'
import { choice, members } from '../../schema.ts'
import { aCount, aText, aTimestamp, bodyText, deliveryId, expectedJson, expectedText, flag, state } from './values.ts'

const optional = v.optional

/** The filters of a list, and of an operation on many deliveries. */
export const Filters = members({
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
} satisfies Record<Exclude<keyof Query, 'words' | 'paths' | 'before' | 'limit' | 'budget'> | 'q', unknown>)

/** Ids in one request. */
const maxIds = 10_000
const expectedIds = `a list of 1 to ${maxIds} whole numbers`
const expectedStates = `a list of ${deliveryStates.join(', ')}`

/** Valibot takes a list for an object without members, and a query without members selects all deliveries. */
const filtersOfBody = v.lazy((input) =>
  input === undefined || isObject(input)
    ? Filters
    : (v.never('an object with filters, {} for all deliveries') as never),
)

const selection = {
  ids: optional(
    v.pipe(
      v.array(v.pipe(v.number(expectedIds), v.safeInteger(expectedIds), v.minValue(1, expectedIds)), expectedIds),
      v.minLength(1, expectedIds),
      v.maxLength(maxIds, expectedIds),
    ),
  ),
  query: optional(filtersOfBody),
  states: optional(
    v.pipe(
      v.array(v.picklist(state.options, expectedStates), expectedStates),
      v.minLength(1, expectedStates),
      v.description('Of the ids only those that are in one of these states now'),
    ),
  ),
  dryRun: optional(v.pipe(flag, v.description('Only count'))),
}

/** Neither ids nor a query must not mean all deliveries: `query: {}` does. */
const idsOrQuery = <Body extends { ids?: unknown; query?: unknown; states?: unknown }>() =>
  v.rawCheck<Body>(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const { ids, query, states } = dataset.value
    if ((ids === undefined) === (query === undefined)) addIssue(issue('ids, query', 'one of the two'))
    if (states !== undefined && ids === undefined) {
      addIssue(issue('states', 'only beside ids: a query has its own state'))
    }
  })

/** An issue of these members. */
function issue(names: string, message: string): v.RawCheckIssueInfo<unknown> {
  return { message, path: [{ type: 'object', origin: 'value', input: {}, key: names, value: undefined }] }
}
const oneOfTheTwo = { oneOf: [{ required: ['ids'] }, { required: ['query'] }] }

const reason = { reason: optional(bodyText(expectedText)) }

export const Selection = v.pipe(members(selection), idsOrQuery(), v.metadata(oneOfTheTwo))
export const SelectionAndReason = v.pipe(members({ ...selection, ...reason }), idsOrQuery(), v.metadata(oneOfTheTwo))
export const Reason = members(reason)
export const EmptyBody = members({})

/** `payload` is an object, or `text` is its JSON, whose bytes are kept as they are. */
export const NewDelivery = v.pipe(
  members({
    event: bodyText('the name of an event, such as push', /^[\w-]{1,100}$/),
    payload: optional(v.pipe(v.unknown(), v.metadata({ type: 'object' }))),
    text: optional(v.string(expectedJson)),
    editedFrom: optional(deliveryId),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const { payload, text } = dataset.value as { payload?: unknown; text?: unknown }
    if (text === undefined && !isObject(payload)) addIssue(issue('payload', 'an object'))
    if (text !== undefined && payload !== undefined) addIssue(issue('payload, text', 'one of the two'))
  }),
)

export const HandlerName = members({ handler: optional(bodyText('the name of a handler, or * for all'), '*') })

export const SweepOptions = members({ dryRun: v.exactOptional(flag), thorough: v.exactOptional(flag) })

export const Login = members({ token: v.pipe(v.string('the token, as a text'), v.description('the token, as a text')) })
