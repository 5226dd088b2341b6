/**
 * A parser of OpenMetrics 1.0 that throws an error for every text that the specification forbids, apart from the parts
 * that hookserver does not use: exemplars, timestamps, `_created`, and the types other than those below.
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */

export interface Sample {
  name: string
  labels: Readonly<Record<string, string>>
  value: number
}

export interface Family {
  name: string
  type: Type
  unit: string | undefined
  help: string
  samples: Sample[]
}

/** The suffixes of the names of samples, by the type of their family. */
const suffixes = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum'],
  info: ['_info'],
}
type Type = keyof typeof suffixes

/** Suffixes that a family may not share with another family's name, even if it has no such sample. */
const reserved = { ...suffixes, counter: ['_total', '_created'], histogram: [...suffixes.histogram, '_created'] }

const metadata = /^# TYPE ([a-zA-Z_:][\w:]*) (\w+)\n(?:# UNIT \1 (\w+)\n)?# HELP \1 (.*)\n/
const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)\n/
const label = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/

/** @throws {SyntaxError} */
export function parseOpenMetrics(text: string): Family[] {
  const families: Family[] = []
  let rest = text
  while (rest !== '# EOF\n') {
    const [head = '', name = '', type = '', unit, help = ''] = metadata.exec(rest) ?? []
    if (!head) throw new SyntaxError(`Expected "# TYPE", "# HELP" or "# EOF" at ${JSON.stringify(rest.slice(0, 80))}`)
    if (!Object.hasOwn(suffixes, type)) throw new SyntaxError(`${name}: unknown type ${type}`)
    const family: Family = { name, type: type as Type, unit, help, samples: [] }
    rest = rest.slice(head.length)
    for (let match = sampleLine.exec(rest); match; match = sampleLine.exec(rest)) {
      family.samples.push(sampleOf(match))
      rest = rest.slice(match[0].length)
    }
    checkFamily(family)
    families.push(family)
  }
  checkNames(families)
  return families
}

function sampleOf([line, name = '', labels = '', number = '']: RegExpExecArray): Sample {
  const parsed: Record<string, string> = {}
  for (let rest = labels; rest; ) {
    const [pair = '', key = '', value = ''] = label.exec(rest) ?? []
    if (!pair || key.startsWith('__') || Object.hasOwn(parsed, key)) throw new SyntaxError(`Wrong labels: ${line}`)
    parsed[key] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
    rest = rest.slice(pair.length)
  }
  return { name, labels: parsed, value: numberOf(number) }
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new SyntaxError(`Not a number: ${text}`)
  return Number(text)
}

function checkFamily({ name, type, unit, help, samples }: Family): void {
  const fail = (reason: string): never => {
    throw new SyntaxError(`${name}: ${reason}`)
  }
  if (unit && !name.endsWith(`_${unit}`)) fail(`the name does not end with the unit ${unit}`)
  if (unit && type === 'info') fail('an info has no unit')
  if (/(?<!\\)(\\\\)*"|\\([^n"\\]|$)/.test(help)) fail('the help text is not escaped')
  const seen = new Set<string>()
  for (const { name: sample, labels, value } of samples) {
    if (!suffixes[type].some((suffix) => sample === name + suffix)) fail(`${sample} is not a sample of a ${type}`)
    const series = JSON.stringify([sample, Object.entries(labels).sort()])
    if (seen.has(series)) fail(`there are two samples ${series}`)
    seen.add(series)
    if (type === 'info' && value !== 1) fail('the value of an info is 1')
    if (type !== 'gauge' && !(value >= 0)) fail(`${value} is below 0`)
  }
  if (type === 'histogram') checkHistogram(samples, fail)
}

/** The samples of a histogram: for each set of labels the buckets in ascending order, and their sum and count. */
function checkHistogram(samples: readonly Sample[], fail: (reason: string) => never): void {
  const groups: { series: string; buckets: Sample[]; sum?: number; count?: number }[] = []
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels
    const series = JSON.stringify(labels)
    if (groups.at(-1)?.series !== series) groups.push({ series, buckets: [] })
    const group = groups.at(-1) as (typeof groups)[number]
    if (sample.name.endsWith('_bucket')) group.buckets.push(sample)
    if (sample.name.endsWith('_sum')) group.sum = sample.value
    if (sample.name.endsWith('_count')) group.count = sample.value
  }
  if (new Set(groups.map(({ series }) => series)).size < groups.length) fail('the samples of a series are not together')
  for (const { series, buckets, sum, count } of groups) {
    const bounds = buckets.map(({ labels }) => labels.le ?? fail('a bucket has no bound'))
    if (bounds.some((bound) => !/^(\d+\.\d+|\d(\.\d+)?e[+-]\d\d+|\+Inf)$/.test(bound))) fail('a bound is not canonical')
    if (!bounds.map(numberOf).every((bound, index, all) => index === 0 || bound > (all[index - 1] as number))) {
      fail('the bounds do not ascend')
    }
    if (!buckets.every(({ value }, index) => index === 0 || value >= (buckets[index - 1] as Sample).value)) {
      fail('the buckets are not cumulative')
    }
    if (bounds.at(-1) !== '+Inf' || buckets.at(-1)?.value !== count || sum === undefined)
      fail(`${series} is incomplete`)
  }
}

/** No name of a family or a sample may belong to two families. */
function checkNames(families: readonly Family[]): void {
  const owners = new Map<string, string>()
  for (const { name, type } of families) {
    for (const taken of new Set([name, ...reserved[type].map((suffix) => name + suffix)])) {
      const owner = owners.get(taken)
      if (owner) throw new SyntaxError(`${taken} belongs to ${owner} and to ${name}`)
      owners.set(taken, name)
    }
  }
}
