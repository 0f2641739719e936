// Package bench measures the plugin at scale against a naive one, under the
// runner's own scaler and in virtual time: see docs/reference/performance.md. It is
// for tests only.
package bench
