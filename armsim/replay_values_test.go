package armsim

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/wildcard"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// fieldsPage holds the verdict on each difference that compareFields finds.
const fieldsPage = "../docs/reference/armsim-fields.md"

const (
	noField   = "none" // there is no such field
	someValue = "some" // the field is there, its value is nobody's concern
)

// fieldDifference is one between a resource of ours and the one of a recording.
type fieldDifference struct {
	recording string // its number
	resource  string
	field     string
	ours      string // noField, someValue, or values
	recorded  string
}

func (d fieldDifference) String() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s |", d.recording, d.resource, d.field, d.ours, d.recorded)
}

// verdict is a row of the page: a difference, with a * for any text in any part, and several
// recordings with commas between them.
type verdict struct {
	of   fieldDifference
	text string
}

func (v verdict) covers(d fieldDifference) bool {
	recordings := strings.Split(v.of.recording, ", ")
	return (v.of.recording == "*" || slices.Contains(recordings, d.recording)) &&
		wildcard.Match(v.of.resource, d.resource) && wildcard.Match(v.of.field, d.field) &&
		wildcard.Match(v.of.ours, d.ours) && wildcard.Match(v.of.recorded, d.recorded)
}

// TestReplayFields compares each resource of ours with every recorded one, field by field,
// the values of defaults included. Each difference needs a verdict in the reference, which
// says why it misleads no client; and no verdict may be left over.
func TestReplayFields(t *testing.T) {
	found := map[fieldDifference]bool{}
	for _, r := range committedTable(t).Recordings {
		p := newReplayer(t, Config{Polite: true}, r)
		for i, x := range r.Exchanges {
			got := p.play(i)
			if x.Status < http.StatusMultipleChoices && got.status == x.Status && x.Response != nil {
				compareFields(r.Name[:2], x, got.body, found)
			}
		}
	}
	unused := readVerdicts(t)
	all := slices.Clone(unused)
	for _, d := range slices.SortedFunc(maps.Keys(found), func(a, b fieldDifference) int { return strings.Compare(a.String(), b.String()) }) {
		i := slices.IndexFunc(all, func(v verdict) bool { return v.covers(d) })
		if i < 0 {
			t.Errorf("no verdict in %s: %s", fieldsPage, d)
			continue
		}
		unused = slices.DeleteFunc(unused, func(v verdict) bool { return v == all[i] })
	}
	for _, v := range unused {
		t.Errorf("the verdict is no longer needed, or covered by one above it: remove it from %s: %s", fieldsPage, v.of)
	}
}

// readVerdicts reads the table of the page.
func readVerdicts(t *testing.T) []verdict {
	raw, err := os.ReadFile(fieldsPage)
	require.NoError(t, err)
	var all []verdict
	for _, line := range strings.Split(string(raw), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 6 || cells[0] == "recordings" {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], "`")
		}
		v := verdict{fieldDifference{cells[0], cells[1], cells[2], cells[3], cells[4]}, cells[5]}
		require.NotEmpty(t, v.text, line)
		all = append(all, v)
	}
	require.NotEmpty(t, all)
	return all
}

// compareFields adds the differences of a response.
func compareFields(recording string, x recordings.Exchange, body any, found map[fieldDifference]bool) {
	ours, values := recordings.ShapeOf(body), recordings.ValuesOf(body)
	paths := maps.Clone(ours)
	maps.Copy(paths, x.Response)
	for path := range paths {
		mine, theirs := fieldText(ours, values, path), fieldText(x.Response, x.ResponseValues, path)
		if mine != theirs {
			found[fieldDifference{recording, resourceOf(x.Path), strings.TrimPrefix(path, "value[]."), mine, theirs}] = true
		}
	}
}

func fieldText(shape recordings.Shape, values recordings.Values, path string) string {
	switch _, given := shape[path]; {
	case !given:
		return noField
	case values[path] == "":
		return someValue
	}
	return strings.Join(values.Of(path), ", ")
}

// resourceOf is the type that a path is of, without its provider and names.
func resourceOf(path string) string {
	_, rest, _ := lastCut(strings.ReplaceAll(path, "virtualmachines", "virtualMachines"), "/providers/")
	_, rest, _ = strings.Cut(rest, "/")
	var parts []string
	for _, part := range strings.Split(rest, "/") {
		if part != "" && part[0] != '{' {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "provider"
	}
	return strings.Join(parts, "/")
}

func TestFieldComparisonReports(t *testing.T) {
	x := recordings.Exchange{
		Path:           "/subscriptions/{subscription}/providers/Microsoft.Compute/virtualmachines/{machine}/instanceView",
		Response:       recordings.Shape{"value[].a": "string", "value[].b": "boolean", "c": "string"},
		ResponseValues: recordings.Values{"value[].b": "false|true"},
	}
	found := map[fieldDifference]bool{}
	compareFields("07", x, object{"value": []any{object{"a": "x", "b": true, "d": 1.0}}}, found)
	assert.Equal(t, map[fieldDifference]bool{
		{"07", "virtualMachines/instanceView", "b", "true", "false, true"}: true,
		{"07", "virtualMachines/instanceView", "c", "none", "some"}:        true,
		{"07", "virtualMachines/instanceView", "d", "1", "none"}:           true,
	}, found)
	v := verdict{fieldDifference{"06, 07", "virtualMachines*", "d", "*", "none"}, "why"}
	assert.True(t, v.covers(fieldDifference{"07", "virtualMachines/instanceView", "d", "1", "none"}))
	assert.False(t, v.covers(fieldDifference{"08", "virtualMachines/instanceView", "d", "1", "none"}))
	assert.False(t, v.covers(fieldDifference{"07", "virtualMachines/instanceView", "d", "1", "some"}))
}
