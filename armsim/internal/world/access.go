package world

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/wildcard"
)

// Access is who may what in the subscription, and the locks on it. Principals
// are named by their object IDs.
type Access struct {
	clock        *Clock
	subscription string                     // its resource ID
	definitions  map[string]*RoleDefinition // by name in lower case
	assignments  map[string]*RoleAssignment // by ID in lower case
	byPrincipal  map[string][]*RoleAssignment
	locks        map[string]*Lock // by ID in lower case
	principals   map[string]time.Time
	delays       Delays
}

// Delays are how long Azure takes to spread what was written.
type Delays struct {
	Principal  time.Duration // until role assignments know a new principal
	Assignment time.Duration // until a role assignment counts
}

// Permission is what an assigned role allows: what Actions match, less what
// NotActions do.
type Permission struct {
	Actions, NotActions, DataActions, NotDataActions []string
}

// Allows reports whether the permission holds an action.
func (p *Permission) Allows(action string) bool {
	matches := func(pattern string) bool {
		// Managed Identity Operator has userAssignedIdentities/*/assign/action.
		return wildcard.Match(pattern, action) || wildcard.Match(strings.ReplaceAll(pattern, "/*/", "/"), action)
	}
	return slices.ContainsFunc(p.Actions, matches) && !slices.ContainsFunc(p.NotActions, matches)
}

// RoleDefinition is a role, Azure's or a custom one.
type RoleDefinition struct {
	Name        string // a GUID
	RoleName    string
	Description string
	BuiltIn     bool
	Scopes      []string // that it may be assigned at
	Permissions []Permission
	Created     time.Time
	Updated     time.Time
	CreatedBy   string // object ID
}

// RoleAssignment gives a principal a role at a scope and below it.
type RoleAssignment struct {
	ID            string
	Name          string // a GUID
	Scope         string
	Role          *RoleDefinition
	PrincipalID   string
	PrincipalType string
	Further       map[string]any // description and condition, as they were written
	Created       time.Time
	Updated       time.Time
	CreatedBy     string // object ID

	counts time.Time // from when
}

// A lock's levels.
const (
	LockCannotDelete = "CanNotDelete"
	LockReadOnly     = "ReadOnly"
)

// Lock forbids deletions, or all writes, at a scope and below it.
type Lock struct {
	ID    string
	Name  string
	Scope string
	Level string
	Notes string
}

func newAccess(c *Clock, subscriptionID string, delays Delays) *Access {
	a := &Access{
		clock: c, subscription: "/subscriptions/" + subscriptionID, definitions: map[string]*RoleDefinition{},
		assignments: map[string]*RoleAssignment{}, byPrincipal: map[string][]*RoleAssignment{}, locks: map[string]*Lock{},
		principals: map[string]time.Time{}, delays: delays,
	}
	for _, d := range builtInRoles() {
		a.definitions[d.Name] = d
	}
	return a
}

// Within reports whether an ID is at a scope or below it, in any case.
func Within(scope, id string) bool {
	scope, id = strings.ToLower(strings.TrimRight(scope, "/")), strings.ToLower(id)
	return strings.HasPrefix(id, scope) && (len(id) == len(scope) || id[len(scope)] == '/')
}

// Permissions are the principal's at a scope, one for each of its assignments
// there or above.
func (a *Access) Permissions(principal, scope string) []Permission {
	var all []Permission
	for _, one := range a.byPrincipal[strings.ToLower(principal)] {
		if Within(one.Scope, scope) && a.counts(one) {
			all = append(all, one.Role.Permissions...)
		}
	}
	return all
}

// May reports whether the principal holds the action at a scope.
func (a *Access) May(principal, action, scope string) bool {
	return slices.ContainsFunc(a.byPrincipal[strings.ToLower(principal)], func(one *RoleAssignment) bool {
		return Within(one.Scope, scope) && one.Role.allows(action) && a.counts(one)
	})
}

// MayAnywhere reports whether the principal holds the action at any scope.
func (a *Access) MayAnywhere(principal, action string) bool {
	return slices.ContainsFunc(a.byPrincipal[strings.ToLower(principal)], func(one *RoleAssignment) bool {
		return one.Role.allows(action) && a.counts(one)
	})
}

// counts reports whether the assignment has come into effect.
func (a *Access) counts(one *RoleAssignment) bool { return !a.clock.Now().Before(one.counts) }

func (d *RoleDefinition) allows(action string) bool {
	return slices.ContainsFunc(d.Permissions, func(p Permission) bool { return p.Allows(action) })
}

// AddPrincipal makes a principal known. PrincipalKnown knows it at once where it
// stood before all requests, else after the delay.
func (a *Access) AddPrincipal(id string, before bool) {
	since := a.clock.Now()
	if before {
		since = since.Add(-a.delays.Principal)
	}
	a.principals[strings.ToLower(id)] = since
}

func (a *Access) forgetPrincipal(id string) { delete(a.principals, strings.ToLower(id)) }

// PrincipalKnown reports whether there is such a principal, and whether it has
// been replicated to where role assignments are checked.
func (a *Access) PrincipalKnown(id string) (exists, replicated bool) {
	since, exists := a.principals[strings.ToLower(id)]
	return exists, exists && a.clock.Now().Sub(since) >= a.delays.Principal
}

