import { index, type RouteConfig, route } from '@react-router/dev/routes'

export default [index('routes/home.tsx'), route('hooks', 'routes/hooks.ts')] satisfies RouteConfig
