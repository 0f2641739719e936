package runnerconfig

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Lines are the lines of keys and tables, from 1, by their paths: the names joined by
// dots, with the place in an array of tables, from 0, after its name. The plugin of the
// second runner is at "runners.1.autoscaler.plugin".
type Lines map[string]int

// Of returns the line of a path, or of the nearest table around it; 0: of none.
func (l Lines) Of(path ...string) int {
	for n := len(path); n > 0; n-- {
		if line, ok := l[strings.Join(path[:n], ".")]; ok {
			return line
		}
	}
	return 0
}

// indexer follows the expressions of a document.
type indexer struct {
	parser unstable.Parser
	lines  Lines
	counts map[string]int // of the tables in an array, by path
	table  []string       // that the next keys belong to
}

// index finds the lines of all keys. The error has a line of its own.
func index(data []byte) (Lines, error) {
	x := indexer{lines: Lines{}, counts: map[string]int{}}
	x.parser.Reset(data)
	for x.parser.NextExpression() {
		e := x.parser.Expression()
		switch e.Kind {
		case unstable.Table:
			x.table = x.resolve(x.names(e))
			x.note(x.table, e)
		case unstable.ArrayTable:
			names := x.resolve(x.names(e))
			key := strings.Join(names, ".")
			x.table = append(names, strconv.Itoa(x.counts[key]))
			x.counts[key]++
			x.note(x.table, e)
		case unstable.KeyValue:
			x.note(append(append([]string{}, x.table...), x.names(e)...), e)
		}
	}
	var bad *unstable.ParserError
	if err := x.parser.Error(); errors.As(err, &bad) {
		line := x.parser.Shape(x.parser.Range(bad.Highlight)).Start.Line
		return nil, fmt.Errorf("line %d: %s", line, bad.Message)
	} else if err != nil {
		return nil, err
	}
	return x.lines, nil
}

// names are the parts of an expression's key.
func (x *indexer) names(e *unstable.Node) (names []string) {
	for it := e.Key(); it.Next(); {
		names = append(names, string(it.Node().Data))
	}
	return names
}

// resolve puts the place of the last table of an array after the array's name, where a
// longer name goes through it.
func (x *indexer) resolve(names []string) (path []string) {
	for n, name := range names {
		path = append(path, name)
		if count := x.counts[strings.Join(path, ".")]; count > 0 && n < len(names)-1 {
			path = append(path, strconv.Itoa(count-1))
		}
	}
	return path
}

func (x *indexer) note(path []string, e *unstable.Node) {
	it := e.Key()
	if !it.Next() {
		return
	}
	line := x.parser.Shape(x.parser.Range(it.Node().Data)).Start.Line
	if key := strings.Join(path, "."); x.lines[key] == 0 {
		x.lines[key] = line
	}
}
