import type { DeliverySummary } from '../../src/server/api/schemas/responses.ts'

interface Flag {
  label: string
  means: string
}

/** The flags of a delivery. @param delivery `sameBodyAs`: only the details of a delivery have it. */
export function flagsOf(delivery: DeliverySummary & { sameBodyAs?: number | undefined }): Flag[] {
  const { conflict, replayed, pulled, editedFrom, sameBodyAs } = delivery
  const sameBody = sameBodyAs === undefined ? 'same body' : `same body as ${sameBodyAs}`
  return [
    ...(conflict ? [{ label: 'conflict', means: 'An earlier delivery with the same GUID has a different body.' }] : []),
    ...(replayed
      ? [{ label: sameBody, means: 'An earlier delivery with another GUID or event has the same body.' }]
      : []),
    ...(pulled ? [{ label: 'pulled', means: 'hookserver fetched this delivery from GitHub’s API.' }] : []),
    ...(editedFrom === undefined
      ? []
      : [{ label: 'edited', means: `An operator created this delivery from delivery ${editedFrom}.` }]),
  ]
}
