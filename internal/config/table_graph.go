package config

import (
	"encoding/json"
	"strconv"
)

var graphOptions = []Option{
	{
		Group: groupLimits, Key: "use_resource_graph", Type: typeBoolean, Default: "false",
		Rule:    "true or false, without quotes",
		Example: "true",
		Doc: "Whether Azure Resource Graph is asked, too, which instances of a long list run by now (`useResourceGraph=true`). " +
			"It allows 4,000 requests a minute where Compute allows 10 pages of such a list, so that new instances of a Uniform scale set of hundreds are noticed sooner; of a Flexible one where others use up most of the 300 that Compute allows there. " +
			"Its data is seconds to minutes old: that an instance runs is taken from it, and nothing else. " +
			"Microsoft turns it on for a subscription on request, by email; without that Compute answers, the plugin logs a warning, and goes on as with `false`. " +
			"It is in Microsoft's documents and was not confirmed for lists of scale set instances. " +
			"See [decision 14](../decisions/0014-resource-graph-for-good-news.md).",
		aliases: []string{"resource_graph", "use_graph", "azure_resource_graph"},
		at:      func(c *Config) *string { return (*string)(&c.UseResourceGraph) },
		check:   checkSwitch,
	},
}

const typeBoolean = "boolean"

// Switch is true or false; empty, as in a Config that was not parsed, is false.
type Switch string

// On reports whether it is true.
func (s Switch) On() bool { return s == "true" }

// MarshalJSON writes a boolean, as it is in config.toml.
func (s Switch) MarshalJSON() ([]byte, error) {
	if checkSwitch(string(s)) != "" {
		return json.Marshal(string(s)) // Parse tells what is wrong with it
	}
	return []byte(s), nil
}

func checkSwitch(v string) string {
	if v != strconv.FormatBool(v == "true") {
		return "is neither true nor false"
	}
	return ""
}
