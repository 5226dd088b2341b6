import type { WindowName } from '../../src/server/api/schemas/requests.ts'
import { linkTo } from '../address.ts'
import { windowNames, windows } from './windows.ts'
import './statistics.css'

/** Links to the time windows of a screen. @param search The other parameters of the address. */
export function WindowLinks(props: {
  path: string
  chosen: WindowName
  search?: Readonly<Record<string, string | undefined>>
}) {
  const { path, chosen, search = {} } = props
  return (
    <nav class="end windows" aria-label="Time range">
      {windowNames.map((name) => (
        <a
          key={name}
          class="button slim"
          href={linkTo(path, { ...search, window: name })}
          aria-current={name === chosen ? 'true' : undefined}
        >
          {windows[name].label}
        </a>
      ))}
    </nav>
  )
}
