import { describe, expect, test } from 'vitest'
import { Families } from '../../../src/server/metrics/families.ts'
import { parseOpenMetrics } from './openmetrics.ts'

const openMetrics = (families: Families) => families.text('application/openmetrics-text')

/** One family of each type. */
function allTypes(): Families {
  const families = new Families()
  families.counter<'event'>('deliveries_total', 'Deliveries').add(2, { event: 'push' })
  families.gauge('memory_bytes', 'Memory').set(0)
  const replies = families.histogram<'status'>('reply_seconds', 'Replies', [0.5, 1, 10])
  for (const seconds of [0.5, 1, 9, 11]) replies.observe(seconds, { status: '200' })
  families.histogram('batch', 'Without observations', [1]).start()
  families.info('build_info', 'Build', { version: '1.2.3' })
  return families
}

describe('the families', () => {
  test('are in the format OpenMetrics', () => {
    const text = openMetrics(allTypes())
    expect(text.split('\n')).toEqual([
      ...['# TYPE deliveries counter', '# HELP deliveries Deliveries', 'deliveries_total{event="push"} 2'],
      ...['# TYPE memory_bytes gauge', '# UNIT memory_bytes bytes', '# HELP memory_bytes Memory', 'memory_bytes 0'],
      ...['# TYPE reply_seconds histogram', '# UNIT reply_seconds seconds', '# HELP reply_seconds Replies'],
      ...['reply_seconds_bucket{status="200",le="0.5"} 1', 'reply_seconds_bucket{status="200",le="1.0"} 2'],
      ...['reply_seconds_bucket{status="200",le="10.0"} 3', 'reply_seconds_bucket{status="200",le="+Inf"} 4'],
      ...['reply_seconds_sum{status="200"} 21.5', 'reply_seconds_count{status="200"} 4'],
      ...['# TYPE batch histogram', '# HELP batch Without observations'],
      ...['batch_bucket{le="1.0"} 0', 'batch_bucket{le="+Inf"} 0', 'batch_sum 0', 'batch_count 0'],
      ...['# TYPE build info', '# HELP build Build', 'build_info{version="1.2.3"} 1', '# EOF', ''],
    ])
    expect(parseOpenMetrics(text)).toHaveLength(5)
  })

  test('have the same samples in the text format of Prometheus, but other metadata', () => {
    const lines = allTypes().text('text/plain').split('\n')
    expect(lines.filter((line) => line.startsWith('#'))).toEqual([
      ...['# HELP deliveries_total Deliveries', '# TYPE deliveries_total counter'],
      ...['# HELP memory_bytes Memory', '# TYPE memory_bytes gauge'],
      ...['# HELP reply_seconds Replies', '# TYPE reply_seconds histogram'],
      ...['# HELP batch Without observations', '# TYPE batch histogram'],
      ...['# HELP build_info Build', '# TYPE build_info gauge'],
    ])
    const samples = (all: string[]) => all.filter((line) => !line.startsWith('#'))
    expect(samples(lines)).toEqual(samples(openMetrics(allTypes()).split('\n')))
  })

  test('escape the values of labels', () => {
    const families = new Families()
    const event = 'a "quoted"\\\nline, {with} = all'
    families.counter<'event'>('deliveries_total', 'Deliveries').add(1, { event })
    expect(parseOpenMetrics(openMetrics(families))[0]?.samples).toEqual([
      { name: 'deliveries_total', labels: { event }, value: 1 },
    ])
  })

  test('have no sample for a value that is unknown', () => {
    const families = new Families()
    const gauge = families.gauge('memory_bytes', 'Memory')
    gauge.set(1)
    gauge.set(undefined)
    expect(parseOpenMetrics(openMetrics(families))[0]?.samples).toEqual([])
  })
})

describe('the parser rejects', () => {
  const gauge = (name: string) => `# TYPE ${name} gauge\n# HELP ${name} Text\n`
  const histogram = '# TYPE h histogram\n# HELP h Text\n'
  test.each([
    ['a text without an end', gauge('a')],
    ['a text after the end', '# EOF\n# EOF\n'],
    ['an empty line', `${gauge('a')}\n# EOF\n`],
    ['a gauge with the name of a counter', `# TYPE a counter\n# HELP a Text\n${gauge('a')}# EOF\n`],
    ['a gauge with the name of a sample', `# TYPE a counter\n# HELP a Text\n${gauge('a_total')}# EOF\n`],
    ['a counter without _total', '# TYPE a counter\n# HELP a Text\na 1\n# EOF\n'],
    ['a unit that the name does not have', '# TYPE a gauge\n# UNIT a bytes\n# HELP a Text\n# EOF\n'],
    ['a sample of another family', `${gauge('a')}b 1\n# EOF\n`],
    ['a repeated sample', `${gauge('a')}a 1\na 2\n# EOF\n`],
    ['a value that is not a number', `${gauge('a')}a Nan\n# EOF\n`],
    ['an unknown escape', `${gauge('a')}a{b="\\t"} 1\n# EOF\n`],
    ['a repeated label', `${gauge('a')}a{b="1",b="2"} 1\n# EOF\n`],
    ['a help text that is not escaped', '# TYPE a gauge\n# HELP a "Text"\n# EOF\n'],
    [
      'a bound that is not canonical',
      `${histogram}h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n# EOF\n`,
    ],
    ['buckets without +Inf', `${histogram}h_bucket{le="1.0"} 1\nh_sum 1\nh_count 1\n# EOF\n`],
    ['another count than that of +Inf', `${histogram}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n# EOF\n`],
  ])('%s', (_name, text) => {
    expect(() => parseOpenMetrics(text)).toThrow(SyntaxError)
  })
})
