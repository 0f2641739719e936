package setup

import (
	"context"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// Setup makes what a Spec wants.
type Setup struct {
	Spec  Spec // complete
	Azure Azure

	// Progress is told the title of what is being made; nil: nobody is.
	Progress func(title string)
}

// steps are all resources, each after those that it needs.
func (s *Setup) steps(c checked) []step {
	set := s.Spec.scaleSet(c.reference)
	if c.plan != nil {
		set["plan"] = c.plan
	}
	group := step{id: s.Spec.GroupID(), get: armops.GetGroup, put: armops.PutGroup, want: object{"location": s.Spec.Location, "tags": s.Spec.tags()}}
	steps := append([]step{group}, s.Spec.networkSteps()...)
	steps = append(steps, step{
		id: s.Spec.ScaleSetID(), get: armops.GetScaleSet, put: armops.PutScaleSet, patch: armops.UpdateScaleSet, want: set,
	})
	return append(steps, s.Spec.accessSteps()...)
}

// Plan compares what is wanted with what is there. Nothing is changed.
func (s *Setup) Plan(ctx context.Context) (*Plan, error) {
	p := &Plan{}
	c, err := s.check(ctx)
	if err != nil {
		return nil, err
	}
	p.Notes = append(p.Notes, c.notes...)
	if p.Items, err = s.unregistered(ctx); err != nil {
		return nil, err
	}
	for _, step := range s.steps(c) {
		if step.assigns {
			principal, err := s.principal(ctx)
			if err != nil {
				return nil, err
			}
			if step = s.Spec.assignment(principal); principal == "" {
				p.Items = append(p.Items, Item{Action: Create, Title: "assignment of the role to identity " + s.Spec.Identity, step: step})
				continue
			}
		}
		item, err := step.compare(ctx, s.Azure, s.Spec.Name)
		if err != nil {
			return nil, err
		}
		p.Items = append(p.Items, asGroup(item))
	}
	return p, nil
}

// asGroup leaves a resource group as it is that was there before.
func asGroup(i Item) Item {
	if i.step.get == armops.GetGroup && i.Action == Foreign {
		i.Action, i.Differences = Keep, nil
	}
	return i
}

// principal is the object ID that gets the role; empty while its identity is not made.
func (s *Setup) principal(ctx context.Context) (string, error) {
	if s.Spec.Identity == "" {
		return s.Spec.Principal, nil
	}
	identity, err := s.identity(ctx)
	return identity.PrincipalID, err
}

// identity is what Azure gave the managed identity; zero while it is not made.
type identity struct {
	PrincipalID string `json:"principalId"`
	ClientID    string `json:"clientId"`
}

func (s *Setup) identity(ctx context.Context) (identity, error) {
	var made struct {
		Properties identity `json:"properties"`
	}
	_, err := s.Azure.Find(ctx, armops.GetIdentity, s.Spec.identityID(), &made)
	return made.Properties, err
}

// ClientID is that of the managed identity that was made; empty if none was. A machine with
// several identities needs it to say which.
func (s *Setup) ClientID(ctx context.Context) (string, error) {
	if s.Spec.Identity == "" {
		return "", nil
	}
	identity, err := s.identity(ctx)
	return identity.ClientID, err
}

// Apply makes what a plan lacks. Broken off, or after an error, a new plan goes on from
// there.
func (s *Setup) Apply(ctx context.Context, p *Plan) error {
	if err := p.Err(); err != nil {
		return err
	}
	for _, i := range p.Items {
		if i.Action == Keep {
			continue
		}
		if s.Progress != nil {
			s.Progress(i.Title)
		}
		if err := s.apply(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (s *Setup) apply(ctx context.Context, i Item) error {
	step := i.step
	switch {
	case step.put == armops.PutAssignment:
		return s.assign(ctx)
	case step.put == armops.RegisterProvider:
		return s.register(ctx, step.id)
	}
	if i.Action == Change && step.patch != "" {
		return s.Azure.Write(ctx, step.patch, step.id, patchOf(step.want, i.have), nil)
	}
	return s.Azure.Write(ctx, step.put, step.id, merged(step.want, i.have), nil)
}
