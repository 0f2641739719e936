package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

// blows are what was done to instances on purpose, by the plugin's ID.
type blows struct {
	mu   sync.Mutex
	what map[string]string
}

func (b *blows) note(id, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.what[id] = what
}

func (b *blows) to(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.what[id]
}

// explain says what broke a job off that was meant to happen, if anything did.
func (s *soak) explain(a attempt) string {
	if a.generation == nil {
		return "there was no plugin"
	}
	if blow := s.blows.to(a.instance); blow != "" {
		return blow
	}
	if a.generation.dead() {
		return fmt.Sprintf("plugin %d is dead", a.generation.number)
	}
	return ""
}

// evidence is what the simulator knows of an instance on which a job failed
// without a reason.
func (s *soak) evidence(a attempt) string {
	ctx := context.Background() // at the end of all, too
	journal, err := s.simulator.Journal(ctx)
	if err != nil {
		return err.Error()
	}
	for _, e := range journal {
		if !e.Time.Before(a.began) && e.Status < 300 && deletes(e, a.instance) {
			return fmt.Sprintf("the plugin deleted the instance while the job ran, request %d of the journal", e.Seq)
		}
	}
	instances, err := s.simulator.Instances(ctx)
	if err != nil {
		return err.Error()
	}
	at := slices.IndexFunc(instances, func(i armsim.InstanceInfo) bool { return fleet.ID(i.Name, i.VMID) == a.instance })
	if at < 0 {
		return "the instance is gone, and no request deleted it by name"
	}
	return fmt.Sprintf("the instance is %s and %s, and no request deleted it by name", instances[at].ProvisioningState, instances[at].PowerState)
}

// deletes says whether a request deletes the instance, alone or among others.
func deletes(e armsim.Entry, id string) bool {
	name := fleet.Name(id)
	_, number, _ := strings.Cut(name, "_") // a Uniform set's instance goes by number
	same := func(s string) bool { return strings.EqualFold(s, name) || number != "" && s == number }
	switch e.Operation {
	case "VirtualMachines_Delete", "VirtualMachineScaleSetVMs_Delete":
		return same(e.Path[strings.LastIndexByte(e.Path, '/')+1:])
	case deletions:
		body, _ := e.Body.(map[string]any)
		ids, _ := body["instanceIds"].([]any)
		return slices.ContainsFunc(ids, func(id any) bool { return same(fmt.Sprint(id)) })
	}
	return false
}
