import { type ValueColumn, valueColumns } from '../../inbox/query/values.ts'
import { Unanswerable } from '../problem.ts'
import { readFilters } from './filters.ts'
import type { Operated } from './operated.ts'
import { parametersIn, type Route } from './route.ts'
import { answer, parametersOf, problems } from './schemas.ts'
import { aChoice, aCount, aPrefix, type Reader } from './values.ts'

const parameters: Readonly<Record<'column' | 'prefix' | 'limit', Reader>> = {
  column: aChoice(valueColumns),
  prefix: aPrefix,
  limit: aCount(1, 100),
}

/** What a column has in it, for whoever is typing. */
export function knownValues({ inbox }: Operated): Route {
  return {
    method: 'get',
    path: '/values',
    operation: {
      operationId: 'listValues',
      summary: 'The values of a column that begin with a text',
      parameters: parametersOf(parameters),
      responses: { 200: answer('Values'), ...problems(400) },
    },
    async answer(context) {
      const { column, prefix, limit } = readFilters(parametersIn(context), parameters) as Asked
      if (!column) throw Unanswerable.because([{ name: 'column', expected: parameters.column.expected }])
      return context.json({ values: await inbox.values({ column, prefix, limit }) })
    },
  }
}

interface Asked {
  column?: ValueColumn
  prefix?: string
  limit?: number
}
