package migrate

// Origin is where an option comes from.
type Origin string

// The origins of options.
const (
	Azure   Origin = "docker-machine's azure driver"
	Rancher Origin = "the azure driver of Rancher's fork"
	Classic Origin = "the azure driver before docker-machine 0.7"
	Machine Origin = "docker-machine itself"
	Runner  Origin = "config.toml"
)

// Option is an option of docker-machine, or a setting of the runner for it, and what
// becomes of it.
type Option struct {
	Name    string
	Env     string // the variable that docker-machine reads it from
	Origin  Origin
	Default string // docker-machine's, where it counts
	Verdict Verdict
	// Fate says what becomes of it; for [Decision], what there is to decide.
	Fate string

	hidden bool // its value is a secret
	flag   bool // it is true when it is given without a value
	// apply takes the value over. It returns another verdict and fate where the value
	// has one; empty: those of the table.
	apply func(r *runner, s setting) (Verdict, string)
}

// Options returns the table of all options, in the order of the reference page.
func Options() []Option {
	return append(append([]Option{}, machineSettings...), driverOptions...)
}

// driverOption returns the option of a name as docker-machine has it, without dashes.
func driverOption(name string) (Option, bool) {
	for _, o := range driverOptions {
		if o.Name == name {
			return o, true
		}
	}
	return Option{}, false
}

const (
	inSetup    = "to the scale set, where setup puts it: "
	afterSetup = "to the scale set's model, by the command that follows setup"
	noClassic  = "an option of Azure's classic deployment model, which Azure has retired"
	noSwarm    = "Docker Swarm was never used by the runner"
	inImage    = "docker-machine configured the Docker engine; put it into /etc/docker/daemon.json of the image, or of cloud-init"
)

