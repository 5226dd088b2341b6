import type { RegisteredProcess } from '../../src/server/api/schemas/responses.ts'
import { plain } from '../ui/text.ts'
import { Ago } from '../ui/time.tsx'

const roles = { all: 'receiver and worker', receiver: 'receiver', worker: 'worker' } as const

/** The processes that share the inbox. */
export function Processes({ processes }: { processes: readonly RegisteredProcess[] }) {
  return (
    <section class="card">
      <header>
        <h2>Processes</h2>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard */}
      <section class="scrolls" tabIndex={0} aria-label="Processes">
        <table class="table">
          <thead>
            <tr>
              {['Host', 'Process', 'Role', 'Version', 'Started', 'Last heartbeat'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {processes.map(({ id, host, pid, role, version, startedAt, seenAt, silent }) => (
              <tr key={id}>
                <th scope="row" class="foreign">
                  {plain(host)}
                </th>
                <td class="number">{pid}</td>
                <td>{roles[role]}</td>
                <td class="foreign">{plain(version)}</td>
                <td>
                  <Ago at={startedAt} />
                </td>
                <td>
                  <Ago at={seenAt} />{' '}
                  {silent && (
                    <span class="tag dead" title="It was killed, suspended or blocked">
                      no heartbeat
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}
