package template

import (
	"bytes"
	"encoding/json"
)

// Relaxed makes JSON of what Resource Manager takes for it in a deployment: with
// comments, names without quotes and strings over several lines. Azure CLI sends
// all of these (its JsonCTemplatePolicy). What is JSON stays what it is; what is
// none of both may come out as anything.
func Relaxed(text []byte) []byte {
	r := relaxer{text: text}
	for r.at < len(text) {
		r.next()
	}
	return r.out.Bytes()
}

type relaxer struct {
	text []byte
	at   int
	out  bytes.Buffer
}

func (r *relaxer) starts(with string) bool {
	return bytes.HasPrefix(r.text[r.at:], []byte(with))
}

func (r *relaxer) next() {
	switch c := r.text[r.at]; {
	case c == '"':
		r.copyString()
	case r.starts("//"):
		r.skipTo("\n")
	case r.starts("/*"):
		r.skipTo("*/")
	case isLetter(c) || c == '$':
		r.copyWord()
	default:
		r.out.WriteByte(c)
		r.at++
	}
}

// skipTo leaves out all up to the end of a comment.
func (r *relaxer) skipTo(end string) {
	n := bytes.Index(r.text[r.at+2:], []byte(end))
	if n < 0 {
		r.at = len(r.text)
		return
	}
	r.at += 2 + n + len(end)
	r.out.WriteByte(' ')
}

// copyString copies a string, with its line breaks escaped.
func (r *relaxer) copyString() {
	r.out.WriteByte('"')
	for r.at++; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case '\n':
			r.out.WriteString(`\n`)
		case '\r':
			r.out.WriteString(`\r`)
		case '\t':
			r.out.WriteString(`\t`)
		case '\\':
			r.out.WriteByte(c)
			if r.at++; r.at < len(r.text) {
				r.out.WriteByte(r.text[r.at])
			}
		case '"':
			r.out.WriteByte(c)
			r.at++
			return
		default:
			r.out.WriteByte(c)
		}
	}
}

// copyWord copies a literal, and a name in quotes: a colon follows it.
func (r *relaxer) copyWord() {
	start := r.at
	for r.at < len(r.text) && (isLetter(r.text[r.at]) || isDigit(r.text[r.at]) || r.text[r.at] == '$' || r.text[r.at] == '.') {
		r.at++
	}
	word := r.text[start:r.at]
	if rest := bytes.TrimLeft(r.text[r.at:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
		quoted, _ := json.Marshal(string(word)) // a string has no error
		word = quoted
	}
	r.out.Write(word)
}
