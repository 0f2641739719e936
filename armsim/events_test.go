package armsim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	minute := armsim.Span(time.Minute)
	for name, c := range map[string]struct {
		event armsim.Event
		want  map[string]int // by state and power, after ten minutes
	}{
		"kill one":         {armsim.Event{After: minute, Do: "kill"}, map[string]int{"Succeeded running": 3, "Succeeded stopped": 1}},
		"kill two":         {armsim.Event{After: minute, Do: "kill", Count: 2}, map[string]int{"Succeeded running": 2, "Succeeded stopped": 2}},
		"kill by name":     {armsim.Event{After: minute, Do: "kill", Object: "CI_*"}, map[string]int{"Succeeded stopped": 4}},
		"some by name":     {armsim.Event{After: minute, Do: "kill", Object: "*", Count: 3}, map[string]int{"Succeeded running": 1, "Succeeded stopped": 3}},
		"deallocate":       {armsim.Event{Every: minute, Times: 3, Do: "deallocate"}, map[string]int{"Succeeded running": 1, "Succeeded deallocated": 3}},
		"delete":           {armsim.Event{Every: minute, Times: 2, Do: "delete"}, map[string]int{"Succeeded running": 2}},
		"delete all":       {armsim.Event{Every: minute, Do: "delete"}, map[string]int{}},
		"evict":            {armsim.Event{Every: minute, Times: 2, Do: "evict"}, map[string]int{"Succeeded running": 2, "Succeeded deallocated": 2}},
		"raise":            {armsim.Event{Every: minute, Times: 2, Do: "raise", Count: 2}, map[string]int{"Succeeded running": 8}},
		"raise no other":   {armsim.Event{After: minute, Do: "raise", Object: "other", Count: 2}, map[string]int{"Succeeded running": 4}},
		"nothing to start": {armsim.Event{Every: minute, Do: "start"}, map[string]int{"Succeeded running": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{InProcess: true, Events: []armsim.Event{c.event}})
			_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", Capacity: 4, Priority: "Spot"})
			require.NoError(t, err)
			s.Advance(10 * time.Minute)
			got := map[string]int{}
			for _, i := range s.Instances() {
				got[i.ProvisioningState+" "+i.PowerState]++
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestEventsOfTagAndQuota(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 1)
	etag := s.get(t, set).text("etag")
	require.NoError(t, s.AddEvents(armsim.Event{Do: "tag", Object: "c*"}, armsim.Event{Do: "quota", Count: 3}))
	s.Advance(time.Minute)
	after := s.get(t, set)
	assert.Equal(t, "1", after.text("tags.armsim"))
	assert.NotEqual(t, etag, after.text("etag"))
	assert.Equal(t, "OperationNotAllowed", s.setCapacity(t, set, 2).code())
	require.ErrorContains(t, s.Raise("ci", 1), `raise scale set "ci" by 1: OperationNotAllowed`)
	s.SetCoreQuota(0)
	require.NoError(t, s.Raise("ci", 1))
}

func TestImpossibleEvents(t *testing.T) {
	t.Parallel()
	s, _ := hold(t, armsim.Config{}, 0)
	for want, e := range map[string]armsim.Event{
		`do "hug"`:             {Do: "hug"},
		"must not be negative": {Do: "kill", After: -1},
		"raise needs a count":  {Do: "raise"},
		"times needs every":    {Do: "kill", Times: 2},
	} {
		assert.ErrorContains(t, s.AddEvents(e), want)
	}
}

func TestForeignActs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		act  func(s *sim) error
		want string
	}{
		"deallocate": {func(s *sim) error { return s.Deallocate("ci_0") }, "Succeeded deallocated"},
		"start":      {func(s *sim) error { return s.PowerOn("ci_0") }, "Succeeded running"},
		"delete":     {func(s *sim) error { return s.Remove("ci_0") }, "gone"},
		"raise":      {func(s *sim) error { return s.Raise("CI", 1) }, "Succeeded running"},
		"tag":        {func(s *sim) error { return s.Tag("ci", "owner", "me") }, "Succeeded running"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{Polite: true}, 1)
			etag := s.get(t, set).text("etag")
			require.NoError(t, c.act(s))
			s.Advance(settled)
			assert.Equal(t, c.want, s.state(t, "ci_0"))
			moves := name == "delete" || name == "raise" || name == "tag"
			assert.Equal(t, moves, etag != s.get(t, set).text("etag"))
			want := map[string]int{"delete": 0, "raise": 2}
			n, ok := want[name]
			if !ok {
				n = 1
			}
			assert.Equal(t, n, s.capacity(t, set))
		})
	}
	s, _ := hold(t, armsim.Config{}, 0)
	for _, err := range []error{s.Deallocate("none"), s.PowerOn("none"), s.Remove("none"), s.Raise("none", 1), s.Tag("none", "a", "b"), s.Kill("none"), s.Evict("none")} {
		assert.ErrorContains(t, err, `"none": there is none of that name`)
	}
	require.ErrorContains(t, s.Raise("ci", 0), "1 or more")
}
