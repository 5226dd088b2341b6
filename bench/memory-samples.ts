/**
 * Loaded with `--import` into a benchmark server: samples its memory, and answers the message `phases` with the maxima
 * of each phase:
 * - reading: all samples before the first `JSON.parse` of a large text.
 * - before parse, after parse: one sample before and one after each `JSON.parse` of a large text.
 * - between parses: all other samples.
 */
export const memoryFields = ['rss', 'heapTotal', 'heapUsed', 'external', 'arrayBuffers'] as const

export interface Phase {
  name: string
  maximum: Record<(typeof memoryFields)[number], number>
}

/** Milliseconds between two samples. */
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

// Other modules import the types and `memoryFields` without starting the sampler.
if (process.execArgv.includes(import.meta.filename)) {
  sampleParsing()
  setInterval(() => sample(phases.has('before parse') ? 'between parses' : 'reading'), interval).unref()
  process.on('message', (message) => {
    if (message === 'phases') process.send?.([...phases.values()])
  })
}
