// Workers allow no random values and no timers before the first request: this import is the test that we need none.
import { fetch } from './published.ts'

export default { fetch }
