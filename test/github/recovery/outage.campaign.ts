/** Recovery after large outages: every missed delivery is handled once, with as few requests to GitHub as possible. */
import { describe } from 'vitest'
import { describeOutage, testUnhandled } from './outage-scene.ts'

describeOutage(5000)
describe('a sweep requests only', () => testUnhandled(270, 7000))
