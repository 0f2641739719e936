package armerr

import (
	"encoding/json"
	"strings"
)

// maxDepth bounds how deep nested details are read; Azure nests two levels.
const maxDepth = 6

// parsed is the content of an error response's body. Older providers leave out
// the outer error object, and the case of keys varies.
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
	p.collect(top, maxDepth)
	p.code = firstNonEmpty(text(get(top, "code")), p.codes)
	p.message = firstNonEmpty(text(get(top, "message")), p.messages)
	p.target = firstNonEmpty(text(get(top, "target")), p.targets)
	return p
}

// collect reads an error object, its details and its inner errors.
func (p *parsed) collect(o map[string]any, left int) {
	if left == 0 {
		return
	}
	p.codes = appendText(p.codes, get(o, "code"))
	p.codes = appendText(p.codes, get(o, "internalErrorCode"))
	p.targets = appendText(p.targets, get(o, "target"))
	p.messages = appendText(p.messages, get(o, "message"))
	for _, key := range []string{"details", "innererror"} {
		switch v := get(o, key).(type) {
		case map[string]any:
			p.collect(v, left-1)
		case []any:
			p.collectAll(v, left-1)
		}
	}
}

func (p *parsed) collectAll(list []any, left int) {
	for _, v := range list {
		if o, ok := v.(map[string]any); ok {
			p.collect(o, left)
		}
	}
}

// parseEntra reads {"error": …, "error_description": …, "trace_id": …}.
func parseEntra(raw []byte) parsed {
	var o map[string]any
	if json.Unmarshal(raw, &o) != nil {
		return parsed{}
	}
	// The IDs at the end of the description have fields of their own.
	description, _, _ := strings.Cut(text(get(o, "error_description")), "Trace ID:")
	return parsed{code: text(get(o, "error")), message: Line(description), request: text(get(o, "trace_id"))}
}

// get returns a member by its name, in any case.
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

func appendText(list []string, v any) []string {
	if s := text(v); s != "" {
		return append(list, s)
	}
	return list
}

// text returns a string, also in OData's form {"lang": …, "value": …}.
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

func firstNonEmpty(s string, others []string) string {
	if s == "" && len(others) > 0 {
		return others[0]
	}
	return s
}
