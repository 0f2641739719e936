package prices

import (
	"strings"
	"time"
)

// row is one of the API's meters. Its whole price is in one row: rows are never
// added up.
type row struct {
	CurrencyCode       string    `json:"currencyCode"`
	RetailPrice        float64   `json:"retailPrice"`
	TierMinimumUnits   float64   `json:"tierMinimumUnits"`
	ArmRegionName      string    `json:"armRegionName"`
	EffectiveStartDate time.Time `json:"effectiveStartDate"`
	MeterName          string    `json:"meterName"`
	ProductName        string    `json:"productName"`
	SKUName            string    `json:"skuName"`
	ServiceName        string    `json:"serviceName"`
	UnitOfMeasure      string    `json:"unitOfMeasure"`
	Type               string    `json:"type"`
	ArmSKUName         string    `json:"armSkuName"`
}

// offers are the prices of a size that a read found; 0: none.
type offers struct {
	Linux       float64 `json:"linux,omitempty"`
	LinuxSpot   float64 `json:"linuxSpot,omitempty"`
	Windows     float64 `json:"windows,omitempty"`
	WindowsSpot float64 `json:"windowsSpot,omitempty"`
}

// of is the price that a query is about.
func (o offers) of(q Query) float64 { return *o.place(q.OS == Windows, q.Spot) }

func (o *offers) place(windows, spot bool) *float64 {
	switch {
	case windows && spot:
		return &o.WindowsSpot
	case windows:
		return &o.Windows
	case spot:
		return &o.LinuxSpot
	}
	return &o.Linux
}

// choose picks the rows of a query's size, one for each price: of several that
// apply the one that is in force since last; a later one is not yet.
func choose(rows []row, q Query, now time.Time) offers {
	var chosen offers
	since := map[*float64]time.Time{}
	for _, r := range rows {
		if !r.isFor(q) || r.EffectiveStartDate.After(now) {
			continue
		}
		place := chosen.place(r.windows(), r.spot())
		if *place == 0 || r.EffectiveStartDate.After(since[place]) {
			*place, since[place] = r.RetailPrice, r.EffectiveStartDate
		}
	}
	return chosen
}

// isFor reports whether the row is a price an hour of the query's size, and none of
// reservations, of Dev/Test, of Low Priority, which is no longer sold, or of
// another service (shapes seen in the API's responses, autumn 2026).
func (r row) isFor(q Query) bool {
	return r.RetailPrice > 0 && r.TierMinimumUnits == 0 && r.Type == "Consumption" && r.UnitOfMeasure == "1 Hour" &&
		r.ServiceName == "Virtual Machines" && r.CurrencyCode == q.Currency && r.ArmRegionName == q.Location &&
		strings.EqualFold(r.ArmSKUName, q.Size) && !r.says("Low Priority") && !r.isOf("Cloud Services", "CloudServices", "Dedicated Host")
}

func (r row) says(word string) bool {
	return strings.HasSuffix(r.SKUName, " "+word) || strings.HasSuffix(r.MeterName, " "+word)
}

func (r row) isOf(products ...string) bool {
	for _, product := range products {
		if strings.Contains(r.ProductName, product) {
			return true
		}
	}
	return false
}

func (r row) spot() bool { return r.says("Spot") }

// windows goes by the product's name: that of Linux has none, or of the newest
// families " Linux".
func (r row) windows() bool { return r.isOf("Windows") }
