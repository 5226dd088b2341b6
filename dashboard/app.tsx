import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { linkTo } from './address.ts'
import { Deliveries } from './deliveries/deliveries.tsx'
import { DeliveryPage } from './delivery/delivery-page.tsx'
import { Failures } from './failures/failures.tsx'
import { Overview } from './overview/overview.tsx'
import { Rejections } from './rejections/rejections.tsx'
import { route } from './route.ts'
import { Send } from './send/send.tsx'
import { Login, Starting } from './session/login.tsx'
import { openSession, session } from './session/session.ts'
import { Help } from './shell/help.tsx'
import { dead, isUpgraded, useInboxCounts } from './shell/inbox-counts.ts'
import { Navigation } from './shell/navigation.tsx'
import { Confirmation } from './ui/confirm.tsx'
import { keepFocus } from './ui/focus.ts'
import { useCommandKey, useKeys } from './ui/keys.ts'
import { lazy, lazyDialog, ReloadNote } from './ui/lazy.tsx'
import { Toasts } from './ui/toast.tsx'
import { count } from './ui/units.ts'

const Audit = lazy(async () => (await import('./audit/audit.tsx')).Audit)
const GitHub = lazy(async () => (await import('./github/github.tsx')).GitHub)
const Handlers = lazy(async () => (await import('./handlers/handlers.tsx')).Handlers)

/** The screens, by the first part of the address. */
const screens = {
  deliveries: { title: 'Deliveries', screen: Deliveries },
  overview: { title: 'Overview', screen: Overview },
  failures: { title: 'Failures', screen: Failures },
  handlers: { title: 'Handlers', screen: Handlers },
  rejections: { title: 'Rejected requests', screen: Rejections },
  github: { title: 'GitHub', screen: GitHub },
  audit: { title: 'Audit log', screen: Audit },
  send: { title: 'Send a delivery', screen: Send },
} as const

const Palette = lazyDialog('Commands', async () => (await import('./palette/palette.tsx')).Palette)

const unknown = { title: 'No such page', screen: NoSuchPage } as const

export function App() {
  useEffect(() => void openSession(), [])
  return (
    <>
      {session.value === undefined ? <Starting /> : session.value === null ? <Login /> : <Inside />}
      <Toasts screen={route.value.path.join('/')} />
    </>
  )
}

function Inside() {
  const [help, setHelp] = useState(false)
  const [palette, setPalette] = useState(false)
  useLayoutEffect(keepFocus, [])
  useKeys({ '?': () => setHelp(true) })
  useCommandKey(() => setPalette(true))
  useInboxCounts()
  const [name = '', id] = route.value.path
  const known = Object.hasOwn(screens, name) ? screens[name as keyof typeof screens] : unknown
  const isDelivery = known === screens.deliveries && id !== undefined
  const title = isDelivery ? `Delivery ${id}` : known.title
  const main = useRef<HTMLElement>(null)
  const place = `${name}/${id ?? ''}`
  const first = useRef(true)
  useEffect(() => {
    document.title = `${dead.value > 0 ? `(${count(dead.value)}) ` : ''}${title} - hookserver`
  }, [title, dead.value])
  // A layout effect: an ordinary effect may run after the list has loaded, and would take the focus from its row.
  useLayoutEffect(() => {
    // After a change of the screen, screen readers start at the top, as they do after a page has loaded.
    if (!first.current) main.current?.focus({ preventScroll: true })
    first.current = false
  }, [place])
  return (
    <>
      <button type="button" class="skip button" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Navigation onHelp={() => setHelp(true)} onCommands={() => setPalette(true)} />
      <main ref={main} id="main" tabIndex={-1}>
        {isUpgraded.value && <ReloadNote>The server was upgraded. This page is of its earlier version.</ReloadNote>}
        {isDelivery ? <DeliveryPage key={id} id={id} /> : <known.screen />}
      </main>
      <Confirmation />
      {palette && <Palette onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />}
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  )
}

function NoSuchPage() {
  return (
    <div class="blank">
      <h1>No such page</h1>
      <p>The link is wrong, or a newer version of hookserver has this page.</p>
      <a class="button" href={linkTo('deliveries')}>
        All deliveries
      </a>
    </div>
  )
}
