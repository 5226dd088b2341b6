import type { ErrorCode } from '../../src/errors.ts'

interface Explanation {
  /** What happened, in a sentence. */
  means: string
  /** The usual cause. */
  cause: string
  /** Advice for the operator. */
  cure: string
}

/** The explanation of each code of a rejection. `docs/errors.md` explains more. */
export const explanations: Readonly<Record<ErrorCode, Explanation>> = {
  not_found: {
    means: 'The request was for a path other than that of the webhook.',
    cause: 'The path in the webhook’s URL on GitHub differs from that of this server, or a scanner tries many paths.',
    cure: 'Compare the path in the webhook’s URL on GitHub with --path (default: /hooks).',
  },
  method_not_allowed: {
    means: 'The request was not a POST.',
    cause: 'A browser or an uptime check requested the URL.',
    cure: 'Ignore it if it came from a browser. Let the uptime check request /healthz.',
  },
  forbidden_origin: {
    means: 'The request came from an address that is not an address of GitHub.',
    cause: 'The server sees the address of a proxy, or the sender is not GitHub.',
    cure: 'Name the proxy with --trust-proxy. On your own machine, use --dev or --validate-ip warn.',
  },
  ranges_unavailable: {
    means: 'The server had no current list of GitHub’s addresses, so it rejected all requests.',
    cause: 'This machine cannot reach GitHub’s API, or its rate limit is used up.',
    cure: 'Allow this machine to reach the API, set GITHUB_TOKEN for a higher limit, or set the option ranges.',
  },
  address_unknown: {
    means: 'The address of the sender is unknown.',
    cause: 'The platform does not provide the address, or your clientAddress function failed or returned nothing.',
    cure: 'Set the option clientAddress to a function that returns the address, or fix that function.',
  },
  missing_signature: {
    means: 'The request had no signature: probably the webhook has no secret.',
    cause:
      'The webhook on GitHub has no secret, or the request has only a signature of an algorithm that is not accepted.',
    cure: 'Enter the secret in the webhook’s settings on GitHub.',
  },
  payload_too_large: {
    means: 'The body was larger than the limit.',
    cause: 'You lowered the limit, or the sender is not GitHub, which sends at most 25 MB.',
    cure: 'Raise the limit if you lowered it. Otherwise ignore the request.',
  },
  body_timeout: {
    means: 'The body did not arrive in time.',
    cause: 'The sender stalled, or a proxy in front of the server is slow.',
    cure: 'Nothing, if it is rare. Otherwise check the proxy and the network.',
  },
  body_aborted: {
    means: 'The body did not arrive completely.',
    cause: 'The sender, or a proxy in front of the server, disconnected.',
    cure: 'Nothing, if it is rare. Otherwise check the proxy and the network. The log has the error.',
  },
  overloaded: {
    means: 'Other requests used all the memory for bodies, and this one could not wait longer.',
    cause: 'A burst of deliveries, large deliveries, or an inbox that stores slowly.',
    cure: 'Raise bodyMemory, or let a proxy queue requests. Redeliver the lost deliveries on GitHub.',
  },
  body_already_parsed: {
    means: 'Other code had read the body before hookserver could check its signature.',
    cause: 'The application runs a body parser before hookserver.',
    cure: 'Mount hookserver before body parsers. The log says how to do that in your framework.',
  },
  wrong_signature: {
    means: 'The signature of the request does not match any secret of this server.',
    cause: 'The webhook on GitHub has a different secret, or a proxy changes bodies.',
    cure: 'Compare the two secrets, and look for a line break at the end of one. The log has the details.',
  },
  secret_unavailable: {
    means: 'The secret was not available.',
    cause: 'Your secret function failed, returned nothing, or took too long.',
    cure: 'Find the error in the log. Redeliver the lost deliveries on GitHub.',
  },
  missing_event: {
    means: 'The header X-GitHub-Event was missing.',
    cause: 'The request was not a delivery, or a proxy drops headers.',
    cure: 'If GitHub sent the request, configure the proxy to forward all headers that begin with X-.',
  },
  missing_delivery: {
    means: 'The header X-GitHub-Delivery was missing.',
    cause: 'The request was not a delivery, or a proxy drops headers.',
    cure: 'If GitHub sent the request, configure the proxy to forward all headers that begin with X-.',
  },
  header_too_long: {
    means: 'The header X-GitHub-Event or X-GitHub-Delivery had more than 100 characters.',
    cause: 'The sender is not GitHub. It knows the secret, or repeats a signed body with other headers.',
    cure: 'If you do not know the sender, replace the secret of the webhook.',
  },
  unsupported_media_type: {
    means: 'The body was compressed, or had a content type that GitHub does not send.',
    cause: 'A proxy changes requests. GitHub sends uncompressed JSON or forms.',
    cure: 'Configure the proxy to forward bodies unchanged.',
  },
  invalid_payload: {
    means: 'The body was signed, but is not a JSON object.',
    cause: 'A script of your own sent it. GitHub sends only JSON objects.',
    cure: 'Send a JSON object, or a form with the object in the field payload.',
  },
  inbox_unavailable: {
    means: 'The delivery was valid, but could not be stored.',
    cause: 'The disk is full, the database is locked or read-only, or PostgreSQL is down.',
    cure: 'Find the error in the log and repair the database. Then redeliver on GitHub. A delivery that was stored does not run again.',
  },
  handler_failed: {
    means: 'A handler failed. Without an inbox, it cannot be retried.',
    cause: 'An error in the handler, or in a service that it uses.',
    cure: 'Find the error and the handler in the log. Use an inbox: it retries failed handlers.',
  },
  handler_retry: {
    means: 'A handler threw Retry, and there is no inbox.',
    cause: 'The handler could not handle the delivery at that moment.',
    cure: 'Use an inbox. Then hookserver calls the handler again.',
  },
  handler_timeout: {
    means: 'The handlers took longer than the timeout, and there is no inbox.',
    cause: 'A handler takes many seconds. Without an inbox, the reply waits for the handlers.',
    cure: 'Use an inbox. Then the handlers run after the reply.',
  },
  shutting_down: {
    means: 'The server was shutting down.',
    cause: 'A restart or a deployment.',
    cure: 'Redeliver the lost deliveries on GitHub, or recover them with --recover.',
  },
}

/** `undefined` for a code that only a newer server knows. */
export const explanationOf = (code: string): Explanation | undefined =>
  Object.hasOwn(explanations, code) ? explanations[code as ErrorCode] : undefined
