package armapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// autoscaleSetting is the part of Azure Monitor's resource that is used
// (api-version 2022-10-01). One GET does not justify a module of the SDK.
type autoscaleSetting struct {
	Name       string `json:"name"`
	Properties struct {
		Enabled           bool   `json:"enabled"`
		TargetResourceURI string `json:"targetResourceUri"`
	} `json:"properties"`
}

type autoscalePage struct {
	Value    []*autoscaleSetting `json:"value"`
	NextLink *string             `json:"nextLink"`
}

// AutoscaleSettings implements vmss.Client. It looks in the scale set's own
// resource group, which is where Azure's portal puts settings.
func (c *Client) AutoscaleSettings(ctx context.Context) (names []string, err error) {
	err = c.read(ctx, "list the autoscale settings of", into(&names, c.autoscalePager(),
		func(p autoscalePage) ([]*autoscaleSetting, *string) { return p.Value, p.NextLink },
		each(func(s autoscaleSetting) (string, bool) {
			target := strings.TrimSuffix(s.Properties.TargetResourceURI, "/")
			return s.Name, s.Properties.Enabled && strings.EqualFold(target, c.id())
		})))
	return names, err
}

func (c *Client) autoscalePager() *runtime.Pager[autoscalePage] {
	return runtime.NewPager(runtime.PagingHandler[autoscalePage]{
		More: func(p autoscalePage) bool { return val(p.NextLink) != "" },
		Fetcher: func(ctx context.Context, last *autoscalePage) (page autoscalePage, err error) {
			next := val(val(last).NextLink)
			resp, err := runtime.FetcherForNextLink(ctx, c.generic.Pipeline(), next, c.autoscaleRequest, nil) //nolint:bodyclose // UnmarshalAsJSON reads and closes it
			if err != nil {
				return page, err
			}
			err = runtime.UnmarshalAsJSON(resp, &page)
			return page, err
		},
	})
}

func (c *Client) autoscaleRequest(ctx context.Context) (*policy.Request, error) {
	o := armops.ByName(armops.ListAutoscaleSettings)
	path := strings.NewReplacer("{subscription}", url.PathEscape(c.subscription), "{group}", url.PathEscape(c.group)).Replace(o.Path)
	r, err := runtime.NewRequest(ctx, http.MethodGet, runtime.JoinPaths(c.generic.Endpoint(), path))
	if err != nil {
		return nil, err
	}
	r.Raw().URL.RawQuery = url.Values{"api-version": {o.APIVersion}}.Encode()
	r.Raw().Header.Set("Accept", "application/json")
	return r, nil
}
