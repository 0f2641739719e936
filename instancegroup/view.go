package instancegroup

import (
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// View is a complete snapshot of the group; it is never changed.
type View struct {
	At      time.Time // when its reading began
	Members []Member  // in the order of their IDs
	Gone    []string  // IDs of earlier members that no longer exist, for goneMemory

	pool []Member // those that the runner must not see; in Members until it is given the view

	reading      uint64 // place of its reading among all that began
	listed       int    // how many instances the list showed
	lacked       int    // how many it lacked that exist: they were read singly
	unidentified int    // instances without a vmId, which are no members
	identifying  int    // those of them that may still get one
	keepsFailed  bool   // what could not be created is listed, too: in Uniform orchestration
}

// Occupied is how many instances count in the capacity: all but those that are
// being deleted.
func (v *View) Occupied() int {
	n := v.unidentified
	for _, members := range [][]Member{v.Members, v.pool} {
		for k := range members {
			if members[k].State != Deleting {
				n++
			}
		}
	}
	return n
}

// count is how many instances there are, those that are being deleted included.
func (v *View) count() int { return len(v.Members) + len(v.pool) + v.unidentified }

// whole is a view with what the runner does not see among the members.
func (v *View) whole() *View {
	if len(v.pool) == 0 {
		return v
	}
	all := *v
	all.Members, all.pool = slices.Concat(v.Members, v.pool), nil
	slices.SortFunc(all.Members, byID)
	return &all
}

// Find returns the member of an ID, nil where there is none.
func (v *View) Find(id string) *Member {
	i, ok := slices.BinarySearchFunc(v.Members, id, func(m Member, id string) int { return strings.Compare(m.MemberID, id) })
	if !ok {
		return nil
	}
	return &v.Members[i]
}

// vmIDs are the vmIds of the members by resource ID in lower case.
func (v *View) vmIDs() map[string]string {
	ids := make(map[string]string, len(v.Members))
	for n := range v.Members {
		ids[strings.ToLower(v.Members[n].ID)] = v.Members[n].VMID
	}
	return ids
}

// matchPrevious gives an instance its ID, and the member of the last view that
// it is. One that has lost its vmId in the response, as happens late in life, is
// still the one of the last view; one that is being created under the number of
// an older one is another (F17).
func matchPrevious(i vmss.Instance, last *View) (string, *Member) {
	if id := identify(i); id != "" {
		return id, last.Find(id)
	}
	var found *Member // of two under one number that which was read last: the other is about to be found gone
	for n := range last.Members {
		m := &last.Members[n]
		if strings.EqualFold(m.ID, i.ID) && (m.isUnidentified() || m.State == Creating || !i.Is("Creating")) && (found == nil || m.reading > found.reading) {
			found = m
		}
	}
	if found == nil {
		return "", nil
	}
	return found.MemberID, found
}

// missing are the members of the last view that a new list lacks.
func missing(instances []vmss.Instance, last *View) []Member {
	listed := make(map[string]bool, len(instances))
	for _, i := range instances {
		id, _ := matchPrevious(i, last)
		listed[id] = true
	}
	var missing []Member
	for _, m := range last.Members {
		if !listed[m.MemberID] {
			missing = append(missing, m)
		}
	}
	return missing
}
