package arm

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

func routesOfActivity() []route {
	return []route{
		{"ActivityLogs_List", get, subscriptionPath + "/providers/Microsoft.Insights/eventtypes/management/values", "Microsoft.Insights/eventtypes/values/read", limitNone, listActivity},
	}
}

// listActivity is the activity log of writes, less those to what the client may not read.
// Azure's shows them minutes later.
func listActivity(c *call) (*response, *problem) {
	f, p := readActivityFilter(c.query.get("$filter"))
	if p != nil {
		return nil, p
	}
	all := slices.DeleteFunc(c.front.activities.occurrences(), func(e occurrence) bool {
		return !f.matches(e) || !c.world.Access.May(c.principal, c.route.action, e.resource)
	})
	fields := strings.FieldsFunc(c.query.get("$select"), func(r rune) bool { return r == ',' || r == ' ' })
	return page(c.pager, all, occurrence.key, func(e occurrence) object {
		return selected(e.body(&c.front.config), fields)
	})
}

// selected keeps the named fields, in any case; none named: all.
func selected(body object, fields []string) object {
	for key := range body {
		if len(fields) > 0 && !slices.ContainsFunc(fields, func(f string) bool { return strings.EqualFold(f, key) }) {
			delete(body, key)
		}
	}
	return body
}

// activityFilter is what the log is asked for.
type activityFilter struct {
	from, to time.Time // to: zero where it has no end
	equal    filter    // by property in lower case
}

var (
	timeBound    = regexp.MustCompile(`(?i)^eventTimestamp\s+(ge|le)\s+'?([^']+?)'?$`)
	activityTerm = regexp.MustCompile(`(?i)^(resourceGroupName|resourceUri|resourceId|resourceProvider|resourceType|correlationId|caller|status|levels?|eventChannels)\s+eq\s+'?([^']*?)'?$`)
)

// readActivityFilter reads the filter, which needs a time to begin at (the specification
// of activity logs). Clients put times and IDs into quotes or not.
func readActivityFilter(text string) (activityFilter, *problem) {
	f := activityFilter{equal: filter{}}
	for _, part := range and.Split(strings.TrimSpace(text), -1) {
		part = strings.TrimSpace(part)
		if m := timeBound.FindStringSubmatch(part); m != nil {
			at, ok := readTime(m[2])
			switch {
			case !ok:
				return f, badRequestOf("BadRequest", "The filter's time '%s' cannot be read.", m[2])
			case strings.EqualFold(m[1], "ge"):
				f.from = at
			default:
				f.to = at
			}
			continue
		}
		m := activityTerm.FindStringSubmatch(part)
		if m == nil && part != "" {
			return f, filterNotSimulated(part)
		}
		if m != nil {
			f.equal[strings.ToLower(m[1])] = m[2]
		}
	}
	if f.from.IsZero() {
		return f, badRequestOf("BadRequest", "The $filter must have a condition of the form eventTimestamp ge 'time'.")
	}
	return f, nil
}

// readTime reads the forms of times that az, Microsoft's libraries and its pages use.
func readTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04Z07:00", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func (f activityFilter) matches(e occurrence) bool {
	provider, kind := e.kind()
	if e.at.Before(f.from) || !f.to.IsZero() && e.at.After(f.to) {
		return false
	}
	for property, value := range map[string]string{
		"resourcegroupname": e.group, "resourceuri": e.resource, "resourceid": e.resource, "resourceprovider": provider, "resourcetype": kind,
		"correlationid": e.correlation, "caller": e.caller, "status": e.outcome, "level": e.level(), "levels": e.level(),
	} {
		if !f.equal.matches(property, value) {
			return false
		}
	}
	return true // of one channel: each is Admin's and Operation's
}
