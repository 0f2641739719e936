// Package config turns the plugin_config table of a runner's config.toml into
// a checked [Config]. One table, returned by [Options], declares every option;
// decoding, checking and the reference page are all read from it.
//
// It reads no files, no network and no environment of its own: what it needs
// is handed to [Parse]. It must not import any other package of this module,
// nor Azure's clients; of the SDK it uses only the resource ID parser.
package config
