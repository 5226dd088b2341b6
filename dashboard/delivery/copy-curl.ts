import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { get, getBytes, post } from '../api/client.ts'
import { copy } from '../ui/copy.tsx'
import { showError, showMessage } from '../ui/toast.tsx'
import { curlCommand, fileName, maxInline } from './curl.ts'

/**
 * Copies a command that sends a delivery again. Signs it only now, since a signature allows anyone to send the
 * delivery.
 */
export async function copyCurl(id: number): Promise<void> {
  try {
    const detail = await get<DeliveryDetail>(`deliveries/${id}`)
    const [{ signature, url }, body] = await Promise.all([
      post<{ signature: string; url?: string }>(`deliveries/${id}/signature`),
      detail.size > maxInline ? undefined : getBytes(`deliveries/${id}/body`).then((bytes) => new Uint8Array(bytes)),
    ])
    await copy(curlCommand({ detail, signature, url, body }), 'the curl command')
    if (!body) showMessage(`It reads the body from ${fileName(detail)}: download the payload into the same folder`)
  } catch (error) {
    showError(error)
  }
}
