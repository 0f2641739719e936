package main

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// timeFlags are of how long instances take for what.
func (o *options) timeFlags(f *flag.FlagSet) {
	c := &o.config
	c.Boot.Median = 5 * time.Second
	f.Var((*bootFlag)(c), "boot", "median `time` from acceptance to running, or \"realistic\" for this and all times below, as seen of Azure; flags after it change single ones")
	f.Float64Var(&c.Boot.Spread, "boot-spread", 0.3, "spread of boot times (log-normal; 0: exact)")
	f.DurationVar(&c.Delete.Median, "delete", 2*time.Second, "median time of a deletion")
	f.Float64Var(&c.Delete.Spread, "delete-spread", 0.3, "spread of deletion times")
	f.DurationVar(&c.Power.Median, "power", 2*time.Second, "time of a stop, start or restart")
	f.DurationVar(&c.Suspension.Start.Median, "start", 0, "median time of a start after a deallocation; 0: that of --power")
	f.DurationVar(&c.Suspension.Resume.Median, "resume", 0, "median time of a start after a hibernation; 0: that of --power")
	f.DurationVar(&c.Suspension.Deallocate.Median, "deallocate", 0, "median time of a deallocation; 0: that of --power")
	f.DurationVar(&c.Suspension.Hibernate.Median, "hibernate", 0, "median time of a hibernation; 0: that of --power")
	f.Func("stock", "room for so many virtual machines of a scale set, as `NAME=COUNT`, or NAME=COUNT,at-once where what is more is refused, not accepted to fail; may be repeated", func(text string) error {
		stock, err := readStock(text)
		c.Stock = append(c.Stock, stock)
		return err
	})
}

// bootFlag is a duration, or the name of a set of times.
type bootFlag armsim.Config

func (b *bootFlag) String() string { return b.Boot.Median.String() }

func (b *bootFlag) Set(text string) (err error) {
	if text == "realistic" {
		(*armsim.Config)(b).UseRealisticTimes()
		return nil
	}
	b.Boot.Median, err = time.ParseDuration(text)
	return err
}

func readStock(text string) (armsim.Stock, error) {
	text, atOnce := strings.CutSuffix(text, ",at-once")
	name, count, _ := strings.Cut(text, "=")
	n, err := strconv.Atoi(count)
	if name == "" || err != nil || n < 0 {
		return armsim.Stock{}, fmt.Errorf("stock %q: it must be NAME=COUNT or NAME=COUNT,at-once", text)
	}
	return armsim.Stock{ScaleSet: name, Count: n, AtOnce: atOnce}, nil
}
