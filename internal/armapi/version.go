package armapi

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

const (
	versionKey = "api-version"
	compute    = "microsoft.compute"

	// maxVersions bounds how many versions are tried for one request.
	maxVersions = 5
)

// versions is the policy that sends each resource provider a version that it knows.
// Where a provider refuses the SDK's version it lists those that it has; the newest
// older one is remembered, and the request is sent again: what was refused for its
// version had no effect. It is safe for concurrent use.
type versions struct {
	compute string // of Microsoft.Compute, as configured; empty: negotiated

	mu     sync.Mutex
	agreed map[string]string // by provider and the SDK's version
}

func newVersions(configured string) *versions {
	return &versions{compute: configured, agreed: map[string]string{}}
}

// Do implements policy.Policy.
func (v *versions) Do(r *policy.Request) (*http.Response, error) {
	provider, wanted := providerOf(r.Raw()), r.Raw().URL.Query().Get(versionKey)
	if provider == "" || wanted == "" {
		return r.Next()
	}
	current := v.current(provider, wanted)
	for range maxVersions {
		setVersion(r.Raw(), current)
		response, err := r.Next()
		listed := listedVersions(response, err)
		if len(listed) == 0 || v.configured(provider, wanted) {
			return response, err
		}
		older := newestBefore(listed, current)
		if older == "" || isCompute(provider, wanted) && older < config.OldestAPIVersion {
			return nil, &versionError{provider: provider, refused: wanted, newest: slices.Max(listed), response: response}
		}
		v.agree(provider, wanted, older)
		current = older
		if err := r.RewindBody(); err != nil {
			return nil, err
		}
	}
	return nil, &versionError{provider: provider, refused: wanted, newest: current}
}

// isCompute reports whether a request is to Microsoft.Compute. The lists of a scale
// set's network, which have a version of their own, are not.
func isCompute(provider, wanted string) bool {
	return provider == compute && wanted == armops.ByName(armops.GetScaleSet).APIVersion
}

// configured reports whether a request's version was given by the user.
func (v *versions) configured(provider, wanted string) bool {
	return v.compute != "" && isCompute(provider, wanted)
}

func (v *versions) current(provider, wanted string) string {
	if v.configured(provider, wanted) {
		return v.compute
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return cmp.Or(v.agreed[provider+" "+wanted], wanted)
}

func (v *versions) agree(provider, wanted, version string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.agreed[provider+" "+wanted] = version
}

// providerOf returns the resource provider in a request's path in lower case.
func providerOf(r *http.Request) string {
	_, rest, ok := strings.Cut(strings.ToLower(r.URL.Path), "/providers/")
	if !ok {
		return ""
	}
	provider, _, _ := strings.Cut(rest, "/")
	return provider
}

func setVersion(r *http.Request, version string) {
	q := r.URL.Query()
	if q.Get(versionKey) == version {
		return // and the query stays as the SDK wrote it
	}
	q.Set(versionKey, version)
	r.URL.RawQuery = q.Encode()
}

// As in "The supported api-versions are '2017-12-01, 2020-06-01'." and "The
// supported versions are '2016-07-01,2016-06-01'." (Azure/azure-resource-manager-schemas#33,
// Azure/azure-sdk-for-net#2276).
var versionList = regexp.MustCompile(`(?i)supported (?:api-)?versions are '([^']*)'`)

var versionPattern = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

// listedVersions returns the released versions that a refusal for the version lists.
func listedVersions(r *http.Response, err error) []string {
	if err != nil || r == nil || r.StatusCode != http.StatusBadRequest && r.StatusCode != http.StatusNotFound {
		return nil
	}
	body, err := runtime.Payload(r)
	if err != nil {
		return nil
	}
	m := versionList.FindSubmatch(body)
	if m == nil || !armerr.Is(armerr.From("", "", runtime.NewResponseError(r)), armerr.APIVersion) {
		return nil
	}
	var all []string
	for _, version := range strings.Split(string(m[1]), ",") {
		if version = strings.TrimSpace(version); versionPattern.MatchString(version) {
			all = append(all, version)
		}
	}
	return all
}

func newestBefore(all []string, limit string) (newest string) {
	for _, version := range all {
		if version < limit && version > newest {
			newest = version
		}
	}
	return newest
}

// versionError is the error of a request for which the provider has no version that
// the plugin can use.
type versionError struct {
	provider, refused, newest string
	response                  *http.Response
}

// Error names the versions.
func (e *versionError) Error() string {
	return fmt.Sprintf("%s refuses api-version %s, and the newest that it lists is %s", e.provider, e.refused, e.newest)
}

// NonRetriable marks the error as one that Azure's SDK must not retry.
func (*versionError) NonRetriable() {}

// typed returns the error with its fix.
func (e *versionError) typed(op, object string) *armerr.Error {
	hint := "check cloud: no version that it lists works for this request"
	if isCompute(e.provider, e.refused) && e.newest < config.OldestAPIVersion {
		hint = "none: the plugin cannot be used with this cloud, as it needs the ETag of a scale set, which came with Microsoft.Compute " + config.OldestAPIVersion
	}
	typed := &armerr.Error{Op: op, Object: object, Kind: armerr.APIVersion, Status: http.StatusBadRequest, Message: e.Error(), Hint: hint}
	if r := e.response; r != nil {
		typed.RequestID = r.Header.Get("x-ms-request-id")
	}
	return typed
}
