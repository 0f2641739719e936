package load

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
)

// Simulator is a process of armsim with one scale set. Its methods may be called
// from any goroutine.
type Simulator struct {
	*process.Process
	addresses int // that were there before the instances, as that of a NAT gateway
}

// StartSimulator starts armsim; args are further flags of it.
func StartSimulator(o Options, args ...string) (*Simulator, error) {
	args = append([]string{
		"--scale-set", "runners", "--orchestration-mode", o.Mode, "--boot", o.Boot.String(),
		"--page-size", "50", "--delete", "1s", "--seed", strconv.FormatUint(o.Seed, 10),
	}, args...)
	if o.Spot != "" {
		args = append(args, "--spot", o.Spot)
	}
	p, err := process.Start(o.Simulator, args...)
	return &Simulator{Process: p}, err
}

// simulator starts one, or takes the one that runs where the scale set is a
// configuration's.
func (o *Options) simulator(ctx context.Context, args []string) (*Simulator, error) {
	if o.Config == "" {
		return StartSimulator(*o, args...)
	}
	p, err := process.Attach()
	if err != nil {
		return nil, err
	}
	before, err := p.Stats(ctx)
	return &Simulator{p, before.Addresses}, err
}

// Poll calls ready every 200 ms until it reports true or an error. When ctx ends
// before that, the error holds the reason that the last call gave. ready gets a
// context that is not cancelled.
func Poll(ctx context.Context, ready func(context.Context) (ok bool, reason string, err error)) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, reason, err := ready(context.WithoutCancel(ctx))
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", reason, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// Settle waits until there are this many instances, all of them run, and the capacity
// is as many.
func (s *Simulator) Settle(ctx context.Context, count int) error {
	return Poll(ctx, func(ctx context.Context) (bool, string, error) {
		stats, err := s.Stats(ctx)
		return stats.Instances == count && stats.Running == count && stats.Capacity == count && err == nil,
			fmt.Sprintf("there are %d instances, %d running, and capacity for %d; expected %d", stats.Instances, stats.Running, stats.Capacity, count), err
	})
}

// Leftovers is what there is at the end, when nothing should be.
type Leftovers struct {
	armsim.Stats
	Left     int      // instances, or machines and addresses if these are more
	Findings []string // what is left, and requests that are not simulated
}

// Leftovers looks for what is left.
func (s *Simulator) Leftovers(ctx context.Context) (Leftovers, error) {
	stats, err := s.Stats(ctx)
	if err != nil {
		return Leftovers{}, fmt.Errorf("count instances: %w", err)
	}
	all, err := s.Instances(ctx)
	if err != nil {
		return Leftovers{}, fmt.Errorf("list instances: %w", err)
	}
	stats.Addresses -= s.addresses
	l := Leftovers{Stats: stats, Left: max(stats.Instances, stats.Machines, stats.Addresses)}
	for _, i := range all {
		l.Findings = append(l.Findings, fmt.Sprintf("%s is left, %s %s", ID(i), i.ProvisioningState, i.PowerState))
	}
	if l.Left > len(all) {
		l.Findings = append(l.Findings, fmt.Sprintf("%d machines and %d addresses are left", stats.Machines, stats.Addresses))
	}
	for _, request := range stats.NotSimulated {
		l.Findings = append(l.Findings, "the plugin asked for what is not simulated: "+request)
	}
	return l, nil
}

// ID is the plugin's ID of an instance: its resource name and the first eight
// digits of its vmId.
func ID(i armsim.InstanceInfo) string { return idOf(i.Name, i.VMID) }

func idOf(name, vmID string) string {
	return strings.ToLower(name) + "-" + vmID[:min(8, len(vmID))]
}

// Name is the resource name in the plugin's ID of an instance.
func Name(id string) string {
	return id[:max(0, strings.LastIndexByte(id, '-'))]
}
