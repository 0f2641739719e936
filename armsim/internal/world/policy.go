package world

import "strings"

// Policies are Azure Policy's assignments, exemptions and definitions in the subscription. They
// are kept as they were written, and refuse nothing.
type Policies struct{ byID map[string]*Policy }

// Policy is an assignment, an exemption, a definition or a set of definitions.
type Policy struct {
	ID    string
	Name  string
	Scope string // a subscription, a group or a resource
	Body  map[string]any
}

func newPolicies() *Policies { return &Policies{byID: map[string]*Policy{}} }

// Put writes one, and reports whether it is new.
func (ps *Policies) Put(p *Policy) (created bool) {
	_, there := ps.byID[strings.ToLower(p.ID)]
	ps.byID[strings.ToLower(p.ID)] = p
	return !there
}

// Find finds one by ID, in any case; nil: there is none.
func (ps *Policies) Find(id string) *Policy { return ps.byID[strings.ToLower(id)] }

// Drop removes one.
func (ps *Policies) Drop(p *Policy) { delete(ps.byID, strings.ToLower(p.ID)) }

// OfKind are those whose ID has this type, as policyAssignments, in the order of their
// IDs.
func (ps *Policies) OfKind(kind string) (all []*Policy) {
	for _, p := range sortedByKey(ps.byID) {
		if strings.EqualFold(p.ID, p.Scope+"/providers/Microsoft.Authorization/"+kind+"/"+p.Name) {
			all = append(all, p)
		}
	}
	return all
}

// dropBelow forgets what was assigned at a scope that is gone.
func (ps *Policies) dropBelow(scope string) {
	for id, p := range ps.byID {
		if Within(scope, p.Scope) {
			delete(ps.byID, id)
		}
	}
}
