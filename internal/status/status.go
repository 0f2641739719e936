package status

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Set is a scale set at one time.
type Set struct {
	Name      string     `json:"name"`
	Group     string     `json:"resource_group"`
	Location  string     `json:"location"`
	Mode      string     `json:"mode"`
	State     string     `json:"state"`
	Size      string     `json:"size"`
	Spot      bool       `json:"spot"`
	Windows   bool       `json:"windows"`
	Capacity  int        `json:"capacity"`
	Manager   string     `json:"manager,omitempty"` // the lease; empty: none
	Instances []Instance `json:"instances"`
	Standby   int        `json:"standby,omitempty"` // members of a standby pool, which are no instances
	Quota     *Quota     `json:"quota,omitempty"`   // nil: it could not be read
}

// Quota is the vCPUs of a region that all of the subscription share.
type Quota struct {
	Name  string `json:"name"`
	Used  int    `json:"used"`
	Limit int    `json:"limit"`
}

// Instance is one instance of a scale set.
type Instance struct {
	Name    string    `json:"name"`
	State   string    `json:"state"`           // of provisioning
	Power   string    `json:"power,omitempty"` // empty: Azure shows none
	Created time.Time `json:"created,omitzero"`
	Zone    string    `json:"zone,omitempty"`
	Size    string    `json:"size"`
	Spot    bool      `json:"spot"`
	Address string    `json:"address,omitempty"`
	Latest  *bool     `json:"latest_model,omitempty"` // nil: Azure does not say
	Error   string    `json:"error,omitempty"`
	Kept    string    `json:"kept,omitempty"` // suspended, or warm: in the warm pool; empty: neither
}

// Kept is how many instances are kept for a reason: "suspended" or "warm".
func (s *Set) Kept(reason string) (n int) {
	for _, i := range s.Instances {
		if i.Kept == reason {
			n++
		}
	}
	return n
}

// kept is why an instance is deallocated, by the plugin's mark on it
// (docs/decisions/0015-marks-of-suspended-instances.md).
func kept(m machine) string {
	switch mark, _ := vmss.MarkOf(m.Tags, m.Properties.Protection); {
	case mark.IsWarm():
		return "warm"
	case mark == vmss.Suspended:
		return "suspended"
	}
	return ""
}

// LeaseTag is the tag by which the plugin says that it manages a scale set
// (docs/decisions/0009-a-tag-names-the-manager.md).
const LeaseTag = "fleeting-plugin-azure"

// scaleSet is Azure's view of a scale set.
type scaleSet struct {
	Name     string            `json:"name"`
	Location string            `json:"location"`
	Tags     map[string]string `json:"tags"`
	SKU      struct {
		Name     string `json:"name"`
		Capacity int    `json:"capacity"`
	} `json:"sku"`
	Properties struct {
		Mode    string `json:"orchestrationMode"`
		State   string `json:"provisioningState"`
		Profile struct {
			Priority string `json:"priority"`
			OS       struct {
				Windows *struct{} `json:"windowsConfiguration"`
			} `json:"osProfile"`
		} `json:"virtualMachineProfile"`
	} `json:"properties"`
}

// Read reads the scale set of a configuration.
func Read(ctx context.Context, azure offer.Azure, cfg config.Config) (*Set, error) {
	group, id := cfg.GroupID(), cfg.ScaleSetID()
	var raw scaleSet
	if err := azure.Get(ctx, armops.GetScaleSet, id, nil, &raw); err != nil {
		return nil, err
	}
	p := raw.Properties
	s := &Set{
		Name: cfg.Name, Group: cfg.ResourceGroupName, Location: raw.Location, Mode: cmp.Or(p.Mode, "Uniform"), State: p.State, Size: raw.SKU.Name,
		Spot: strings.EqualFold(p.Profile.Priority, "Spot"), Windows: p.Profile.OS.Windows != nil, Capacity: raw.SKU.Capacity, Manager: raw.Tags[LeaseTag],
	}
	s.Quota = readQuota(ctx, azure, cfg.SubscriptionID, s)
	r := reader{azure: azure, group: group, id: id, set: s, interfaces: map[string]string{}}
	return s, r.run(ctx)
}

// readQuota reads the quota that meets a scale set first. Who may not read it sees the
// rest all the same.
func readQuota(ctx context.Context, azure offer.Azure, subscription string, s *Set) (q *Quota) {
	name := "cores"
	if s.Spot {
		name = "lowPriorityCores"
	}
	usages, _ := offer.Usages(ctx, azure, subscription, s.Location)
	if u, ok := usages[strings.ToLower(name)]; ok {
		q = &Quota{name, u.Current, u.Limit}
	}
	return q
}

