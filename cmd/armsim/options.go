package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

type options struct {
	config     armsim.Config
	watchStdin bool
	spec       armsim.ScaleSetSpec
	keyFile    string
	modelFile  string
	faultsFile string
}

const usage = `armsim is a simulator of Azure Resource Manager for Virtual Machine Scale Sets.

It prints the environment a client needs and runs until it is interrupted:

  armsim --scale-set ci --state-dir /tmp/armsim > env.sh &
  . ./env.sh
  curl --cacert "$SSL_CERT_FILE" -H "Authorization: Bearer $TOKEN" "$ARMSIM_ENDPOINT/subscriptions/…"

The last line printed is "# ready". Flags:

`

func parse(args []string, out io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("armsim", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() {
		fmt.Fprint(out, usage)
		f.PrintDefaults()
	}
	o.simulatorFlags(f)
	o.cloudFlags(f)
	o.subscriptionFlags(f)
	o.scaleSetFlags(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("armsim: unexpected argument %q; see armsim --help", f.Arg(0))
	}
	if err := o.readFaults(); err != nil {
		return nil, err
	}
	if o.spec.Name == "" && o.spec.Capacity > 0 {
		return nil, errors.New("armsim: --capacity needs --scale-set")
	}
	if o.config.SSHPort < 0 || o.config.SSHPort > math.MaxUint16 {
		return nil, fmt.Errorf("armsim: --ssh-port %d: it must be 0 to 65535", o.config.SSHPort)
	}
	if o.spec.Name == "" && o.modelFile != "" {
		return nil, errors.New("armsim: --model needs --scale-set")
	}
	return o, nil
}

func (o *options) simulatorFlags(f *flag.FlagSet) {
	c := &o.config
	f.Uint64Var(&c.Seed, "seed", 0, "decides all chance; 0 takes a random one")
	c.ControlToken = os.Getenv("ARMSIM_CONTROL_TOKEN") // no flag: other users could see it
	f.StringVar(&c.StateDir, "state-dir", "", "directory for the CA certificate, the SSH key and the machines; default: a temporary one, removed at the end")
	f.StringVar(&c.SubscriptionID, "subscription", armsim.DefaultSubscriptionID, "subscription ID")
	f.StringVar(&c.TenantID, "tenant", armsim.DefaultTenantID, "tenant ID")
	f.StringVar(&c.ResourceGroup, "resource-group", armsim.DefaultResourceGroup, "resource group made at the start")
	f.StringVar(&c.Location, "location", armsim.DefaultLocation, "region")
	f.IntVar(&c.PageSize, "page-size", 3, "entries on a list page")
	f.BoolVar(&c.Polite, "polite", false, "no odd case, no unknown fields")
	f.BoolVar(&c.Throttle, "throttle", false, "enforce Azure's documented request limits")
	f.BoolVar(&c.NoMachines, "no-machines", false, "instances without SSH servers")
	f.IntVar(&c.SSHPort, "ssh-port", 0, "SSH port of the instances; 0: a free one")
	f.Func("machine-env", "`KEY=value` for every command on a machine, as DOCKER_HOST=unix:///var/run/docker.sock; may be repeated", func(pair string) error {
		c.MachineEnv = append(c.MachineEnv, pair)
		return nil
	})
	f.IntVar(&c.CoreQuota, "core-quota", 0, "regional vCPU quota; 0: none")
	f.Float64Var(&c.TimeScale, "time-scale", 1, "simulated seconds per real second")
	o.timeFlags(f)
	f.DurationVar(&c.Evictions.Every.Median, "evict-every", 0, "median time between evictions of a running Spot instance; 0: none")
	f.Float64Var(&c.Evictions.Every.Spread, "evict-spread", 0.3, "spread of the time between evictions")
	f.IntVar(&c.Evictions.Max, "evict-max", 0, "evictions in all; 0: no limit")
	f.Func("unknown", "open questions about Azure to answer against what is believed, as NAME[,NAME]: "+strings.Join(armsim.UnknownNames(), ", "), func(names string) error {
		return c.Unknowns.Set(strings.Split(names, ",")...)
	})
	f.StringVar(&o.faultsFile, "faults", "", "JSON `file` of faults and events, in force from the start")
	f.StringVar(&c.ParallelWrites, "parallel-writes", armsim.ParallelQueue, "what a second write to a scale set does while one runs: queue, conflict or preempt")
	f.BoolVar(&o.watchStdin, "watch-stdin", false, "end when standard input ends, as when the parent dies")
}

// cloudFlags are of what surrounds the scale sets.
func (o *options) cloudFlags(f *flag.FlagSet) {
	c := &o.config
	f.Func("newest-api-version", "newest api-version of a provider, as `Microsoft.Compute=2020-06-01`; may be repeated", func(pair string) error {
		provider, version, ok := strings.Cut(pair, "=")
		if !ok {
			return errors.New("it must be PROVIDER=DATE")
		}
		if c.NewestAPIVersion == nil {
			c.NewestAPIVersion = map[string]string{}
		}
		c.NewestAPIVersion[provider] = version
		return nil
	})
	f.BoolVar(&c.ResourceGraph, "resource-graph", false, "Azure Resource Graph answers lists of instances that ask for it")
	f.DurationVar(&c.GraphLag, "graph-lag", 5*time.Second, "how far it is behind")
	f.Func("catalog", "JSON `file` of changes to the sizes, images, quotas and terms on offer", func(name string) error {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		c.Catalog, err = armsim.ReadCatalog(file)
		return err
	})
	f.Func("identity", "client `ID` of a user-assigned identity of the virtual machine that clients are said to run on; may be repeated", func(client string) error {
		c.Identities = append(c.Identities, armsim.Identity{ClientID: client})
		return nil
	})
}

func (o *options) scaleSetFlags(f *flag.FlagSet) {
	f.StringVar(&o.spec.Name, "scale-set", "", "create a scale set of this name")
	f.IntVar(&o.spec.Capacity, "capacity", 0, "its capacity at the start")
	f.StringVar(&o.spec.Size, "size", "Standard_D2s_v5", "its VM size")
	f.StringVar(&o.spec.AdminUsername, "admin-username", "azureuser", "login name on its instances")
	f.StringVar(&o.keyFile, "ssh-public-key-file", "", "public key allowed to log in; default: a new key pair in the state directory")
	f.BoolVar(&o.spec.PublicAddress, "public-address", false, "give each instance a public address")
	f.StringVar(&o.spec.OrchestrationMode, "orchestration-mode", "Uniform", "Uniform or Flexible")
	f.Func("spot", "make its instances Spot, with this eviction `policy`: Deallocate or Delete", func(policy string) error {
		o.spec.Priority, o.spec.EvictionPolicy = "Spot", policy
		return nil
	})
	f.Func("zones", "availability `zones` of its instances, as 1,2,3", func(zones string) error {
		o.spec.Zones = strings.Split(zones, ",")
		return nil
	})
	f.StringVar(&o.modelFile, "model", "", "JSON file with the body of the scale set's PUT, instead of the flags above")
}

func (o *options) readFaults() error {
	if o.faultsFile == "" {
		return nil
	}
	file, err := os.Open(o.faultsFile)
	if err != nil {
		return fmt.Errorf("armsim: --faults: %w", err)
	}
	defer file.Close()
	if o.config.Faults, o.config.Events, err = armsim.ReadFaults(file); err != nil {
		return fmt.Errorf("armsim: --faults %s: %w", o.faultsFile, err)
	}
	return nil
}

// create makes the scale set that was asked for, and returns what a client
// needs to know of it as KEY=value.
func (o *options) create(ctx context.Context, s *armsim.Server) ([]string, error) {
	if o.spec.Name == "" {
		return nil, nil
	}
	env := []string{"ARMSIM_SCALE_SET=" + o.spec.Name}
	if o.modelFile != "" {
		return env, o.createFromFile(ctx, s)
	}
	if o.keyFile == "" {
		private := filepath.Join(filepath.Dir(s.CAFile), "id_ed25519")
		public, err := newKey(private)
		if err != nil {
			return nil, err
		}
		o.spec.PublicKey = public
		env = append(env, "ARMSIM_SSH_KEY_FILE="+private)
	} else {
		raw, err := os.ReadFile(o.keyFile)
		if err != nil {
			return nil, fmt.Errorf("armsim: --ssh-public-key-file: %w", err)
		}
		o.spec.PublicKey = string(raw)
	}
	_, err := s.CreateScaleSet(ctx, o.spec)
	return env, err
}

func (o *options) createFromFile(ctx context.Context, s *armsim.Server) error {
	raw, err := os.ReadFile(o.modelFile)
	if err != nil {
		return fmt.Errorf("armsim: --model: %w", err)
	}
	var model map[string]any
	if err := json.Unmarshal(raw, &model); err != nil {
		return fmt.Errorf("armsim: --model %s: %w", o.modelFile, err)
	}
	return s.Put(ctx, s.ScaleSetPath(o.spec.Name), s.ComputeVersion(), model)
}

// newKey writes a new private key that only its owner can read, and returns
// the public one in authorized_keys form.
func newKey(file string) (string, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("armsim: make SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "armsim")
	if err != nil {
		return "", fmt.Errorf("armsim: make SSH key: %w", err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", fmt.Errorf("armsim: make SSH key: %w", err)
	}
	authorized, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("armsim: make SSH key: %w", err)
	}
	return string(ssh.MarshalAuthorizedKey(authorized)), nil
}
