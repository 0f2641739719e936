package offer

import (
	"context"
	"encoding/json"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// Usage is a quota of a region, of vCPUs mostly.
type Usage struct {
	Current int `json:"currentValue"`
	Limit   int `json:"limit"`
	Name    struct {
		Value string `json:"value"`
	} `json:"name"`
}

// Usages reads the quotas of a region, by their names in lower case.
func Usages(ctx context.Context, azure Azure, subscription, location string) (map[string]Usage, error) {
	all := map[string]Usage{}
	err := azure.Each(ctx, armops.ListUsages, "/subscriptions/"+subscription+"/providers/Microsoft.Compute/locations/"+location+"/usages", nil, func(raw json.RawMessage) error {
		var u Usage
		err := json.Unmarshal(raw, &u)
		all[strings.ToLower(u.Name.Value)] = u
		return err
	})
	return all, err
}
