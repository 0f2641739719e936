package model_test

import (
	"errors"
	"net/http"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// hide is an identity that may not read instances: it gets an empty list, and no
// error, for an hour in which there is demand.
func (m *model) hide() error {
	err := m.Sim.AddFaults(
		faults.For(faults.List(armsim.ListEmpty), time.Hour),
		faults.For(faults.Refusal("may not read", "VirtualMachineScaleSetVMs_Get", http.StatusForbidden, 0, false), time.Hour),
		faults.For(faults.Refusal("may not read", "VirtualMachines_Get", http.StatusForbidden, 0, false), time.Hour),
	)
	if err != nil {
		return err
	}
	m.Invariants.AllowThrottling() // each instance that a list lacks is read
	m.Hidden = len(m.Sim.Instances())
	defer func() { m.Hidden = 0 }()
	for range 6 {
		m.Provisioner.Request(1)
		time.Sleep(10 * time.Minute)
		if err := errors.Join(m.Revive(), m.Invariants.Err(), m.Surplus()); err != nil {
			return err
		}
	}
	return nil
}

// overlap is demand that grows while earlier increases go on, some of whose instances
// are never made.
func (m *model) overlap(lost int) error {
	m.MayBeAbsent = true
	err := m.Sim.AddFaults(
		faults.NeverMade(3, lost),
		faults.Times(faults.WithEffect("creations slow", "instance.create", armsim.Effect{Slow: 5}), 8),
	)
	if err != nil {
		return err
	}
	for range 6 {
		m.Provisioner.Request(2)
		time.Sleep(15 * time.Second)
		if err := errors.Join(m.Revive(), m.Invariants.Err(), m.Surplus()); err != nil {
			return err
		}
	}
	return nil
}

// rush is demand that comes and goes faster than Azure takes writes.
func (m *model) rush() {
	for range 16 {
		m.Provisioner.Request(1)
		m.FinishJobs(1)
		time.Sleep(2 * time.Second)
	}
}

// second is the name of the second scale set, where there are two.
const second = "second"

// stock has a scale set run out of machines, or get all that it wants, now or later.
func (m *model) stock(n int) error {
	s := armsim.Stock{ScaleSet: []string{rig.ScaleSetName, second}[n%2], Count: n/2 - 1, AtOnce: n > 2}
	return m.Sim.SetStock(s)
}

// cutOffFor has a scale set be out of reach for a while in which there is demand.
func (m *model) cutOffFor(n int) error {
	name := []string{rig.ScaleSetName, second}[n%2]
	m.CutOff(name, true)
	defer m.CutOff(name, false)
	for range 4 {
		m.Provisioner.Request(1)
		time.Sleep(time.Duration(n) * time.Minute)
		if err := errors.Join(m.Revive(), m.Invariants.Err(), m.Surplus()); err != nil {
			return err
		}
	}
	return nil
}

// nap has instances suspended for as long as it takes, in which the plugin may be killed,
// and resumed.
func (m *model) nap(n int) error {
	m.Provisioner.Request(n)
	time.Sleep(time.Minute)
	if err := m.Revive(); err != nil {
		return err
	}
	m.Suspend(n)
	for k := range 4 {
		time.Sleep(40 * time.Second)
		if k == 2 && n%2 == 0 {
			m.Crash()
		}
		if err := errors.Join(m.Revive(), m.Invariants.Err(), m.Surplus()); err != nil {
			return err
		}
	}
	m.Resume(n - 1)
	time.Sleep(time.Duration(n) * 10 * time.Second)
	return errors.Join(m.Revive(), m.Invariants.Err(), m.Surplus())
}
