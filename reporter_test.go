package azure

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
)

// viewOf makes a view of "id=state" pairs; "gone" puts the ID among the gone.
func viewOf(pairs ...any) *instancegroup.View {
	v := &instancegroup.View{}
	for n := 0; n < len(pairs); n += 2 {
		id := pairs[n].(string)
		if state, ok := pairs[n+1].(instancegroup.State); ok {
			v.Members = append(v.Members, instancegroup.Member{MemberID: id, State: state})
		} else {
			v.Gone = append(v.Gone, id)
		}
	}
	return v
}

// TestReporter goes through rounds of views and what fleeting hears of each.
func TestReporter(t *testing.T) {
	const gone = "gone"
	type round struct {
		view *instancegroup.View
		want []string
	}
	for name, rounds := range map[string][]round{
		"a life": {
			{viewOf("a", instancegroup.Creating), []string{"a creating"}},
			{viewOf("a", instancegroup.Running), []string{"a running"}},
			{viewOf("a", instancegroup.Running), []string{"a running"}},
			{viewOf("a", instancegroup.Deleting), []string{"a deleting"}},
			{viewOf("a", gone), []string{"a deleted"}},
			{viewOf("a", gone), nil},
		},
		"dead before it was reported": { // else its request stays pending for ever (F34)
			{viewOf("a", instancegroup.Dead), []string{"a creating", "a deleted"}},
			{viewOf("a", instancegroup.Dead), nil},
			{viewOf("a", instancegroup.Deleting), nil},
			{viewOf("a", gone), nil},
		},
		"it comes back": { // a deletion that came to nothing after all
			{viewOf("a", instancegroup.Running), []string{"a running"}},
			{viewOf("a", gone), []string{"a deleted"}},
			{viewOf("a", instancegroup.Deleting), nil},
			{viewOf("a", instancegroup.Running), []string{"a running"}},
		},
		"dead while it ran": {
			{viewOf("a", instancegroup.Running, "b", instancegroup.Running), []string{"a running", "b running"}},
			{viewOf("a", instancegroup.Dead, "b", instancegroup.Running), []string{"a deleted", "b running"}},
			{viewOf("a", instancegroup.Deleting, "b", instancegroup.Running), []string{"b running"}},
			{viewOf("b", instancegroup.Running), []string{"b running"}},
		},
		"gone before it was reported": { // found by a deletion's reading, and gone by the next update
			{viewOf("a", gone, "b", gone), []string{"a creating", "a deleted", "b creating", "b deleted"}},
			{viewOf("a", gone, "b", gone), nil},
			{viewOf("c", instancegroup.Deleting), []string{"c deleting"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r reporter
			for n, round := range rounds {
				var heard []string
				r.report(round.view, func(id string, s provider.State) { heard = append(heard, fmt.Sprint(id, " ", s)) })
				assert.Equal(t, round.want, heard, "round %d", n)
			}
		})
	}
}

// TestReporterAtOnce runs reports concurrently: each death is reported once.
func TestReporterAtOnce(t *testing.T) {
	var r reporter
	var all sync.WaitGroup
	var mu sync.Mutex
	deaths := 0
	for range 20 {
		all.Go(func() {
			r.report(viewOf("a", instancegroup.Dead, "b", instancegroup.Running), func(_ string, s provider.State) {
				mu.Lock()
				defer mu.Unlock()
				if s == provider.StateDeleted {
					deaths++
				}
			})
		})
	}
	all.Wait()
	assert.Equal(t, 1, deaths)
}

// TestReporterCountsWhatItIntroduces: the count decides how many instances are
// still waited for, and how many were never created.
func TestReporterCountsWhatItIntroduces(t *testing.T) {
	var r reporter
	ignore := func(string, provider.State) {}
	for n, c := range []struct {
		view *instancegroup.View
		want int
	}{
		{viewOf("a", instancegroup.Creating, "b", instancegroup.Running), 2},
		{viewOf("a", instancegroup.Running, "b", instancegroup.Running), 0},
		{viewOf("a", instancegroup.Running, "c", instancegroup.Dead, "b", "gone"), 1},
		{viewOf("a", instancegroup.Running, "d", "gone"), 1},
	} {
		assert.Len(t, r.report(c.view, ignore), c.want, "round %d", n)
	}
	r.reportNeverCreated(2, ignore)
	assert.Empty(t, r.report(viewOf("a", instancegroup.Running), ignore), "they are none of a view")
}
