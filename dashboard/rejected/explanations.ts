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
    means: 'The request was for another path than that of the webhook.',
    cause: 'The URL of the webhook on GitHub has another path than this server; or a scanner tries many paths.',
    cure: 'Compare the URL of the webhook on GitHub with --url, including the path.',
  },
  method_not_allowed: {
    means: 'The request was not a POST.',
    cause: 'A browser or a monitor requested the URL.',
    cure: 'Nothing, if it was a browser. A monitor should request /healthz.',
  },
  forbidden_origin: {
    means: 'The request came from an address that is not GitHub’s.',
    cause: 'A proxy in front, whose address the server sees; or a sender other than GitHub.',
    cure: 'Name the proxy with --trust-proxy. On your own machine, use --dev or --validate-ip warn.',
  },
  ranges_unavailable: {
    means: 'The list of GitHub’s addresses had not been fetched yet, so all requests were rejected.',
    cause: 'This machine cannot reach the API of GitHub, or its rate limit is used up.',
    cure: 'Allow it to reach the API, set GITHUB_TOKEN for a higher limit, or set the option ranges.',
  },
  address_unknown: {
    means: 'The address of the sender is unknown.',
    cause: 'The platform does not provide it, or your function clientAddress failed or returned none.',
    cure: 'Set the option clientAddress to a function that returns it.',
  },
  missing_signature: {
    means: 'The request had no signature.',
    cause:
      'The webhook on GitHub has no secret; or the request only has a signature of an algorithm that is not accepted.',
    cure: 'Enter the secret at the webhook on GitHub.',
  },
  payload_too_large: {
    means: 'The body was larger than the limit.',
    cause: 'A sender other than GitHub, which sends 25 MB at most; or a limit that you have lowered.',
    cure: 'Raise the limit if you have lowered it. Otherwise nothing.',
  },
  body_timeout: {
    means: 'The body did not arrive in time.',
    cause: 'The sender stalled; or a slow proxy is in front.',
    cure: 'Nothing, if it is rare. Otherwise check the proxy and the network.',
  },
  body_aborted: {
    means: 'The body did not arrive completely.',
    cause: 'The sender or a proxy in front disconnected.',
    cure: 'Nothing, if it is rare. Otherwise check the proxy and the network. The log has the error.',
  },
  overloaded: {
    means: 'Other bodies used all the memory for bodies, and this one could not wait longer.',
    cause: 'A burst of deliveries, large ones, or an inbox that stores them slowly.',
    cure: 'Raise inFlightLimit, let a proxy in front queue requests, and redeliver the lost deliveries on GitHub.',
  },
  body_already_parsed: {
    means: 'The body had been read before its signature could be checked.',
    cause: 'A body parser that the application runs before hookserver.',
    cure: 'Mount hookserver before body parsers. The log says how in your framework.',
  },
  wrong_signature: {
    means: 'None of the secrets here signed these bytes.',
    cause: 'The secret here is not the one at the webhook on GitHub, or a proxy changes bodies.',
    cure: 'Compare the two secrets, and look for a line break at the end of one. The log has the details.',
  },
  secret_unavailable: {
    means: 'The secret was not available.',
    cause: 'Your function secret failed, returned nothing, or took too long.',
    cure: 'The log has the error. Redeliver the lost deliveries on GitHub.',
  },
  missing_event: {
    means: 'The header X-GitHub-Event was missing.',
    cause: 'The request was not a delivery, or a proxy drops headers.',
    cure: 'If GitHub sent it, configure the proxy to forward all headers that begin with X-.',
  },
  missing_delivery: {
    means: 'The header X-GitHub-Delivery was missing.',
    cause: 'The request was not a delivery, or a proxy drops headers.',
    cure: 'If GitHub sent it, configure the proxy to forward all headers that begin with X-.',
  },
  unsupported_media_type: {
    means: 'The body had a type that webhooks do not have, or it was compressed.',
    cause: 'A proxy changes requests: GitHub sends JSON or a form, and does not compress them.',
    cure: 'Configure the proxy to forward bodies unchanged.',
  },
  invalid_payload: {
    means: 'The body was signed, and is not a JSON object.',
    cause: 'A script of your own. GitHub sends JSON objects only.',
    cure: 'Send a JSON object, or a form with it in the field payload.',
  },
  inbox_unavailable: {
    means: 'The delivery was valid, and could not be stored.',
    cause: 'A full disk, a database that is locked or not writable, or a PostgreSQL that is down.',
    cure: 'Repair the database; the log has its error. Then redeliver on GitHub: stored deliveries are not handled twice.',
  },
  handler_failed: {
    means: 'A handler failed, and without an inbox it cannot be retried.',
    cause: 'An error in the handler, or in a service that it uses.',
    cure: 'The log has the error and the name of the handler. With an inbox the handler is retried.',
  },
  handler_timeout: {
    means: 'The handlers took longer than GitHub waits, and there is no inbox.',
    cause: 'A handler that takes seconds before the answer.',
    cure: 'Use an inbox: then the handlers run after the answer.',
  },
  shutting_down: {
    means: 'The server was shutting down.',
    cause: 'A restart or a deployment.',
    cure: 'Redeliver the lost deliveries on GitHub, or recover them with --recover.',
  },
}

/** `undefined` for the code of a newer server. */
export const explanationOf = (code: string): Explanation | undefined =>
  Object.hasOwn(explanations, code) ? explanations[code as ErrorCode] : undefined
