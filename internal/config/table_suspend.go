package config

// Values of suspend_mode.
const (
	SuspendAuto       = "auto"
	SuspendDeallocate = "deallocate"
	SuspendHibernate  = "hibernate"
	SuspendOff        = "off"
)

var suspendOptions = []Option{
	{
		Group: groupSuspend, Key: "suspend_mode", Type: "string", Default: SuspendAuto,
		Choices: []Choice{
			{Value: SuspendAuto, Doc: "`deallocate`, or `off` where the scale set's instances have ephemeral OS disks, which cannot be deallocated. Of several scale sets all must be fit: the runner knows one answer for all."},
			{Value: SuspendDeallocate, Doc: "The instance is deallocated: its disks stay and are billed, and it boots when it is resumed.", aliases: []string{"stop", "deallocated"}},
			{Value: SuspendHibernate, Doc: "The memory is written to the OS disk, too. Flexible orchestration only, with `additionalCapabilities.hibernationEnabled` and without Spot. What a job left running goes on running.", aliases: []string{"hibernation"}},
			{Value: SuspendOff, Doc: "The runner is told that instances cannot be suspended. One that is deallocated is removed, even if it was suspended before.", aliases: []string{"none", "false", "disabled"}},
		},
		Rule:    "one of these words",
		Example: SuspendDeallocate,
		Doc: "How instances are suspended, if the runner does so: only a runner with suspension (19.0 and later) that is configured for it. " +
			"The others never ask, and all is as with `off`. " +
			"See [decision 15](../decisions/0015-marks-of-suspended-instances.md).",
		aliases: []string{"suspend", "suspension", "suspend_resume"},
		at:      func(c *Config) *string { return &c.SuspendMode },
	},
}
