package armerr

import (
	"encoding/json"
	"strings"
)

// depth bounds how far into nested details the reader goes; Azure nests two.
const depth = 6

// parsed is what the body of an answer of Azure holds. Older providers leave
// out the outer error object, and capitals vary.
type parsed struct {
	code, message, target, request string
	codes, targets, messages       []string
}

func parse(raw []byte) parsed {
	var top map[string]any
	if json.Unmarshal(raw, &top) != nil {
		return parsed{}
	}
	for _, key := range []string{"error", "odata.error"} {
		if inner, ok := get(top, key).(map[string]any); ok {
			top = inner
			break
		}
	}
	var p parsed
	p.walk(top, depth)
	p.code = first(text(get(top, "code")), p.codes)
	p.message = first(text(get(top, "message")), p.messages)
	p.target = first(text(get(top, "target")), p.targets)
	return p
}

// walk collects from an error object, its details and its inner errors.
func (p *parsed) walk(o map[string]any, left int) {
	if left == 0 {
		return
	}
	p.codes = keep(p.codes, get(o, "code"))
	p.codes = keep(p.codes, get(o, "internalErrorCode"))
	p.targets = keep(p.targets, get(o, "target"))
	p.messages = keep(p.messages, get(o, "message"))
	for _, key := range []string{"details", "innererror"} {
		switch v := get(o, key).(type) {
		case map[string]any:
			p.walk(v, left-1)
		case []any:
			p.walkAll(v, left-1)
		}
	}
}

func (p *parsed) walkAll(list []any, left int) {
	for _, v := range list {
		if o, ok := v.(map[string]any); ok {
			p.walk(o, left)
		}
	}
}

// parseEntra reads {"error": …, "error_description": …, "trace_id": …}.
func parseEntra(raw []byte) parsed {
	var o map[string]any
	if json.Unmarshal(raw, &o) != nil {
		return parsed{}
	}
	// The IDs at the description's end are in members of their own.
	description, _, _ := strings.Cut(text(get(o, "error_description")), "Trace ID:")
	return parsed{code: text(get(o, "error")), message: Line(description), request: text(get(o, "trace_id"))}
}

// get finds a member by its name, or else by its name in other capitals.
func get(o map[string]any, key string) any {
	if v, ok := o[key]; ok {
		return v
	}
	for k, v := range o {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return nil
}

func keep(list []string, v any) []string {
	if s := text(v); s != "" {
		return append(list, s)
	}
	return list
}

// text returns a string member, also in OData's form {"lang": …, "value": …}.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case map[string]any:
		s, _ := get(v, "value").(string)
		return strings.TrimSpace(s)
	}
	return ""
}

func first(s string, others []string) string {
	if s == "" && len(others) > 0 {
		return others[0]
	}
	return s
}
