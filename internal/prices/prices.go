package prices

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Endpoint is the Retail Prices API of Azure's public cloud; the sovereign clouds
// are said to have none. It needs no authentication.
const Endpoint = "https://prices.azure.com/api/retail/prices"

// The operating systems that have prices of their own.
const (
	Linux   = "Linux"
	Windows = "Windows"
)

// Where a price comes from.
const (
	SourceOwn   = "own"   // the caller's
	SourceAPI   = "api"   // the Retail Prices API, now
	SourceCache = "cache" // the same, earlier
	SourceTable = "table" // list prices of one region that are part of the program
)

const (
	fresh   = 24 * time.Hour  // how long a price that was read is good; Spot's change about monthly
	timeout = 5 * time.Second // of a read, with all its pages
	pause   = 5 * time.Minute // after a read that failed, until the next
)

// Options sets up an Estimator. The zero value is useful.
type Options struct {
	HTTP     *http.Client     // nil: one of its own
	CacheDir string           // empty: fleeting-plugin-azure in the user's cache directory; "-": none
	Now      func() time.Time // nil: time.Now
	Endpoint string           // empty: Endpoint
}

// Query asks for the price of an hour of a virtual machine.
type Query struct {
	Size     string  // as Standard_D2s_v5
	Location string  // as westeurope, or West Europe
	OS       string  // Linux or Windows, whose price has the licence in it; empty: Linux
	Spot     bool    // else on demand
	Currency string  // as EUR; empty: USD
	Own      float64 // what the caller pays an hour; above 0 nothing else counts
}

// Price is of an hour.
type Price struct {
	Amount   float64
	Currency string
	Location string    // that it is of; another than was asked for only from the table
	Source   string    // one of the Source constants
	AsOf     time.Time // when it was read, or the date of the table
}

// Estimator finds prices. Its methods may be called from any goroutine.
type Estimator struct {
	http     *http.Client
	dir      string // empty: no cache
	now      func() time.Time
	endpoint string

	mu    sync.Mutex
	lists map[string]*list // by key
}

// New makes an estimator. It touches neither network nor files.
func New(o Options) *Estimator {
	e := &Estimator{
		http: o.HTTP, dir: o.CacheDir, now: o.Now, endpoint: cmp.Or(o.Endpoint, Endpoint), lists: map[string]*list{},
	}
	if e.http == nil {
		e.http = &http.Client{}
	}
	if e.now == nil {
		e.now = time.Now
	}
	switch base, err := os.UserCacheDir(); {
	case e.dir == "-" || e.dir == "" && err != nil:
		e.dir = ""
	case e.dir == "":
		e.dir = filepath.Join(base, "fleeting-plugin-azure")
	}
	return e
}

// Hourly is the price of an hour: the caller's own; else that of the API, read at
// most once a day; where it cannot be read the last one that was, however old; else
// that of the table, in US dollars and on demand only. The error says that there is
// none of them.
func (e *Estimator) Hourly(ctx context.Context, q Query) (Price, error) {
	q = q.complete()
	if err := q.check(); err != nil {
		return Price{}, fmt.Errorf("estimate price of %q: %w", q.Size, err)
	}
	if q.Own > 0 {
		return Price{q.Own, q.Currency, q.Location, SourceOwn, e.now()}, nil
	}
	found, source, err := e.offers(ctx, q)
	if amount := found.Offers.of(q); amount > 0 {
		return Price{amount, q.Currency, q.Location, source, found.Read}, nil
	}
	if err == nil {
		// What is not sold in a region has no price there, wherever else it has one.
		return Price{}, fmt.Errorf("estimate price of %q: the Retail Prices API has none for %s", q.Size, q)
	}
	if price, ok := fromTable(q); ok {
		return price, nil
	}
	return Price{}, fmt.Errorf("estimate price of %q: %w", q.Size, err)
}

func (q Query) complete() Query {
	q.Location = strings.ToLower(strings.ReplaceAll(q.Location, " ", ""))
	q.Currency = strings.ToUpper(cmp.Or(q.Currency, "USD"))
	q.OS = cmp.Or(q.OS, Linux)
	return q
}

// The characters of names, which stand in a filter and in the name of a file.
var (
	sizeName     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	locationName = regexp.MustCompile(`^[a-z0-9]{1,40}$`)
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
)

func (q Query) check() error {
	switch {
	case !sizeName.MatchString(q.Size):
		return fmt.Errorf("%q is no name of a VM size", q.Size)
	case !locationName.MatchString(q.Location):
		return fmt.Errorf("%q is no name of a region", q.Location)
	case !currencyCode.MatchString(q.Currency):
		return fmt.Errorf("%q is no currency code", q.Currency)
	case q.OS != Linux && q.OS != Windows:
		return fmt.Errorf("%q is no operating system that has prices: it must be %s or %s", q.OS, Linux, Windows)
	}
	return nil
}

// String is the query in the words of an error.
func (q Query) String() string {
	kind := "on demand"
	if q.Spot {
		kind = "as Spot"
	}
	return fmt.Sprintf("%s %s in %s, in %s", q.OS, kind, q.Location, q.Currency)
}

// key names what one read of the API is about.
func (q Query) key() string { return strings.ToLower(q.Location + "_" + q.Currency + "_" + q.Size) }
