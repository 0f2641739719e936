package migrate

import (
	"strconv"
	"strings"
	"time"
)

// schedule is how many machines are kept idle, and when.
type schedule struct {
	idleCount, idleCountMin int
	idleTime                int // seconds
	factor                  float64
	periods                 []string // converted
	lost                    bool     // it had a period that cannot be converted
	timezone                string
	line                    int // 0: it is not in the file
}

func (s schedule) most() int { return s.idleCount }

// readSchedule takes over one setting of a schedule; it reports whether the value is valid.
func (r *runner) readSchedule(to *schedule, o Option, s setting, key string, v value) bool {
	ok := true
	switch key {
	case "Periods":
		r.readPeriods(to, o, s, v)
		return true
	case "Timezone":
		to.timezone, ok = v.text, safeZone(v.text)
		if !ok {
			to.timezone = ""
		}
	case "IdleScaleFactor":
		to.factor, ok = v.float()
	default:
		n, valid := v.number()
		ok = valid && n <= 1e6
		if !ok {
			return false
		}
		*map[string]*int{"IdleCount": &to.idleCount, "IdleCountMin": &to.idleCountMin, "IdleTime": &to.idleTime}[key] = n
	}
	if ok {
		r.noteOption(o, s, "", "")
	} else if key == "IdleScaleFactor" {
		to.factor = 0
	}
	return ok
}

// safeZone reports whether a name may be one of a time zone.
func safeZone(name string) bool {
	return !strings.ContainsFunc(name, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/", c)
	})
}

func (r *runner) readPeriods(to *schedule, o Option, s setting, v value) {
	for _, w := range v.words() {
		periods, remarks, err := convertPeriod(w.text)
		if err != nil {
			to.lost = true
			r.note(Decision, o.Name, FromConfig, w.line, "the period "+err.Error()+"; write one with five fields into the policy")
			continue
		}
		to.periods = append(to.periods, periods...)
		at := s
		at.line = w.line
		r.noteOption(o, at, "", strings.Join(append([]string{o.Fate}, remarks...), "; "))
	}
}

// policy is a [[runners.autoscaler.policy]].
type policy struct {
	periods    []string
	timezone   string
	idleCount  int
	idleTime   time.Duration
	factor     float64
	factorMost int
	// lost: it replaces a schedule whose periods could not be converted.
	lost bool
}

// policy converts a schedule. The runner's docker+machine keeps
// max(IdleCountMin, in use * IdleScaleFactor) machines and never more than IdleCount,
// and IdleCountMin is at least 1 then (idle_limit_strategy.go); taskscaler keeps at
// least idle_count and at most scale_factor_limit.
func (s schedule) policy() policy {
	p := policy{
		periods: s.periods, timezone: s.timezone, lost: s.lost,
		idleCount: s.idleCount, idleTime: time.Duration(s.idleTime) * time.Second,
	}
	if s.factor > 0 && s.idleCount > 0 {
		p.idleCount = min(max(s.idleCountMin, 1), s.idleCount)
		p.factor, p.factorMost = s.factor, s.idleCount
	}
	return p
}

// policies returns the policies in the runner's order: it takes the last that matches
// (schedules.active in taskscaler's schedule.go), so that the one for all times is the
// first. docker+machine takes the last, too.
func (r *runner) policies() []policy {
	all := []policy{r.idle.policy()}
	if len(r.offPeak.periods) > 0 || r.offPeak.lost {
		all = append(all, r.offPeak.policy())
	}
	for _, p := range r.periods {
		if len(p.periods) == 0 && !p.lost {
			continue // without periods it never held, and would always hold here
		}
		all = append(all, p.policy())
	}
	return all
}

func (p policy) write(w *writer) {
	if p.lost && len(p.periods) == 0 {
		w.line("# Its periods could not be converted: write them, and take the # away.")
		w.prefix = "# "
	}
	w.header("[[runners.autoscaler.policy]]")
	if len(p.periods) > 0 {
		quoted := make([]string, len(p.periods))
		for i, period := range p.periods {
			quoted[i] = quote(period)
		}
		w.key("periods", "["+strings.Join(quoted, ", ")+"]")
	}
	if p.timezone != "" {
		w.key("timezone", quote(p.timezone))
	}
	w.key("idle_count", strconv.Itoa(p.idleCount))
	w.key("idle_time", quote(p.idleTime.String()))
	if p.factor > 0 {
		w.key("scale_factor", floatText(p.factor))
		w.key("scale_factor_limit", strconv.Itoa(p.factorMost))
	}
	w.key("preemptive_mode", "false")
	w.prefix = ""
}

// floatText writes a number that TOML takes for a float.
func floatText(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
