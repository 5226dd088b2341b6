/** PromQL as Prometheus's own editor parses it. */
import { parser } from '@prometheus-io/lezer-promql'

interface Span {
  from: number
  to: number
}

/** A metric in an expression, and the labels that select its series, each with its values. */
export interface Selector extends Span {
  metric: string
  matchers: { label: string; values: string[] }[]
}

/** A part of the expression that groups or matches series by labels, and these labels. */
export interface Grouping extends Span {
  labels: string[]
}

export interface Expression {
  selectors: Selector[]
  groupings: Grouping[]
}

/** @throws {SyntaxError} if the text is not PromQL. */
export function parsePromQL(text: string): Expression {
  const selectors: Selector[] = []
  const groupings: Grouping[] = []
  parser.parse(text).iterate({
    enter({ type, name, from, to, node }) {
      const said = text.slice(from, to)
      if (type.isError) throw new SyntaxError(`Not PromQL at ${from}: ${text}`)
      if (name === 'VectorSelector') selectors.push({ metric: /^\w+/.exec(said)?.[0] ?? '', matchers: [], from, to })
      if (name === 'UnquotedLabelMatcher') {
        const [, label = '', values = ''] = /^(\w+)\W+"(.*)"$/.exec(said) ?? []
        selectors.at(-1)?.matchers.push({ label, values: values.split('|') })
      }
      if (name === 'GroupingLabels') {
        const part = node.parent?.parent ?? node // the aggregation or the binary expression that has these labels
        groupings.push({ labels: said.match(/\w+/g) ?? [], from: part.from, to: part.to })
      }
    },
  })
  return { selectors, groupings }
}

/** The metrics in a part of the expression. */
export const metricsWithin = ({ selectors }: Expression, { from, to }: Span): string[] =>
  selectors.filter((selector) => selector.from >= from && selector.to <= to).map(({ metric }) => metric)
