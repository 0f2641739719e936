package armapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// graphKey asks for Azure Resource Graph's response to a list (Microsoft's page
// azure-resource-graph-get-list-api).
const graphKey = "useResourceGraph"

var errUnknownSource = errors.New("the response does not show whether Azure Resource Graph made it: it has neither x-ms-user-quota-remaining nor x-ms-ratelimit-remaining-resource")

// ListByGraph implements vmss.Instances.
func (u uniform) ListByGraph(ctx context.Context, _ func(string) string, page func([]vmss.Instance)) error {
	return u.listByGraph(ctx, armops.ListInstances, withViews(), func(m machine) (vmss.Instance, bool) { return instanceOf(m), true }, page)
}

// ListByGraph implements vmss.Instances.
func (f flexible) ListByGraph(ctx context.Context, vmID func(string) string, page func([]vmss.Instance)) error {
	own := func(m machine) (vmss.Instance, bool) { return f.ownInstance(m, true) }
	return f.listByGraph(ctx, armops.ListVirtualMachines, f.query(withViews()), own, func(all []vmss.Instance) {
		complete(all, func(i *vmss.Instance) { i.VMID = vmID(i.ID) })
		page(all)
	})
}

// GraphRoom implements vmss.Instances.
func (c *Client) GraphRoom() vmss.ListRoom { return c.listRoom(budget.ListByGraph) }

func (c *Client) listByGraph(ctx context.Context, operation string, query url.Values, convert func(machine) (vmss.Instance, bool), page func([]vmss.Instance)) error {
	query.Set(graphKey, "true")
	return c.readList(ctx, "list by Azure Resource Graph the instances of", budget.ListByGraph, func(ctx context.Context) error {
		var response *http.Response
		ctx = policy.WithCaptureResponse(ctx, &response)
		for link := ""; ; {
			p, err := readPage[machine](ctx, c, operation, query, link)
			if err != nil {
				return err
			}
			if err := checkSource(response); err != nil {
				return err
			}
			page(appendConverted([]vmss.Instance{}, p.Value, convert))
			switch p.NextLink {
			case "":
				return nil
			case link:
				return errSamePage
			}
			link = p.NextLink
		}
	})
}

// checkSource returns an error unless Resource Graph made the response.
func checkSource(response *http.Response) error {
	switch {
	case response == nil:
		return errUnknownSource
	case budget.ByGraph(response.Header):
		return nil
	case budget.ByProvider(response.Header):
		return vmss.ErrNotByGraph
	}
	return errUnknownSource
}

// asksGraph reports whether a request asks for Resource Graph's response. A link that
// leads on without doing so is the provider's, and counts against its limit.
func asksGraph(r *http.Request) bool {
	return strings.Contains(r.URL.RawQuery, graphKey) && strings.EqualFold(r.URL.Query().Get(graphKey), "true")
}
