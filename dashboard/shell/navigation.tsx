import { useLayoutEffect, useRef } from 'preact/hooks'
import { linkTo } from '../address.ts'
import { forgetPlace } from '../deliveries/opened.ts'
import { route } from '../route.ts'
import { logOut, mayAct, readOnlyReason, session } from '../session/session.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { theme } from '../ui/preferences.ts'
import { exact } from '../ui/time.tsx'
import { showError } from '../ui/toast.tsx'
import { count } from '../ui/units.ts'
import { dead } from './inbox-counts.ts'

export const places = [
  ['deliveries', 'Deliveries'],
  ['overview', 'Overview'],
  ['failures', 'Failures'],
  ['handlers', 'Handlers'],
  ['rejections', 'Rejections'],
  ['github', 'GitHub'],
  ['audit', 'Audit log'],
] as const

/** The navigation and the session. */
export function Navigation({ onHelp, onCommands }: { onHelp: () => void; onCommands: () => void }) {
  const here = route.value.path[0]
  const { expiresAt, person } = session.value ?? {}
  const nav = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    const link = nav.current?.querySelector<HTMLElement>('[aria-current]')
    // The page itself must not scroll, so `scrollIntoView` is no choice.
    if (link && nav.current) nav.current.scrollLeft = link.offsetLeft - nav.current.offsetLeft - 40
  }, [here])
  return (
    <header class="bar">
      <a class="brand" href={linkTo('deliveries')} onClick={forgetPlace}>
        <img src="./icon.svg" alt="" />
        hookserver
      </a>
      <nav ref={nav} aria-label="Screens">
        {places.map(([path, name]) => (
          <a key={path} href={linkTo(path)} onClick={forgetPlace} aria-current={here === path ? 'page' : undefined}>
            {name}
            {path === 'failures' && <DeadCount />}
          </a>
        ))}
        {mayAct.value && (
          <a href={linkTo('send')} aria-current={here === 'send' ? 'page' : undefined}>
            Send
          </a>
        )}
      </nav>
      <div class="end">
        {!mayAct.value && (
          <span class="tag" title={readOnlyReason.value}>
            read only<span class="hidden-visually">: {readOnlyReason.value}</span>
          </span>
        )}
        {person !== undefined && <span class="soft small">{person}</span>}
        <button
          type="button"
          class="button plain slim"
          onClick={onCommands}
          aria-label="Commands"
          aria-haspopup="dialog"
          title="Commands (Ctrl+K, or Cmd+K on a Mac)"
        >
          <Icon name="search" />
        </button>
        <button
          type="button"
          class="button plain slim"
          onClick={onHelp}
          aria-label="Keyboard help"
          title="Keyboard help (?)"
        >
          <Icon name="keyboard" />
        </button>
        <ThemeButton />
        <button
          type="button"
          class="button plain slim"
          title={expiresAt === undefined ? undefined : `Your session ends on ${exact(expiresAt)}`}
          onClick={() => logOut().catch(showError)}
        >
          <Icon name="out" />
          Log out
        </button>
      </div>
    </header>
  )
}

/** The number of dead deliveries. */
function DeadCount() {
  if (dead.value === 0) return null
  return (
    <span class="tag dead number">
      {count(dead.value)} <span class="hidden-visually">dead {dead.value === 1 ? 'delivery' : 'deliveries'}</span>
    </span>
  )
}

const themes = {
  '': { icon: 'screen', says: 'system' },
  light: { icon: 'sun', says: 'light' },
  dark: { icon: 'moon', says: 'dark' },
} as const satisfies Record<string, { icon: IconName; says: string }>

/** The first press chooses the theme that the system does not use, so that it has a visible effect. */
function next(): keyof typeof themes {
  const [usual, other] = matchMedia('(prefers-color-scheme: dark)').matches
    ? (['dark', 'light'] as const)
    : (['light', 'dark'] as const)
  if (theme.value === '') return other
  return theme.value === other ? usual : ''
}

function ThemeButton() {
  const { icon, says } = themes[theme.value]
  const label = `Theme: ${says}`
  return (
    <button
      type="button"
      class="button plain slim"
      aria-label={label}
      title={label}
      onClick={() => (theme.value = next())}
    >
      <Icon name={icon} />
    </button>
  )
}
