package setup

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// removal is one resource to remove.
type removal struct {
	step
	del string
}

// removals are all that setup can have made, in an order that Azure accepts: nothing that
// something else still uses.
func (s *Setup) removals(ctx context.Context) ([]removal, error) {
	there, err := s.Azure.Exists(ctx, armops.GetGroup, s.Spec.GroupID())
	if err != nil || !there {
		return nil, err
	}
	sp := &s.Spec
	all := []removal{
		{step{id: sp.ScaleSetID(), get: armops.GetScaleSet}, armops.DeleteScaleSet},
		{step{id: sp.vnetID(), get: armops.GetNetwork}, armops.DeleteNetwork},
		{step{id: sp.securityGroupID(), get: armops.GetSecurityGroup}, armops.DeleteSecurityGroup},
		{step{id: sp.gatewayID(), get: armops.GetGateway}, armops.DeleteGateway},
		{step{id: sp.addressID(), get: armops.GetPublicAddress}, armops.DeletePublicAddress},
	}
	assignments, err := s.assignments(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range assignments {
		all = append(all, removal{step{id: id, get: armops.GetAssignment, unmarked: true, label: "assignment of the role"}, armops.DeleteAssignment})
	}
	all = append(all, removal{step{id: sp.roleID(), get: armops.GetRole, unmarked: true, label: "role " + sp.RoleName()}, armops.DeleteRole})
	identities, err := s.identities(ctx)
	for _, id := range identities {
		all = append(all, removal{step{id: id, get: armops.GetIdentity}, armops.DeleteIdentity})
	}
	return all, err
}

// identities are the managed identities of the resource group: setup leaves the name to
// its user, so that only the tag tells which it made.
func (s *Setup) identities(ctx context.Context) (ids []string, err error) {
	err = s.content(ctx, func(id string) {
		if armops.Match("GET", id) == armops.GetIdentity {
			ids = append(ids, id)
		}
	})
	return ids, err
}

// content visits the IDs of all resources of the group.
func (s *Setup) content(ctx context.Context, visit func(id string)) error {
	return s.Azure.Each(ctx, armops.ListGroupContent, s.Spec.GroupID()+"/resources", nil, func(raw json.RawMessage) error {
		var resource struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(raw, &resource); err != nil {
			return err
		}
		visit(resource.ID)
		return nil
	})
}

// assignments are those of the role that setup made, whoever got it.
func (s *Setup) assignments(ctx context.Context) (ids []string, err error) {
	list := s.Spec.GroupID() + "/providers/Microsoft.Authorization/roleAssignments"
	err = s.Azure.Each(ctx, armops.ListAssignments, list, nil, func(raw json.RawMessage) error {
		var a struct {
			Name       string `json:"name"`
			Properties struct {
				Role string `json:"roleDefinitionId"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(raw, &a); err != nil {
			return err
		}
		if strings.EqualFold(lastPart(a.Properties.Role), s.Spec.guid("role")) {
			ids = append(ids, list+"/"+a.Name)
		}
		return nil
	})
	return ids, err
}

func lastPart(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// PlanTeardown is what a teardown would remove: what is there, and was made by setup for
// this scale set. The resource group goes last, and only if setup made it and nothing else
// is left in it.
func (s *Setup) PlanTeardown(ctx context.Context) (*Plan, error) {
	p := &Plan{Items: []Item{}}
	all, err := s.removals(ctx)
	if err != nil {
		return nil, err
	}
	all = append(all, removal{step{id: s.Spec.GroupID(), get: armops.GetGroup}, armops.DeleteGroup})
	for _, r := range all {
		item := Item{Action: Remove, Title: r.title(), ID: r.id, step: r.step}
		item.step.put = r.del
		there, err := s.Azure.Find(ctx, r.get, r.id, &item.have)
		if err != nil {
			return nil, err
		}
		if !there || !r.unmarked && r.mark(item.have) != s.Spec.Name {
			continue
		}
		p.Items = append(p.Items, item)
	}
	return p, s.keepGroup(ctx, p)
}

// keepGroup takes the resource group out of a plan if something else is in it.
func (s *Setup) keepGroup(ctx context.Context, p *Plan) error {
	at := slices.IndexFunc(p.Items, func(i Item) bool { return i.step.get == armops.GetGroup })
	if at < 0 {
		return nil
	}
	var others []string
	err := s.content(ctx, func(id string) {
		if !p.holds(id) {
			others = append(others, id)
		}
	})
	if err == nil && len(others) > 0 {
		p.Items = slices.Delete(p.Items, at, at+1)
		p.Notes = append(p.Notes, "the resource group stays: it has other resources, as "+others[0])
	}
	return err
}

// holds reports whether a resource goes, by itself or with one that it belongs to.
func (p *Plan) holds(id string) bool {
	return slices.ContainsFunc(p.Items, func(i Item) bool {
		return i.step.get != armops.GetGroup && strings.HasPrefix(strings.ToLower(id)+"/", strings.ToLower(i.ID)+"/")
	})
}

// Teardown removes what a plan has. Broken off, a new plan goes on from there.
func (s *Setup) Teardown(ctx context.Context, p *Plan) error {
	for _, i := range p.Items {
		if s.Progress != nil {
			s.Progress(i.Title)
		}
		if err := s.Azure.Write(ctx, i.step.put, i.ID, nil, nil); err != nil {
			return err
		}
	}
	return nil
}
