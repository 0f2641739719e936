package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/taskscaler"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/process"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

// demo holds the parts: simulator, plugin, scaler, and the jobs' tally.
type demo struct {
	options   options
	simulator *process.Process
	plugin    *fleeting.Runner
	scaler    taskscaler.Taskscaler
	tally     tally
	view      *view
	closers   []func() error
}

func newDemo(ctx context.Context, o options) (*demo, error) {
	d := &demo{options: o, view: newView(os.Stdout)}
	for _, step := range []func(context.Context) error{d.startSimulator, d.startPlugin} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	return d, nil
}

func (d *demo) startSimulator(context.Context) (err error) {
	args := []string{
		"--scale-set", "runners", "--orchestration-mode", d.options.mode, "--boot", d.options.boot.String(),
		"--page-size", "50", "--delete", "1s", "--seed", strconv.FormatUint(d.options.seed, 10),
	}
	if d.options.spot != "" {
		args = append(args, "--spot", d.options.spot)
	}
	d.simulator, err = process.Start(d.options.simulator, args...)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, d.simulator.Close)
	return d.simulator.Setenv() // for the plugin, which inherits it
}

func (d *demo) startPlugin(ctx context.Context) error {
	logs, err := os.OpenFile(d.options.logFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, logs.Close)
	log := hclog.New(&hclog.LoggerOptions{Output: logs, Level: hclog.Debug})
	if d.plugin, err = fleet.StartPlugin(d.options.plugin, d.simulator.Env, log); err != nil {
		return err
	}
	d.closers = append(d.closers, func() error { d.plugin.Kill(); return nil })
	return d.startScaler(ctx, log)
}

func (d *demo) startScaler(ctx context.Context, log hclog.Logger) error {
	options, err := fleet.ScalerOptions(d.simulator.Env, log, d.options.max)
	if err != nil {
		return err
	}
	if d.scaler, err = taskscaler.New(ctx, d.plugin.InstanceGroup(), options...); err != nil {
		return err
	}
	return d.scaler.ConfigureSchedule(taskscaler.Schedule{IdleCount: d.options.idle, IdleTime: 10 * time.Second})
}

// scaleToZero takes the idle policy away, waits for the last instance to go,
// and stops the scaler. It returns how many instances the simulator still has.
func (d *demo) scaleToZero(ctx context.Context) (int, error) {
	if err := d.scaler.ConfigureSchedule(taskscaler.Schedule{IdleTime: time.Nanosecond}); err != nil {
		return 0, err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		stats, err := d.simulator.Stats(context.WithoutCancel(ctx))
		if err != nil {
			return 0, err
		}
		if stats.Instances == 0 && stats.Capacity == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return stats.Instances, nil
		case <-tick.C:
		}
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	d.scaler.Shutdown(shutdown)
	stats, err := d.simulator.Stats(shutdown)
	if err == nil && len(stats.NotSimulated) > 0 {
		err = errors.New("the plugin asked for what is not simulated: " + stats.NotSimulated[0])
	}
	return max(stats.Instances, stats.Machines, stats.Addresses), err
}

func (d *demo) close() (err error) {
	for i := len(d.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, d.closers[i]())
	}
	return err
}
