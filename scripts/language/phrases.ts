/** Text that must not come back, and the words to use instead. */
export interface Retired {
  /** A regular expression. A space also matches a line break, with the marks that continue a comment. */
  readonly phrase: string
  readonly use: string
  /** For names: `Setback` is a retired name, but "a setback" is English. */
  readonly caseSensitive?: boolean
}

/** One match in a text. */
export interface Hit {
  line: number
  phrase: string
  use: string
}

/** Phrases of several words. The retired single words are the `flagWords` in `cspell.json`. */
const phrases: readonly Retired[] = [
  { phrase: 'whose turn', use: 'the next worker, the next task' },
  { phrase: 'far away', use: 'remote' },
  { phrase: 'the second listener', use: 'the admin listener' },
  { phrase: 'lets? (?:you )?in', use: 'accepts, authenticates, or a noun: token, session' },
  { phrase: 'sees? to', use: 'handles, makes sure' },
  { phrase: '(?:comes?|came|coming) in', use: 'arrives, is received' },
  { phrase: 'did not come', use: 'was not received, is missed' },
  { phrase: 'of which', use: 'a second sentence' },
  { phrase: 'that which', use: 'the noun' },
  { phrase: 'by itself', use: 'on its own, automatically' },
  { phrase: 'for ever', use: 'forever' },
  { phrase: 'is at it', use: 'is running' },
  { phrase: 'asks? for it', use: 'requests, is configured to' },
  { phrase: '(?:stands?|stood|standing) still', use: 'is suspended, is idle, is blocked' },
  { phrase: '(?:gives?|gave|given) back', use: 'releases, returns' },
  { phrase: 'so that it be', use: 'so that it is' },
  { phrase: '(?:can|cannot|could|to) be had', use: 'is available' },
  { phrase: 'what (?:came|comes|had|ended|ends|others)', use: 'the noun: the deliveries, the results' },
]

/** Declarations of retired types. The words themselves may be used in prose. */
const types = [
  ...['PlannedTask', 'Begun', 'BegunTask', 'TaskEnd', 'Told', 'Asked', 'Standing', 'Keeper', 'Keeping', 'Books'],
  ...['RefusalBook', 'Attendance', 'Presence', 'Silence', 'Beating', 'Passage', 'Handing', 'Effort', 'Setback'],
  ...['Moment', 'Sought', 'Witness', 'Operated'],
]

/** Retired functions, methods and columns. */
const members = ['letGo', 'cutOff', 'passOn', 'mendClock', 'freeHeads', 'loseVanished', 'noteGaps', 'presences']

/** Retired names of options, members and commands, with the names that replaced them. */
const publicNames: Readonly<Record<string, string>> = {
  inFlightLimit: 'bodyMemory',
  runningLimit: 'payloadMemory',
  onReplay: 'replays',
  maxAttempts: 'attempts',
  'delivery\\.data': 'delivery.payload',
  'hookserver hooks': 'hookserver webhooks',
}

const table: readonly Retired[] = [
  ...phrases,
  ...Object.entries(publicNames).map(([phrase, use]) => ({ phrase, use, caseSensitive: true })),
  {
    phrase: `(?:class|interface|type|enum) (?:${types.join('|')})`,
    use: 'a name of docs/glossary.md',
    caseSensitive: true,
  },
  { phrase: `(?:${members.join('|')})`, use: 'a name of docs/glossary.md', caseSensitive: true },
]

/** The characters that may be between two words of a phrase. */
const gap = String.raw`(?:[ \t]+|[ \t]*\n[ \t]*(?:(?:\*|//|--|#|>)[ \t]+)?)`

const anyGap = new RegExp(gap, 'g')

const expressions = table.map(({ phrase, use, caseSensitive }) => ({
  use,
  expression: new RegExp(String.raw`(?<![\w$])(?:${phrase.replaceAll(' ', gap)})(?![\w$])`, caseSensitive ? 'g' : 'gi'),
}))

/** Finds the retired phrases of a text, from its beginning to its end. */
export function findRetired(text: string): Hit[] {
  const hits = expressions.flatMap(({ use, expression }) =>
    [...text.matchAll(expression)].map(({ index, 0: found }) => ({ index, phrase: found.replace(anyGap, ' '), use })),
  )
  return hits
    .toSorted((a, b) => a.index - b.index)
    .map(({ index, phrase, use }) => ({ line: text.slice(0, index).split('\n').length, phrase, use }))
}
