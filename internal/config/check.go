package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
)

const (
	maxPath          = 4096
	maxDomain        = 253
	scaleSetType     = "Microsoft.Compute/virtualMachineScaleSets"
	forbiddenInNames = `\/"[]:|<>+=;,?*@&`
)

var (
	guidPattern    = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	versionPattern = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-preview)?$`)
	domainPattern  = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$`)
	scaleSetChain  = []arm.ResourceType{
		arm.TenantResourceType,
		arm.SubscriptionResourceType,
		arm.ResourceGroupResourceType,
		arm.NewResourceType("Microsoft.Compute", "virtualMachineScaleSets"),
	}
)

func checkGUID(v string) string {
	if guidPattern.MatchString(v) {
		return ""
	}
	return "is not a GUID"
}

func checkAPIVersion(v string) string {
	switch {
	case !versionPattern.MatchString(v):
		return "is not an api-version"
	case v[:len(OldestAPIVersion)] < OldestAPIVersion:
		return "is older than the plugin supports, as scale sets have no ETag there"
	}
	return ""
}

func checkCreationLimit(v string) string { return checkDuration(v, time.Minute) }
func checkFailedGrace(v string) string   { return checkDuration(v, 0) }

func checkDuration(v string, least time.Duration) string {
	d, err := time.ParseDuration(v)
	switch {
	case err != nil:
		return "is not a duration"
	case d < least:
		return "is too short"
	case d > 24*time.Hour:
		return "is too long"
	}
	return ""
}

func checkTenant(v string) string {
	if guidPattern.MatchString(v) || len(v) <= maxDomain && domainPattern.MatchString(v) {
		return ""
	}
	return "is neither a GUID nor a domain name"
}

func checkName(v string) string {
	if !strings.Contains(v, "/") {
		return checkBareName(v)
	}
	id, reason := parseScaleSetID(v)
	switch {
	case reason != "":
		return reason
	case checkGUID(id.SubscriptionID) != "":
		return "contains a subscription ID that is not a GUID"
	case checkResourceGroup(id.ResourceGroupName) != "":
		return "contains a resource group name that Azure does not allow"
	case checkBareName(id.Name) != "":
		return "contains a scale set name that " + checkBareName(id.Name)
	}
	return ""
}

func parseScaleSetID(v string) (*arm.ResourceID, string) {
	id, err := arm.ParseResourceID(v)
	// The parser drops empty segments; an ID that it had to correct is none of Azure's.
	if err != nil || !strings.EqualFold(id.String(), v) {
		return nil, "is not a well-formed resource ID"
	}
	if !strings.EqualFold(id.ResourceType.String(), scaleSetType) {
		return nil, fmt.Sprintf("is a resource ID of type %s, not of a scale set", show(id.ResourceType.String()))
	}
	if id.ValidateResourceTypeChain(scaleSetChain) != nil {
		return nil, "is not the resource ID of a scale set in a resource group"
	}
	return id, ""
}

func checkBareName(v string) string {
	switch {
	case v == "":
		return "is empty"
	case utf8.RuneCountInString(v) > 64:
		return "is longer than 64 characters"
	case strings.HasPrefix(v, "_"):
		return "starts with _"
	case strings.HasSuffix(v, "."), strings.HasSuffix(v, "-"):
		return "ends in " + v[len(v)-1:]
	}
	for _, r := range v {
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(forbiddenInNames, r) {
			return fmt.Sprintf("contains %q", r)
		}
	}
	return ""
}

// Azure's rule takes for letters and digits what .NET's Char.IsLetterOrDigit does:
// https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
func checkResourceGroup(v string) string {
	switch {
	case v == "":
		return "is empty"
	case utf8.RuneCountInString(v) > 90:
		return "is longer than 90 characters"
	case strings.HasSuffix(v, "."):
		return "ends in a period"
	}
	for _, r := range v {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_()-.", r) {
			return fmt.Sprintf("contains %q", r)
		}
	}
	return ""
}

func checkURL(v string) string {
	u, err := url.Parse(v)
	switch {
	case err != nil:
		return "is not a URL"
	case u.Scheme != "https":
		return "is not an https URL"
	case u.Hostname() == "":
		return "has no host"
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "must not contain a user, a query or a fragment"
	}
	return ""
}

func checkURI(v string) string {
	u, err := url.Parse(v)
	switch {
	case err != nil, strings.ContainsFunc(v, unicode.IsSpace):
		return "is not a URI"
	case !u.IsAbs(), u.Host+u.Opaque+u.Path == "":
		return "is not an absolute URI"
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "must not contain a user, a query or a fragment"
	}
	return ""
}

func checkFile(v string) string {
	switch {
	case looksSecret(v):
		return "contains the secret itself"
	case len(v) > maxPath, strings.ContainsFunc(v, unicode.IsControl):
		return "is not a path"
	case !filepath.IsAbs(v):
		return "is not an absolute path"
	}
	return ""
}
