package fallback

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

func TestIncrease(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second *fake
		accepted      int
		err           string
		asked         [][]int
	}{
		"room for all":                {first: &fake{room: 10}, second: &fake{room: 10}, accepted: 10, asked: [][]int{{10}, nil}},
		"room for some":               {first: &fake{room: 3, shortage: errQuota}, second: &fake{room: 10}, accepted: 10, asked: [][]int{{10}, {7}}},
		"refused before":              {first: &fake{shortage: errQuota}, second: &fake{room: 10}, accepted: 10, asked: [][]int{nil, {10}}},
		"refused before, with a pool": {first: &fake{shortage: errQuota, pool: 3}, second: &fake{room: 10}, accepted: 10, asked: [][]int{nil, {7}}},
		"a pool for all":              {first: &fake{shortage: errQuota, pool: 12}, second: &fake{room: 10}, accepted: 10, asked: [][]int{nil, nil}},
		"limits are waited for":       {first: &fake{room: 3}, second: &fake{room: 10}, accepted: 3, asked: [][]int{{10}, nil}},
		"nothing yet, and no refusal": {first: &fake{}, second: &fake{room: 10}, asked: [][]int{{10}, nil}},
		"all are short":               {first: &fake{shortage: errQuota}, second: &fake{shortage: errQuota}, err: "quota; and: ", asked: [][]int{{10}, {10}}},
		"the last one waits":          {first: &fake{shortage: errQuota}, second: &fake{room: 4}, accepted: 4, asked: [][]int{nil, {10}}},
		"an error of before":          {first: &fake{room: 10, told: errors.New("told")}, second: &fake{room: 10}, accepted: 10, asked: [][]int{{10, 10}, nil}},
		"an error that stays":         {first: &fake{told: errors.New("told")}, second: &fake{room: 10}, err: "told", asked: [][]int{{10, 10}, nil}},
		"it cannot be read":           {first: &fake{room: 10, broken: errBroken}, second: &fake{room: 10}, accepted: 10, asked: [][]int{nil, {10}}},
		"none can be read":            {first: &fake{room: 10, broken: errBroken}, second: &fake{room: 10, broken: errBroken}, accepted: 10, asked: [][]int{{10}, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			sets := open(t, c.first, c.second)
			_, _ = sets.Observe(t.Context())
			accepted, err := sets.Increase(t.Context(), 10)
			assert.Equal(t, c.accepted, accepted)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
				assert.NotContains(t, err.Error(), "\n")
			}
			assert.Equal(t, c.asked, [][]int{c.first.asked, c.second.asked})
		})
	}
}

// TestIncreaseOfOne is passed on as it is.
func TestIncreaseOfOne(t *testing.T) {
	t.Parallel()
	f := &fake{name: "ci", shortage: errQuota, told: errors.New("told")}
	sets := open(t, f)
	_, err := sets.Increase(t.Context(), 2)
	require.EqualError(t, err, "told")
	_, err = sets.Increase(t.Context(), 2)
	require.Equal(t, error(errQuota), err)
	assert.Equal(t, []int{2, 2}, f.asked)
}

// TestServedInPlaceIsLogged: the log says which scale set serves, and why others do not.
func TestServedInPlaceIsLogged(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	sets := open(t, &fake{name: "spot", room: 3, shortage: errQuota}, &fake{name: "regular", room: 10})
	sets.log = hclog.New(&hclog.LoggerOptions{Output: &log})
	_, err := sets.Increase(t.Context(), 10)
	require.NoError(t, err)
	assert.Contains(t, log.String(), `another scale set serves, as those before it have no room: operation=increase scale_set=regular count=7 error="increase it:`)
	assert.Equal(t, 1, strings.Count(log.String(), "another scale set"))
}

// TestUnreadableSetHidesNothing: neither its own instances nor those of others go.
func TestUnreadableSetHidesNothing(t *testing.T) {
	t.Parallel()
	a, b := &fake{name: "a", ids: []string{"a_1"}}, &fake{name: "b", ids: []string{"b_1"}, gone: []string{"b_0"}}
	sets := open(t, a, b)
	v, err := sets.Observe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"a_1", "b_1"}, idsOf(v))
	assert.Equal(t, 0, sets.ReconcilePending(t.Context(), v, []string{"a_1", "b_1", "b_0"}))
	assert.Equal(t, [][]int{{1}, {2}}, [][]int{a.counted, b.counted})

	a.set(func() { a.ids, a.lost = []string{"a_1", "a_2"}, 1 })
	b.set(func() { b.broken, b.ids, b.lost = errBroken, nil, 5 })
	v, err = sets.Observe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"a_1", "a_2", "b_1"}, idsOf(v))
	assert.Equal(t, []string{"b_0"}, v.Gone)
	assert.Equal(t, 1, sets.ReconcilePending(t.Context(), v, []string{"a_2"}), "what cannot be read is not judged")
	require.NoError(t, sets.Reap(t.Context(), v))
	assert.Zero(t, b.reaped)
	assert.Equal(t, 1, a.reaped)

	a.set(func() { a.broken = errBroken })
	_, err = sets.Observe(t.Context())
	require.ErrorContains(t, err, "; and: ", "none can be read")

	a.set(func() { a.broken = nil })
	b.set(func() { b.broken = nil })
	v, err = sets.Observe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"a_1", "a_2"}, idsOf(v))
}

