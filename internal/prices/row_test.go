package prices

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rowsOf decodes rows as a response's are.
func rowsOf(t testing.TB, items ...any) []row {
	raw, err := json.Marshal(items)
	require.NoError(t, err)
	var rows []row
	require.NoError(t, json.Unmarshal(raw, &rows))
	return rows
}

func TestChoose(t *testing.T) {
	set := func(key string, value any) func(map[string]any) {
		return func(r map[string]any) { r[key] = value }
	}
	both := func(changes ...func(map[string]any)) func(map[string]any) {
		return func(r map[string]any) {
			for _, change := range changes {
				change(r)
			}
		}
	}
	dated := func(date string, price float64) func(map[string]any) {
		return both(set("effectiveStartDate", date), set("retailPrice", price))
	}
	plain := item(set("retailPrice", 0.1))
	for name, c := range map[string]struct {
		items []any
		want  offers
	}{
		"none":                        {nil, offers{}},
		"all six":                     {sixRows(), offers{0.096, 0.018816, 0.188, 0.036848}},
		"a new family, without six":   {[]any{item(named("D2as_v7", "Virtual Machines Dasv7 Series Linux", 0.1))}, offers{Linux: 0.1}},
		"DevTest":                     {[]any{item(set("type", "DevTestConsumption")), plain}, offers{Linux: 0.1}},
		"a reservation":               {[]any{item(both(set("type", "Reservation"), set("retailPrice", 500.0))), plain}, offers{Linux: 0.1}},
		"a price of a month":          {[]any{item(set("unitOfMeasure", "1/Month")), plain}, offers{Linux: 0.1}},
		"cloud services":              {[]any{item(named("D2s v3", "D2s v3 Series Cloud Services", 0.2)), plain}, offers{Linux: 0.1}},
		"dedicated host":              {[]any{item(named("D2s v3", "Dsv3 Series Dedicated Host", 4)), plain}, offers{Linux: 0.1}},
		"another service":             {[]any{item(set("serviceName", "Azure Batch")), plain}, offers{Linux: 0.1}},
		"another region":              {[]any{item(set("armRegionName", "westus")), plain}, offers{Linux: 0.1}},
		"another size":                {[]any{item(set("armSkuName", "Standard_D2s_v4")), plain}, offers{Linux: 0.1}},
		"another currency":            {[]any{item(set("currencyCode", "EUR")), plain}, offers{Linux: 0.1}},
		"a higher tier":               {[]any{item(set("tierMinimumUnits", 100.0)), plain}, offers{Linux: 0.1}},
		"nothing to pay":              {[]any{item(set("retailPrice", 0.0)), plain}, offers{Linux: 0.1}},
		"size in another case":        {[]any{item(both(set("armSkuName", "standard_d2S_V3"), set("retailPrice", 0.1)))}, offers{Linux: 0.1}},
		"the newer one":               {[]any{item(dated("2024-01-01T00:00:00Z", 0.2)), item(dated("2020-01-01T00:00:00Z", 0.3))}, offers{Linux: 0.2}},
		"not one of tomorrow":         {[]any{item(dated("2026-11-27T00:00:00Z", 0.2)), item(dated("2020-01-01T00:00:00Z", 0.3))}, offers{Linux: 0.3}},
		"low priority by meter alone": {[]any{item(set("meterName", "D2s v3 Low Priority")), plain}, offers{Linux: 0.1}},
	} {
		t.Run(name, func(t *testing.T) {
			q := Query{Size: "Standard_D2s_v3", Location: "eastus", Currency: "USD"}
			assert.Equal(t, c.want, choose(rowsOf(t, c.items...), q, today))
		})
	}
}

func TestTheTableIsOfKnownSizes(t *testing.T) {
	for size, o := range table() {
		assert.Regexp(t, sizeName, size)
		assert.Positive(t, o.Linux, size)
		assert.Zero(t, o.LinuxSpot+o.WindowsSpot, size)
	}
}

// FuzzChoose has any rows: each price is that of one of them, never a sum, and of
// the kind it is said to be.
func FuzzChoose(f *testing.F) {
	for _, items := range [][]any{sixRows(), {}, {map[string]any{}}} {
		raw, err := json.Marshal(items)
		require.NoError(f, err)
		f.Add(raw, "Standard_D2s_v3", "eastus", "USD")
	}
	f.Fuzz(func(t *testing.T, raw []byte, size, location, currency string) {
		var rows []row
		if json.Unmarshal(raw, &rows) != nil {
			return
		}
		q := Query{Size: size, Location: location, Currency: currency}
		chosen := choose(rows, q, today)
		for _, kind := range []struct{ windows, spot bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
			price := *chosen.place(kind.windows, kind.spot)
			found := slices.ContainsFunc(rows, func(r row) bool {
				return r.RetailPrice == price && r.windows() == kind.windows && r.spot() == kind.spot && r.isFor(q) && !r.EffectiveStartDate.After(today)
			})
			if price != 0 && !found {
				t.Errorf("%v has %v, which is no row's", kind, price)
			}
		}
		shuffled := slices.Clone(rows)
		slices.Reverse(shuffled)
		if unambiguous(rows) {
			assert.Equal(t, chosen, choose(shuffled, q, today))
		}
	})
}

// unambiguous reports whether no two rows start at the same time.
func unambiguous(rows []row) bool {
	seen := map[time.Time]bool{}
	for _, r := range rows {
		if seen[r.EffectiveStartDate.UTC()] {
			return false
		}
		seen[r.EffectiveStartDate.UTC()] = true
	}
	return true
}
