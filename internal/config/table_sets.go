package config

import (
	"encoding/json"
	"fmt"
	"strings"
)

// mostScaleSets bounds how many scale sets a runner may have: each is read with every
// update.
const mostScaleSets = 10

const typeList = "array of strings"

var scaleSetsOption = Option{
	Group: groupScaleSet, Key: "scale_sets", Type: typeList,
	Rule:    fmt.Sprintf("1 to %d scale sets, each by its name or its resource ID, as in `name`", mostScaleSets),
	Example: `["ci-spot", "ci-regular"]`,
	Doc: "Instead of `name`: several scale sets, in the order in which they are to be used. " +
		"What the first has no room for, by a quota, for lack of machines, or as Azure takes Spot instances back, the next one makes. " +
		"They may be of different resource groups, subscriptions, regions, zones, sizes and orchestration modes. " +
		"See [Fall back to another scale set](../guides/fallback.md).",
	aliases: []string{"scale_set_names", "names", "fallback"},
	at:      func(c *Config) *string { return (*string)(&c.ScaleSets) },
	check:   checkScaleSets,
}

// List is an array of strings as it is written in config.toml; empty: there is none. A
// Config holds it as JSON, so that it can be compared.
type List string

// Items returns the strings, none for a list that is not valid.
func (l List) Items() (items []string) {
	_ = json.Unmarshal([]byte(l), &items)
	return items
}

// MarshalJSON writes an array, as it is in config.toml.
func (l List) MarshalJSON() ([]byte, error) {
	if l.Items() == nil {
		return json.Marshal(string(l)) // Parse tells what is wrong with it
	}
	return []byte(l), nil
}

// listOf makes a List.
func listOf(items []string) (List, error) {
	raw, err := json.Marshal(items)
	return List(raw), err
}

func checkScaleSets(v string) string {
	items := List(v).Items()
	switch {
	case len(items) == 0:
		return "is not an array of strings"
	case len(items) > mostScaleSets:
		return fmt.Sprintf("holds more than %d scale sets", mostScaleSets)
	}
	for _, item := range items {
		if reason := checkName(item); reason != "" {
			return fmt.Sprintf("holds %s, which %s", show(item), reason)
		}
	}
	return ""
}

// checkSets applies the rules for several scale sets: there is no other one, and each is
// named once.
func (p *parser) checkSets() {
	c := &p.config
	if c.ScaleSets == "" {
		return
	}
	if c.Name != "" {
		p.report("name and scale_sets are both given; remove name, and put that scale set where it belongs in scale_sets")
	}
	p.wrong["name"] = true // it is not needed
	bare := false
	for _, item := range c.ScaleSets.Items() {
		bare = bare || !strings.Contains(item, "/")
	}
	if !bare || p.wrong["scale_sets"] {
		p.wrong["subscription_id"], p.wrong["resource_group_name"] = true, true // neither are they
	}
	p.checkTwice()
}

func (p *parser) checkTwice() {
	if p.wrong["scale_sets"] {
		return
	}
	seen := map[string]bool{}
	for _, set := range p.config.Sets() {
		id := strings.ToLower(set.ScaleSetID())
		if seen[id] {
			p.report("scale_sets names the scale set %s more than once; keep one", show(set.Name))
		}
		seen[id] = true
	}
}

// Sets returns a configuration for each scale set, in order, with its own name,
// subscription and resource group, and without ScaleSets.
func (c Config) Sets() []Config {
	items := c.ScaleSets.Items()
	if len(items) == 0 {
		return []Config{c}
	}
	sets := make([]Config, len(items))
	for n, item := range items {
		set := c
		set.Name, set.ScaleSets = item, ""
		if id, reason := parseScaleSetID(item); strings.Contains(item, "/") && reason == "" {
			set.Name, set.SubscriptionID, set.ResourceGroupName = id.Name, id.SubscriptionID, id.ResourceGroupName
		}
		sets[n] = set
	}
	return sets
}