// TestSlowSetDelaysNobody: one that could not be read last is not waited for, and what its
// reading finds serves later.
func TestSlowSetDelaysNobody(t *testing.T) {
	t.Parallel()
	a, b := &fake{name: "a", ids: []string{"a_1"}}, &fake{name: "b", ids: []string{"b_1"}, broken: errBroken}
	sets := open(t, a, b)
	v, err := sets.Observe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"a_1"}, idsOf(v), "b has never been read")

	hangs := make(chan struct{})
	b.set(func() { b.broken, b.hangs, b.began = nil, hangs, make(chan struct{}, 9) })
	for range 2 {
		v, err = sets.Observe(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"a_1"}, idsOf(v))
	}
	assert.Len(t, b.began, 1, "one reading at a time")
	close(hangs)
	require.Eventually(t, func() bool {
		v, err = sets.Observe(t.Context())
		return err == nil && len(v.Members) == 2
	}, 10*time.Second, time.Millisecond)
}

// TestCanceledUpdateProvesNothing: the next one is as if it had not been.
func TestCanceledUpdateProvesNothing(t *testing.T) {
	t.Parallel()
	f := &fake{name: "a", ids: []string{"a_1"}, hangs: make(chan struct{}), began: make(chan struct{}, 9)}
	sets := open(t, f, &fake{name: "b", ids: []string{"b_1"}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-f.began
		cancel()
	}()
	v, err := sets.Observe(ctx)
	if err == nil {
		assert.Equal(t, []string{"b_1"}, idsOf(v))
	}
	require.NoError(t, sets.all[0].failure)
	f.set(func() { f.hangs = nil })
	v, err = sets.Observe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"a_1", "b_1"}, idsOf(v))
}

func TestInstancesHaveOwners(t *testing.T) {
	t.Parallel()
	a, b := &fake{name: "a", ids: []string{"x", "y"}}, &fake{name: "b", ids: []string{"x"}}
	sets := open(t, a, b)
	sets.all[1].Suffix = ".north"
	v, err := sets.Observe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"x", "y", "x.north"}, idsOf(v))
	for id, name := range map[string]string{"y": "a", "x": "a", "x.north": "b"} {
		m, err := sets.Locate(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, name, m.Name)
		assert.Equal(t, name, sets.ScaleSet(id).Name)
		require.NoError(t, sets.Check(t.Context(), id))
	}
	done, err := sets.Decrease(t.Context(), []string{"x.north", "y", "unknown"})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"x.north", "y", "unknown"}, done)
	assert.Equal(t, []string{"y", "unknown"}, a.deleted)
	assert.Equal(t, []string{"x"}, b.deleted)
	for _, do := range []func(context.Context, []string) ([]string, error){sets.Suspend, sets.Resume} {
		done, err = do(t.Context(), []string{"x.north", "y"})
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{"x.north", "y"}, done)
	}
	for _, asked := range [][]string{a.suspended, a.resumed} {
		assert.Equal(t, []string{"y"}, asked)
	}
	for _, asked := range [][]string{b.suspended, b.resumed} {
		assert.Equal(t, []string{"x"}, asked)
	}
}

