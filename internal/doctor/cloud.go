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
	azure  Azure
	reader ScaleSet
	owner  string // object ID of the identity; empty: the token does not say
	set    vmss.ScaleSet
	model  model
	sizes  map[string]offer.Size // of the region; nil: not read yet
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
// Where it cannot sign in or find the scale set, what would come after is left out.
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
	azure, reader, err := connect(s.config)
	if err != nil {
		return append(found, failed(s, "credential", err))
	}
	identity, owner, err := s.signIn(ctx, azure)
	if found = append(found, identity...); err != nil {
		return found
	}
	c := &cloud{subject: s, azure: azure, reader: reader, owner: owner}
	found = append(found, c.examine(ctx, accessChecks)...)
	if c.set, err = reader.ScaleSet(ctx); err == nil {
		err = azure.Get(ctx, armops.GetScaleSet, s.setID(), nil, &c.model)
	}
	if err != nil {
		return append(found, failed(s, "scale-set", err))
	}
	return append(found, c.examine(ctx, setChecks)...)
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
