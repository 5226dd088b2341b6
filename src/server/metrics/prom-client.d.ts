// The types of the modules of `@platformatic/prom-client` that the metrics use. The package has types for its entry
// point only. The entry point also loads the library's own metrics of the process, which need `@opentelemetry/api`.

declare module '@platformatic/prom-client/lib/counter.js' {
  export { Counter as default } from '@platformatic/prom-client'
}
declare module '@platformatic/prom-client/lib/gauge.js' {
  export { Gauge as default } from '@platformatic/prom-client'
}
declare module '@platformatic/prom-client/lib/histogram.js' {
  export { Histogram as default } from '@platformatic/prom-client'
}
declare module '@platformatic/prom-client/lib/registry.js' {
  export { Registry as default } from '@platformatic/prom-client'
}
