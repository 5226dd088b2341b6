import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Tells systemd, if it asked (`Type=notify`, `NotifyAccess=all`), that the service is ready: sd_notify(3). */
export async function notifyReady(): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return
  const child = spawn('systemd-notify', ['--ready', `--pid=${process.pid}`], { stdio: 'inherit' })
  await once(child, 'exit').catch(() => undefined) // where there is no such program, systemd says so itself
}
