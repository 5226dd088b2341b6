import { useState } from 'preact/hooks'
import { Failure } from '../ui/failure.tsx'
import { failure, hasGitHub, logIn, loginReason, openSession, rememberPlace } from './session.ts'
import './login.css'

/** Asks for the token, and exchanges it for a cookie that scripts cannot read. */
export function Login() {
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const { token } = Object.fromEntries(new FormData(event.target as HTMLFormElement))
    setBusy(true)
    try {
      await logIn(String(token).trim())
    } catch (thrown) {
      setError(thrown as Error)
      setBusy(false)
    }
  }
  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <h1>
          <img src="./icon.svg" alt="" width="28" height="28" />
          hookserver
        </h1>
        {loginReason.value !== '' && !error && <p class="note">{loginReason.value}</p>}
        {error && (
          <p class="note bad" role="alert">
            {error.message}
          </p>
        )}
        {hasGitHub.value && (
          <>
            <a class="button primary" href="./login/github" onClick={rememberPlace}>
              Log in with GitHub
            </a>
            <p class="soft small">Or log in with a token:</p>
          </>
        )}
        <label for="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          class="field"
          required
          autocomplete="current-password"
          spellcheck={false}
          aria-describedby="where"
        />
        <p id="where" class="soft small">
          The server log names the file that contains the token. With SQLite, the default is{' '}
          <code>hookserver.token</code> in the folder of the database.
        </p>
        <button type="submit" class={`button ${hasGitHub.value ? '' : 'primary'}`} disabled={busy}>
          {busy ? 'Logging in…' : 'Log in'}
        </button>
      </form>
    </main>
  )
}

/** Shown until the server has said whether there is a session. */
export function Starting() {
  return <main>{failure.value && <Failure error={failure.value} again={() => void openSession()} />}</main>
}
