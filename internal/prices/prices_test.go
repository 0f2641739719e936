package prices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var today = time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC)

// item is a row as the API writes it, with what most rows have in common.
func item(change func(map[string]any)) map[string]any {
	r := map[string]any{
		"currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": 0.096, "unitPrice": 0.096, "armRegionName": "eastus",
		"location": "US East", "effectiveStartDate": "2017-12-15T00:00:00Z", "meterName": "D2s v3", "skuName": "D2s v3",
		"productName": "Virtual Machines DSv3 Series", "serviceName": "Virtual Machines", "unitOfMeasure": "1 Hour",
		"type": "Consumption", "isPrimaryMeterRegion": false, "armSkuName": "Standard_D2s_v3",
	}
	change(r)
	return r
}

func named(sku, product string, price float64) func(map[string]any) {
	return func(r map[string]any) {
		r["skuName"], r["meterName"], r["productName"], r["retailPrice"] = sku, sku, product, price
	}
}

const linuxProduct, windowsProduct = "Virtual Machines DSv3 Series", "Virtual Machines DSv3 Series Windows"

// sixRows are those of a size, in the order of a response that was seen.
func sixRows() []any {
	return []any{
		item(named("D2s v3 Low Priority", windowsProduct, 0.075)),
		item(named("D2s v3 Low Priority", linuxProduct, 0.019)),
		item(named("D2s v3 Spot", linuxProduct, 0.018816)),
		item(named("D2s v3 Spot", windowsProduct, 0.036848)),
		item(named("D2s v3", linuxProduct, 0.096)),
		item(named("D2s v3", windowsProduct, 0.188)),
	}
}

// api is the API with pages of rows. Its methods may be called at any time.
type api struct {
	*httptest.Server
	reads atomic.Int32
	mu    sync.Mutex
	pages [][]any
	fail  func(http.ResponseWriter) // instead, unless nil
	asked []string
}

func newAPI(t *testing.T, pages ...[]any) *api {
	a := &api{pages: pages}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.reads.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, r.URL.Query().Get("$filter")+"|"+r.URL.Query().Get("currencyCode"))
	if a.fail != nil {
		a.fail(w)
		return
	}
	n := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("$skip"), &n)
	var next any
	if n+1 < len(a.pages) {
		next = fmt.Sprintf("%s/?$filter=priceType eq 'Consumption'&$skip=%d", a.URL, n+1)
	}
	currency := strings.Trim(r.URL.Query().Get("currencyCode"), "'")
	if currency == "" {
		currency = "USD"
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"BillingCurrency": currency, "Items": a.pages[n], "NextPageLink": next, "Count": len(a.pages[n])})
}

func (a *api) failing(fail func(http.ResponseWriter)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = fail
}

// clock is a time that tests move.
type clock struct{ atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.Store(today.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.Add(int64(d)) }

func newEstimator(t *testing.T, a *api, c *clock) *Estimator {
	return New(Options{Endpoint: a.URL, CacheDir: t.TempDir(), Now: c.now})
}

var d2s = Query{Size: "Standard_D2s_v3", Location: "East US"}

func TestEachOfferHasItsRow(t *testing.T) {
	a := newAPI(t, sixRows())
	e := newEstimator(t, a, newClock())
	for _, c := range []struct {
		os   string
		spot bool
		want float64
	}{{"", false, 0.096}, {Linux, true, 0.018816}, {Windows, false, 0.188}, {Windows, true, 0.036848}} {
		q := d2s
		q.OS, q.Spot = c.os, c.spot
		p, err := e.Hourly(t.Context(), q)
		require.NoError(t, err)
		assert.Equal(t, c.want, p.Amount)
		assert.Equal(t, []any{"USD", "eastus", today}, []any{p.Currency, p.Location, p.AsOf})
	}
	assert.EqualValues(t, 1, a.reads.Load(), "one read has all of them")
	assert.Equal(t, []string{"armRegionName eq 'eastus' and armSkuName eq 'Standard_D2s_v3' and priceType eq 'Consumption'|"}, a.asked)
}

func TestTheCallersPriceIsAboveAll(t *testing.T) {
	a := newAPI(t, sixRows())
	q := d2s
	q.Own, q.Currency = 0.05, "EUR"
	p, err := newEstimator(t, a, newClock()).Hourly(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, Price{0.05, "EUR", "eastus", SourceOwn, today}, p)
	assert.Zero(t, a.reads.Load())
}

func TestPagesAndCurrencies(t *testing.T) {
	rows := sixRows()
	for _, r := range rows {
		r.(map[string]any)["currencyCode"] = "EUR"
	}
	a := newAPI(t, rows[:2], rows[2:4])
	q := d2s
	q.Spot, q.Currency = true, "eur"
	_, err := newEstimator(t, a, newClock()).Hourly(t.Context(), q)
	require.Error(t, err, "the next page is in US dollars, as its link lost the currency")
	assert.ErrorContains(t, err, `it responded in "USD", not EUR`)
	assert.True(t, strings.HasSuffix(a.asked[0], "|'EUR'"), a.asked[0])

	b := newAPI(t, sixRows()[:2], sixRows()[2:4], sixRows()[4:])
	p, err := newEstimator(t, b, newClock()).Hourly(t.Context(), d2s)
	require.NoError(t, err)
	assert.Equal(t, 0.096, p.Amount)
	assert.EqualValues(t, 3, b.reads.Load())
}

func TestTheCacheIsGoodForADay(t *testing.T) {
	a, c := newAPI(t, sixRows()), newClock()
	dir := t.TempDir()
	fresh := func() *Estimator { return New(Options{Endpoint: a.URL, CacheDir: dir, Now: c.now}) }
	source := func(e *Estimator) string {
		p, err := e.Hourly(t.Context(), d2s)
		require.NoError(t, err)
		return p.Source
	}
	first := fresh()
	assert.Equal(t, SourceAPI, source(first))
	assert.Equal(t, SourceCache, source(first))
	c.advance(23 * time.Hour)
	assert.Equal(t, SourceCache, source(fresh()), "another process")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "price_eastus_usd_standard_d2s_v3.json")}, files)
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	assert.EqualValues(t, 1, a.reads.Load())

	c.advance(time.Hour)
	assert.Equal(t, SourceAPI, source(fresh()))
	c.advance(25 * time.Hour)
	a.failing(func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) })
	p, err := fresh().Hourly(t.Context(), d2s)
	require.NoError(t, err, "an old price is better than none")
	assert.Equal(t, []any{0.096, SourceCache, today.Add(24 * time.Hour)}, []any{p.Amount, p.Source, p.AsOf})
}

