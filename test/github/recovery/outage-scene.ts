/** An outage in the middle of a webhook's deliveries. */
import { describe, expect, test } from 'vitest'
import { allHandledOnce, failed, fastRetries, redeliveryCounts, succeeded } from '../recorded-deliveries.ts'
import { Scene } from '../recovery-scene.ts'

/** Tests that a sweep of `size` deliveries recovers those that failed. @param size A multiple of 100. */
export function describeOutage(size: number): void {
  describe(`of ${size.toLocaleString('en')} deliveries, those that failed during an outage`, {
    timeout: 120_000,
  }, () => {
    test('are all handled, with one request for each page and one for each missed delivery', async () => {
      const scene = await Scene.open()
      const [pages, fifth] = [size / 100, size / 5]
      const before = await succeeded(scene, 2 * fifth)
      const missed = failed(scene, fifth)
      const after = await succeeded(scene, 2 * fifth)
      const swept = await scene.recovery().sweep()
      expect(swept?.reports).toMatchObject([
        { sent: size, calls: pages + fifth, counts: { requested: fifth, missed: 0, unrecorded: 0 } },
      ])
      await allHandledOnce(scene, [...before, ...missed, ...after])
      expect(scene.calls).toEqual({
        [`GET /repos/acme/shop/hooks/${scene.hook.id}/deliveries`]: pages,
        [`POST /repos/acme/shop/hooks/${scene.hook.id}/deliveries/n/attempts`]: fifth,
      })
      expect((await scene.recovery().sweep())?.reports).toMatchObject([
        { counts: { received: fifth, requested: 0, missed: 0 } },
      ])
      expect(redeliveryCounts(scene)).toEqual(Array(fifth).fill(1))
    })

    test('are all handled despite rate limits, errors, cut connections and timeouts', async () => {
      const scene = await Scene.open()
      const tenth = size / 10
      const before = await succeeded(scene, 4.5 * tenth)
      const missed = failed(scene, tenth)
      const after = await succeeded(scene, 4.5 * tenth)
      const limited = { status: 403, headers: { 'retry-after': '1' }, body: { message: 'secondary rate limit' } }
      scene.github.failAt(/^GET .*cursor/, { status: 502 }, limited, 'hang')
      scene.github.failAt(/^POST .*0.attempts/, 'hang', limited, { status: 502 })
      scene.github.failAt(/^POST .*5.attempts/, 'cut', { status: 500 }, { status: 503 })
      const swept = await scene.recovery({ retryPolicy: fastRetries }).sweep()
      expect(swept?.reports).toMatchObject([{ sent: size, counts: { requested: tenth, missed: 0, unrecorded: 0 } }])
      expect(swept?.reports[0]).not.toHaveProperty('error')
      await allHandledOnce(scene, [...before, ...missed, ...after])
      expect(scene.github.requests.filter(({ status }) => status !== 200 && status !== 202)).toHaveLength(9)
    })
  })
}

/** Tests that a sweep requests only the failed deliveries that have a handler. @param size A multiple of 100. */
export function testUnhandled(handled: number, size: number): void {
  test(`the ${handled} of ${size.toLocaleString('en')} missed deliveries that have a handler`, async () => {
    const scene = await Scene.open()
    const unhandled = size - handled
    failed(scene, unhandled / 2, { event: 'star' })
    const missed = failed(scene, handled)
    failed(scene, unhandled / 2, { event: 'check_run' })
    const swept = await scene.recovery().sweep()
    expect(swept?.reports).toMatchObject([
      { sent: size, unhandled, calls: size / 100 + handled, counts: { requested: handled, missed: 0 } },
    ])
    await allHandledOnce(scene, missed)
    expect(redeliveryCounts(scene)).toHaveLength(handled)
  })
}
