/**
 * Tests every screen in the widths of common devices, in many of them also in the dark color scheme. `screens.test.ts`
 * has a phone in the dark color scheme.
 */
import { beforeAll } from 'vitest'
import type { Scene } from './scene.ts'
import { openHostileScene, testScreens } from './screens.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openHostileScene()
})

const inBoth = (width: number) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme }))
const inLight = (width: number) => ({ width, colorScheme: 'light' as const })

testScreens(
  {
    looks: [{ ...inLight(390), rules: 'hovered' }, ...[320, 768, 1024].map(inLight)],
    hasTouch: true,
  },
  () => scene,
)
testScreens(
  {
    looks: [
      { ...inLight(1440), rules: 'hovered' },
      { width: 1440, colorScheme: 'dark' },
      { width: 1024, colorScheme: 'dark' },
      ...inBoth(2560),
      inLight(1920),
    ],
  },
  () => scene,
)
