import { HookError } from '../errors.ts'
import type { HookRequest } from '../http.ts'
import { type PayloadForm, payloadForm } from './payload.ts'

/** What the headers of a delivery must say. */
export interface DeliveryHeaders {
  event: string
  guid: string
  form: PayloadForm
}

/** @throws {HookError} `missing_event`, `missing_delivery`, `unsupported_media_type` */
export function readHeaders(headers: HookRequest['headers']): DeliveryHeaders {
  const event = headers['x-github-event']
  if (!event) throw new HookError('missing_event')
  const guid = headers['x-github-delivery']
  if (!guid) throw new HookError('missing_delivery')
  const form = payloadForm(headers)
  if (!form) throw new HookError('unsupported_media_type')
  return { event, guid, form }
}

/** `Content-Length`, where there is one. */
export function contentLength(headers: HookRequest['headers']): number | undefined {
  const text = headers['content-length']
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
