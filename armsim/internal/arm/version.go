package arm

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// versions are a provider's api-versions: the first that it still takes, the
// last that is known, and those that its errors name. Any date between first and
// last is taken as registered, which is believed, not so; but where
// Config.NewestAPIVersion names one, those that are named and not newer are all
// there are.
type versions struct {
	first, last string
	named       []string // in order
}

// The named versions of Compute and Network are those of Azure's own errors
// (azure-sdk-for-python#32029) and of the SDK's releases since.
var knownVersions = map[string]versions{
	"microsoft.compute": {"2015-06-15", "2026-12-31", []string{
		"2015-06-15", "2016-03-30", "2016-08-30", "2017-03-30", "2017-12-01", "2018-04-01", "2018-06-01", "2018-10-01", "2019-03-01",
		"2019-07-01", "2019-12-01", "2020-06-01", "2020-12-01", "2021-03-01", "2021-04-01", "2021-07-01", "2021-11-01", "2022-03-01",
		"2022-08-01", "2022-11-01", "2023-03-01", "2023-07-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01",
	}},
	"microsoft.network": {"2015-06-15", "2026-12-31", []string{
		"2015-06-15", "2016-09-01", "2017-03-01", "2017-10-01", "2018-02-01", "2018-08-01", "2018-10-01", "2018-11-01", "2019-02-01",
		"2019-04-01", "2019-09-01", "2019-11-01", "2020-04-01", "2020-05-01", "2020-06-01", "2020-08-01", "2020-11-01", "2021-02-01",
		"2021-05-01", "2021-08-01", "2022-01-01", "2022-07-01", "2022-09-01", "2022-11-01", "2023-02-01", "2023-04-01", "2023-09-01",
		"2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2024-10-01", "2025-01-01", "2025-05-01",
	}},
	"microsoft.authorization": {"2015-05-01", "2026-12-31", []string{
		"2015-07-01", "2016-09-01", "2017-04-01", "2018-01-01-preview", "2018-09-01-preview", "2020-04-01-preview", "2020-05-01", "2022-04-01", "2022-05-01-preview",
	}},
	"microsoft.managedidentity":     {"2015-08-31-preview", "2026-12-31", []string{"2015-08-31-preview", "2018-11-30", "2022-01-31-preview", "2023-01-31", "2024-11-30"}},
	"microsoft.marketplaceordering": {"2015-06-01", "2026-12-31", []string{"2015-06-01", "2021-01-01"}},
	"microsoft.insights":            {"2015-04-01", "2026-12-31", []string{"2015-04-01", "2022-10-01"}},
	"microsoft.standbypool":         {"2023-12-01-preview", "2026-12-31", []string{"2023-12-01-preview", "2024-03-01", "2025-03-01", "2025-10-01"}},
	"microsoft.resources":           {"2015-01-01", "2026-12-31", []string{"2015-11-01", "2016-09-01", "2018-05-01", "2019-10-01", "2020-06-01", "2021-04-01", "2022-09-01", "2024-11-01"}},
}

var dated = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-[A-Za-z]+)?$`)

// CheckNewestVersions finds what Config.NewestAPIVersion may not hold.
func CheckNewestVersions(newest map[string]string) error {
	for _, provider := range slices.Sorted(maps.Keys(newest)) {
		known, ok := knownVersions[strings.ToLower(provider)]
		switch v := newest[provider]; {
		case !ok:
			return fmt.Errorf("newest api-version of %q: no such provider is simulated; known: %s", provider, strings.Join(slices.Sorted(maps.Keys(knownVersions)), ", "))
		case !dated.MatchString(v) || v < known.first || v > known.last:
			return fmt.Errorf("newest api-version %q of %s: it must be a date from %s to %s", v, provider, known.first, known.last)
		}
	}
	return nil
}

// until are the versions that a cloud has whose newest one this is.
func (v versions) until(newest string) []string {
	older := slices.DeleteFunc(slices.Clone(v.named), func(one string) bool { return one >= newest })
	return append(older, newest)
}

// newestVersion is the one that Config.NewestAPIVersion has for a provider, in
// any case; empty: none.
func (c *Config) newestVersion(provider string) string {
	for name, version := range c.NewestAPIVersion {
		if strings.EqualFold(name, provider) {
			return version
		}
	}
	return ""
}

// provider is the resource provider of the path in lower case, and the type of
// the resource within it, as Azure's errors name it.
func (c *call) provider() (namespace, kind string) {
	if strings.HasPrefix(c.route.operation, "Providers_") {
		return "microsoft.resources", "providers"
	}
	segments := strings.Split(strings.Trim(c.request.URL.Path, "/"), "/")
	at := len(segments) - 1
	for at >= 0 && !strings.EqualFold(segments[at], "providers") { // the last one: a lock is Authorization's, whatever it is on
		at--
	}
	if at < 0 || at+1 == len(segments) {
		return "microsoft.resources", "resourceGroups"
	}
	var types []string
	for n, segment := range segments[at+2:] {
		if n%2 == 0 {
			types = append(types, segment)
		}
	}
	if c.request.Method == http.MethodPost && len(types) > 1 {
		types = types[:len(types)-1] // an action
	}
	return strings.ToLower(segments[at+1]), strings.Join(types, "/")
}

func (c *call) checkVersion() *problem {
	namespace, kind := c.provider()
	known, location := knownVersions[namespace], c.front.config.Location
	newest := c.front.config.newestVersion(namespace)
	switch {
	case c.apiVersion == "":
		return missingAPIVersion()
	case !dated.MatchString(c.apiVersion):
		return invalidAPIVersion(c.apiVersion)
	case newest != "" && !slices.Contains(known.until(newest), c.apiVersion):
		return noRegisteredProvider(kind, c.apiVersion, location, known.until(newest))
	case newest == "" && (c.apiVersion < known.first || c.apiVersion > known.last):
		return noRegisteredProvider(kind, c.apiVersion, location, known.named)
	}
	return nil
}

// firstWithETags is the first version of Compute whose resources have ETags
// (armcompute 5.4.0, which came with it; recordings before have none).
const firstWithETags = "2023-09-01"

// hasETags reports whether the request's version knows ETags: in older ones of
// Compute nothing has any, and it is believed that a condition is not looked at.
// Network's resources always have them, also below a scale set (recording 11).
func (c *call) hasETags() bool {
	return !strings.HasPrefix(c.route.operation, "VirtualMachine") || c.apiVersion >= firstWithETags
}

// withoutETags takes ETags out of a response whose version has none. Resources
// are rendered for each response, so that this changes nothing else.
func withoutETags(a *response) {
	delete(a.Header, "Etag")
	body, _ := a.Body.(object)
	delete(body, "etag")
	for _, entry := range jsonmap.List(body, "value") {
		if resource, ok := entry.(object); ok {
			delete(resource, "etag")
		}
	}
}
