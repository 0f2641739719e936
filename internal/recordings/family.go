package recordings

import (
	"regexp"
	"strings"
)

// Family reports whether an exchange with such a path is of a table's kind.
type Family func(path string) bool

// ScaleSets are exchanges about scale sets, their machines and interfaces.
func ScaleSets(path string) bool { return ofScaleSets(path) }

// setup is what stands around scale sets: groups, providers, networks, rights,
// identities. Paths are in lower case.
var setup = regexp.MustCompile(`^/*subscriptions/[^/]+/(` + strings.Join([]string{
	`resourcegroups(/[^/]+)?`, `providers/[^/]+(/(un)?register)?`,
	`(.*/)?providers/microsoft\.network/(networksecuritygroups|virtualnetworks|natgateways|publicipaddresses|networkinterfaces)(/.*)?`,
	`(.*/)?providers/microsoft\.authorization/(permissions|roledefinitions|roleassignments|locks)(/[^/]+)?`,
	`.*/providers/microsoft\.managedidentity/userassignedidentities(/.*)?`,
}, "|") + `)$`)

// Setup are exchanges about what stands around scale sets.
func Setup(path string) bool {
	path = strings.ToLower(path)
	return setup.MatchString(path) && !strings.Contains(path, "/virtualmachinescalesets")
}
