import { useId } from 'preact/hooks'
import { linkTo } from '../address.ts'
import { go, route } from '../route.ts'

/** The link to a delivery, compared with another one. `undefined`: with the previous one about the same object. */
export const comparisonLink = (id: number, other: number | undefined): string =>
  linkTo(`deliveries/${id}`, { compare: other })

/** The delivery in the parameter `compare` of the address. */
export const otherIn = (text = ''): number | undefined => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined)

/** Whether the page of the delivery is shown, which a comparison replaces. Beside the list, a comparison opens it. */
const isPage = (): boolean => route.value.path.length > 1

/** Chooses the delivery to compare with. */
export function CompareWith({ id, other }: { id: number; other: number | undefined }) {
  const field = useId()
  return (
    <form
      class="compare-with"
      onSubmit={(event) => {
        event.preventDefault()
        const text = String(new FormData(event.currentTarget).get('other')).trim().replace(/^#/, '')
        go(comparisonLink(id, otherIn(text)), { replace: isPage() })
      }}
    >
      <label for={field}>Compare with delivery</label>
      <input
        key={other}
        id={field}
        class="field"
        name="other"
        inputmode="numeric"
        pattern="\s*#?[1-9][0-9]{0,14}\s*"
        title="The number of a delivery, such as 42"
        required
        defaultValue={other === undefined ? '' : String(other)}
      />
      <button type="submit" class="button slim">
        Compare
      </button>
      {other !== undefined && (
        <button
          type="button"
          class="button plain slim"
          onClick={() => go(comparisonLink(id, undefined), { replace: isPage() })}
        >
          Previous delivery
        </button>
      )}
    </form>
  )
}
