/** Measures the page from within. It is loaded before the page's own scripts. */
const measured = {
  /** When the event loop was blocked for more than 50 ms, and how long. */
  tasks: [],
  /** Gaps of more than 100 ms between two frames: the time of the first frame, and the length of the gap. */
  gaps: [],
  /** When the top row of the list changed. */
  news: [],

  /** Resolves with the time of the first paint after `isThere` became true. Rejects after 30 s. */
  paintedOnce(isThere) {
    return new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`This never became true: ${isThere}`)), 30_000)
      const look = () => {
        if (!isThere()) return false
        observer.disconnect()
        // The browser calls this callback just before it paints. So a task that the callback posts runs after that.
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = () => resolve(performance.now())
          port2.postMessage('painted')
        })
        return true
      }
      const observer = new MutationObserver(look)
      if (!look()) observer.observe(document, { subtree: true, childList: true, characterData: true })
    })
  },

  /** Milliseconds from an action until its result is painted. */
  async timeOf(act, isThere) {
    const start = performance.now()
    const painted = measured.paintedOnce(isThere)
    act()
    return (await painted) - start
  },

  /** The id of the delivery in each row of the list. */
  shown() {
    return [...document.querySelectorAll('.deliveries tbody a.open')].map(({ href }) => Number(/\d+$/.exec(href)?.[0]))
  },

  /** The state in each row of the list. */
  states() {
    return [...document.querySelectorAll('.deliveries tbody td.state')].map(({ textContent }) => textContent.trim())
  },

  /** Selects or types a value, as a user does in a form. */
  enter(field, value) {
    const { prototype } = globalThis[field.constructor.name]
    Object.getOwnPropertyDescriptor(prototype, 'value').set.call(field, value)
    for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }))
  },

  /** The filter with this label. */
  filter(label) {
    return [...document.querySelectorAll('.filters label')]
      .find((one) => one.querySelector('span').textContent === label)
      .querySelector('input, select')
  },
}

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) measured.tasks.push({ at: startTime, ms: duration })
}).observe({ type: 'longtask', buffered: true })

let last = performance.now()
let top
requestAnimationFrame(function frame(now) {
  const newest = document.querySelector('.deliveries tbody a.open')?.href
  if (newest !== undefined && newest !== top) measured.news.push(now)
  top = newest ?? top
  if (now - last > 100) measured.gaps.push({ at: last, ms: now - last })
  last = now
  requestAnimationFrame(frame)
})

globalThis.measured = measured
