/** Tests every screen in the widths of common devices, in many of them also in the dark color scheme. */
import { beforeAll } from 'vitest'
import type { Scene } from './scene.ts'
import { openHostileScene, testScreens } from './screens.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openHostileScene()
})

const looks = [320, 390, 768, 1024, 1440, 1920, 2560].map((width) => {
  return { width, colorScheme: 'light' as const, hasTouch: width <= 1024, isThorough: true }
})
const dark = [390, 1024, 1440, 2560].map((width) => ({ width, colorScheme: 'dark' as const }))
testScreens([...looks, ...dark], () => scene)