// TestSuspendsWhereAllDo: the runner knows one capability for all, and asks each minute to
// suspend what cannot be. What it once knows stays.
func TestSuspendsWhereAllDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b, want bool
		logged     int
	}{{true, true, true, 0}, {true, false, false, 1}, {false, true, false, 1}, {false, false, false, 0}} {
		var log bytes.Buffer
		a, b := &fake{name: "a", sleepless: !c.a}, &fake{name: "b", sleepless: !c.b}
		sets, err := Open(t.Context(), Options{Sources: []Source{sourceOf(a), sourceOf(b)}, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
		require.NoError(t, err)
		assert.Equal(t, c.want, sets.Suspends(), c)
		assert.Equal(t, c.logged, strings.Count(log.String(), "no instances are suspended"), log.String())
	}

	var log bytes.Buffer
	a, b := &fake{name: "a"}, &fake{name: "b", sleepless: true}
	late := sourceOf(b)
	late.Open = func(context.Context) (Group, error) { return nil, errBroken }
	sets, err := Open(t.Context(), Options{Sources: []Source{sourceOf(a), late}, Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
	require.NoError(t, err)
	require.True(t, sets.Suspends())
	_, err = sets.Resume(t.Context(), []string{"b_1"})
	require.ErrorContains(t, err, `resume instance "b_1": no scale set has shown it`)
	_, err = sets.Suspend(t.Context(), []string{"b_1"})
	require.NoError(t, err, "the runner asks again")
	sets.all[1].Open, sets.now = sourceOf(b).Open, func() time.Time { return time.Now().Add(openInterval) }
	_, err = sets.Observe(t.Context())
	require.NoError(t, err)
	assert.True(t, sets.Suspends())
	assert.Contains(t, log.String(), "instances of this scale set cannot be suspended")
}

func sourceOf(f *fake) Source {
	return Source{Name: f.name, Open: func(context.Context) (Group, error) { return f, nil }}
}

// TestDecreaseOfAnUnreadableSet: the others' instances go, and the runner asks again.
func TestDecreaseOfAnUnreadableSet(t *testing.T) {
	t.Parallel()
	a, b := &fake{name: "a", ids: []string{"a_1"}}, &fake{name: "b", ids: []string{"b_1"}}
	sets := open(t, a, b)
	_, err := sets.Observe(t.Context())
	require.NoError(t, err)
	a.set(func() { a.broken = errBroken })
	done, err := sets.Decrease(t.Context(), []string{"a_1", "b_1"})
	require.ErrorIs(t, err, errBroken)
	assert.Equal(t, []string{"b_1"}, done)
}

// TestSetThatCannotBeReadAtTheStart is opened later, and hides nobody's instances
// meanwhile.
func TestSetThatCannotBeReadAtTheStart(t *testing.T) {
	t.Parallel()
	a, b := &fake{name: "a", ids: []string{"a_0"}, room: 5}, &fake{name: "b", ids: []string{"b_1"}, room: 5}
	openings, broken := 0, error(errBroken)
	c := &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	o := Options{Logger: hclog.NewNullLogger(), Now: c.now, Sources: []Source{
		{Name: "b", Open: func(context.Context) (Group, error) { openings++; return b, broken }},
		{Name: "a", Open: func(context.Context) (Group, error) { return a, nil }},
	}}
	sets, err := Open(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, 1100, sets.MaxSize())
	for range 3 {
		v, err := sets.Observe(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"a_0"}, idsOf(v))
	}
	assert.Equal(t, 1, openings, "not with each update")
	accepted, err := sets.Increase(t.Context(), 2)
	require.NoError(t, err)
	assert.Equal(t, 2, accepted)
	assert.Empty(t, b.asked)
	done, err := sets.Decrease(t.Context(), []string{"b_1"})
	require.NoError(t, err)
	assert.Empty(t, done, "it may exist")
	require.NoError(t, sets.Check(t.Context(), "b_1"))
	_, err = sets.Locate(t.Context(), "b_1")
	require.ErrorContains(t, err, "no scale set has shown it")

	broken = nil
	c.pass(openInterval)
	v, err := sets.Observe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"b_1", "a_0", "a_1", "a_2"}, idsOf(v))
	accepted, err = sets.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, accepted)
	assert.Equal(t, []int{1}, b.asked)
	require.NoError(t, sets.Close(t.Context()))
	assert.True(t, a.closed && b.closed)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	unfit := errors.New("its model upgrades instances")
	source := func(err error) Source {
		return Source{Name: "x", Open: func(context.Context) (Group, error) { return &fake{}, err }}
	}
	for want, errs := range map[string][]error{
		"its model upgrades instances": {nil, unfit},
		"broken; and: read it: broken": {errBroken, errBroken},
		"quota":                        {errQuota},
	} {
		o := Options{Logger: hclog.NewNullLogger()}
		for _, err := range errs {
			o.Sources = append(o.Sources, source(err))
		}
		_, err := Open(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
	_, typed := errors.AsType[*armerr.Error](error(errBroken))
	require.True(t, typed)
}

func TestSuffixes(t *testing.T) {
	t.Parallel()
	id := func(subscription, group, name string) string {
		return "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + name
	}
	assert.Equal(t, []string{"", "", ".north", ".north.s2"},
		Suffixes([]string{id("s1", "west", "ci"), id("s1", "west", "other"), id("s1", "North", "CI"), id("s2", "north", "ci")}))
	assert.Equal(t, []string{""}, Suffixes([]string{id("s1", "west", "ci")}))
}
