package armsim

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Evictions takes Spot instances away by itself: every so often a running one,
// drawn from the seed. The zero value takes none.
type Evictions struct {
	Every Duration
	Max   int // in all; 0: no limit
}

// simulatedEviction is the latest that an eviction follows its request; the
// warning in the guest is as long (Microsoft's page on Spot virtual machines).
const simulatedEviction = 30 * time.Second

// actionEvict is an eviction that keeps the instance.
var actionEvict = powerAction{"Evict", powerDeallocating, powerDeallocated}

func (i *instance) priority() string { return text(i.profile, "priority") }
func (i *instance) spot() bool       { return isSpot(i.priority()) }

func isSpot(priority string) bool {
	return strings.EqualFold(priority, "Spot") || strings.EqualFold(priority, "Low") // its name before 2019
}

// evictable says why an instance cannot be evicted.
func (i *instance) evictable() error {
	switch {
	case !i.spot():
		return errors.New("its priority is not Spot")
	case i.state == stateDeleting:
		return errors.New("it is being deleted")
	case i.power == powerDeallocated || i.power == powerDeallocating:
		return errors.New("it is deallocated")
	}
	return nil
}

// evict takes a Spot instance's capacity away: with the policy Delete the
// instance goes with all that is its own, and the capacity falls; else it stays,
// deallocated (Microsoft's pages on Spot priority mix and Spot scale sets).
func (s *Server) evict(i *instance) {
	s.evicted++
	if strings.EqualFold(text(i.profile, "evictionPolicy"), "Delete") {
		s.remove(i, true, nil)
		return
	}
	s.change(i, actionEvict, nil)
}

// Evict takes away the capacity of a Spot instance, named by resource name or
// vmId, as Azure does when it wants it back. It returns at acceptance; what runs
// on the instance dies at once.
func (s *Server) Evict(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.target("evict", name)
	if err != nil {
		return err
	}
	if err := i.evictable(); err != nil {
		return fmt.Errorf("evict instance %q: %w", name, err)
	}
	s.evict(i)
	return nil
}

func (c *call) simulateEviction(i *instance) (*answer, *problem) {
	if err := i.evictable(); err != nil {
		return nil, newProblem(http.StatusConflict, "OperationNotAllowed",
			"Operation 'simulateEviction' is not allowed on virtual machine '%s': %s.", i.name, err)
	}
	s := c.server
	s.time.after(time.Duration(s.rand.Int64N(int64(simulatedEviction))), func() {
		if !i.gone && i.evictable() == nil {
			s.evict(i)
		}
	})
	return &answer{status: http.StatusNoContent}, nil
}

// planEviction plans the next eviction of Config.Evictions.
func (s *Server) planEviction(left int) {
	rule := s.config.Evictions
	if rule.Every.Median <= 0 || rule.Max > 0 && left == 0 {
		return
	}
	s.time.after(rule.Every.draw(s.rand), func() {
		if s.evictOne() {
			left--
		}
		s.planEviction(left)
	})
}

func (s *Server) evictOne() bool {
	var running []*instance
	for set := range s.scaleSets() {
		for _, i := range set.instances {
			if i.power == powerRunning && i.evictable() == nil {
				running = append(running, i)
			}
		}
	}
	if len(running) == 0 {
		return false
	}
	slices.SortFunc(running, func(a, b *instance) int { return strings.Compare(a.vmID, b.vmID) }) // so that a run replays
	s.evict(running[s.rand.IntN(len(running))])
	return true
}
