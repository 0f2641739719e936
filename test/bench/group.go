package bench

import (
	"context"
	"sync"
	"time"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

// watched is a plugin that is watched at its border with fleeting.
type watched struct {
	provider.InstanceGroup

	mu       sync.Mutex
	told     map[string]time.Time // when an instance was first told to run
	known    int                  // instances in the last update that succeeded
	failures int                  // instances that ConnectInfo failed for
	connects []time.Duration      // how long ConnectInfo took
}

// Update implements provider.InstanceGroup.
func (w *watched) Update(ctx context.Context, fn func(string, provider.State)) error {
	known := 0
	err := w.InstanceGroup.Update(ctx, func(id string, state provider.State) {
		if state != provider.StateDeleted {
			known++
		}
		w.note(id, state)
		fn(id, state)
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.known = known
	}
	return err
}

func (w *watched) note(id string, state provider.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.told[id]; !ok && state == provider.StateRunning {
		w.told[id] = time.Now()
	}
}

// ConnectInfo implements provider.InstanceGroup. It asks the plugin for nothing: the
// scaler calls it with a sync.Mutex held that all of its loops want, and time stands
// still in a synctest bubble while anybody waits for one. See connect.
func (w *watched) ConnectInfo(_ context.Context, id string) (provider.ConnectInfo, error) {
	return provider.ConnectInfo{ID: id}, nil
}

// connect asks the plugin for what ConnectInfo did not. The scaler calls it right
// after ConnectInfo, without a lock, and treats an error in the same way.
func (w *watched) connect(ctx context.Context, id string) error {
	begun := time.Now()
	_, err := w.InstanceGroup.ConnectInfo(ctx, id)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.connects = append(w.connects, time.Since(begun))
	if err != nil {
		w.failures++
	}
	return err
}

// knows is how many instances the last update told of.
func (w *watched) knows() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known
}
