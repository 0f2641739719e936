package migrate

import (
	"fmt"
	"slices"
	"strings"
)

// readSettings takes over all settings of [runners.machine] and notes their fate. The
// options of the driver are only collected: those of the environment come first.
func (r *runner) readSettings() {
	for _, l := range r.leaves() {
		name := strings.Join(l.path, ".")
		if l.group >= 0 {
			name = "autoscaling." + name
		}
		o, known := machineSetting(name)
		if !known {
			r.note(Dropped, shownName(name), FromConfig, l.value.line, "not a setting of [runners.machine]; the runner ignored it")
			continue
		}
		s := setting{name: name, source: FromConfig, line: l.value.line}
		if !r.readSetting(o, s, l) {
			r.note(Decision, name, FromConfig, l.value.line, "its value is not one that the runner takes; it was left out")
		}
	}
}

// readSetting reports whether the value is valid.
func (r *runner) readSetting(o Option, s setting, l leaf) bool {
	switch {
	case l.group >= 0:
		for len(r.periods) <= l.group {
			r.periods = append(r.periods, schedule{line: s.line})
		}
		return r.readSchedule(&r.periods[l.group], o, s, strings.TrimPrefix(o.Name, "autoscaling."), l.value)
	case strings.HasPrefix(o.Name, "OffPeak"):
		r.offPeak.line = s.line
		return r.readSchedule(&r.offPeak, o, s, strings.TrimPrefix(o.Name, "OffPeak"), l.value)
	case strings.HasPrefix(o.Name, "Idle"):
		return r.readSchedule(&r.idle, o, s, o.Name, l.value)
	}
	switch o.Name {
	case "MachineOptions":
		r.readOptions(l.value)
		return l.value.items != nil || len(l.value.text) == 0
	case "MachineOptionsWithName":
		for _, w := range l.value.words() {
			name, _, _ := strings.Cut(w.text, "=")
			r.note(o.Verdict, o.Name+": "+shownName(name), FromConfig, w.line, o.Fate)
		}
		return true
	case "MachineName":
		r.template = l.value.text
	case "MaxBuilds":
		var ok bool
		if r.maxUse, ok = l.value.number(); !ok {
			r.maxUse = 0
			return false
		}
		if r.maxUse == 0 {
			r.noteOption(o, s, "", "no limit, as without max_use_count")
			return true
		}
	}
	r.noteOption(o, s, "", "")
	return true
}

// readOptions collects the driver's options. docker-machine gets each with two dashes
// before it; the last of several wins.
func (r *runner) readOptions(v value) {
	for _, w := range v.words() {
		name, text, valued := strings.Cut(w.text, "=")
		name = strings.TrimLeft(strings.TrimSpace(name), "-")
		s := setting{name: name, value: strings.TrimSpace(text), source: FromConfig, line: w.line}
		o, known := driverOption(name)
		switch {
		case !known:
			r.note(Decision, shownName(name), FromConfig, w.line, unknownOption(name))
			continue
		case !valued && !o.flag:
			r.note(Decision, name, FromConfig, w.line, "it has no value; write "+name+"=VALUE")
			continue
		}
		if o.hidden {
			r.extra = append(r.extra, s.value)
		}
		if before, twice := r.given[name]; twice && o.apply != nil {
			r.noteOption(o, before, Dropped, "given again further down, where docker-machine takes it from")
		} else if twice {
			r.noteOption(o, before, "", "")
		}
		if !valued {
			s.value = "true"
		}
		r.given[name] = s
	}
}

func unknownOption(name string) string {
	switch {
	case strings.HasPrefix(name, "azure-"):
		return "no azure driver of docker-machine has this option; docker-machine refuses it"
	case shownName(name) != name:
		return "not of the form option=value"
	}
	return "not an option of docker-machine with the azure driver"
}

// readEnvironment collects the driver's options from variables. Options in
// MachineOptions win, as flags win over variables in docker-machine.
func (r *runner) readEnvironment(variables []variable) {
	for _, v := range variables {
		n := slices.IndexFunc(driverOptions, func(o Option) bool { return o.Env != "" && o.Env == v.name })
		if n < 0 {
			if strings.HasPrefix(v.name, "AZURE_") || strings.HasPrefix(v.name, "MACHINE_") || strings.HasPrefix(v.name, "ENGINE_") {
				r.note(Dropped, shownName(v.name), FromEnvironment, v.line, "docker-machine's azure driver reads no such variable")
			}
			continue
		}
		o := driverOptions[n]
		s := setting{name: o.Name, value: v.value, source: FromEnvironment, line: v.line}
		if o.hidden {
			r.extra = append(r.extra, v.value)
		}
		named := s
		named.name = v.name
		switch given, both := r.given[o.Name]; {
		case v.unread:
			r.unread = append(r.unread, o.Name)
			r.noteOption(o, named, Decision, "its value is made by the shell; write the value itself")
		case both && given.source == FromConfig && given.value == v.value:
			r.noteOption(o, named, Dropped, "the same is in MachineOptions, from where docker-machine takes it")
		case both && given.source == FromConfig:
			r.noteOption(o, named, Dropped, "MachineOptions has it, too, and docker-machine takes it from there")
		case both:
			given.name = v.name
			r.noteOption(o, given, Dropped, "given again further down")
			r.given[o.Name] = s
		default:
			r.given[o.Name] = s
		}
	}
}

// applyOptions takes over the collected options, in the order of the table.
func (r *runner) applyOptions() {
	for _, o := range driverOptions {
		s, given := r.given[o.Name]
		if !given {
			continue
		}
		var verdict Verdict
		text := ""
		if o.apply != nil {
			verdict, text = o.apply(r, s)
		}
		if s.source == FromEnvironment {
			s.name = o.Env
		}
		r.noteOption(o, s, verdict, text)
	}
}

// shownName returns a name of an option for a note, unless it may be something else:
// the value of a secret that was written in its place, for example.
func shownName(name string) string {
	if len(name) > 40 || name == "" {
		return "(not shown)"
	}
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.", r) {
			return "(not shown)"
		}
	}
	return name
}

// readTop takes over what the runner itself and the top of the file set.
func (r *runner) readTop(d *document) (concurrent int) {
	concurrent = 1 // the runner's default
	for _, e := range d.entries {
		if e.header || e.runner != r.index && e.runner >= 0 || len(e.path) > 3 {
			continue
		}
		name := strings.Join(e.path, ".")
		s := setting{source: FromConfig, line: e.line}
		n, ok := e.value.number()
		switch {
		case e.runner < 0 && equalFold(name, "concurrent"):
			s.name = "concurrent"
			if ok && n > 0 {
				concurrent = n
			}
		case is(e.path, "runners", "limit"):
			if r.limit, s.name = n, "limit"; !ok || n == 0 {
				r.limit = 0
				continue
			}
		case is(e.path, "runners", "request_concurrency"):
			s.name = "request_concurrency"
		case is(e.path, "runners", "executor"):
			s.name = "executor"
		default:
			continue
		}
		o, _ := machineSetting(s.name)
		r.noteOption(o, s, "", "")
	}
	if r.limit == 0 {
		r.note(Changed, "limit", FromConfig, 0, fmt.Sprintf("not set: max_instances = %d is as many machines as there can have been, those of concurrent jobs and the idle ones",
			r.maxInstances(concurrent)))
	}
	return concurrent
}
