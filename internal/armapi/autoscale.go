package armapi

import (
	"context"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// autoscaleSetting is the part of Azure Monitor's resource that is used.
type autoscaleSetting struct {
	Name       string `json:"name"`
	Properties struct {
		Enabled           bool   `json:"enabled"`
		TargetResourceURI string `json:"targetResourceUri"`
	} `json:"properties"`
}

// AutoscaleSettings implements vmss.Client. It looks in the scale set's own
// resource group, which is where Azure's portal puts settings.
func (c *Client) AutoscaleSettings(ctx context.Context) (names []string, err error) {
	err = c.readAll(ctx, "list the autoscale settings of", into(&names, c, armops.ListAutoscaleSettings, nil, pages[string]{},
		func(s autoscaleSetting) (string, bool) {
			target := strings.TrimSuffix(s.Properties.TargetResourceURI, "/")
			return s.Name, s.Properties.Enabled && strings.EqualFold(target, c.id())
		}))
	return names, err
}
