package config

import (
	"encoding/json"
	"strconv"
)

// mostWarm is what a scale set takes at most.
const mostWarm = 1000

var poolOptions = []Option{
	{
		Group: groupPool, Key: "warm_pool_size", Type: typeNumber, Default: "0",
		Rule:    "a whole number from 0 to 1000, without quotes",
		Example: "4",
		Doc: "How many instances are kept that were created, booted once and deallocated, for later increases: starting them again takes less time than creating others. " +
			"They cost their disks, and the time until they have booted; the runner does not see them, and they do not count in its `max_instances`, but in the scale set's capacity. " +
			"An instance that the runner has got never returns. With `0` those that there are get deleted. " +
			"They stay when the runner ends, also with `delete_instances_on_shutdown`. " +
			"See [decision 16](../decisions/0016-warm-pool.md).",
		aliases: []string{"warm_pool", "pool_size", "warm_instances", "standby_count"},
		at:      func(c *Config) *string { return (*string)(&c.WarmPoolSize) },
		check:   checkWarmPoolSize,
	},
}

const typeNumber = "number"

// Number is a whole number; empty, as in a Config that was not parsed, is 0.
type Number string

// Int returns the number, 0 for one that is not valid.
func (n Number) Int() int {
	v, err := strconv.Atoi(string(n))
	if err != nil {
		return 0
	}
	return v
}

// MarshalJSON writes a number, as it is in config.toml.
func (n Number) MarshalJSON() ([]byte, error) {
	if checkWarmPoolSize(string(n)) != "" {
		return json.Marshal(string(n)) // Parse tells what is wrong with it
	}
	return []byte(n), nil
}

func checkWarmPoolSize(v string) string {
	n, err := strconv.Atoi(v)
	switch {
	case err != nil || strconv.Itoa(n) != v:
		return "is not a whole number"
	case n < 0 || n > mostWarm:
		return "is out of range"
	}
	return ""
}
