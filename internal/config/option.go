package config

import (
	"fmt"
	"slices"
	"strings"
)

// Option declares one key of plugin_config.
type Option struct {
	// Group is the heading under which the option is documented.
	Group string
	// Key is the key in config.toml.
	Key string
	// Type describes the type of the value.
	Type string
	// Default is the value of an absent key.
	Default string
	// Choices are the only values allowed, if there are any.
	Choices []Choice
	// AnyCase: a choice may be written in any case.
	AnyCase bool
	// Rule describes a valid value; it completes "use …".
	Rule string
	// Required describes when the key must be given; empty for never.
	Required string
	// NeededBy are the credentials that need the key; none if Required holds for all.
	NeededBy []string
	// OnlyFor are the credentials with which the key may be given; none for all.
	OnlyFor []string
	// Env is the environment variable that fills in an absent key.
	Env string
	// EnvFor are the credentials for which Env is read.
	EnvFor []string
	// StandIn is the environment variable whose presence makes the key unnecessary.
	StandIn string
	// Example is a valid value.
	Example string
	// Doc explains the option.
	Doc string
	// Keys are the keys of the table that may be given in place of a string.
	Keys []Option

	hidden  bool // the value may be a secret and is never shown
	aliases []string
	at      func(*Config) *string
	check   func(string) string // returns the problem of a value; empty: it is valid
}

// Choice is one allowed value of an [Option].
type Choice struct {
	// Value is what to write.
	Value string
	// Doc explains the value.
	Doc string

	aliases []string
}

// Options returns the table of all options in the order of the reference page.
func Options() []Option {
	return cloneOptions(table)
}

func cloneOptions(options []Option) []Option {
	options = slices.Clone(options)
	for i := range options {
		o := &options[i]
		o.Choices = slices.Clone(o.Choices)
		o.NeededBy = slices.Clone(o.NeededBy)
		o.OnlyFor = slices.Clone(o.OnlyFor)
		o.EnvFor = slices.Clone(o.EnvFor)
		o.Keys = cloneOptions(o.Keys)
	}
	return options
}

// expected names the types of value that the option takes.
func (o Option) expected() string {
	if len(o.Keys) > 0 {
		return "a string or a table"
	}
	switch o.Type {
	case typeBoolean:
		return "a boolean"
	case typeList:
		return "an array of strings"
	case typeNumber:
		return "a number"
	}
	return "a string"
}

// fix returns the fix for an invalid or missing value.
func (o Option) fix() string {
	if len(o.Choices) == 0 {
		return "use " + o.Rule
	}
	values := make([]string, len(o.Choices))
	for i, c := range o.Choices {
		values[i] = c.Value
	}
	return "use " + orList(values)
}

// validate returns the value to store, or the problem of v with its fix.
func (o Option) validate(v string) (stored, problem string) {
	if len(o.Choices) == 0 {
		if reason := o.check(v); reason != "" {
			return v, reason + "; " + o.fix()
		}
		return v, ""
	}
	for _, c := range o.Choices {
		if v == c.Value || o.AnyCase && strings.EqualFold(v, c.Value) {
			return c.Value, ""
		}
	}
	if near := nearestChoice(v, o.Choices); near != "" {
		return v, fmt.Sprintf("is not known; did you mean %q?", near)
	}
	return v, "is not known; " + o.fix()
}
