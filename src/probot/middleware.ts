import { type LambdaHandler, hookserver as onLambda } from '../adapters/lambda.ts'
import { createProbot } from './environment.ts'
import { type NodeMiddleware, nodeMiddleware } from './node-middleware.ts'
import type { ApplicationFunction, Probot } from './probot.ts'

/** A middleware that `await` turns into itself, so that code for any version of Probot can use it. */
export type AwaitableMiddleware = NodeMiddleware & PromiseLike<NodeMiddleware>

/** The options of `createNodeMiddleware()`. */
export interface MiddlewareOptions {
  /** Default: `createProbot()`, which reads the environment. */
  probot?: Probot | undefined
  /** The path that receives deliveries. Default: that of `probot`. */
  webhooksPath?: string | undefined
  [option: string]: unknown
}

/**
 * Serves an app in a server of yours: `createServer(createNodeMiddleware(app))`. The app is loaded once, now.
 * @throws {Error} (rejects) if the app fails, or if there is no secret. Without `await`, the error is logged, and each
 *   request gets 500.
 */
export function createNodeMiddleware(
  app: ApplicationFunction,
  { probot = createProbot(), webhooksPath }: MiddlewareOptions = {},
): AwaitableMiddleware {
  const loaded = probot.load(app).then(() => nodeMiddleware(probot, { path: webhooksPath }))
  const middleware: NodeMiddleware = async (request, response, next) => {
    const handle = await loaded.catch(() => undefined)
    try {
      if (handle) return await handle(request, response, next)
    } catch (err) {
      probot.log.error({ err }, 'A request handler of the app failed')
    }
    if (!response.headersSent) response.writeHead(500, {})
    response.end()
    return true
  }
  loaded.catch((err: unknown) => probot.log.error({ err }, 'The app cannot be loaded'))
  // biome-ignore lint/suspicious/noThenProperty: versions 9 to 13 return a function here, version 14 a promise of one
  return Object.assign(middleware, { then: loaded.then.bind(loaded) }) as AwaitableMiddleware
}

/**
 * Serves an app on AWS Lambda: `export const handler = createLambdaFunction(app)`. Each path receives deliveries.
 * @throws {Error} if there is no secret.
 */
export function createLambdaFunction(
  app: ApplicationFunction,
  { probot = createProbot() }: Pick<MiddlewareOptions, 'probot'> = {},
): LambdaHandler {
  const loading = probot.load(app)
  loading.catch((err: unknown) => probot.log.error({ err }, 'The app cannot be loaded'))
  const handler = onLambda(probot.hooks, { path: false })
  return async (event, context) => {
    await loading
    return handler(event, context)
  }
}
