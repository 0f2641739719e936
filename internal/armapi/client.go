package armapi

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// A read is repeated every few seconds anyway. 30 s suffice for a token, a
	// page and two retries, and end well before an operator thinks that the plugin
	// hangs.
	readTimeout = 30 * time.Second

	// Azure accepts a write within seconds. fleeting sets no deadline, and a
	// write without one would block every later write.
	writeTimeout = 30 * time.Second

	// One try that hangs must not use up the time of the whole read.
	tryTimeout = 15 * time.Second

	// A longer Retry-After is returned to the caller, which can do other work
	// meanwhile.
	maxRetryDelay = 8 * time.Second

	// The SDK's module name and version for the User-Agent header.
	moduleName    = "fleeting-plugin-azure/armapi"
	moduleVersion = "v1.0.0"

	// applicationID may have 24 characters at most.
	applicationID = "fleeting-plugin-azure"
)

// Options are for tests, tools and metrics; the zero value is for production.
type Options struct {
	Transport  policy.Transporter     // nil: the SDK's HTTP client
	Credential azcore.TokenCredential // nil: the one in the configuration
	Getenv     func(string) string    // nil: the process's environment
	Now        func() time.Time       // nil: time.Now
	Observer   Observer               // nil: nobody is told of requests
	With       *Client                // of another scale set, whose sign-in and limits of the subscription this one shares; nil: none
}

// Client calls Azure Resource Manager for one scale set. It is safe for
// concurrent use.
type Client struct {
	subscription, group, name string

	sets     *armcompute.VirtualMachineScaleSetsClient
	machines *armcompute.VirtualMachinesClient
	members  *armcompute.VirtualMachineScaleSetVMsClient
	generic  *arm.Client
	budget   *budget.Budget
	mixed    atomic.Bool // the scale set was an instance mix when it was read last
	cred     azcore.TokenCredential
	budgets  map[string]*budget.Budget // of each subscription, in lower case, one of its scale sets'; shared by all that were made With one another

	tagsTest    chan struct{} // holds a value while the first mark is written
	tagsTested  atomic.Bool   // one has shown whether instances keep tags
	tagsRefused atomic.Bool   // they do not: protection from scale-in is the mark
}

var _ vmss.Client = (*Client)(nil)

// New returns a client for the scale set in cfg. It reads the credential's files
// and sends nothing: a wrong secret fails the first call. Clients that are made With one
// another must not be made at the same time.
func New(cfg config.Config, opts Options) (*Client, error) {
	if opts.Getenv == nil {
		opts.Getenv = os.Getenv
	}
	base := policy.ClientOptions{
		Cloud:     cloudOf(cfg.Cloud),
		Transport: opts.Transport,
		Telemetry: policy.TelemetryOptions{ApplicationID: applicationID},
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	client := &Client{subscription: cfg.SubscriptionID, group: cfg.ResourceGroupName, name: cfg.Name, cred: opts.Credential, budgets: map[string]*budget.Budget{}, tagsTest: make(chan struct{}, 1)}
	if opts.With != nil {
		client.cred, client.budgets = opts.With.cred, opts.With.budgets
	}
	client.shareBudget(opts.Now)
	if client.cred == nil {
		var err error
		if client.cred, err = newCredential(cfg, base, opts.Getenv); err != nil {
			return nil, err
		}
	}
	if err := client.newClients(client.cred, observed(client.options(base, cfg.APIVersion), opts.Observer)); err != nil {
		return nil, armerr.From("set up clients for", client.object(), err)
	}
	return client, nil
}

// shareBudget takes the budget of the scale set, and for what Azure limits for all of the
// subscription that of its other ones.
func (c *Client) shareBudget(now func() time.Time) {
	key := strings.ToLower(c.subscription)
	if other := c.budgets[key]; other != nil {
		c.budget = other.ForScaleSet()
		return
	}
	c.budget = budget.New(now)
	c.budgets[key] = c.budget
}

func (c *Client) options(base policy.ClientOptions, apiVersion string) *arm.ClientOptions {
	base.Retry = policy.RetryOptions{MaxRetries: 3, TryTimeout: tryTimeout, MaxRetryDelay: maxRetryDelay}
	base.PerCallPolicies = []policy.Policy{sameHostPolicy{endpoint(base.Cloud)}, newVersions(apiVersion)}
	base.PerRetryPolicies = []policy.Policy{limiter{c.budget}}
	// Registering a resource provider requires a permission on the whole
	// subscription, and where a scale set exists it is registered already.
	return &arm.ClientOptions{ClientOptions: base, DisableRPRegistration: true}
}

func (c *Client) newClients(cred azcore.TokenCredential, o *arm.ClientOptions) (err error) {
	if c.sets, err = armcompute.NewVirtualMachineScaleSetsClient(c.subscription, cred, o); err != nil {
		return err
	}
	if c.machines, err = armcompute.NewVirtualMachinesClient(c.subscription, cred, o); err != nil {
		return err
	}
	if c.members, err = armcompute.NewVirtualMachineScaleSetVMsClient(c.subscription, cred, o); err != nil {
		return err
	}
	c.generic, err = arm.NewClient(moduleName, moduleVersion, cred, o)
	return err
}

// object names the scale set in errors.
func (c *Client) object() string { return fmt.Sprintf("scale set %q", c.name) }

// id returns the scale set's resource ID.
func (c *Client) id() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachineScaleSets/%s",
		c.subscription, c.group, c.name)
}

// Instances implements vmss.Client.
func (c *Client) Instances(mode vmss.OrchestrationMode) vmss.Instances {
	if mode == vmss.Flexible {
		return flexible{c}
	}
	return uniform{c}
}

// read makes a call with its own deadline; op completes "… scale set".
func (c *Client) read(ctx context.Context, op string, call func(context.Context) error) error {
	return within(ctx, readTimeout, func(ctx context.Context) error {
		return c.wrapError(op, call(ctx))
	})
}

// readAll reads a list, each of whose pages has a deadline of its own: a long list
// would never end otherwise.
func (c *Client) readAll(ctx context.Context, op string, call func(context.Context) error) error {
	return c.wrapError(op, call(ctx))
}

// readList is readAll for a list of instances; each page counts against the budget.
func (c *Client) readList(ctx context.Context, op string, class budget.Class, call func(context.Context) error) error {
	return c.readAll(ctx, op, func(ctx context.Context) error {
		return c.budget.Measure(class, func() error { return call(ctx) })
	})
}

func within(ctx context.Context, limit time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return call(ctx)
}
