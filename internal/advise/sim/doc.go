// Package sim runs jobs through the runner's own scaler (the taskscaler module, whose
// arithmetic is never copied) over a fake instance group, in virtual time. Run must be
// called in a synctest bubble: Pool has child processes of this binary do that, as
// testing/synctest needs a test around it.
//
// It must not import the plugin or Azure's SDK.
package sim
