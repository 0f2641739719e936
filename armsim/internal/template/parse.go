package template

import (
	"strconv"
	"strings"
)

// An expression is a call of a function, or a literal among its arguments; what
// a call returns may be followed by members and indexes.

// node is one part of an expression.
type node struct {
	literal any     // of a literal: a string, a float64
	name    string  // of a call: the function's
	args    []*node // of a call
	of      *node   // of a member or an index: what it is taken of
	key     *node   // the member's name, or the index
}

// maxLength is Azure's limit of an expression, in bytes; it bounds the depth, too.
const maxLength = 24_576

// maxDepth bounds the nesting. Azure's own limit is not documented.
const maxDepth = 200

type parser struct {
	text  string
	at    int
	depth int
}

// isExpression reports whether a string of a template is an expression, which is
// in brackets; a second opening one escapes it.
func isExpression(s string) bool {
	return len(s) > 1 && s[0] == '[' && s[1] != '[' && s[len(s)-1] == ']'
}

// parse reads an expression with its brackets.
func parse(s string) (*node, error) {
	if len(s) > maxLength {
		return nil, invalid("The template language expression is longer than %d characters", maxLength)
	}
	p := &parser{text: s[1 : len(s)-1]}
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.at < len(p.text) {
		return nil, p.unexpected()
	}
	if n.literal != nil {
		return nil, invalid("Unable to parse language expression '%s': expected a function call and found a literal", p.text)
	}
	return n, nil
}

func (p *parser) unexpected() error {
	p.skipSpace()
	if p.at >= len(p.text) {
		return invalid("Unable to parse language expression '%s': unexpected end", p.text)
	}
	return invalid("Unable to parse language expression '%s': unexpected character at position '%d'", p.text, p.at)
}

func (p *parser) skipSpace() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take moves past the next character if it is the one expected.
func (p *parser) take(c byte) bool {
	p.skipSpace()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) expression() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, invalid("The template language expression is nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	p.skipSpace()
	if p.at >= len(p.text) {
		return nil, p.unexpected()
	}
	switch c := p.text[p.at]; {
	case c == '\'':
		return p.quoted()
	case c == '-' || isDigit(c):
		return p.number()
	case isLetter(c):
		return p.call()
	}
	return nil, p.unexpected()
}

// quoted reads a string, in which a quote is written twice.
func (p *parser) quoted() (*node, error) {
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		if p.text[p.at] != '\'' {
			b.WriteByte(p.text[p.at])
			continue
		}
		if p.at++; p.at >= len(p.text) || p.text[p.at] != '\'' {
			return &node{literal: b.String()}, nil
		}
		b.WriteByte('\'')
	}
	return nil, p.unexpected()
}

func (p *parser) number() (*node, error) {
	start := p.at
	p.take('-')
	for p.at < len(p.text) && isDigit(p.text[p.at]) {
		p.at++
	}
	n, err := strconv.ParseInt(p.text[start:p.at], 10, 53)
	if err != nil {
		return nil, invalid("Unable to parse language expression '%s': '%s' is no number", p.text, p.text[start:p.at])
	}
	return &node{literal: float64(n)}, nil
}

func (p *parser) word() string {
	start := p.at
	for p.at < len(p.text) && (isLetter(p.text[p.at]) || isDigit(p.text[p.at]) || p.text[p.at] == '$') {
		p.at++
	}
	return p.text[start:p.at]
}

// call reads a function with its arguments, and what is taken of its value.
func (p *parser) call() (*node, error) {
	n := &node{name: p.word()}
	if !p.take('(') {
		return nil, p.unexpected()
	}
	for !p.take(')') {
		if len(n.args) > 0 && !p.take(',') {
			return nil, p.unexpected()
		}
		arg, err := p.expression()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
	}
	return p.taken(n)
}

// taken reads the members and indexes after a call.
func (p *parser) taken(n *node) (*node, error) {
	for {
		switch {
		case p.take('.'):
			name := p.word()
			if name == "" {
				return nil, p.unexpected()
			}
			n = &node{of: n, key: &node{literal: name}}
		case p.take('['):
			key, err := p.expression()
			if err != nil {
				return nil, err
			}
			if !p.take(']') {
				return nil, p.unexpected()
			}
			n = &node{of: n, key: key}
		default:
			return n, nil
		}
	}
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// each calls visit for the node and all below it.
func (n *node) each(visit func(*node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, arg := range n.args {
		arg.each(visit)
	}
	n.of.each(visit)
	n.key.each(visit)
}
