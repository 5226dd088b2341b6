import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { get, getBytes, post } from '../api/client.ts'
import { copy } from '../ui/copy.tsx'
import { showError, showMessage } from '../ui/toast.tsx'
import { curlCommand, fileName, maxInline } from './curl.ts'

/**
 * Copies a command that sends a delivery again. The server signs the delivery only on request, since anyone who has a
 * signature can send the delivery.
 */
export async function copyCurl(id: number): Promise<void> {
  try {
    const detail = await get<DeliveryDetail>(`deliveries/${id}`)
    const [{ signature, url }, body] = await Promise.all([
      post<{ signature: string; url?: string }>(`deliveries/${id}/signature`),
      detail.size > maxInline ? undefined : getBytes(`deliveries/${id}/body`).then((bytes) => new Uint8Array(bytes)),
    ])
    await copy(curlCommand({ detail, signature, url, body }), 'the curl command')
    if (!body)
      showMessage(
        `The command reads the body from ${fileName(detail)}. Download the payload to the folder where you run it`,
      )
  } catch (error) {
    showError(error)
  }
}
