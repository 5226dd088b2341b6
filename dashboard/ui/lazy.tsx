import { type ComponentType, h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { showError } from './toast.tsx'

/** A component whose code is loaded when it is first shown, so that the page starts without it. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined
  return function Lazy(props: Props) {
    const [, setLoaded] = useState(loaded !== undefined)
    useEffect(() => {
      if (loaded) return
      load().then((component) => {
        loaded = component
        setLoaded(true)
      }, showError)
    }, [])
    return loaded ? h(loaded, props) : null
  }
}
