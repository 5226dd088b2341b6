import { createContext } from 'preact'

/** Whether a delivery is shown beside the list, which then has the main heading of the page, and the keys. */
export const Beside = createContext(false)
