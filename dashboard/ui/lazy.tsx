import { type ComponentType, h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Dialog } from './dialog.tsx'
import { Icon } from './icon.tsx'

interface Waiting {
  /** Whether the code could not be loaded. */
  failed: boolean
}

/**
 * A component whose code is loaded when it is first shown, so that the page starts without it.
 * @param Until Is shown in its place until then.
 */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Until: ComponentType<Props & Waiting> = ({ failed }) => (failed ? <LoadFailure /> : null),
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined
  return function Lazy(props: Props) {
    const [state, setState] = useState<'loading' | 'loaded' | 'failed'>('loading')
    useEffect(() => {
      if (loaded) return
      load().then(
        (component) => {
          loaded = component
          setState('loaded')
        },
        () => setState('failed'),
      )
    }, [])
    return loaded ? h(loaded, props) : h(Until, { ...props, failed: state === 'failed' })
  }
}

/**
 * A dialog whose code is loaded when it is first opened. An empty dialog is open until then: otherwise, the keys that the
 * operator types for the dialog would act on the page, such as `r` on a delivery.
 */
export function lazyDialog<Props extends { onClose: () => void }>(
  title: string,
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  return lazy(load, ({ onClose, failed }) => (
    <Dialog title={title} onClose={onClose}>
      <div class="body">{failed ? <LoadFailure /> : <p class="soft">Loading…</p>}</div>
    </Dialog>
  ))
}

/** Names the probable cause: an upgraded server no longer has the code of the page that it sent before. */
export const loadFailure = 'This part of the page could not be loaded. The server may have been upgraded.'

const LoadFailure = () => <ReloadNote bad>{loadFailure}</ReloadNote>

/** A note that a reload of the page ends. */
export function ReloadNote({ bad, children }: { bad?: true; children: string }) {
  return (
    <div class={`note ${bad ? 'bad' : 'warn'}`} role="alert">
      <Icon name="warning" />
      <span>{children}</span>
      <button type="button" class="button slim end" onClick={() => location.reload()}>
        Reload the page
      </button>
    </div>
  )
}
