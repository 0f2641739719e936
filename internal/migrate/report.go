package migrate

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteNotes writes the notes as a table for each verdict.
func (r *Result) WriteNotes(w io.Writer) error {
	several := len(r.Setups) > 1
	for _, verdict := range Verdicts {
		rows := r.rows(verdict, several)
		if len(rows) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s:\n", Headings[verdict]); err != nil {
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range rows {
			if _, err := fmt.Fprintln(table, "  "+strings.Join(row, "\t")); err != nil {
				return err
			}
		}
		if err := table.Flush(); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

func (r *Result) rows(verdict Verdict, several bool) [][]string {
	var rows [][]string
	for _, n := range r.Notes {
		if n.Verdict != verdict {
			continue
		}
		row := []string{n.place(), n.Option, n.Text}
		if several {
			row = append([]string{n.Runner}, row...)
		}
		rows = append(rows, row)
	}
	return rows
}

// place is the line of a note, with the file if it is not the configuration.
func (n Note) place() string {
	switch {
	case n.Line == 0:
		return "-"
	case n.Source == FromEnvironment:
		return fmt.Sprintf("environment:%d", n.Line)
	}
	return fmt.Sprintf("line %d", n.Line)
}

// WriteCommands writes what to type for the scale sets.
func (r *Result) WriteCommands(w io.Writer) error {
	for _, s := range r.Setups {
		name := ""
		if len(r.Setups) > 1 {
			name = " of " + s.Runner
		}
		if _, err := fmt.Fprintf(w, "# Make the scale set%s:\n%s\n", name, s.Command()); err != nil {
			return err
		}
		if model := s.ModelCommand(); model != "" {
			if _, err := fmt.Fprintf(w, "# Then, for what setup has no flags for:\n%s\n", model); err != nil {
				return err
			}
		}
	}
	return nil
}
