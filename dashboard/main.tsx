// First, so that the styles of the screens can override them.
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import { render } from 'preact'
import { App } from './app.tsx'

const root = document.getElementById('app')
if (root) render(<App />, root)
