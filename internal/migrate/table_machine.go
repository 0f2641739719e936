package migrate

// machineSettings are the runner's settings for docker+machine (DockerMachine in
// common/config.go), and those of its other tables that have a part in it. Those of a
// [[runners.machine.autoscaling]] have its name before theirs.
var machineSettings = []Option{
	{Name: "executor", Origin: Runner, Verdict: Mapped, Fate: `executor = "docker-autoscaler"`},
	{Name: "limit", Origin: Runner, Verdict: Changed,
		Fate: "stays, and bounds jobs; max_instances in [runners.autoscaler], which has the same number, bounds instances"},
	{Name: "concurrent", Origin: Runner, Verdict: Mapped,
		Fate: "stays: the most jobs at a time, of all runners together"},
	{Name: "request_concurrency", Origin: Runner, Verdict: Mapped, Fate: "stays"},

	{Name: "MachineDriver", Origin: Runner, Verdict: Mapped, Fate: `plugin = "fleeting-plugin-azure"`},
	{Name: "MachineName", Origin: Runner, Verdict: Changed,
		Fate: "the template is dropped, as the scale set names its instances; its fixed part is proposed as the name of the scale set"},
	{Name: "MachineOptions", Origin: Runner, Verdict: Mapped, Fate: "each option for itself, below"},
	{Name: "MachineOptionsWithName", Origin: Runner, Verdict: Dropped,
		Fate: "instances of a scale set come from one model, and no option can have their name in it"},
	{Name: "MaxBuilds", Origin: Runner, Verdict: Mapped, Fate: "max_use_count in [runners.autoscaler]"},
	{Name: "MaxGrowthRate", Origin: Runner, Verdict: Dropped,
		Fate: "it bounded how many machines were made at a time; the plugin asks Azure for all of them in one request. " +
			"scale_throttle in [runners.autoscaler] bounds instances a second, if Azure's quota needs it"},
	{Name: "MaxRemovalAttempts", Origin: Runner, Verdict: Dropped,
		Fate: "an instance that is still there is deleted again after deletion_retry_interval, without an end"},
	{Name: "IdleCount", Origin: Runner, Verdict: Changed,
		Fate: "idle_count of the first policy: it counts jobs that could start at once, no longer machines, which is the same number with capacity_per_instance = 1"},
	{Name: "IdleScaleFactor", Origin: Runner, Verdict: Changed,
		Fate: "scale_factor, and what bounds it changes places: IdleCountMin is idle_count, the floor, and IdleCount is scale_factor_limit, the ceiling"},
	{Name: "IdleCountMin", Origin: Runner, Verdict: Changed,
		Fate: "idle_count where there is an IdleScaleFactor; without one it has no effect"},
	{Name: "IdleTime", Origin: Runner, Verdict: Mapped, Fate: "idle_time, with a unit: it was in seconds"},
	{Name: "OffPeakPeriods", Origin: Runner, Verdict: Changed,
		Fate: "periods of a policy of its own. The runner has ignored all OffPeak settings since 14.0, so this takes effect again; delete the policy if you do not want it"},
	{Name: "OffPeakTimezone", Origin: Runner, Verdict: Mapped, Fate: "timezone of the policy for OffPeakPeriods"},
	{Name: "OffPeakIdleCount", Origin: Runner, Verdict: Mapped, Fate: "idle_count of the policy for OffPeakPeriods"},
	{Name: "OffPeakIdleTime", Origin: Runner, Verdict: Mapped, Fate: "idle_time of the policy for OffPeakPeriods"},
	{Name: "shutdown_drain", Origin: Runner, Verdict: Changed,
		Fate: "[machine.shutdown_drain] stays in the file and has no effect; delete_instances_on_shutdown = true in [runners.autoscaler] does what it did"},

	{Name: "autoscaling.Periods", Origin: Runner, Verdict: Changed,
		Fate: "periods of a further policy, with five fields (minute, hour, day of month, month, day of week) in place of seven"},
	{Name: "autoscaling.Timezone", Origin: Runner, Verdict: Mapped, Fate: "timezone of that policy"},
	{Name: "autoscaling.IdleCount", Origin: Runner, Verdict: Changed, Fate: "idle_count of that policy, in jobs"},
	{Name: "autoscaling.IdleScaleFactor", Origin: Runner, Verdict: Changed,
		Fate: "scale_factor of that policy, with IdleCountMin as idle_count and IdleCount as scale_factor_limit"},
	{Name: "autoscaling.IdleCountMin", Origin: Runner, Verdict: Changed, Fate: "idle_count of that policy where there is an IdleScaleFactor"},
	{Name: "autoscaling.IdleTime", Origin: Runner, Verdict: Mapped, Fate: "idle_time of that policy, with a unit"},
}

func machineSetting(name string) (Option, bool) {
	for _, o := range machineSettings {
		if equalFold(o.Name, name) {
			return o, true
		}
	}
	return Option{}, false
}
