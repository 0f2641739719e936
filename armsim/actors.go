package armsim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What others do behind a client's back: somebody in the portal, another
// program, Azure itself. See also Kill and Evict.

// target finds an instance by resource name or vmId; lock must be held.
func (s *Server) target(verb, name string) (*instance, error) {
	if i := s.byName(name); i != nil {
		return i, nil
	}
	return nil, fmt.Errorf("%s instance %q: there is none of that name", verb, name)
}

// alive is target, less what is being deleted.
func (s *Server) alive(verb, name string) (*instance, error) {
	i, err := s.target(verb, name)
	if err == nil && i.state == stateDeleting {
		return nil, fmt.Errorf("%s instance %q: it is being deleted", verb, name)
	}
	return i, err
}

// Deallocate stops an instance, named by resource name or vmId, and gives its
// capacity back to Azure. It returns at acceptance.
func (s *Server) Deallocate(name string) error {
	return s.foreignPower("deallocate", name, actionDeallocate)
}

// PowerOn starts an instance, named by resource name or vmId. It returns at
// acceptance.
func (s *Server) PowerOn(name string) error { return s.foreignPower("start", name, actionStart) }

func (s *Server) foreignPower(verb, name string, a powerAction) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.alive(verb, name)
	if err != nil {
		return err
	}
	s.change(i, a, nil)
	return nil
}

// Remove deletes an instance, named by resource name or vmId, as its scale
// set's API would; the capacity falls. It returns at acceptance.
func (s *Server) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.alive("delete", name)
	if err != nil {
		return err
	}
	s.foreignRemove(i)
	return nil
}

func (s *Server) foreignRemove(i *instance) {
	if i.set.loose() {
		s.remove(i, false, nil)
		return
	}
	s.removeAll(i.set, []*instance{i}, s.batchLowers(i.set))
}

// Raise adds n to a scale set's capacity. It returns at acceptance; the error
// says that there is no such set, or no quota.
func (s *Server) Raise(scaleSet string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set, err := s.foreignSet("raise", scaleSet)
	if err != nil {
		return err
	}
	return s.raise(set, n)
}

func (s *Server) raise(set *scaleSet, n int) error {
	if n < 1 {
		return fmt.Errorf("raise scale set %q by %d: it must be 1 or more", set.name, n)
	}
	if p := s.checkQuota(set, set.capacity+n); p != nil {
		return fmt.Errorf("raise scale set %q by %d: %w", set.name, n, p)
	}
	set.revision++
	s.setCapacity(set, set.capacity+n, s.begin(set, "Update"))
	return nil
}

// Tag sets a tag of a scale set. Its ETag moves.
func (s *Server) Tag(scaleSet, key, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set, err := s.foreignSet("tag", scaleSet)
	if err != nil {
		return err
	}
	s.tag(set, key, value)
	return nil
}

func (s *Server) tag(set *scaleSet, key, value string) {
	ensure(set.model, "tags")[key] = value
	set.revision++
	o := s.begin(set, "Update")
	s.time.after(bookkeeping, func() { s.end(o, nil) })
}

// foreignSet finds a scale set that is not being deleted by name, in any group.
func (s *Server) foreignSet(verb, name string) (*scaleSet, error) {
	for _, set := range s.sets() {
		if strings.EqualFold(set.name, name) {
			return set, nil
		}
	}
	return nil, fmt.Errorf("%s scale set %q: there is none of that name, or it is being deleted", verb, name)
}

// sets are the scale sets that are not being deleted, in an order that replays.
func (s *Server) sets() []*scaleSet {
	var all []*scaleSet
	for _, group := range slices.Sorted(maps.Keys(s.groups)) {
		for _, name := range slices.Sorted(maps.Keys(s.groups[group].scaleSets)) {
			if set := s.groups[group].scaleSets[name]; set.state != stateDeleting {
				all = append(all, set)
			}
		}
	}
	return all
}
