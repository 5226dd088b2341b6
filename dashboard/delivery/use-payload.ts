import { useEffect, useState } from 'preact/hooks'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { getBytes } from '../api/client.ts'
import type { Loaded } from '../payload/protocol.ts'
import { Reader } from '../payload/reader.ts'

interface Held {
  reader: Reader | undefined
  loaded: Loaded | undefined
  error: Error | undefined
}

const none: Held = { reader: undefined, loaded: undefined, error: undefined }

/** Loads the payload into a worker thread, once for each delivery, because payloads never change. */
export function usePayload({ id, form }: DeliveryDetail): Held & { again: () => void } {
  const [held, setHeld] = useState<Held>(none)
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const unmounted = new AbortController()
    const reader = new Reader()
    setHeld(none)
    getBytes(`deliveries/${id}/body`, unmounted.signal)
      .then((bytes) => reader.ask('load', { bytes, form }, [bytes]))
      .then(
        (loaded) => unmounted.signal.aborted || setHeld({ reader, loaded, error: undefined }),
        (error: Error) => unmounted.signal.aborted || setHeld({ ...none, error }),
      )
    return () => {
      unmounted.abort()
      reader.close()
    }
  }, [id, form, turn])
  return { ...held, again: () => setTurn((before) => before + 1) }
}
