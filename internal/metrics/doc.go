// Package metrics counts what the plugin does, and serves it to Prometheus. It owns
// the collectors and the HTTP server.
//
// Events reach it as they happen, through the methods of [Metrics], which fit the
// observers of packages instancegroup and armapi; what is so at a time is read when
// somebody asks for it. It must not import Azure's SDK, nor armapi, nor fleeting.
package metrics
