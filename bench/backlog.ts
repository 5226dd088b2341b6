import { push } from './delivery.ts'

/** The number of repositories in the backlog. Each is an order key of an ordered handler. */
const repositories = 50

const payload = JSON.parse(push().body) as { repository: { full_name: string } }
const openPayloads = Array.from({ length: repositories }, (_, index) => {
  payload.repository.full_name = `acme/repository-${index}`
  return JSON.stringify(payload).slice(0, -1)
})

/** The payload of a push in a backlog. The repositories take turns, and no two payloads are equal. */
export const backlogPayload = (mark: number): string => `${openPayloads[mark % repositories]},"mark":${mark}}`
