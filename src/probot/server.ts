import { once } from 'node:events'
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { leaveUnread } from '../adapters/incoming.ts'
import { version } from '../runtime/platform.ts'
import type { Logger } from './log.ts'
import { type NodeMiddleware, nodeMiddleware } from './node-middleware.ts'
import { defaultWebhookPath, type Options, type RequestHandler } from './options.ts'
import { type ApplicationFunction, Probot } from './probot.ts'

/** The options of `new Server(options)`. */
export interface ServerOptions {
  /** The class of the app, with its credentials: `Probot.defaults({ appId, privateKey, secret })`. */
  Probot?: typeof Probot | undefined
  /** Default: 3000. 0 chooses a free port. */
  port?: number | undefined
  /** Default: `localhost`. */
  host?: string | undefined
  webhookPath?: string | undefined
  log?: Logger | undefined
  /** The option `cwd` of apps. Default: the current folder. */
  cwd?: string | undefined
  request?: object | undefined
  [option: string]: unknown
}

/** The part of the server of Node.js that needs none of its types. */
export interface RunningServer {
  address(): unknown
  close(done?: (error?: Error) => void): unknown
}

/** An HTTP server for an app: its deliveries, the paths that it handles, and `GET /ping`. */
export class Server {
  static readonly version: string = version
  readonly version: string = version
  readonly #options: ServerOptions
  readonly #probot: Probot
  readonly #log: Logger
  readonly #handlers: RequestHandler[] = []
  #server: HttpServer | undefined
  #port: number
  #host: string

  /** @throws {Error} if the options have no credentials. */
  constructor(options: ServerOptions = {}) {
    const {
      Probot: App = Probot,
      webhookPath = defaultWebhookPath,
      log,
      request,
      webhookProxy,
      port = 3000,
      host = 'localhost',
    } = options
    this.#options = options
    const unused = webhookProxy === undefined ? {} : { webhookProxy } // for its warning
    const own: Options = { webhookPath, server: this, ...unused, ...(log && { log }), ...(request && { request }) }
    this.#probot = new App(own)
    this.#log = log?.child({ name: 'server' }) ?? this.#probot.log
    this.#port = port
    this.#host = host
  }

  /** Calls the function of an app. */
  async load(app: ApplicationFunction): Promise<void> {
    await this.#probot.load(app, this.#cwd)
  }

  /** Calls a function that returns a handler for requests to other paths. */
  async loadHandlerFactory(
    create: (app: Probot, options: object) => RequestHandler | Promise<RequestHandler>,
  ): Promise<void> {
    let handler: RequestHandler | undefined
    await this.#probot.load(async (app, options) => void (handler = await create(app, options)), this.#cwd)
    if (handler) this.addHandler(handler)
  }

  /** Adds a handler for requests to other paths. */
  addHandler(handler: RequestHandler): void {
    this.#handlers.push(handler)
  }

  /** Listens. @throws {Error} (rejects) if the port is taken, or if there is no secret. */
  async start(): Promise<RunningServer> {
    await this.#probot.ready()
    const handle = nodeMiddleware(this.#probot, { handlers: [ping, ...this.#handlers] })
    const server = createServer((request, response) => void this.#handle(handle, request, response))
    server.listen(this.#port, this.#host)
    try {
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      const cure = 'You can define the PORT environment variable to use a different port.'
      throw new Error(`Port ${this.#port} is already in use. ${cure}`, { cause: error })
    }
    const { port, address, family } = server.address() as AddressInfo
    this.#port = port
    this.#log.info(`Running hookserver v${version} (Node.js ${process.version})`)
    this.#log.info(`Listening on http://${this.#host}:${port}`)
    this.#host = family === 'IPv6' ? `[${address}]` : address
    this.#server = server
    return server
  }

  /** Stops listening, waits for running requests, and closes the inbox if there is one. */
  async stop(): Promise<void> {
    const server = this.#server
    if (!server?.listening) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await this.#probot.hooks.close()
    server.closeIdleConnections()
    await closed
  }

  get port(): number {
    return this.#port
  }

  get host(): string {
    return this.#host
  }

  get #cwd(): { cwd: string } {
    return { cwd: this.#options.cwd ?? process.cwd() }
  }

  async #handle(handle: NodeMiddleware, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now()
    response.once('close', () => {
      const duration = Math.round(performance.now() - startedAt)
      this.#log.info(`${request.method} ${request.url?.split('?', 1)[0]} ${response.statusCode} - ${duration}ms`)
    })
    try {
      await handle(request, response)
    } catch (err) {
      this.#log.error({ err }, 'A request handler of the app failed')
      if (!response.headersSent) response.writeHead(500)
      response.end()
    }
  }
}

/** Says that the server is up. */
function ping(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== '/ping') return false
  leaveUnread(request, response)
  response.writeHead(200, { 'content-type': 'text/plain' }).end('PONG')
  return true
}
