/** Tests every screen in the widths of common devices, in both color schemes. */
import { beforeAll } from 'vitest'
import type { Scene } from './scene.ts'
import { openHostileScene, testScreens } from './screens.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openHostileScene()
})

const widths = [320, 390, 768, 1024, 1440, 1920]
const colorSchemes = ['light', 'dark'] as const
testScreens(
  widths.flatMap((width) => colorSchemes.map((colorScheme) => ({ width, colorScheme }))),
  () => scene,
)
