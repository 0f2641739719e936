package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// value is a TOML value and where it is.
type value struct {
	kind   unstable.Kind
	text   string // of a string without its quotes and escapes, of other scalars as written
	start  int
	end    int
	line   int
	items  []value
	fields []field
}

type field struct {
	path  []string
	value value
}

// entry is one header or one key of the document.
type entry struct {
	path   []string // with the header's for a key
	header bool
	array  bool // a header in double brackets
	start  int
	end    int // after the value or after the last key of a header
	line   int
	value  value
	runner int // index of its [[runners]], -1 outside of them
}

type span struct{ start, end int }

// document is a configuration with the positions of all that is in it.
type document struct {
	text     []byte
	entries  []entry
	comments []span
}

// inputError is a mistake in what was given, with the line that it is in.
type inputError struct {
	line int
	text string
}

func (e inputError) Error() string {
	if e.line > 0 {
		return fmt.Sprintf("line %d: %s", e.line, e.text)
	}
	return e.text
}

// parse reads a configuration. It must be valid for the runner's own parser, which
// does not give positions.
func parse(text []byte) (*document, error) {
	var whole map[string]any
	if _, err := toml.Decode(string(text), &whole); err != nil {
		var at toml.ParseError
		if errors.As(err, &at) {
			// The parser's message may quote the line, and so a secret.
			// An error at a line break has the line after it in Position.Line.
			line := 1 + bytes.Count(text[:min(max(at.Position.Start, 0), len(text))], []byte("\n"))
			return nil, inputError{line, "is not valid TOML; correct it, gitlab-runner cannot read it either"}
		}
		return nil, inputError{0, "the file is not valid TOML; correct it, gitlab-runner cannot read it either"}
	}
	d := &document{text: text}
	p := unstable.Parser{KeepComments: true}
	p.Reset(text)
	var header []string
	runner := -1
	for p.NextExpression() {
		header, runner = d.add(p.Expression(), header, runner)
	}
	if p.Error() != nil {
		return nil, inputError{0, "the file is not valid TOML; correct it"}
	}
	return d, nil
}

func (d *document) add(n *unstable.Node, header []string, runner int) ([]string, int) {
	switch n.Kind {
	case unstable.Comment:
		d.comment(n)
	case unstable.Table, unstable.ArrayTable:
		path, at := d.key(n)
		array := n.Kind == unstable.ArrayTable
		switch {
		case array && is(path, "runners"):
			runner++
		case !under(path, "runners"):
			d.entries = append(d.entries, d.header(path, at, array, -1))
			return path, runner
		}
		d.entries = append(d.entries, d.header(path, at, array, runner))
		return path, runner
	case unstable.KeyValue:
		path, _ := d.key(n)
		e := entry{path: append(append([]string{}, header...), path...), value: d.value(n.Value()), runner: -1}
		e.start, e.end = int(n.Raw.Offset), int(n.Raw.Offset+n.Raw.Length)
		e.line = d.line(e.start)
		if under(header, "runners") {
			e.runner = runner
		}
		d.entries = append(d.entries, e)
	}
	return header, runner
}

func (d *document) header(path []string, at span, array bool, runner int) entry {
	return entry{path: path, header: true, array: array, start: at.start, end: at.end, line: d.line(at.start), runner: runner}
}

func (d *document) key(n *unstable.Node) ([]string, span) {
	var path []string
	var at span
	for it := n.Key(); it.Next(); {
		k := it.Node()
		if len(path) == 0 {
			at.start = int(k.Raw.Offset)
		}
		at.end = int(k.Raw.Offset + k.Raw.Length)
		path = append(path, string(k.Data))
	}
	return path, at
}

func (d *document) value(n *unstable.Node) value {
	v := value{kind: n.Kind, text: string(n.Data), start: int(n.Raw.Offset), end: int(n.Raw.Offset + n.Raw.Length)}
	v.line = d.line(v.start)
	for it := n.Children(); it.Next(); {
		child := it.Node()
		switch {
		case child.Kind == unstable.Comment:
			d.comment(child)
		case n.Kind == unstable.Array:
			v.items = append(v.items, d.value(child))
		case n.Kind == unstable.InlineTable && child.Kind == unstable.KeyValue:
			path, _ := d.key(child)
			v.fields = append(v.fields, field{path, d.value(child.Value())})
		}
	}
	return v
}

func (d *document) comment(n *unstable.Node) {
	if n.Raw.Length > 0 {
		d.comments = append(d.comments, span{int(n.Raw.Offset), int(n.Raw.Offset + n.Raw.Length)})
	}
	for it := n.Children(); it.Next(); {
		d.comment(it.Node())
	}
}

func (d *document) line(offset int) int {
	return 1 + bytes.Count(d.text[:offset], []byte("\n"))
}

// lineStart and lineEnd are the limits of the whole line at an offset, its line
// break included.
func (d *document) lineStart(offset int) int {
	return bytes.LastIndexByte(d.text[:offset], '\n') + 1
}

func (d *document) lineEnd(offset int) int {
	if n := bytes.IndexByte(d.text[offset:], '\n'); n >= 0 {
		return offset + n + 1
	}
	return len(d.text)
}

// rest returns the text of the line after an entry, without the brackets of a header.
func (d *document) rest(e entry) string {
	s := strings.TrimSpace(string(d.text[e.end:d.lineEnd(e.end)]))
	if e.header {
		s = strings.TrimSpace(strings.TrimLeft(s, "] \t"))
	}
	return s
}

// is reports whether a path has these keys. The runner's parser takes them in any case,
// but two spellings are two tables, and here runners has one.
func is(path []string, keys ...string) bool {
	return len(path) == len(keys) && under(path, keys...)
}

func under(path []string, keys ...string) bool {
	if len(path) < len(keys) {
		return false
	}
	for i, k := range keys {
		if !strings.EqualFold(path[i], k) || k == "runners" && path[i] != k {
			return false
		}
	}
	return true
}
