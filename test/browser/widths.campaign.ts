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

testScreens(
  {
    looks: [
      { width: 390, colorScheme: 'light', rules: 'all' },
      ...[320, 768, 1024].map((width) => ({ width, colorScheme: 'light', rules: 'layout' }) as const),
    ],
    hasTouch: true,
  },
  () => scene,
)
testScreens(
  {
    looks: [
      { width: 1440, colorScheme: 'light', rules: 'all' },
      { width: 1440, colorScheme: 'dark', rules: 'colors' },
      { width: 1024, colorScheme: 'dark' },
      { width: 2560, colorScheme: 'light', rules: 'layout' },
      { width: 2560, colorScheme: 'dark', rules: 'colors' },
      { width: 1920, colorScheme: 'light', rules: 'layout' },
    ],
  },
  () => scene,
)
