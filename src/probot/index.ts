/**
 * `hookserver/probot`: runs Probot apps, with an inbox if you want.
 *
 * ```ts
 * import { Probot, createNodeMiddleware, run } from 'hookserver/probot' // instead of 'probot'
 * ```
 *
 * Needs the package `octokit`.
 */
export { Application } from './application.ts'
export type { AppCredentials, Credentials } from './authentication.ts'
export type { Config, ConfigFile, ConfigQuery, ConfigResult } from './config.ts'
export { type AttemptScope, Context, type WebhookEvent } from './context.ts'
export { probot } from './durable.ts'
export { type CreateProbotOptions, createProbot } from './environment.ts'
export type { CallableLogger, Logger, LogLevel } from './log.ts'
export type { MergeOptions } from './merge.ts'
export {
  type AwaitableMiddleware,
  createLambdaFunction,
  createNodeMiddleware,
  type MiddlewareOptions,
} from './middleware.ts'
export type { NodeMiddleware } from './node-middleware.ts'
export {
  ProbotOctokit,
  ProbotOctokit as GitHubAPI, // the two other names are those of Probot 9
  ProbotOctokit as Octokit,
  type ProbotOctokitClass,
  type ProbotOctokitOptions,
} from './octokit.ts'
export type { ApplicationFunctionOptions, Options, RequestHandler } from './options.ts'
export { type ApplicationFunction, Probot } from './probot.ts'
export { type RunOptions, run } from './run.ts'
export { type RunningServer, Server, type ServerOptions } from './server.ts'
export type {
  ErrorHandler,
  Listener,
  ProbotHandler,
  ProbotWebhooks,
  SignedEvent,
  WebhookError,
  WebhooksOptions,
} from './webhooks.ts'
