import type { Browser } from 'playwright-core'
import type { Served } from '../../scripts/served.ts'
import type { Waited } from './judged.ts'
import { Visitor } from './visitor.ts'

const rounds = 15
const largeRounds = 5
/** Budgets in milliseconds: users notice longer delays. */
const [mostFirst, mostFilter, mostDelivery, mostLarge, mostTask] = [500, 300, 300, 3000, 200]

const hasRows = 'measured.shown().length > 0'
const hasOthers = 'measured.shown().length > 0 && measured.shown()[0] !== before'

/** The time until each screen is painted, with the stored deliveries. */
export async function timeScreens(browser: Browser, served: Served, largest: number): Promise<Waited[]> {
  return [
    await timeCold(browser, served),
    ...(await withVisitor(browser, served, async (visitor) => [
      await timeWarm(visitor),
      ...(await timeFilters(visitor)),
      await timeSearch(visitor, 'a word that every title has', 'title', hasRows, mostFilter),
      await timeSearch(
        visitor,
        'a word that no delivery has',
        'nowhere',
        "document.querySelector('.deliveries .blank')",
      ),
      await timeDelivery(visitor),
      await timeLarge(visitor, largest),
      await timeOverview(visitor),
      ...(await timeOthers(visitor)),
    ])),
  ]
}

async function withVisitor<Result>(browser: Browser, served: Served, work: (visitor: Visitor) => Promise<Result>) {
  const visitor = await Visitor.come(browser, served)
  try {
    return await work(visitor)
  } finally {
    await visitor.leave()
  }
}

async function timeCold(browser: Browser, served: Served): Promise<Waited> {
  const waited = { what: 'the first rows, with an empty cache', times: [] as number[], longestTask: 0 }
  for (let round = 0; round < rounds; round++) {
    await withVisitor(browser, served, async (visitor) => {
      waited.times.push(await visitor.open('#/deliveries', hasRows))
      waited.longestTask = Math.max(waited.longestTask, await longestTask(visitor))
    })
  }
  return { ...waited, most: mostFirst, mostTask }
}

async function timeWarm(visitor: Visitor): Promise<Waited> {
  const waited = { what: 'the first rows, once more', times: [] as number[], longestTask: 0 }
  await visitor.open('#/deliveries', hasRows)
  for (let round = 0; round < rounds; round++) {
    waited.times.push(await visitor.open('#/deliveries', hasRows))
    waited.longestTask = Math.max(waited.longestTask, await longestTask(visitor))
  }
  return { ...waited, most: mostFirst, mostTask }
}

async function timeFilters(visitor: Visitor): Promise<Waited[]> {
  const filters = [
    ['State', 'dead'],
    ['Event', 'issues'],
    ['Repository', 'acme/repository-7'],
  ] as const
  const waited: Waited[] = []
  for (const [label, value] of filters) {
    const choose = `measured.enter(measured.filter(${JSON.stringify(label)}), ${JSON.stringify(value)})`
    waited.push(await timeEach(visitor, `${label}: ${value}`, choose, hasOthers, mostFilter))
  }
  return waited
}

function timeSearch(visitor: Visitor, what: string, word: string, isThere: string, most?: number): Promise<Waited> {
  const search = `location.hash = '#/deliveries?q=${word}'`
  return timeEach(
    visitor,
    what,
    search,
    `location.hash.endsWith('${word}') && !document.querySelector('.stale') && ${isThere}`,
    most,
  )
}

/** Each measurement starts from the list without a filter. */
async function timeEach(visitor: Visitor, what: string, act: string, isThere: string, most?: number): Promise<Waited> {
  const times: number[] = []
  let longest = 0
  for (let round = 0; round < rounds; round++) {
    await visitor.open('#/deliveries', hasRows)
    times.push(await visitor.timeOf(act, isThere))
    longest = Math.max(longest, await longestTask(visitor))
  }
  return { what, times, longestTask: longest, ...(most !== undefined && { most, mostTask }) }
}

const hasTree = `document.querySelector('.payload [role=treeitem]')`

const timeDelivery = (visitor: Visitor): Promise<Waited> =>
  timeEach(visitor, 'a delivery of 7 kB', `document.querySelectorAll('a.open')[5].click()`, hasTree, mostDelivery)

async function timeLarge(visitor: Visitor, id: number): Promise<Waited> {
  const times: number[] = []
  let longest = 0
  for (let round = 0; round < largeRounds; round++) {
    await visitor.open('#/deliveries', hasRows)
    times.push(await visitor.timeOf(`location.hash = '#/deliveries/${id}'`, hasTree))
    longest = Math.max(longest, await longestTask(visitor))
  }
  return { what: 'a delivery of 25 MB', times, longestTask: longest, most: mostLarge, mostTask }
}

const timeOverview = (visitor: Visitor): Promise<Waited> =>
  timeEach(
    visitor,
    'the overview',
    `location.hash = '#/overview'`,
    `document.querySelectorAll('.charts canvas').length === 3`,
    mostFirst,
  )

/** The selectors of other screens' contents. Without rejected requests and without GitHub, two screens say so. */
const others = {
  failures: '.groups tbody tr',
  'failures/150': '#example',
  handlers: '.table tbody tr',
  rejections: '.requests tbody tr, .blank',
  github: '.card, .blank',
} as const

async function timeOthers(visitor: Visitor): Promise<Waited[]> {
  const waited: Waited[] = []
  for (const [place, selector] of Object.entries(others)) {
    const isThere = `location.hash === '#/${place}' && document.querySelector(${JSON.stringify(selector)})`
    waited.push(await timeEach(visitor, `the screen ${place}`, `location.hash = '#/${place}'`, isThere, mostFilter))
  }
  return waited
}

async function longestTask(visitor: Visitor): Promise<number> {
  const { tasks } = await visitor.lived()
  return Math.max(0, ...tasks.map(({ ms }) => ms))
}
