// Workers allow no random values and no timers before the first request. This import tests that hookserver needs none.
import { fetch } from './published.ts'

export default { fetch }
