/** Express: `GITHUB_WEBHOOKS_KEY=secret node examples/express.ts` */
import express from 'express'
import { Hooks } from 'hookserver'
import { errorHandler, hookserver } from 'hookserver/express'

const hooks = new Hooks({ validateIp: 'warn' }) // 'warn' because you will try it from your own machine first

hooks.hook('ping', () => 'pong')
hooks.hook('issues.opened', ({ issue }, _guid, { repository }) => {
  console.log(`${repository}#${issue.number}: ${issue.title}`)
})

const app = express()
app.use(hookserver(hooks)) // before express.json(), because the signature covers the bytes of the body
app.use(express.json())
app.get('/', (_request, response) => {
  response.send('The rest of the application')
})
app.use(errorHandler) // after everything else

const server = app.listen(process.env.PORT ?? 8000, () => console.log('Listening on', server.address()))
