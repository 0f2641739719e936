package main

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/prices"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/status"
)

// priceFlags say how costs are estimated.
type priceFlags struct {
	own      float64
	currency string
	off      bool

	estimator *prices.Estimator
}

func (p *priceFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.Float64Var(&p.own, "price", 0, "what an instance costs an hour, instead of an estimate")
	f.StringVar(&p.currency, "currency", "USD", "currency of the estimate")
	f.BoolVar(&p.off, "no-price", false, "do not ask the Retail Prices API, and show no costs")
}

var currencyCode = regexp.MustCompile(`^[A-Za-z]{3}$`)

// check reports what is wrong with the flags.
func (p *priceFlags) check() error {
	switch {
	case p.own < 0:
		return fmt.Errorf("--price is what an instance costs an hour, and not %v", p.own)
	case !currencyCode.MatchString(p.currency):
		return fmt.Errorf("--currency is a code of three letters, as EUR, and not %q", p.currency)
	}
	return nil
}

// cost is an estimate for people and machines.
type cost struct {
	Hourly   float64 `json:"hourly"`
	Currency string  `json:"currency"`
	Source   string  `json:"source"`
	AsOf     string  `json:"as_of,omitempty"`
	Location string  `json:"location,omitempty"`
}

func (c *cost) String() string {
	text := fmt.Sprintf("%.3f %s an hour", c.Hourly, c.Currency)
	switch c.Source {
	case prices.SourceOwn:
		return text
	case prices.SourceTable:
		return text + fmt.Sprintf(" (list prices of %s as of %s: the Retail Prices API could not be asked)", c.Location, c.AsOf)
	}
	return text + " (Retail Prices API, " + c.AsOf + "; without disks and traffic)"
}

// of estimates what instances cost an hour; nil where no price is known. Windows licences
// are in it.
func (p *priceFlags) of(ctx context.Context, location string, windows bool, instances []status.Instance) *cost {
	if p.off || len(instances) == 0 {
		return nil
	}
	if p.estimator == nil {
		p.estimator = prices.New(prices.Options{})
	}
	q := prices.Query{Location: location, Currency: p.currency, Own: p.own}
	if windows {
		q.OS = "Windows"
	}
	total := &cost{}
	for _, i := range instances {
		q.Size, q.Spot = i.Size, i.Spot
		price, err := p.estimator.Hourly(ctx, q)
		if err != nil {
			return nil
		}
		total.Hourly += price.Amount
		total.Currency, total.Source, total.Location = price.Currency, price.Source, price.Location
		if !price.AsOf.IsZero() {
			total.AsOf = price.AsOf.Format(time.DateOnly)
		}
	}
	return total
}
