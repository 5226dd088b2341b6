/** AWS Lambda, behind API Gateway, a Function URL or a load balancer: the handler is `lambda.handler`. */
import { Hooks } from 'hookserver'
import { hookserver, type LambdaHandler } from 'hookserver/lambda'

// The secret is the environment variable GITHUB_WEBHOOKS_KEY of the function.
// 'warn' because you will try it with an event of your own first.
const hooks = new Hooks({ validateIp: 'warn' })

hooks.hook('ping', () => 'pong')
hooks.hook('check_run.completed', ({ check_run }) => `${check_run.name}: ${check_run.conclusion}`)

export const handler: LambdaHandler = hookserver(hooks)