// reader reads the instances of a scale set.
type reader struct {
	azure      offer.Azure
	group, id  string
	set        *Set
	interfaces map[string]string // private address by the ID of the instance, in lower case
}

func (r *reader) run(ctx context.Context) error {
	flexible := strings.EqualFold(r.set.Mode, "Flexible")
	list, at, query := armops.ListInstances, r.id+"/virtualMachines", url.Values{"$expand": {"instanceView"}}
	interfaces, under := armops.ListInterfaces, r.group+"/providers/microsoft.Compute/virtualMachineScaleSets/"+r.set.Name+"/networkInterfaces"
	if flexible {
		list, at = armops.ListVirtualMachines, r.group+"/providers/Microsoft.Compute/virtualMachines"
		query.Set("$filter", fmt.Sprintf("'virtualMachineScaleSet/id' eq '%s'", r.id))
		interfaces, under = armops.ListGroupInterfaces, r.group+"/providers/Microsoft.Network/networkInterfaces"
	}
	if err := r.azure.Each(ctx, interfaces, under, nil, r.takeInterface); err != nil {
		return err
	}
	if err := r.azure.Each(ctx, list, at, query, r.takeInstance); err != nil {
		return err
	}
	slices.SortFunc(r.set.Instances, func(a, b Instance) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Name, b.Name))
	})
	return nil
}

func (r *reader) takeInterface(raw json.RawMessage) error {
	var i struct {
		Properties struct {
			VM struct {
				ID string `json:"id"`
			} `json:"virtualMachine"`
			Configs []struct {
				Properties struct {
					Private string `json:"privateIPAddress"`
				} `json:"properties"`
			} `json:"ipConfigurations"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(raw, &i); err != nil {
		return err
	}
	if len(i.Properties.Configs) > 0 {
		r.interfaces[strings.ToLower(i.Properties.VM.ID)] = i.Properties.Configs[0].Properties.Private
	}
	return nil
}

// machine is Azure's view of an instance.
type machine struct {
	ID    string            `json:"id"`
	Name  string            `json:"name"`
	Zones []string          `json:"zones"`
	Tags  map[string]string `json:"tags"`
	SKU   struct {
		Name string `json:"name"`
	} `json:"sku"`
	Properties struct {
		State    string    `json:"provisioningState"`
		Created  time.Time `json:"timeCreated"`
		Latest   *bool     `json:"latestModelApplied"`
		Priority string    `json:"priority"`
		ScaleSet struct {
			ID string `json:"id"`
		} `json:"virtualMachineScaleSet"`
		Hardware struct {
			Size string `json:"vmSize"`
		} `json:"hardwareProfile"`
		Protection vmss.Protection `json:"protectionPolicy"`
		View       struct {
			Standby  bool `json:"isVMInStandbyPool"`
			Statuses []struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"statuses"`
		} `json:"instanceView"`
	} `json:"properties"`
}

func (r *reader) takeInstance(raw json.RawMessage) error {
	var m machine
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	if of := m.Properties.ScaleSet.ID; strings.EqualFold(r.set.Mode, "Flexible") && !strings.EqualFold(of, r.id) {
		return nil // Azure may ignore the filter
	}
	if m.Properties.View.Standby {
		r.set.Standby++
		return nil
	}
	p := m.Properties
	i := Instance{
		Name: cmp.Or(m.Name, m.ID[strings.LastIndex(m.ID, "/")+1:]), State: p.State, Created: p.Created, Latest: p.Latest,
		Size: cmp.Or(p.Hardware.Size, m.SKU.Name, r.set.Size), Spot: r.set.Spot, Address: r.interfaces[strings.ToLower(m.ID)],
	}
	if p.Priority != "" {
		i.Spot = strings.EqualFold(p.Priority, "Spot")
	}
	if len(m.Zones) > 0 {
		i.Zone = m.Zones[0]
	}
	for _, s := range p.View.Statuses { // whose codes come in any case
		kind, rest, _ := strings.Cut(s.Code, "/")
		state, code, _ := strings.Cut(rest, "/")
		switch {
		case strings.EqualFold(kind, "PowerState"):
			i.Power = strings.ToLower(state)
		case strings.EqualFold(kind, "ProvisioningState") && strings.EqualFold(state, "failed"):
			i.Error = strings.Trim(code+": "+s.Message, ": ")
		}
	}
	if i.Power == "deallocated" {
		i.Kept = kept(m)
	}
	r.set.Instances = append(r.set.Instances, i)
	return nil
}

// Running are the instances that Azure charges for: those that are powered on, or being
// made so.
func (s *Set) Running() (all []Instance) {
	for _, i := range s.Instances {
		if !slices.Contains([]string{"deallocated", "deallocating"}, i.Power) {
			all = append(all, i)
		}
	}
	return all
}
