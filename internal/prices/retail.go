package prices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxPages = 20      // of 1,000 rows; a size has about 10
	maxPage  = 8 << 20 // bytes
)

// page is a response of the API. Its errors have capitals, too.
type page struct {
	BillingCurrency string
	Items           []row
	NextPageLink    string
	Error           struct{ Code, Message string }
}

// read reads all rows of a query's size. meterRegion is left out on purpose: with
// it the plain on-demand rows are missing, whose isPrimaryMeterRegion is false.
func (e *Estimator) read(ctx context.Context, q Query) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var all []row
	next := e.endpoint + "?" + q.parameters()
	for range maxPages {
		p, err := e.page(ctx, next)
		if err != nil {
			return nil, fmt.Errorf("read Retail Prices API: %w", err)
		}
		if p.BillingCurrency != q.Currency {
			return nil, fmt.Errorf("read Retail Prices API: it responded in %q, not %s", p.BillingCurrency, q.Currency)
		}
		all = append(all, p.Items...)
		if p.NextPageLink == "" {
			return all, nil
		}
		if next, err = e.follow(p.NextPageLink); err != nil {
			return nil, fmt.Errorf("read Retail Prices API: %w", err)
		}
	}
	return nil, fmt.Errorf("read Retail Prices API: more than %d pages", maxPages)
}

// parameters are those of the first page. The quotes around the currency are those
// of Microsoft's page on the API; without it prices are in USD.
func (q Query) parameters() string {
	filter := fmt.Sprintf("armRegionName eq '%s' and armSkuName eq '%s' and priceType eq 'Consumption'", q.Location, q.Size)
	values := url.Values{"$filter": {filter}}
	if q.Currency != "USD" {
		values.Set("currencyCode", "'"+q.Currency+"'")
	}
	return spaced(values.Encode())
}

// spaced writes spaces as paths do, which every server reads.
func spaced(query string) string { return strings.NewReplacer("+", "%20", " ", "%20").Replace(query) }

// follow checks that a link leads to where the first page came from; the API writes
// the port along.
func (e *Estimator) follow(link string) (string, error) {
	from, err := url.Parse(e.endpoint)
	if err != nil {
		return "", err
	}
	to, err := url.Parse(link)
	if err != nil || to.Scheme != from.Scheme || to.Hostname() != from.Hostname() {
		return "", fmt.Errorf("the link to the next page leads elsewhere: %q", link)
	}
	to.RawQuery = spaced(to.RawQuery)
	return to.String(), nil
}

func (e *Estimator) page(ctx context.Context, target string) (p page, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return p, err
	}
	r.Header.Set("Accept", "application/json")
	response, err := e.http.Do(r)
	if err != nil {
		return p, withoutURL(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return p, err
	}
	decoding := json.Unmarshal(raw, &p)
	switch {
	case response.StatusCode != http.StatusOK:
		return p, fmt.Errorf("status %d: %s", response.StatusCode, oneLine(p.Error.Code+" "+p.Error.Message))
	case decoding != nil:
		return p, fmt.Errorf("the response is no list of prices: %w", decoding)
	}
	return p, nil
}

// withoutURL takes the URL out of an error, which is long and known.
func withoutURL(err error) error {
	if with := new(url.Error); errors.As(err, &with) {
		return with.Err
	}
	return err
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:min(len(s), 200)]
}
