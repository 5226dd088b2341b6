import { signal } from '@preact/signals'
import { useLayoutEffect } from 'preact/hooks'
import { linkTo } from '../address.ts'
import { DeliveryBeside } from '../delivery/delivery-page.tsx'
import { Icon } from '../ui/icon.tsx'
import type { LiveList } from './live-list.ts'
import { lastOpened } from './opened.ts'
import './side-panel.css'

/** The window is wide enough for the list and a delivery beside it. `side-panel.css` has the widths of both. */
const wide = matchMedia('(min-width: 1300px)')

/** Whether a row opens its delivery beside the list. Otherwise, it opens the page of the delivery. */
export const opensBeside = signal(wide.matches)
wide.addEventListener('change', () => (opensBeside.value = wide.matches))

/** A delivery beside the list, with a link to its page. */
export function SidePanel({ id, list, onClose }: { id: number; list: LiveList; onClose: () => void }) {
  useLayoutEffect(() => {
    lastOpened.value = id
  }, [id])
  return (
    <aside class="side-panel" aria-label={`Delivery ${id}`}>
      <header>
        <a class="button slim" href={linkTo(`deliveries/${id}`)}>
          <Icon name="open" />
          Whole page
        </a>
        <button type="button" class="button plain slim" aria-label="Close" title="Close (Esc)" onClick={onClose}>
          <Icon name="cross" />
        </button>
      </header>
      <DeliveryBeside id={id} follow={(watcher) => list.follow(watcher)} />
    </aside>
  )
}
