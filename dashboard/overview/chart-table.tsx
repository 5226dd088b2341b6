import type { ChartData } from './chart-data.ts'

/** The values of a chart, newest first. */
export function ChartTable(props: {
  title: string
  figures: ChartData
  value: (value: number) => string
  time: (at: number) => string
}) {
  const { title, figures, value, time } = props
  const { at, lines } = figures
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
    <section class="plot scrolls" tabIndex={0} aria-label={`${title}, as a table`}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">From</th>
            {lines.map(({ name }) => (
              <th key={name} scope="col" class="end">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {at
            .map((begin, index) => (
              <tr key={begin}>
                <th scope="row" class="number">
                  {time(begin)}
                </th>
                {lines.map(({ name, values }) => (
                  <td key={name} class="end number">
                    {values[index] == null ? '–' : value(values[index])}
                  </td>
                ))}
              </tr>
            ))
            .toReversed()}
        </tbody>
      </table>
    </section>
  )
}
