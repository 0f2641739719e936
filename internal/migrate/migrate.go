package migrate

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// Input is what to migrate.
type Input struct {
	Config      []byte
	Environment []byte // of docker-machine, empty if there is none
	Tenant      string // for where the files have none
}

// Result is a migrated configuration. None of its fields but Environment has a secret.
type Result struct {
	Config string  `json:"config"`
	Notes  []Note  `json:"notes"`
	Setups []Setup `json:"setups"`
	// Environment is the content of a file for the environment of the runner's
	// service, with the client secret; empty if there is none.
	Environment []byte `json:"-"`
}

// Decisions reports how many notes need a decision.
func (r *Result) Decisions() int {
	n := 0
	for _, note := range r.Notes {
		if note.Verdict == Decision {
			n++
		}
	}
	return n
}

// Run migrates a configuration. An error is about the input as a whole, one line
// without secrets; whatever else there is to say is in the notes.
func Run(in Input) (*Result, error) {
	text, marked := bytes.CutPrefix(in.Config, []byte(byteOrderMark))
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, inputError{0, "the configuration is empty; name the config.toml of a runner with executor docker+machine"}
	}
	d, err := parse(text)
	if err != nil {
		return nil, err
	}
	runners, others, err := d.runners()
	if err != nil {
		return nil, err
	}
	m := &migration{document: d, runners: runners, tenant: in.Tenant, newline: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		m.newline = "\r\n"
	}
	variables, unknown := parseEnvironment(in.Environment)
	m.read(variables)
	result := m.result(others, unknown)
	if marked {
		result.Config = byteOrderMark + result.Config
	}
	if err := m.checkSecrets(result); err != nil {
		return nil, err
	}
	return result, nil
}

// migration is the work on one configuration.
type migration struct {
	document *document
	runners  []*runner
	tenant   string
	newline  string
	edits    []edit
}

// read fills in the runners.
func (m *migration) read(variables []variable) {
	taken := map[string]bool{}
	for _, r := range m.runners {
		r.readSettings()
		r.readEnvironment(variables)
		r.applyOptions()
		r.fillDefaults()
		r.proposeName(taken)
		if r.tenant == "" {
			r.tenant = m.tenant
		}
	}
	m.shareSecrets()
}

func (m *migration) result(others []Note, unknown []int) *Result {
	result := &Result{Notes: others}
	for _, line := range unknown {
		result.Notes = append(result.Notes, Note{Verdict: Decision, Option: "(line)", Source: FromEnvironment, Line: line,
			Text: "not of the form NAME=VALUE; it was not read"})
	}
	result.Notes = append(result.Notes, m.document.drainNote()...)
	for _, r := range m.runners {
		most := r.maxInstances(r.readTop(m.document))
		m.edits = append(m.edits, m.document.edits(r, m.newline, most)...)
		setup := r.setup(most)
		result.Setups = append(result.Setups, setup)
		r.noteGeneral()
		r.check()
		result.Notes = append(result.Notes, r.notes...)
	}
	sortNotes(result.Notes)
	result.Config = splice(m.document.text, m.edits)
	result.Environment = m.environment()
	return result
}

// splice applies edits that do not overlap.
func splice(text []byte, edits []edit) string {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.Write(text[at:e.start])
		b.WriteString(e.text)
		at = e.end
	}
	b.Write(text[at:])
	return b.String()
}
