package load

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// evidence is what the simulator knows of an instance on which a job failed
// without a reason.
func (d *Driver) evidence(a Attempt) string {
	ctx := context.Background() // at the end of all, too
	journal, err := d.Simulator.Journal(ctx)
	if err != nil {
		return err.Error()
	}
	for _, e := range journal {
		if !e.Time.Before(a.Began) && e.Status < 300 && deletes(e, a.Instance) {
			return fmt.Sprintf("the plugin deleted the instance while the job ran, request %d of the journal", e.Seq)
		}
	}
	instances, err := d.Simulator.Instances(ctx)
	if err != nil {
		return err.Error()
	}
	for _, i := range instances {
		if ID(i) == a.Instance {
			return fmt.Sprintf("the instance is %s and %s, and no request deleted it by name", i.ProvisioningState, i.PowerState)
		}
	}
	return "the instance is gone, and no request deleted it by name"
}

// deletes reports whether a request deletes the instance, alone or among others.
func deletes(e armsim.Entry, id string) bool {
	name := Name(id)
	_, number, _ := strings.Cut(name, "_") // a Uniform set's instance goes by number
	same := func(s string) bool { return strings.EqualFold(s, name) || number != "" && s == number }
	switch e.Operation {
	case "VirtualMachines_Delete", "VirtualMachineScaleSetVMs_Delete":
		return same(e.Path[strings.LastIndexByte(e.Path, '/')+1:])
	case "VirtualMachineScaleSets_DeleteInstances":
		body, _ := e.Body.(map[string]any)
		ids, _ := body["instanceIds"].([]any)
		return slices.ContainsFunc(ids, func(id any) bool { return same(fmt.Sprint(id)) })
	}
	return false
}
