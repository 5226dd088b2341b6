import { confirmed } from '../ui/confirm.tsx'

/** Asks whether to discard a delivery, and why. @returns The reason, which may be empty; `undefined` for no. */
export async function askToDiscard(id: number): Promise<string | undefined> {
  let reason = ''
  const isConfirmed = await confirmed({
    title: `Discard delivery ${id}?`,
    text: (
      <>
        <p>Running attempts finish. After that, no handler runs for this delivery, unless you retry it.</p>
        <ReasonField onInput={(text) => (reason = text)} />
      </>
    ),
    act: 'Discard',
    danger: true,
  })
  return isConfirmed ? reason.trim() : undefined
}

/** The reason that the inbox stores with discarded deliveries. */
export function ReasonField({ onInput }: { onInput: (text: string) => void }) {
  return (
    <label class="reason">
      Reason (optional, stored with the delivery)
      <input class="field" maxLength={1000} onInput={({ currentTarget }) => onInput(currentTarget.value)} />
    </label>
  )
}
