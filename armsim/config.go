package armsim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/entra"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Identifiers used where Config leaves them empty. They are no secrets: they
// name things that exist only inside a simulator.
const (
	DefaultSubscriptionID = "00000000-0000-4000-8000-0000000000aa"
	DefaultTenantID       = "00000000-0000-4000-8000-0000000000bb"
	DefaultClientID       = "00000000-0000-4000-8000-0000000000cc"
	DefaultResourceGroup  = "ci"
	DefaultLocation       = "westeurope"
)

// Config sets up a simulator. The zero value is useful: one subscription, one
// resource group, one service principal that may do everything, machines on,
// hostile behaviour on, a random seed.
type Config struct {
	// Seed decides all chance. 0 takes a random one, see Server.Seed.
	Seed uint64

	SubscriptionID string
	TenantID       string
	ResourceGroup  string // made at the start; empty: DefaultResourceGroup
	Location       string

	// InProcess opens no port and touches no file: Server.Transport is the only
	// way in, and there are no machines. It is for tests within a synctest
	// bubble, and for many simulators at once.
	InProcess bool

	// Listen is where it listens, if not at free ports that this host alone reaches.
	Listen Listen

	// Faults and Events are in force from the start.
	Faults []Fault
	Events []Event

	// ParallelWrites is one of the Parallel constants; empty: ParallelQueue.
	ParallelWrites string

	// Principals may log in. Empty: DefaultClientID with a random secret and
	// every right.
	Principals []Principal

	// Identities are the managed identities of the virtual machine that clients
	// are said to run on, see Server.MetadataEndpoint. Empty: it has no instance
	// metadata service.
	Identities []Identity

	// MetadataService gives that virtual machine its instance metadata service
	// also without Identities: Server.AttachIdentity adds them.
	MetadataService bool

	// Subscription is what a client finds before it sets anything up.
	Subscription Subscription

	// PageSize is the length of a list page; 0 means 3, so that no client gets
	// by without paging.
	PageSize int

	// Polite turns off odd case and unknown fields.
	Polite bool

	// Boot is the time from acceptance of an instance to running; Delete the
	// time from acceptance of a deletion to its end; Power the time of a stop,
	// start or restart.
	Boot, Delete, Power Duration

	// Suspension has the times of deallocations, hibernations and the starts after them;
	// each is Power where it is zero.
	Suspension SuspensionTimes

	// Stock is what Azure has room for; empty: for all. Server.SetStock changes it.
	Stock []Stock

	// TimeScale is how many simulated seconds pass in a real one; 0 means 1.
	TimeScale float64

	// Virtual stops time: it moves only by Server.Advance.
	Virtual bool

	// CoreQuota is the regional limit of vCPUs; 0 means no limit. Spot instances
	// count against a quota of their own alone, see Catalog.
	CoreQuota int

	// Catalog changes which sizes and images are on offer, and has the quotas of
	// families and of Spot.
	Catalog CatalogChanges

	// TokenLifetime is how long an access token is good; 0 means one hour.
	TokenLifetime time.Duration

	// Evictions takes Spot instances away.
	Evictions Evictions

	// Unknowns answers open questions about Azure against what is believed.
	Unknowns Unknowns

	// NewestAPIVersion is the newest api-version of a provider, as
	// {"Microsoft.Compute": "2020-06-01"}: newer ones, and those that Azure never
	// had, are refused with NoRegisteredProviderFound. A provider that is missing
	// takes any date.
	NewestAPIVersion map[string]string

	// Throttle enforces Azure's documented request limits. Remaining calls
	// are reported either way.
	Throttle bool

	// ResourceGraph has Azure Resource Graph answer lists of instances that carry
	// useResourceGraph=true, as Microsoft documents it; without it the parameter is
	// ignored, as where a subscription was not given that. What it shows was so
	// GraphLag ago; 0 means 5 s.
	ResourceGraph bool
	GraphLag      time.Duration

	// NoMachines leaves out the SSH servers: instances are data alone.
	NoMachines bool

	// SSHPort is the port of every machine's SSH server; 0 takes a free one.
	SSHPort int

	// MachineEnv holds further KEY=value pairs for every command on a machine,
	// such as DOCKER_HOST for an engine that all machines share.
	MachineEnv []string

	// StateDir holds the CA certificate and the machines' directories; empty:
	// a temporary one, removed by Close.
	StateDir string

	// ControlToken, when set, is demanded by the control endpoint as a bearer
	// token.
	ControlToken string
}

