/**
 * Loaded with `--import` into a benchmark server: samples its memory, and answers `phases` with the maxima.
 *
 * A phase begins when the previous one ends:
 * - reading: from the first sample to the first `JSON.parse` of a large text.
 * - before parse, after parse: at each `JSON.parse` of a large text.
 * - between parses: from the first `JSON.parse` on.
 */
export const memoryFields = ['rss', 'heapTotal', 'heapUsed', 'external', 'arrayBuffers'] as const

export interface Phase {
  name: string
  maximum: Record<(typeof memoryFields)[number], number>
}

const interval = 2
/** The minimum length of a large text, in characters. */
const largeText = 1_000_000

const phases = new Map<string, Phase>()

function sample(name: string): void {
  const now = process.memoryUsage()
  const { maximum } = phases.get(name) ?? { maximum: now }
  phases.set(name, { name, maximum })
  for (const field of memoryFields) maximum[field] = Math.max(maximum[field], now[field])
}

function sampleParsing(): void {
  const { parse } = JSON
  JSON.parse = (text, reviver) => {
    if (text.length < largeText) return parse(text, reviver)
    sample('before parse')
    const value = parse(text, reviver)
    sample('after parse')
    return value
  }
}

/** Whether this process was started with the sampler. */
if (process.execArgv.includes(import.meta.filename)) {
  sampleParsing()
  setInterval(() => sample(phases.has('before parse') ? 'between parses' : 'reading'), interval).unref()
  process.on('message', (message) => {
    if (message === 'phases') process.send?.([...phases.values()])
  })
}
