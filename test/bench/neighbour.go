package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// A neighbour uses the subscription's own buckets up to a tenth: it lists instances
// and virtual machines at nine tenths of Azure's limits (360 and 300 a minute), after
// it has drawn the bursts of three minutes' worth that had gathered.
const (
	neighbourScaleSetLists = 324 // a minute
	neighbourMachineLists  = 270

	// neighbours are the principals that it takes to stay within Resource Manager's
	// limits for each.
	neighbours = 10

	// neighbourSets is how many scale sets it lists, each within its own limits.
	neighbourSets = 60
)

func neighbourID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-0000000001%02d", n) }

// principals are the plugin's, which is the first, and the neighbours.
func principals() []armsim.Principal {
	all := []armsim.Principal{{ClientID: armsim.DefaultClientID, Secret: password}}
	for n := range neighbours {
		all = append(all, armsim.Principal{ClientID: neighbourID(n), Secret: password})
	}
	return all
}

// neighbour sends the requests of others. What it asks for does not exist, which is
// found out after the request was charged, so that nothing is to be rendered.
type neighbour struct {
	*armsim.Server
	tokens []string
	sent   int
}

// live runs until ctx ends.
func (n *neighbour) live(ctx context.Context) {
	n.send(ctx, 3*neighbourScaleSetLists, 3*neighbourMachineLists)
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.send(ctx, neighbourScaleSetLists/6, neighbourMachineLists/6)
		}
	}
}

func (n *neighbour) send(ctx context.Context, scaleSets, machines int) {
	compute := "/subscriptions/" + armsim.DefaultSubscriptionID + "/resourceGroups/other/providers/Microsoft.Compute/"
	for range scaleSets {
		n.get(ctx, fmt.Sprintf("%svirtualMachineScaleSets/other%d/virtualMachines", compute, n.sent%neighbourSets))
	}
	for range machines {
		n.get(ctx, compute+"virtualMachines")
	}
}

// get sends a request, of which nothing is expected.
func (n *neighbour) get(ctx context.Context, path string) {
	n.sent++
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.Endpoint+path+"?api-version="+n.ComputeVersion(), nil)
	if err != nil {
		return
	}
	r.Header.Set("Authorization", "Bearer "+n.tokens[n.sent%len(n.tokens)])
	if response, err := n.Transport().RoundTrip(r); err == nil {
		_ = response.Body.Close()
	}
}

// signIn gets the principals' tokens.
func (n *neighbour) signIn() error {
	for i := range neighbours {
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {neighbourID(i)}, "client_secret": {password}, "scope": {n.Audience + ".default"},
		}
		response, err := n.Client().Post(n.Endpoint+"/"+armsim.DefaultTenantID+"/oauth2/v2.0/token", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		var token struct {
			AccessToken string `json:"access_token"`
		}
		err = json.NewDecoder(response.Body).Decode(&token)
		_ = response.Body.Close()
		if err != nil || token.AccessToken == "" {
			return fmt.Errorf("sign in neighbour %d: status %d: %w", i, response.StatusCode, err)
		}
		n.tokens = append(n.tokens, token.AccessToken)
	}
	return nil
}
