package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/offer"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Azure is what the doctor reads; armapi.Resources has it.
type Azure interface {
	Token(ctx context.Context) (token string, expires time.Time, err error)
	Get(ctx context.Context, operation, id string, query url.Values, out any) error
	Each(ctx context.Context, operation, id string, query url.Values, f func(json.RawMessage) error) error
}

// ScaleSet reads a scale set as the plugin does; armapi.Client has it.
type ScaleSet interface {
	ScaleSet(ctx context.Context) (vmss.ScaleSet, error)
	AutoscaleSettings(ctx context.Context) ([]string, error)
}

// Connect makes the clients for a configuration. Its error is about the credential.
type Connect func(config.Config) (Azure, ScaleSet, error)

// cloud is a runner's scale set at Azure.
type cloud struct {
	*subject
	azure   Azure
	reader  ScaleSet
	owner   string // object ID of the identity; empty: the token does not say
	several bool   // the runner has other scale sets, too
	set     vmss.ScaleSet
	model   model
	sizes   map[string]offer.Size // of the region; nil: not read yet
}

// model is what the doctor needs of a scale set beyond what the plugin does.
type model struct {
	Location string   `json:"location"`
	Zones    []string `json:"zones"`
	SKU      struct {
		Name string `json:"name"`
	} `json:"sku"`
	Identity struct {
		Identities map[string]json.RawMessage `json:"userAssignedIdentities"`
	} `json:"identity"`
	Properties struct {
		SKUProfile struct {
			Sizes []struct {
				Name string `json:"name"`
			} `json:"vmSizes"`
		} `json:"skuProfile"`
		Profile profile `json:"virtualMachineProfile"`
	} `json:"properties"`
}

type profile struct {
	OS struct {
		Prefix string `json:"computerNamePrefix"`
	} `json:"osProfile"`
	Storage struct {
		Disk struct {
			Ephemeral struct {
				Option string `json:"option"`
			} `json:"diffDiskSettings"`
		} `json:"osDisk"`
		Image struct {
			ID        string `json:"id"`
			Community string `json:"communityGalleryImageId"`
			Publisher string `json:"publisher"`
			Offer     string `json:"offer"`
			SKU       string `json:"sku"`
			Version   string `json:"version"`
		} `json:"imageReference"`
	} `json:"storageProfile"`
	Network struct {
		Interfaces []struct {
			Properties struct {
				SecurityGroup reference `json:"networkSecurityGroup"`
				Configs       []struct {
					Properties struct {
						Subnet reference `json:"subnet"`
						Family string    `json:"privateIPAddressVersion"`
						Pools  []any     `json:"loadBalancerBackendAddressPools"`
					} `json:"properties"`
				} `json:"ipConfigurations"`
			} `json:"properties"`
		} `json:"networkInterfaceConfigurations"`
	} `json:"networkProfile"`
}

type reference struct {
	ID string `json:"id"`
}

// sizes are the VM sizes of the instances.
func (m *model) sizes() (names []string) {
	for _, size := range m.Properties.SKUProfile.Sizes {
		names = append(names, size.Name)
	}
	if len(names) == 0 {
		names = []string{m.SKU.Name}
	}
	return names
}

func (s *subject) groupID() string { return s.config.GroupID() }

func (s *subject) setID() string { return s.config.ScaleSetID() }

// Cloud examines what each runner of a configuration uses at Azure, one after the other.
// Where it cannot sign in or find a scale set, what would come after is left out.
func Cloud(ctx context.Context, o Options, name string, connect Connect) (*Report, error) {
	subjects, err := runnersOf(o, name)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	for _, s := range subjects {
		if len(s.bad) > 0 {
			r.Findings = append(r.Findings, Finding{Check: "azure", About: s.name, Level: Skipped, Text: "Azure is not asked: plugin_config is wrong"})
			continue
		}
		r.Findings = append(r.Findings, s.atAzure(ctx, connect)...)
	}
	return r, nil
}

func (s *subject) atAzure(ctx context.Context, connect Connect) []Finding {
	found := examine(s, []check{{"proxy", "", checkProxy}})
	owner, sets := "", s.config.Sets()
	most := 0 // of instances; negative: it is not known
	for n, set := range sets {
		one := *s
		one.config = set
		azure, reader, err := connect(set)
		if err != nil {
			return append(found, failed(s, "credential", err))
		}
		if n == 0 {
			var identity []Finding
			identity, owner, err = s.signIn(ctx, azure)
			if found = append(found, identity...); err != nil {
				return found
			}
		}
		c := &cloud{subject: &one, azure: azure, reader: reader, owner: owner, several: len(sets) > 1}
		about, size := c.whole(ctx)
		if found = append(found, about...); size == 0 {
			most = -unlimited
		}
		most += size
	}
	return append(found, s.checkSum(len(sets), most)...)
}

// unlimited is more than all scale sets of a runner together may have.
const unlimited = 1_000_000

// checkSum compares max_instances with what all scale sets take together.
func (s *subject) checkSum(sets, most int) []Finding {
	if sets == 1 || most < 0 || s.scaler.MaxInstances <= most {
		return nil
	}
	f := fault(s.line("max_instances"), fmt.Sprintf("max_instances = %d, and the %d scale sets take %d together", s.scaler.MaxInstances, sets, most), fmt.Sprintf("max_instances = %d", most))
	f.Check, f.About = "max-instances", s.name
	return []Finding{f}
}

// whole examines one scale set, and returns how many instances Azure allows in it; 0: it
// cannot be read.
func (c *cloud) whole(ctx context.Context) (found []Finding, size int) {
	found = c.examine(ctx, accessChecks)
	var err error
	if c.set, err = c.reader.ScaleSet(ctx); err == nil {
		err = c.azure.Get(ctx, armops.GetScaleSet, c.setID(), nil, &c.model)
	}
	if err != nil {
		return append(found, failed(c.subject, "scale-set", err)), 0
	}
	return append(found, c.examine(ctx, setChecks)...), c.set.MaxSize()
}

// failed is an error of Azure, which has its fix at the end.
func failed(s *subject, check string, err error) Finding {
	text, fix, _ := strings.Cut(err.Error(), "; fix: ")
	return Finding{Check: check, Level: Fault, About: s.name, Text: text, Fix: fix}
}

// cloudCheck is a check at Azure. An error means that it could not be made.
type cloudCheck struct {
	name   string
	passed string
	run    func(*cloud, context.Context) ([]Finding, error)
}

func (c *cloud) examine(ctx context.Context, checks []cloudCheck) (all []Finding) {
	for _, one := range checks {
		found, err := one.run(c, ctx)
		switch {
		case err != nil:
			found = []Finding{{Level: Skipped, Text: "cannot be looked at: " + err.Error()}}
		case len(found) == 0 && one.passed != "":
			found = []Finding{{Level: OK, Text: one.passed}}
		}
		for _, f := range found {
			f.Check = one.name
			if f.About == "" {
				f.About = fmt.Sprintf("scale set %q", c.config.Name)
			}
			all = append(all, f)
		}
	}
	return all
}