// Principal is a service principal that may ask for tokens.
type Principal = entra.Principal

// Identity is a managed identity of the virtual machine that a client is said to
// run on.
type Identity = entra.Identity

// Role is a role that a principal has from the start.
type Role = entra.Role

// Subscription is what a client finds before it sets anything up. The zero value
// has one resource group and all providers registered.
type Subscription struct {
	// Empty leaves out Config.ResourceGroup.
	Empty bool

	// NotRegistered are the namespaces of resource providers that are not
	// registered, as "Microsoft.ManagedIdentity".
	NotRegistered []string

	// PrincipalDelay is how long role assignments do not know the principal of a
	// new identity, and are refused with PrincipalNotFound.
	PrincipalDelay time.Duration

	// AssignmentDelay is how long a role assignment that a client makes gives no
	// right; Microsoft's pages say up to 10 minutes.
	AssignmentDelay time.Duration

	// CheckReferences refuses scale sets, virtual machines and interfaces that
	// name network resources or identities that do not exist. Without it they may
	// name any, but a subnet must exist where its virtual network does.
	CheckReferences bool
}

// Duration is a time that varies: log-normal around Median with the given
// Spread (standard deviation of the logarithm), never under a tenth of Median
// nor over ten times. Spread 0 is exact.
type Duration = world.Duration

// Evictions takes Spot instances away by itself: every so often a running one,
// drawn from the seed. The zero value takes none.
type Evictions = world.Evictions

// SuspensionTimes are the times of what frees the virtual machine of an instance and
// brings it back.
type SuspensionTimes = world.SuspensionTimes

// Stock is how many virtual machines Azure has room for at the same time, of a size, in a
// zone, for a scale set.
type Stock = world.Stock

// StockState is a stock and what is taken of it.
type StockState = world.StockState

// Unknowns are questions about Azure that nobody has answered. The zero value
// is what is believed; a client should pass with each of them the other way.
type Unknowns = world.Unknowns

// UnknownNames are the names that Unknowns.Set takes, in the order of the
// fields.
func UnknownNames() []string { return world.UnknownNames() }

// What Config.ParallelWrites may be: how a scale set takes a new capacity or a
// deletion of instances while another operation on it runs.
const (
	ParallelQueue    = world.ParallelQueue    // it takes both
	ParallelConflict = world.ParallelConflict // it refuses the second with 409 Conflict
	ParallelPreempt  = world.ParallelPreempt  // a newer deletion ends an older one, whose instances stay (kubernetes/autoscaler#9505)
)

// UseRealisticTimes sets the times of creations, deletions and power actions to
// distributions around what was seen of Azure, whose sources the reference names. Each
// creation, start and resume includes what the guest needs until it takes logins.
func (c *Config) UseRealisticTimes() {
	c.Boot = Duration{Median: 90 * time.Second, Spread: 0.5}
	c.Suspension.Start = Duration{Median: 35 * time.Second, Spread: 0.4}
	c.Suspension.Resume = Duration{Median: 65 * time.Second, Spread: 0.3}
	c.Suspension.Deallocate = Duration{Median: 17 * time.Second, Spread: 0.35}
	c.Suspension.Hibernate = Duration{Median: 31 * time.Second, Spread: 0.3}
	c.Power = Duration{Median: 12 * time.Second, Spread: 0.5}
	c.Delete = Duration{Median: 26 * time.Second, Spread: 0.3}
}

// check names what is impossible.
func (c Config) check() error {
	if c.PageSize < 0 {
		return fmt.Errorf("page size %d: it must be 1 or more, or 0 for 3", c.PageSize)
	}
	return nil
}

func (c Config) withDefaults() Config {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&c.SubscriptionID, DefaultSubscriptionID)
	set(&c.TenantID, DefaultTenantID)
	set(&c.ResourceGroup, DefaultResourceGroup)
	set(&c.Location, DefaultLocation)
	c.NoMachines = c.NoMachines || c.InProcess
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	if c.PageSize == 0 {
		c.PageSize = 3
	}
	if c.TimeScale == 0 {
		c.TimeScale = 1
	}
	if c.GraphLag == 0 {
		c.GraphLag = 5 * time.Second
	}
	if c.TokenLifetime == 0 {
		c.TokenLifetime = time.Hour
	}
	return c
}
