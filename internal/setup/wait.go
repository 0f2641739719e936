package setup

import (
	"context"
	"errors"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// newPrincipal is how long Azure may take to know the principal of a new identity.
const newPrincipal = 5 * time.Minute

// assign gives the role to the identity. Azure may not know it yet: PrincipalNotFound, for
// seconds or minutes (recording 38; the CLI tries again, too).
func (s *Setup) assign(ctx context.Context) error {
	principal, err := s.principal(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, newPrincipal)
	defer cancel()
	step := s.Spec.assignment(principal)
	for {
		err := s.Azure.Write(ctx, step.put, step.id, step.want, nil)
		switch e, _ := errors.AsType[*armerr.Error](err); {
		case err == nil || e != nil && e.Code == "RoleAssignmentExists":
			return nil
		case e == nil || e.Code != "PrincipalNotFound":
			return err
		}
		if !wait(ctx) {
			return err
		}
	}
}

var _ Azure = (*armapi.Resources)(nil)

// wait waits for what Azure does by itself. It is false when there is no more time.
func wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(5 * time.Second):
		return true
	}
}

// newProvider is how long the registration of a resource provider may take.
const newProvider = 10 * time.Minute

// register registers a resource provider, and waits until it is.
func (s *Setup) register(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, newProvider)
	defer cancel()
	if err := s.Azure.Write(ctx, armops.RegisterProvider, id+"/register", nil, nil); err != nil {
		return err
	}
	for {
		state, err := s.registration(ctx, id)
		if err != nil || strings.EqualFold(state, "Registered") {
			return err
		}
		if !wait(ctx) {
			return errors.New("register " + id + ": Azure takes longer than usual; fix: run setup again later")
		}
	}
}
