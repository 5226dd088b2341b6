import type { ErrorCode } from '../../src/errors.ts'

export interface Explanation {
  /** What happened, in a sentence. */
  means: string
  /** The usual cause. */
  cause: string
  /** The remedy. */
  cure: string
}

/** For each code of a rejection. `docs/errors.md` has more. */
export const explanations: Readonly<Record<ErrorCode, Explanation>> = {
  not_found: {
    means: 'The request asked for another path than that of the webhook.',
    cause: 'The address that was entered on GitHub is not the one that is served; or somebody tries doors.',
    cure: 'Compare the address of the webhook on GitHub with --url, path and all.',
  },
  method_not_allowed: {
    means: 'The request was not a POST.',
    cause: 'Somebody opened the address in a browser, or a monitor asks for it.',
    cure: 'Nothing, if it was that. A monitor should ask for /healthz.',
  },
  forbidden_origin: {
    means: 'The request came from an address that is none of GitHub’s.',
    cause: 'A proxy in front, whose own address is seen; or somebody who is not GitHub.',
    cure: 'Name the proxy with --trust-proxy. On your own machine, use --dev or --validate-ip warn.',
  },
  ranges_unavailable: {
    means: 'There was no list of GitHub’s addresses yet to compare with, so nobody was let in.',
    cause: 'This machine does not reach the API of GitHub, or its rate limit is used up.',
    cure: 'Let it reach the API, set GITHUB_TOKEN for a larger limit, or give the addresses yourself as ranges.',
  },
  address_unknown: {
    means: 'Nobody could say which address the request came from.',
    cause: 'The platform shows none, or your function clientAddress threw or gave none.',
    cure: 'Give the option clientAddress a function that finds it.',
  },
  missing_signature: {
    means: 'The request had no signature.',
    cause: 'The webhook on GitHub has no secret; or it has only a signature of a kind that is not taken here.',
    cure: 'Enter the secret at the webhook on GitHub.',
  },
  payload_too_large: {
    means: 'The body was larger than may come.',
    cause: 'Somebody who is not GitHub, which sends 25 MB at most; or a limit that you made smaller.',
    cure: 'Raise the limit of bodies if you made it smaller. Otherwise nothing.',
  },
  body_timeout: {
    means: 'The body did not arrive in time.',
    cause: 'The sender stalled or went away; or a slow proxy is in front.',
    cure: 'Nothing, if it is rare. If it is often, look at the proxy and the network.',
  },
  overloaded: {
    means: 'So many bodies were under way that this one found no memory in time.',
    cause: 'A burst of deliveries, large ones, or an inbox that stores them slowly.',
    cure: 'Raise inFlightLimit, let a proxy in front hold requests back, and redeliver on GitHub what was lost.',
  },
  body_already_parsed: {
    means: 'Something had read the body before its signature could be checked.',
    cause: 'A body parser that the application runs before hookserver.',
    cure: 'Mount hookserver before body parsers; the log names the way for your framework.',
  },
  wrong_signature: {
    means: 'None of the secrets here signed these bytes.',
    cause: 'The secret here is not the one at the webhook on GitHub, or something in front changes bodies.',
    cure: 'Compare the two secrets, and look for a line break at the end of one. The log says what was found.',
  },
  secret_unavailable: {
    means: 'The secret could not be had.',
    cause: 'Your function secret threw, gave nothing, or took too long.',
    cure: 'The log has the error. Deliveries that were lost can be redelivered on GitHub.',
  },
  missing_event: {
    means: 'The header X-GitHub-Event was missing.',
    cause: 'It was no delivery, or a proxy drops headers.',
    cure: 'If it came from GitHub, have the proxy hand on all headers that begin with X-.',
  },
  missing_delivery: {
    means: 'The header X-GitHub-Delivery was missing.',
    cause: 'It was no delivery, or a proxy drops headers.',
    cure: 'If it came from GitHub, have the proxy hand on all headers that begin with X-.',
  },
  unsupported_media_type: {
    means: 'The body was of a type that webhooks do not have, or it was compressed.',
    cause: 'Something in front changes requests: GitHub sends JSON or a form, and neither is compressed.',
    cure: 'Look at what stands in front, and have it hand bodies on as they come.',
  },
  invalid_payload: {
    means: 'The body was signed and is not a JSON object.',
    cause: 'A script of your own that sends something else; GitHub does not.',
    cure: 'Have the script send an object in JSON, or a form with it in the field payload.',
  },
  inbox_unavailable: {
    means: 'The delivery was good, and could not be stored.',
    cause: 'A full disk, a database that is locked or not writable, or PostgreSQL is away.',
    cure: 'See to the database; the log says what it said. Then redeliver on GitHub: what was stored is not handled twice.',
  },
  handler_failed: {
    means: 'A handler threw, and there was no inbox to try it again from.',
    cause: 'An error in the handler, or in what it calls.',
    cure: 'The log has the error and the name of the handler. With an inbox it would have been tried again.',
  },
  handler_timeout: {
    means: 'Handlers took longer than GitHub waits, and there was no inbox.',
    cause: 'Work that takes seconds, done before the answer.',
    cure: 'Use an inbox: the answer comes first then, and the work after it.',
  },
  shutting_down: {
    means: 'The server was about to end.',
    cause: 'A restart or a deploy.',
    cure: 'Redeliver on GitHub what came then, or have it fetched by --recover.',
  },
}

/** `undefined` for the code of a newer server. */
export const explanationOf = (code: string): Explanation | undefined =>
  Object.hasOwn(explanations, code) ? explanations[code as ErrorCode] : undefined
