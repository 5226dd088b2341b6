import { application } from './application.ts'

// Workers allow no random values and no timers before the first request, so nothing of ours may need them on import.
const handle = application()

export default { fetch: handle }
