import { computed, signal } from '@preact/signals'
import { theme } from './preferences.ts'

const system = matchMedia('(prefers-color-scheme: dark)')
const isSystemDark = signal(system.matches)
system.addEventListener('change', () => (isSystemDark.value = system.matches))

/** Whether the page is dark, for canvases. */
export const isDark = computed(() => (theme.value === '' ? isSystemDark.value : theme.value === 'dark'))