func TestASpoiltCacheIsReadAgain(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON": "{", "empty": "", "from the future": `{"read":"2036-01-01T00:00:00Z","offers":{"linux":7}}`, "another type": `{"read":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			a, dir := newAPI(t, sixRows()), t.TempDir()
			e := New(Options{Endpoint: a.URL, CacheDir: dir, Now: newClock().now})
			require.NoError(t, os.WriteFile(e.file("eastus_usd_standard_d2s_v3"), []byte(content), 0o600))
			p, err := e.Hourly(t.Context(), d2s)
			require.NoError(t, err)
			assert.Equal(t, []any{0.096, SourceAPI}, []any{p.Amount, p.Source})
		})
	}
}

func TestWithoutTheAPIThereIsTheTable(t *testing.T) {
	for name, fail := range map[string]func(http.ResponseWriter){
		"refused": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"Error":{"Code":"BadRequest","Message":"Unsupported API version"}}`)
		},
		"no JSON": func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") },
		"elsewhere": func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"BillingCurrency":"USD","Items":[],"NextPageLink":"https://evil.invalid/"}`)
		},
		"currency": func(w http.ResponseWriter) { fmt.Fprint(w, `{"BillingCurrency":"JPY","Items":[]}`) },
	} {
		t.Run(name, func(t *testing.T) {
			a, c := newAPI(t), newClock()
			a.failing(fail)
			e := newEstimator(t, a, c)
			p, err := e.Hourly(t.Context(), Query{Size: "standard_d4s_v5", Location: "westeurope"})
			require.NoError(t, err)
			assert.Equal(t, Price{0.192, "USD", "eastus", SourceTable, tableDate()}, p)
			_, err = e.Hourly(t.Context(), Query{Size: "Standard_D4s_v5", Location: "westeurope", Spot: true})
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "\n")
			assert.EqualValues(t, 1, a.reads.Load(), "it is left alone for a while")
			c.advance(pause)
			_, err = e.Hourly(t.Context(), Query{Size: "Standard_D4s_v5", Location: "westeurope", Currency: "EUR"})
			assert.Error(t, err, "the table is in US dollars")
		})
	}
}

func TestErrorsNameWhatIsMissing(t *testing.T) {
	a := newAPI(t, []any{})
	e := newEstimator(t, a, newClock())
	for want, q := range map[string]Query{
		`estimate price of "Standard_D2s_v3": the Retail Prices API has none for Windows as Spot in eastus, in USD`: {Size: "Standard_D2s_v3", Location: "eastus", OS: Windows, Spot: true},
		`estimate price of "x' or '": "x' or '" is no name of a VM size`:                                            {Size: "x' or '", Location: "eastus"},
		`estimate price of "a": "../etc" is no name of a region`:                                                    {Size: "a", Location: "../etc"},
		`estimate price of "a": "EURO" is no currency code`:                                                         {Size: "a", Location: "b", Currency: "EURO"},
		`estimate price of "a": "Plan 9" is no operating system that has prices: it must be Linux or Windows`:       {Size: "a", Location: "b", OS: "Plan 9"},
	} {
		_, err := e.Hourly(t.Context(), q)
		assert.EqualError(t, err, want)
	}
	_, err := e.Hourly(t.Context(), Query{Size: "Standard_D2s_v3", Location: "eastus"})
	assert.Error(t, err, "what the region does not sell has no price of another region")
}

func TestACallerThatGivesUpDoesNotStopOthers(t *testing.T) {
	a := newAPI(t, sixRows())
	e := newEstimator(t, a, newClock())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	q := d2s
	q.Spot = true
	_, err := e.Hourly(gone, q)
	require.ErrorIs(t, err, context.Canceled)
	p, err := e.Hourly(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, SourceAPI, p.Source)
}

func TestManyAtOnceReadOnce(t *testing.T) {
	a := newAPI(t, sixRows())
	e := newEstimator(t, a, newClock())
	errs := make([]error, 32)
	var group sync.WaitGroup
	for n := range errs {
		group.Go(func() {
			_, errs[n] = e.Hourly(t.Context(), d2s)
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	assert.EqualValues(t, 1, a.reads.Load())
}

func TestWithoutACacheDirectory(t *testing.T) {
	a := newAPI(t, sixRows())
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{"-", filepath.Join(file, "below")} {
		p, err := New(Options{Endpoint: a.URL, CacheDir: dir, Now: newClock().now}).Hourly(t.Context(), d2s)
		require.NoError(t, err)
		assert.Equal(t, 0.096, p.Amount)
	}
}

func TestDefaults(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	e := New(Options{})
	assert.Equal(t, Endpoint, e.endpoint)
	assert.Equal(t, "fleeting-plugin-azure", filepath.Base(e.dir))
	assert.NotNil(t, e.http)
}
