package config

import "fmt"

// neighbour is where a key belongs that is none of plugin_config's.
type neighbour struct {
	keys  []string
	place string // completes "key … "
}

const (
	autoscaler = "belongs to [runners.autoscaler], the table above; move it there"
	policies   = "belongs to [[runners.autoscaler.policy]]; move it there"
	connector  = "belongs to [runners.autoscaler.connector_config]; move it there"
	fleet      = "is a flag of docker-machine; "
	inModel    = fleet + "here it is in the scale set, which you create: az vmss create "
)

// neighbours are the keys of the runner's tables next to plugin_config (GitLab Runner's
// "Advanced configuration") and the flags of docker-machine's azure driver (its
// drivers/azure/azure.go) that have no counterpart among the options.
var neighbours = []neighbour{
	{[]string{
		"capacity_per_instance", "max_use_count", "max_instances", "plugin", "delete_instances_on_shutdown", "instance_ready_command",
		"instance_acquire_timeout", "update_interval", "update_interval_when_expecting", "deletion_retry_interval", "shutdown_deletion_interval",
		"shutdown_deletion_retries", "failure_threshold", "log_internal_ip", "log_external_ip", "state_storage", "vm_isolation", "scale_throttle",
		"reservation_throttling", "policy", "connector_config", "plugin_config",
	}, autoscaler},
	{[]string{"idle_count", "idle_time", "periods", "timezone", "scale_factor", "scale_factor_limit", "preemptive_mode"}, policies},
	{[]string{
		"os", "arch", "protocol", "protocol_port", "username", "key", "key_path", "keyfile", "use_static_credentials", "keepalive",
		"timeout", "use_external_addr",
	}, connector},
	{[]string{"executor", "limit", "url", "builds_dir", "cache_dir", "request_concurrency", "output_limit", "shell"}, "belongs to [[runners]]; move it there"},
	{[]string{"concurrent", "check_interval", "log_level", "log_format", "listen_address", "shutdown_timeout"}, "belongs to the top of config.toml; move it there"},
	{[]string{"image", "privileged", "volumes", "pull_policy"}, "belongs to [runners.docker], or if it is the image of instances into the scale set: az vmss create --image"},

	{[]string{"MachineName", "MachineDriver", "MachineOptions"}, "belongs to [runners.machine] of docker-machine, which the plugin replaces; remove it"},
	{[]string{"MaxBuilds"}, "is max_use_count in [runners.autoscaler]; write it there"},
	{[]string{"OffPeakPeriods", "OffPeakIdleCount", "OffPeakIdleTime", "OffPeakTimezone"}, "is a further [[runners.autoscaler.policy]] with periods; write it there"},

	{[]string{"azure-image"}, inModel + "--image"},
	{[]string{"azure-location"}, inModel + "--location"},
	{[]string{"azure-size", "vm_size"}, inModel + "--vm-sku"},
	{[]string{"azure-vnet", "azure-subnet", "azure-subnet-prefix"}, inModel + "--vnet-name --subnet"},
	{[]string{"azure-custom-data", "custom_data"}, inModel + "--custom-data"},
	{[]string{"azure-tags"}, inModel + "--tags"},
	{[]string{"azure-storage-type"}, inModel + "--storage-sku"},
	{[]string{"azure-availability-zone"}, inModel + "--zones"},
	{[]string{"azure-availability-set"}, fleet + "scale sets have no availability set; remove it"},
	{[]string{"azure-open-port", "azure-docker-port"}, fleet + "the runner reaches Docker through SSH; remove it"},
	{[]string{"azure-no-public-ip", "azure-static-public-ip", "azure-dns", "azure-enable-public-ip-standard-sku"}, inModel + "--public-ip-per-vm"},
	{[]string{"azure-private-ip-address"}, fleet + "Azure gives addresses to the instances of a scale set; remove it"},
	{[]string{"azure-use-private-ip"}, fleet + "here it is use_external_addr = false in [runners.autoscaler.connector_config], which is the default"},
	{[]string{"azure-ssh-user"}, fleet + "here it is username in [runners.autoscaler.connector_config]"},
}

// placeOf returns where a key belongs that is none of plugin_config's.
func placeOf(key string) (string, bool) {
	for _, n := range neighbours {
		for _, k := range n.keys {
			if normalize(k) == normalize(key) {
				return fmt.Sprintf("key %s %s", show(key), n.place), true
			}
		}
	}
	return "", false
}
