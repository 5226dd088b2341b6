import type { ComponentChildren } from 'preact'
import { useContext } from 'preact/hooks'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { flagsOf } from '../deliveries/flags.ts'
import { nameOf, shortRef, summaryOf } from '../deliveries/summary.ts'
import { DeliveryButtons } from '../operations/delivery-buttons.tsx'
import { useCommands } from '../palette/screen-commands.ts'
import { mayAct } from '../session/session.ts'
import { copy } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { conditionOf } from '../ui/search.ts'
import { StateBadge } from '../ui/state.tsx'
import { plain, safeLink } from '../ui/text.ts'
import { Ago, UtcSwitch } from '../ui/time.tsx'
import { counted } from '../ui/units.ts'
import { backToList } from './back-to-list.ts'
import { Beside } from './beside.ts'
import { copyCurl } from './copy-curl.ts'

/** Shows the next delivery of the list (1), or the previous one (-1). */
export type Move = (by: 1 | -1) => Promise<void>

/** The title of a delivery, its summary, and its operations. */
export function DeliveryHeader(props: {
  detail: DeliveryDetail
  link: string | undefined
  reload: () => void
  /** `undefined` beside the list, which has the next and the previous delivery. */
  move: Move | undefined
}) {
  const { detail, link, reload, move } = props
  const { id } = detail
  const isBeside = useContext(Beside)
  const copyLink = () => copy(linkOf(id), 'the link to this delivery')
  const hint = 'this delivery'
  useCommands([
    { name: `Copy the link to delivery ${id}`, hint, run: copyLink },
    ...(mayAct.value ? [{ name: `Copy delivery ${id} as curl`, hint, run: () => copyCurl(id) }] : []),
    ...(move ? steps.map(({ name, by }) => ({ name, hint: 'of the list', run: () => move(by) })) : []),
  ])
  const Heading = isBeside ? 'h2' : 'h1'
  return (
    <header class="head">
      <div class="heading">
        {!isBeside && <BackLink />}
        {move && <Steps move={move} />}
        <Heading class="foreign">{plain(nameOf(detail), 120)}</Heading>
        <span role="status">
          <StateBadge state={detail.state} />
        </span>
        <span class="soft small">delivery {id}</span>
      </div>
      <p class="about foreign">{plain(summaryOf(detail))}</p>
      <div class="facts">
        <Fact name="repository" search={['repo', detail.repository]}>
          {plain(detail.repository ?? '', 140)}
        </Fact>
        <Fact name="by" search={['sender', detail.sender]}>
          {plain(detail.sender ?? '', 60)}
        </Fact>
        <Fact name="ref" search={['ref', detail.ref]}>
          {plain(shortRef(detail.ref ?? ''), 120)}
        </Fact>
        <span>
          received <Ago at={detail.receivedAt} />
        </span>
        <UtcSwitch />
        <ToGitHub link={link} />
      </div>
      <Flags detail={detail} />
      {/* On a phone the summary comes before the operations. */}
      <div class="acts">
        <DeliveryButtons detail={detail} onDone={reload} />
        <button type="button" class="button" onClick={() => void copyLink()}>
          <Icon name="link" />
          Copy link
        </button>
        {mayAct.value && (
          <button type="button" class="button" title="Copy as curl (c)" onClick={() => void copyCurl(id)}>
            <Icon name="copy" />
            Copy as curl
          </button>
        )}
      </div>
    </header>
  )
}

const steps = [
  { name: 'Previous delivery', by: -1, key: 'k', shape: 'up' },
  { name: 'Next delivery', by: 1, key: 'j', shape: 'down' },
] as const

function Steps({ move }: { move: Move }) {
  return (
    <span class="steps">
      {steps.map(({ name, by, key, shape }) => (
        <button
          key={key}
          type="button"
          class={`button plain slim ${shape}`}
          aria-label={name}
          title={`${name} (${key})`}
          onClick={() => void move(by)}
        >
          <Icon name="next" />
        </button>
      ))}
    </span>
  )
}

function BackLink() {
  return (
    <a
      class="button plain slim back"
      href={linkTo('deliveries')}
      aria-label="Back to the list"
      title="Back to the list (Esc)"
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        backToList()
      }}
    >
      <Icon name="next" />
    </a>
  )
}

/** The address of this page, without a comparison. */
const linkOf = (id: number): string => new URL(linkTo(`deliveries/${id}`), location.href).href

/** A property of the delivery, as a link to all deliveries that have it. */
function Fact(props: { name: string; search: readonly [string, string | undefined]; children: ComponentChildren }) {
  const { name, search, children } = props
  const [column, value] = search
  if (value === undefined) return null
  return (
    <span>
      {name}{' '}
      <a class="foreign" href={linkTo('deliveries', { q: conditionOf(column, value) })}>
        {children}
      </a>
    </span>
  )
}

/** The sender of the delivery chose this link, so the text of the link names the host. */
function ToGitHub({ link }: { link: string | undefined }) {
  const safe = safeLink(link)
  if (safe === undefined) return null
  const host = new URL(safe).host
  return (
    <a href={safe} target="_blank" rel="noreferrer">
      Open on <span class="foreign">{plain(host, 80)}</span> <Icon name="open" />
      <span class="hidden-visually">(in a new window)</span>
    </a>
  )
}

function Flags({ detail }: { detail: DeliveryDetail }) {
  const { duplicates, editedFrom } = detail
  const flags = flagsOf(detail)
  if (flags.length === 0 && duplicates === 0) return null
  return (
    <ul class="flags small">
      {flags.map(({ label, means }) => (
        <li key={label}>
          <span class="tag">{label}</span> {means}{' '}
          {label === 'edited' && <a href={linkTo(`deliveries/${editedFrom}`)}>Show delivery {editedFrom}</a>}
        </li>
      ))}
      {duplicates > 0 && (
        <li>
          <span class="tag">duplicates</span> {counted(duplicates, 'copy was', 'copies were')} received later.
        </li>
      )}
    </ul>
  )
}
