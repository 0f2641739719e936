package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

const maxInput = 64 << 10

// checkSyntax returns why raw is not a single JSON object, empty if it is.
func checkSyntax(raw []byte) string {
	if len(raw) > maxInput {
		return fmt.Sprintf("%d bytes are too many; keep it under %d", len(raw), maxInput)
	}
	// Without a plugin_config in config.toml fleeting passes null.
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || string(trimmed) == "null" {
		return "it is empty; set at least name, subscription_id and resource_group_name"
	}
	var whole json.RawMessage
	err := json.Unmarshal(raw, &whole)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("not valid JSON at byte %d: %s", syntax.Offset, syntax.Error())
	case err != nil:
		return "not valid JSON"
	case kindOf(whole) != "a table":
		return fmt.Sprintf("found %s, expected a table of options", kindOf(whole))
	}
	return ""
}

// kindOf names the kind of a JSON value in TOML's terms.
func kindOf(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	switch raw[0] {
	case '{':
		return "a table"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

type member struct {
	key   string
	value json.RawMessage
}

// members splits a valid JSON object and keeps order, case and repetition, which
// encoding/json loses in a struct or a map.
func members(raw json.RawMessage) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var all []member
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		key, _ := t.(string)
		all = append(all, member{key, v})
	}
	return all, nil
}

// parser collects decoded values and problems.
type parser struct {
	config   Config
	getenv   func(string) string
	wrong    map[string]bool // keys that have been reported
	problems Problems
}

func (p *parser) report(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

func (p *parser) object(prefix string, options []Option, raw json.RawMessage) {
	all, err := members(raw)
	if err != nil {
		p.report("not valid JSON")
		return
	}
	count := map[string]int{}
	for _, m := range all {
		count[m.key]++
		if count[m.key] == 2 {
			p.report("key %s is given more than once; keep one", show(prefix+m.key))
		}
		if count[m.key] == 1 {
			p.member(prefix, options, m)
		}
	}
}

func (p *parser) member(prefix string, options []Option, m member) {
	for _, o := range options {
		if o.Key == m.key {
			p.value(prefix, o, m.value)
			return
		}
	}
	p.problems = append(p.problems, unknownKey(prefix, options, m.key))
}

func (p *parser) value(prefix string, o Option, raw json.RawMessage) {
	key := prefix + o.Key
	if len(o.Keys) > 0 && kindOf(raw) == "a table" {
		p.object(key+".", o.Keys, raw)
		p.requireKeys(key+".", o.Keys)
		return
	}
	kind := kindOf(raw)
	if kind == "a boolean" && o.Type == typeBoolean || kind == "a number" && o.Type == typeNumber {
		p.set(key, o, key, string(bytes.TrimSpace(raw)))
		return
	}
	if kind == "an array" && o.Type == typeList {
		p.list(key, o, raw)
		return
	}
	if kind != "a string" || o.Type == typeBoolean || o.Type == typeNumber || o.Type == typeList {
		p.wrong[key] = true
		p.report("%s is %s, expected %s; %s", key, kind, o.expected(), o.fix())
		return
	}
	var v string
	if err := json.Unmarshal(raw, &v); err != nil {
		p.wrong[key] = true
		p.report("%s is not valid JSON", key)
		return
	}
	p.set(key, o, key, v)
}

// list validates and stores an array. An empty one counts as an absent key.
func (p *parser) list(key string, o Option, raw json.RawMessage) {
	var items []string
	if err := json.Unmarshal(raw, &items); err != nil {
		p.wrong[key] = true
		p.report("%s holds something else than strings; %s", key, o.fix())
		return
	}
	items = slices.DeleteFunc(items, func(item string) bool { return item == "" })
	if len(items) == 0 {
		return
	}
	list, err := listOf(items)
	if err != nil {
		p.wrong[key] = true
		p.report("%s is not valid JSON", key)
		return
	}
	p.set(key, o, key, string(list))
}

// set validates and stores a value; source is the key or the variable it is from.
// An empty string counts as an absent key: generated files often have them.
func (p *parser) set(key string, o Option, source, v string) {
	if v == "" {
		return
	}
	stored, problem := o.validate(v)
	*o.at(&p.config) = stored
	if problem == "" {
		return
	}
	p.wrong[key] = true
	switch {
	case o.hidden:
		source += " " + notShown
	case o.Type != typeList: // whose problem names the item
		source += " " + show(v)
	}
	p.report("%s %s", source, problem)
}
