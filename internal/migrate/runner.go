package migrate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// byteOrderMark is what some editors of Windows put before a text.
const byteOrderMark = "\uFEFF"

// setting is an option with its value, as it was found.
type setting struct {
	name   string
	value  string
	source Source
	line   int
}

// runner is one [[runners]] with docker+machine and the azure driver.
type runner struct {
	index    int
	name     string
	executor entry
	machine  []entry // all of its [runners.machine] and below
	limit    int
	idle     schedule
	offPeak  schedule
	periods  []schedule
	maxUse   int

	template     string // MachineName
	scaleSet     string
	subscription string
	group        string
	tenant       string
	client       string
	secret       string
	secretFile   string // in place of AZURE_CLIENT_SECRET
	cloud        string

	location string
	size     string
	image    string
	sshUser  string
	zones    string
	vnet     string
	subnet   string
	private  bool
	noPublic bool
	models   []string // assignments for az vmss update

	given    map[string]setting // driver options by name
	unread   []string           // driver options whose variable takes a shell
	extra    []string           // all hidden values
	notes    []Note
	comments []string // of the tables that go
}

func (r *runner) note(verdict Verdict, option string, source Source, line int, text string) {
	r.notes = append(r.notes, Note{Verdict: verdict, Runner: r.name, Option: option, Source: source, Line: line, Text: text})
}

// noteOption notes an option with its usual verdict, or with another one.
func (r *runner) noteOption(o Option, s setting, verdict Verdict, text string) {
	if verdict == "" {
		verdict = o.Verdict
	}
	if text == "" {
		text = o.Fate
	}
	r.note(verdict, s.name, s.source, s.line, text)
}

// maxInstances is how many instances the runner had at most: its limit, or, without
// one, a job each, of which there are at most concurrent, and the idle ones.
func (r *runner) maxInstances(concurrent int) int {
	if r.limit > 0 {
		return r.limit
	}
	idle := r.idle.most()
	for _, p := range append(r.periods, r.offPeak) {
		idle = max(idle, p.most())
	}
	return concurrent + idle
}

// readRunner returns the runner of an index, nil if its executor is another one.
func (d *document) readRunner(index int) *runner {
	r := &runner{index: index, given: map[string]setting{}}
	executor := ""
	for _, e := range d.entries {
		switch {
		case e.runner != index:
		case is(e.path, "runners", "executor"):
			executor, r.executor = e.value.text, e
		case is(e.path, "runners", "name"):
			r.name = e.value.text
		case under(e.path, "runners", "machine"):
			r.machine = append(r.machine, e)
		}
	}
	if executor != "docker+machine" {
		return nil
	}
	if r.name == "" {
		r.name = fmt.Sprintf("runner %d", index+1)
	}
	return r
}

// driver returns MachineDriver, empty if there is none.
func (r *runner) driver() string {
	for _, l := range r.leaves() {
		if is(l.path, "MachineDriver") {
			return l.value.text
		}
	}
	return ""
}

// leaf is a setting below [runners.machine]; group is the number of its autoscaling
// table, -1 for none.
type leaf struct {
	path  []string
	group int
	value value
}

// leaves returns all settings below [runners.machine], however they are written: as
// tables, dotted keys or inline tables.
func (r *runner) leaves() []leaf {
	var all []leaf
	group := -1
	for _, e := range r.machine {
		path := e.path[2:]
		switch {
		case e.header && e.array && is(path, "autoscaling"):
			group++
		case e.header:
		default:
			all = appendLeaves(all, path, group, e.value)
		}
	}
	return all
}

func appendLeaves(all []leaf, path []string, group int, v value) []leaf {
	switch {
	case v.kind == unstable.InlineTable:
		for _, f := range v.fields {
			all = appendLeaves(all, append(append([]string{}, path...), f.path...), group, f.value)
		}
	case is(path, "autoscaling"):
		for i, item := range v.items {
			all = appendLeaves(all, path, i, item)
		}
	case under(path, "autoscaling"):
		all = append(all, leaf{path[1:], group, v})
	default:
		all = append(all, leaf{path, -1, v})
	}
	return all
}

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// number returns a value that is a whole number and not negative.
func (v value) number() (int, bool) {
	n, err := strconv.Atoi(strings.ReplaceAll(v.text, "_", ""))
	return n, err == nil && n >= 0 && v.kind == unstable.Integer
}

func (v value) float() (float64, bool) {
	f, err := strconv.ParseFloat(strings.ReplaceAll(v.text, "_", ""), 64)
	return f, err == nil && f >= 0 && f < 1e6 && (v.kind == unstable.Float || v.kind == unstable.Integer)
}

// words returns the strings of an array.
func (v value) words() []value {
	var all []value
	for _, item := range v.items {
		if item.kind == unstable.String {
			all = append(all, item)
		}
	}
	return all
}
