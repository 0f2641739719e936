package migrate

import (
	"fmt"
	"regexp"
	"strings"
)

// runners returns the runners to migrate, and a note on each with docker+machine that
// is left alone.
func (d *document) runners() (migrate []*runner, others []Note, err error) {
	count, drivers := 0, []string{}
	for _, e := range d.entries {
		switch {
		case e.header && e.array && is(e.path, "runners"):
			count++
		case !e.header && is(e.path, "runners"):
			return nil, nil, inputError{e.line, "runners is an inline array; write each runner as [[runners]]"}
		case e.header && !e.array && is(e.path, "runners"):
			return nil, nil, inputError{e.line, "[runners] is a table; write it as [[runners]]"}
		}
	}
	for i := range count {
		r := d.readRunner(i)
		if r == nil {
			continue
		}
		if !equalFold(r.driver(), "azure") {
			drivers = append(drivers, shownDriver(r.driver()))
			others = append(others, Note{Verdict: Mapped, Runner: r.name, Option: "MachineDriver", Source: FromConfig, Line: r.executor.line,
				Text: "the driver is " + shownDriver(r.driver()) + ", not azure; this runner is left as it is"})
			continue
		}
		if at := d.autoscalerLine(i); at > 0 {
			return nil, nil, inputError{at, fmt.Sprintf("runner %q has [runners.autoscaler] already; remove it, or its [runners.machine]", r.name)}
		}
		migrate = append(migrate, r)
	}
	switch {
	case len(migrate) > 0:
		return migrate, others, nil
	case len(drivers) > 0:
		return nil, nil, inputError{0, fmt.Sprintf("the driver of docker-machine is %s; only azure can be migrated to this plugin", strings.Join(drivers, ", "))}
	case count == 0:
		return nil, nil, inputError{0, "there is no [[runners]]; name the config.toml of a GitLab Runner"}
	}
	return nil, nil, inputError{0, `no runner has executor = "docker+machine"; there is nothing to migrate`}
}

var driverName = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)

func shownDriver(name string) string {
	switch {
	case name == "":
		return "missing"
	case driverName.MatchString(name):
		return name
	}
	return "(not shown)"
}

func (d *document) autoscalerLine(runner int) int {
	for _, e := range d.entries {
		if e.runner == runner && under(e.path, "runners", "autoscaler") {
			return e.line
		}
	}
	return 0
}

// drainNote notes [machine.shutdown_drain], which is at the top of the file and stays:
// runners that are not migrated need it.
func (d *document) drainNote() []Note {
	for _, e := range d.entries {
		if e.runner < 0 && under(e.path, "machine", "shutdown_drain") {
			o, _ := machineSetting("shutdown_drain")
			return []Note{{Verdict: o.Verdict, Option: o.Name, Source: FromConfig, Line: e.line, Text: o.Fate}}
		}
	}
	return nil
}
