package prices

import (
	"strings"
	"time"
)

// The table has list prices in US dollars, on demand, of one region. It is scaled
// for none: prices elsewhere differ by size. Spot prices move, and are not in it.
//
// Linux: Azure/karpenter-provider-azure at 0499866a, zz_generated.pricing.go, read
// 2026-11-26, generated 2023-12-18 out of the Retail Prices API. What its own
// chooser of rows got wrong is left out, as Standard_D8as_v5. Windows: the API's
// response for Standard_D2s_v3, whose Linux price was the same in 2026.
const tableLocation = "eastus"

func tableDate() time.Time { return time.Date(2023, time.December, 18, 0, 0, 0, 0, time.UTC) }

func table() map[string]offers {
	prices := map[string]offers{"standard_d2s_v3": {Linux: 0.096, Windows: 0.188}}
	for size, linux := range map[string]float64{
		"D4s_v3": 0.192, "DS1_v2": 0.073, "DS2_v2": 0.146,
		"D2s_v5": 0.096, "D4s_v5": 0.192, "D8s_v5": 0.384, "D16s_v5": 0.768,
		"D2as_v5": 0.086, "D4as_v5": 0.172, "D4ads_v5": 0.206,
		"D2ds_v5": 0.113, "D4ds_v5": 0.226, "D8ds_v5": 0.452,
		"D2ps_v5": 0.077, "D4ps_v5": 0.154, "D8ps_v5": 0.308, "D4pds_v5": 0.181,
		"E2s_v5": 0.126, "E4s_v5": 0.252, "E8s_v5": 0.504, "E4as_v5": 0.226, "E4ds_v5": 0.288,
		"F2s_v2": 0.0846, "F4s_v2": 0.169, "F8s_v2": 0.338, "F16s_v2": 0.677,
	} {
		prices[strings.ToLower("Standard_"+size)] = offers{Linux: linux}
	}
	return prices
}

func fromTable(q Query) (Price, bool) {
	if q.Spot || q.Currency != "USD" {
		return Price{}, false
	}
	amount := table()[strings.ToLower(q.Size)].of(q)
	return Price{amount, q.Currency, tableLocation, SourceTable, tableDate()}, amount > 0
}
