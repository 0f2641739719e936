package fallback

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// fake is a scale set in memory, which creates at once.
type fake struct {
	name string

	mu                 sync.Mutex
	room               int           // instances that it accepts
	pool               int           // instances of its warm pool
	late               int           // of the accepted, that will never be created
	told               error         // what the next increase returns, whatever happened since
	shortage           error         // nil: it waits, where it has no room
	broken             error         // of the next readings
	hangs              chan struct{} // readings wait for it; nil: they do not
	began              chan struct{} // gets a value for each reading that hangs
	ids                []string
	gone               []string
	lost               int
	made               int
	asked              []int    // by increases
	deleted            []string // by decreases
	suspended, resumed []string
	counted            []int // discovered, by reconciliation
	reaped             int
	closed             bool
	sleepless          bool // it cannot be suspended
	serial             int
	observes           int
}

func (f *fake) ScaleSet() vmss.ScaleSet {
	return vmss.ScaleSet{Name: f.name, Model: vmss.Model{SingleGroup: true}}
}

func (f *fake) Observe(ctx context.Context) (*instancegroup.View, error) {
	f.mu.Lock()
	hangs := f.hangs
	f.observes++
	f.mu.Unlock()
	if hangs != nil {
		f.began <- struct{}{}
		select {
		case <-hangs:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, f.broken
	}
	v := &instancegroup.View{Gone: slices.Clone(f.gone)}
	for _, id := range f.ids {
		v.Members = append(v.Members, instancegroup.Member{MemberID: id, State: instancegroup.Running})
	}
	return v, nil
}

func (f *fake) ReconcilePending(_ context.Context, _ *instancegroup.View, discovered int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counted = append(f.counted, discovered)
	lost := f.lost
	f.lost = 0
	return lost
}

func (f *fake) Reap(context.Context, *instancegroup.View) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reaped++
	return nil
}

func (f *fake) Increase(_ context.Context, n int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, n)
	if err := f.told; err != nil {
		f.told = nil
		return 0, err
	}
	accepted := min(n, f.room)
	f.room -= accepted
	for range accepted {
		if f.late > 0 {
			f.late--
			f.lost++
			continue
		}
		f.serial++
		f.made++
		f.ids = append(f.ids, f.name+"_"+strconv.Itoa(f.serial))
	}
	if accepted < n && f.shortage != nil && accepted == 0 {
		return 0, f.shortage
	}
	return accepted, nil
}

func (f *fake) TakeWarm(_ context.Context, n int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := min(n, f.pool)
	f.pool -= taken
	return taken, nil
}

func (f *fake) Shortage() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.room > 0 {
		return nil
	}
	return f.shortage
}

func (f *fake) Decrease(_ context.Context, ids []string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, f.broken
	}
	f.deleted = append(f.deleted, ids...)
	f.ids = slices.DeleteFunc(f.ids, func(id string) bool { return slices.Contains(ids, id) })
	return slices.Clone(ids), nil
}

func (f *fake) Locate(_ context.Context, id string) (instancegroup.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.ids, id) {
		return instancegroup.Member{}, errors.New("it no longer exists")
	}
	return instancegroup.Member{MemberID: id, Instance: vmss.Instance{Name: f.name}}, nil
}

func (f *fake) Check(_ context.Context, id string) error {
	_, err := f.Locate(context.Background(), id)
	return err
}

func (f *fake) Close(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

// set changes a fake.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

var (
	errQuota  = &armerr.Error{Op: "increase", Object: "it", Kind: armerr.Quota, Message: "quota"}
	errBroken = &armerr.Error{Op: "read", Object: "it", Kind: armerr.Transient, Message: "broken"}
)

// clock is moved by the test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// open makes sets of fakes.
func open(t require.TestingT, fakes ...*fake) *Sets {
	var sources []Source
	for _, f := range fakes {
		sources = append(sources, Source{Name: f.name, Open: func(context.Context) (Group, error) { return f, nil }})
	}
	sets, err := Open(context.Background(), Options{Sources: sources, Logger: hclog.NewNullLogger()})
	require.NoError(t, err)
	return sets
}

func idsOf(v *View) (ids []string) {
	for _, m := range v.Members {
		ids = append(ids, m.MemberID)
	}
	return ids
}

func (f *fake) Suspends() bool { return !f.sleepless }

func (f *fake) Suspend(_ context.Context, ids []string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.suspended = append(f.suspended, ids...)
	return slices.Clone(ids), nil
}

func (f *fake) Resume(_ context.Context, ids []string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resumed = append(f.resumed, ids...)
	return slices.Clone(ids), nil
}

func (f *fake) Tend(context.Context, *instancegroup.View) error { return nil }

func (f *fake) KeepWarm(context.Context) {}
