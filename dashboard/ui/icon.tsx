/** Decorative icons, 16 by 16, of one path each, in the color of the text. A text or a label says the same. */
const drawings = {
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 5v3l2 2',
  turning: 'M13.5 8A5.5 5.5 0 1 1 8 2.5',
  pause: 'M5.5 3v10M10.5 3v10',
  play: 'M5 3l8 5-8 5Z',
  cross: 'M4 4l8 8M12 4l-8 8',
  failed: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM6 6l4 4M10 6l-4 4',
  done: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM5.5 8.2l1.8 1.8 3.2-3.6',
  bin: 'M3 4h10M6 4V2.5h4V4M4.5 4l.6 9.5h5.8l.6-9.5',
  none: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM4 12l8-8',
  again: 'M13 3v3.5H9.5M13 6.5A5.2 5.2 0 1 0 13.2 9',
  copy: 'M6 6h7v7H6ZM3 10V3h7',
  link: 'M6.5 9.5l3-3M7 4.5 8.5 3a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5 7.5 13A3.2 3.2 0 0 1 3 8.5L4.5 7',
  open: 'M9 3h4v4M13 3 7.5 8.5M11 9.5V13H3V5h3.5',
  down: 'M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 14 14',
  filter: 'M2 4h12M4.5 8h7M7 12h2',
  edit: 'M3 13l.6-3L11 2.6 13.4 5 6 12.4ZM9.5 4l2.4 2.4',
  send: 'M2 8l12-5.5L10.5 14 8 9ZM8 9l6-6.5',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5Z',
  screen: 'M2 3h12v8H2ZM6 14h4M8 11v3',
  star: 'M8 2l1.8 3.8 4.2.5-3.1 2.8.8 4.1L8 11.2l-3.7 2 .8-4.1L2 6.3l4.2-.5Z',
  keyboard: 'M1.5 4h13v8h-13ZM4 6.5h.5M7 6.5h.5M10 6.5h.5M12 6.5h.5M5 9.5h6',
  out: 'M6 3H3v10h3M7 8h7M11 5l3 3-3 3',
  warning: 'M8 2 14.5 13.5h-13ZM8 6v3.5M8 11.2v.6',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  next: 'M6 3.5 10.5 8 6 12.5',
} as const

export type IconName = keyof typeof drawings

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
      <path d={drawings[name]} stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  )
}
