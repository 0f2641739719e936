// Package config turns the plugin_config table of a runner's config.toml into
// a validated [Config]. One table, returned by [Options], declares every option;
// decoding, validation and the reference page are all based on it.
//
// It reads no files, no network and no environment: what it needs is passed to
// [Parse]. It must not import any other package of this module,
// nor Azure's clients; of the SDK it uses only the resource ID parser.
package config