// Definition finds a role by name, or by an ID that ends with it; nil: there is
// none.
func (a *Access) Definition(id string) *RoleDefinition {
	return a.definitions[strings.ToLower(id[strings.LastIndexByte(id, '/')+1:])]
}

// RoleNamed finds a role by its display name, in any case; nil: there is none.
func (a *Access) RoleNamed(roleName string) *RoleDefinition {
	for _, d := range a.definitions {
		if strings.EqualFold(d.RoleName, roleName) {
			return d
		}
	}
	return nil
}

// Definitions are all roles in the order of their names, which are GUIDs.
func (a *Access) Definitions() []*RoleDefinition { return sortedByKey(a.definitions) }

// PutDefinition writes a custom role.
func (a *Access) PutDefinition(d *RoleDefinition) {
	key, now := strings.ToLower(d.Name), a.clock.Now()
	d.Created, d.Updated = now, now
	if was := a.definitions[key]; was != nil {
		d.Created, d.CreatedBy = was.Created, was.CreatedBy
		*was = *d // assignments point at it
		return
	}
	a.definitions[key] = d
}

// DeleteDefinition removes a custom role that is not assigned.
func (a *Access) DeleteDefinition(d *RoleDefinition) { delete(a.definitions, strings.ToLower(d.Name)) }

// Assigned reports whether any principal has the role.
func (a *Access) Assigned(d *RoleDefinition) bool {
	for _, one := range a.assignments {
		if one.Role == d {
			return true
		}
	}
	return false
}

// Assignments are all role assignments in the order of their IDs.
func (a *Access) Assignments() []*RoleAssignment { return sortedByKey(a.assignments) }

// Assignment finds a role assignment by its ID, in any case; nil: there is none.
func (a *Access) Assignment(id string) *RoleAssignment { return a.assignments[strings.ToLower(id)] }

// SameAssignment finds one of the same principal, role and scope; nil: there is
// none.
func (a *Access) SameAssignment(one *RoleAssignment) *RoleAssignment {
	for _, other := range a.byPrincipal[strings.ToLower(one.PrincipalID)] {
		if other.Role == one.Role && strings.EqualFold(other.Scope, one.Scope) {
			return other
		}
	}
	return nil
}

// AssignmentID is the ID of a role assignment.
func AssignmentID(scope, name string) string {
	return strings.TrimRight(scope, "/") + "/providers/Microsoft.Authorization/roleAssignments/" + name
}

// PutAssignment writes a role assignment.
func (a *Access) PutAssignment(one *RoleAssignment) {
	one.ID = AssignmentID(one.Scope, one.Name)
	one.Created, one.Updated, one.counts = a.clock.Now(), a.clock.Now(), a.clock.Now().Add(a.delays.Assignment)
	if was := a.Assignment(one.ID); was != nil {
		one.Created, one.CreatedBy, one.counts = was.Created, was.CreatedBy, was.counts
		a.DeleteAssignment(was)
	}
	a.assignments[strings.ToLower(one.ID)] = one
	principal := strings.ToLower(one.PrincipalID)
	a.byPrincipal[principal] = append(a.byPrincipal[principal], one)
}

// Grant gives a principal a role at the scope from now on, under a name that
// depends on these alone.
func (a *Access) Grant(principal string, role *RoleDefinition, scope string) {
	name := uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(principal+" "+role.Name+" "+scope))).String()
	one := &RoleAssignment{Name: name, Scope: scope, Role: role, PrincipalID: principal, PrincipalType: "ServicePrincipal"}
	a.PutAssignment(one)
	one.counts = a.clock.Now()
}

// DeleteAssignment takes the role away.
func (a *Access) DeleteAssignment(one *RoleAssignment) {
	delete(a.assignments, strings.ToLower(one.ID))
	principal := strings.ToLower(one.PrincipalID)
	a.byPrincipal[principal] = slices.DeleteFunc(a.byPrincipal[principal], func(other *RoleAssignment) bool { return other == one })
}

// Locks are all locks in the order of their IDs.
func (a *Access) Locks() []*Lock { return sortedByKey(a.locks) }

// Lock finds a lock by its ID, in any case; nil: there is none.
func (a *Access) Lock(id string) *Lock { return a.locks[strings.ToLower(id)] }

// LockID is the ID of a lock.
func LockID(scope, name string) string {
	return scope + "/providers/Microsoft.Authorization/locks/" + name
}

// PutLock writes a lock, and reports whether it is a new one.
func (a *Access) PutLock(l *Lock) (created bool) {
	l.ID = LockID(l.Scope, l.Name)
	created = a.Lock(l.ID) == nil
	a.locks[strings.ToLower(l.ID)] = l
	return created
}

// DeleteLock removes a lock.
func (a *Access) DeleteLock(l *Lock) { delete(a.locks, strings.ToLower(l.ID)) }

// dropBelow forgets what was assigned and locked at a scope that is gone.
func (a *Access) dropBelow(scope string) {
	for _, one := range a.Assignments() {
		if Within(scope, one.Scope) {
			a.DeleteAssignment(one)
		}
	}
	for _, l := range a.Locks() {
		if Within(scope, l.Scope) {
			a.DeleteLock(l)
		}
	}
}

func sortedByKey[T any](m map[string]T) []T {
	all := make([]T, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[key])
	}
	return all
}
