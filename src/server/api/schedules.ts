import { runSchedule, scheduleStatuses, UnknownSchedule } from '../../schedules/operate.ts'
import { ProblemError } from '../problem.ts'
import { logAction, record } from './audit.ts'
import { type ApiContext, type Route, route } from './route.ts'

/** The schedules. `/handlers/{name}/pause` pauses one. */
export const schedules = (api: ApiContext): Route[] => [
  route({
    method: 'get',
    path: '/schedules',
    operationId: 'listSchedules',
    summary: 'List the schedules of all processes, with their next time and their last delivery',
    answer: 'Schedules',
    handle: async () => ({ schedules: await scheduleStatuses(api.inbox) }),
  }),
  route({
    method: 'post',
    path: '/schedules/{name}/run',
    operationId: 'runSchedule',
    summary: 'Make a delivery of a schedule now',
    body: 'EmptyBody',
    answer: 'Created',
    status: 201,
    problems: [404],
    async handle({ context }) {
      const name = context.req.param('name') ?? ''
      const { id, guid } = await runSchedule(api.inbox, name).catch((error: Error) => {
        throw error instanceof UnknownSchedule ? new ProblemError('not_found', error.message) : error
      })
      logAction(api, context, { act: 'run schedule', what: { id, guid, schedule: name }, count: 1 })
      await record(api, context, 'run schedule', { target: { schedule: name }, count: 1, deliveries: [id] })
      context.header('location', `/api/v1/deliveries/${id}`)
      return { id, guid }
    },
  }),
]