var driverOptions = []Option{
	{Name: "azure-subscription-id", Env: "AZURE_SUBSCRIPTION_ID", Origin: Azure, Verdict: Mapped,
		Fate: "subscription_id in plugin_config, and setup --subscription", apply: text(func(r *runner) *string { return &r.subscription })},
	{Name: "azure-resource-group", Env: "AZURE_RESOURCE_GROUP", Origin: Azure, Default: "docker-machine", Verdict: Mapped,
		Fate: "resource_group_name in plugin_config, and setup --resource-group", apply: text(func(r *runner) *string { return &r.group })},
	{Name: "azure-tenant-id", Env: "AZURE_TENANT_ID", Origin: Rancher, Verdict: Mapped,
		Fate: "tenant_id in plugin_config", apply: text(func(r *runner) *string { return &r.tenant })},
	{Name: "azure-client-id", Env: "AZURE_CLIENT_ID", Origin: Azure, Verdict: Mapped,
		Fate: "client_id in plugin_config", apply: text(func(r *runner) *string { return &r.client })},
	{Name: "azure-client-secret", Env: "AZURE_CLIENT_SECRET", Origin: Azure, Verdict: Changed, hidden: true,
		Fate: "taken out of config.toml: AZURE_CLIENT_SECRET in the environment of the runner's service, which --environment-out writes", apply: takeSecret},
	{Name: "azure-environment", Env: "AZURE_ENVIRONMENT", Origin: Azure, Default: "AzurePublicCloud", Verdict: Mapped,
		Fate: "cloud in plugin_config", apply: takeCloud},

	{Name: "azure-location", Env: "AZURE_LOCATION", Origin: Azure, Default: "westus", Verdict: Mapped,
		Fate: inSetup + "--location", apply: text(func(r *runner) *string { return &r.location })},
	{Name: "azure-size", Env: "AZURE_SIZE", Origin: Azure, Default: "Standard_A2", Verdict: Mapped,
		Fate: inSetup + "--size", apply: takeSize},
	{Name: "azure-image", Env: "AZURE_IMAGE", Origin: Azure, Default: "canonical:UbuntuServer:16.04.0-LTS:latest", Verdict: Mapped,
		Fate: inSetup + "--image", apply: takeImage},
	{Name: "azure-ssh-user", Env: "AZURE_SSH_USER", Origin: Azure, Default: "docker-user", Verdict: Mapped,
		Fate: inSetup + "--ssh-user; the plugin reads it from there", apply: text(func(r *runner) *string { return &r.sshUser })},
	{Name: "azure-availability-zone", Env: "AZURE_AVAILABILITY_ZONE", Origin: Rancher, Verdict: Mapped,
		Fate: inSetup + "--zones", apply: text(func(r *runner) *string { return &r.zones })},
	{Name: "azure-custom-data", Env: "AZURE_CUSTOM_DATA_FILE", Origin: Azure, Verdict: Decision,
		Fate: "setup has its own cloud-init, which installs Docker; merge this file with it and give the result to the scale set, or put what it does into the image"},
	{Name: "azure-plan", Origin: Rancher, Verdict: Decision,
		Fate: "accept the image's terms once (az vm image terms accept --urn IMAGE), and create the scale set with the plan (az vmss create --plan-publisher --plan-product --plan-name)"},

	{Name: "azure-vnet", Env: "AZURE_VNET", Origin: Azure, Default: "docker-machine-vnet", Verdict: Mapped,
		Fate: inSetup + "a part of --subnet", apply: text(func(r *runner) *string { return &r.vnet })},
	{Name: "azure-subnet", Env: "AZURE_SUBNET", Origin: Azure, Default: "docker-machine", Verdict: Mapped,
		Fate: inSetup + "a part of --subnet", apply: text(func(r *runner) *string { return &r.subnet })},
	{Name: "azure-subnet-prefix", Env: "AZURE_SUBNET_PREFIX", Origin: Azure, Default: "192.168.0.0/16", Verdict: Dropped,
		Fate: "a subnet that exists has its prefix already, and one that setup makes gets another"},
	{Name: "azure-nsg", Env: "AZURE_NSG", Origin: Rancher, Verdict: Decision,
		Fate: "attach the network security group to the subnet (az network vnet subnet update --network-security-group); it must let the runner in on port 22"},
	{Name: "azure-open-port", Origin: Azure, Verdict: Dropped,
		Fate: "the runner connects by SSH alone; open further ports in the security group of the subnet, if something else uses them"},
	{Name: "azure-docker-port", Env: "AZURE_DOCKER_PORT", Origin: Azure, Default: "2376", Verdict: Dropped,
		Fate: "Docker is reached through SSH; no port is open for it"},
	{Name: "azure-use-private-ip", Origin: Azure, Verdict: Mapped, flag: true,
		Fate: "use_external_addr = false in connector_config, which is the default", apply: yes(func(r *runner) *bool { return &r.private })},
	{Name: "azure-no-public-ip", Origin: Azure, Verdict: Mapped, flag: true,
		Fate: "instances have no public address, which is the default", apply: yes(func(r *runner) *bool { return &r.noPublic })},
	{Name: "azure-static-public-ip", Origin: Azure, Verdict: Dropped, flag: true,
		Fate: "an instance lives for a few jobs; for a fixed address to the outside give the subnet a NAT gateway"},
	{Name: "azure-enable-public-ip-standard-sku", Env: "AZURE_STANDARD_PUBLIC_IP_SKU", Origin: Rancher, Verdict: Dropped, flag: true,
		Fate: "Azure has no other public addresses any more"},
	{Name: "azure-dns", Env: "AZURE_DNS_LABEL", Origin: Azure, Verdict: Dropped,
		Fate: "one label cannot name many instances, and the runner uses addresses"},
	{Name: "azure-private-ip-address", Origin: Azure, Verdict: Dropped,
		Fate: "Azure gives the instances of a scale set their addresses"},
	{Name: "azure-accelerated-networking", Env: "AZURE_ACCELERATED_NETWORKING", Origin: Rancher, Verdict: Mapped, flag: true,
		Fate: afterSetup, apply: model("virtualMachineProfile.networkProfile.networkInterfaceConfigurations[0].enableAcceleratedNetworking")},

	{Name: "azure-storage-type", Env: "AZURE_STORAGE_TYPE", Origin: Azure, Default: "Standard_LRS", Verdict: Changed,
		Fate: afterSetup + "; it is the type of a managed disk now, no longer of a storage account", apply: model("virtualMachineProfile.storageProfile.osDisk.managedDisk.storageAccountType")},
	{Name: "azure-disk-size", Env: "AZURE_DISK_SIZE", Origin: Rancher, Default: "30", Verdict: Mapped,
		Fate: afterSetup, apply: model("virtualMachineProfile.storageProfile.osDisk.diskSizeGB")},
	{Name: "azure-managed-disks", Env: "AZURE_MANAGED_DISKS", Origin: Rancher, Verdict: Dropped, flag: true,
		Fate: "disks of a scale set are always managed"},
	{Name: "azure-encryption-at-host", Env: "AZURE_ENCRYPTION_AT_HOST", Origin: Rancher, Verdict: Mapped, flag: true,
		Fate: afterSetup, apply: model("virtualMachineProfile.securityProfile.encryptionAtHost")},
	{Name: "azure-tags", Env: "AZURE_TAGS", Origin: Rancher, Verdict: Changed,
		Fate: afterSetup + "; they are tags of the scale set, which its instances take over", apply: takeTags},
	{Name: "azure-availability-set", Env: "AZURE_AVAILABILITY_SET", Origin: Azure, Default: "docker-machine", Verdict: Dropped,
		Fate: "a scale set spreads its instances over fault domains itself"},
	{Name: "azure-fault-domain-count", Env: "AZURE_FAULT_DOMAIN_COUNT", Origin: Rancher, Verdict: Dropped,
		Fate: "of the availability set, which there is none of"},
	{Name: "azure-update-domain-count", Env: "AZURE_UPDATE_DOMAIN_COUNT", Origin: Rancher, Verdict: Dropped,
		Fate: "of the availability set, which there is none of"},

	{Name: "azure-subscription-cert", Env: "AZURE_SUBSCRIPTION_CERT", Origin: Classic, Verdict: Dropped, Fate: noClassic},
	{Name: "azure-publish-settings-file", Env: "AZURE_PUBLISH_SETTINGS_FILE", Origin: Classic, Verdict: Dropped, Fate: noClassic},
	{Name: "azure-username", Env: "AZURE_USERNAME", Origin: Classic, Verdict: Dropped, Fate: noClassic},
	{Name: "azure-password", Env: "AZURE_PASSWORD", Origin: Classic, Verdict: Dropped, Fate: noClassic, hidden: true},
	{Name: "azure-ssh-port", Env: "AZURE_SSH_PORT", Origin: Classic, Verdict: Dropped, Fate: noClassic},
	{Name: "azure-docker-swarm-master-port", Env: "AZURE_DOCKER_SWARM_MASTER_PORT", Origin: Classic, Verdict: Dropped, Fate: noClassic},

	{Name: "driver", Env: "MACHINE_DRIVER", Origin: Machine, Verdict: Dropped, Fate: "the runner gives MachineDriver"},
	{Name: "engine-install-url", Env: "MACHINE_DOCKER_INSTALL_URL", Origin: Machine, Verdict: Changed,
		Fate: "docker-machine installed Docker on each VM, which took minutes; now it is in the image, or setup's cloud-init installs it"},
	{Name: "engine-registry-mirror", Env: "ENGINE_REGISTRY_MIRROR", Origin: Machine, Verdict: Decision, Fate: inImage + ", as registry-mirrors"},
	{Name: "engine-insecure-registry", Origin: Machine, Verdict: Decision, Fate: inImage + ", as insecure-registries"},
	{Name: "engine-opt", Origin: Machine, Verdict: Decision, Fate: inImage},
	{Name: "engine-label", Origin: Machine, Verdict: Decision, Fate: inImage + ", as labels"},
	{Name: "engine-storage-driver", Origin: Machine, Verdict: Dropped, Fate: "Docker chooses the best storage driver itself (overlay2)"},
	{Name: "engine-env", Origin: Machine, Verdict: Decision, Fate: "put it into a drop-in for docker.service of the image, or of cloud-init"},
	{Name: "tls-san", Origin: Machine, Verdict: Dropped, Fate: "Docker is reached through SSH, without TLS"},
	{Name: "swarm", Origin: Machine, Verdict: Dropped, Fate: noSwarm, flag: true},
	{Name: "swarm-image", Env: "MACHINE_SWARM_IMAGE", Origin: Machine, Verdict: Dropped, Fate: noSwarm},
	{Name: "swarm-master", Origin: Machine, Verdict: Dropped, Fate: noSwarm, flag: true},
	{Name: "swarm-discovery", Origin: Machine, Verdict: Dropped, Fate: noSwarm, hidden: true},
	{Name: "swarm-strategy", Origin: Machine, Verdict: Dropped, Fate: noSwarm},
	{Name: "swarm-opt", Origin: Machine, Verdict: Dropped, Fate: noSwarm},
	{Name: "swarm-join-opt", Origin: Machine, Verdict: Dropped, Fate: noSwarm},
	{Name: "swarm-host", Origin: Machine, Verdict: Dropped, Fate: noSwarm},
	{Name: "swarm-addr", Origin: Machine, Verdict: Dropped, Fate: noSwarm},
	{Name: "swarm-experimental", Origin: Machine, Verdict: Dropped, Fate: noSwarm, flag: true},
}
