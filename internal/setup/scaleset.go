package setup

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// cloudInitTag holds a hash of customData, which Azure never shows again.
const cloudInitTag = ownerTag + "-cloud-init"

// scaleSet is the whole model of a new scale set.
func (s *Spec) scaleSet(image object) object {
	tags := s.tags()
	tags[cloudInitTag] = s.cloudInitHash()
	set := object{
		"location": s.Location, "tags": tags, "sku": object{"name": s.Sizes[0], "tier": "Standard", "capacity": 0},
		"properties": s.setProperties(image),
	}
	if len(s.Zones) > 0 {
		set["zones"] = anyList(s.Zones)
	}
	if len(s.Sizes) > 1 { // an instance mix; a tier is refused then
		sizes := list{}
		for n, size := range s.Sizes {
			sizes = append(sizes, object{"name": size, "rank": n})
		}
		set["sku"] = object{"name": "Mix", "capacity": 0}
		set["properties"].(object)["skuProfile"] = object{"vmSizes": sizes, "allocationStrategy": "Prioritized"}
	}
	return set
}

// setProperties is what the plugin's own preflight wants: nothing but the plugin adds,
// replaces or upgrades instances.
func (s *Spec) setProperties(image object) object {
	p := object{
		"orchestrationMode": s.Mode, "platformFaultDomainCount": 1,
		"virtualMachineProfile": object{
			"osProfile":      s.osProfile(),
			"storageProfile": object{"imageReference": image, "osDisk": s.osDisk()},
			"networkProfile": s.networkProfile(),
		},
	}
	if s.Mode == string(armops.Uniform) {
		p["upgradePolicy"] = object{"mode": "Manual"}
		p["overprovision"], p["singlePlacementGroup"] = false, false
	}
	if s.Spot {
		profile := p["virtualMachineProfile"].(object)
		profile["priority"], profile["evictionPolicy"], profile["billingProfile"] = "Spot", "Delete", object{"maxPrice": -1}
	}
	if s.Regular > 0 {
		p["priorityMixPolicy"] = object{"baseRegularPriorityCount": s.Regular, "regularPriorityPercentageAboveBase": 0}
	}
	return p
}

func (s *Spec) osProfile() object {
	p := object{
		"computerNamePrefix": s.Name, "adminUsername": s.User,
		"linuxConfiguration": object{
			"disablePasswordAuthentication": true,
			"ssh":                           object{"publicKeys": list{object{"path": "/home/" + s.User + "/.ssh/authorized_keys", "keyData": s.PublicKey}}},
		},
	}
	if text := s.cloudInit(); text != "" {
		p["customData"] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return p
}

func (s *Spec) osDisk() object {
	if s.Ephemeral {
		return object{"createOption": "FromImage", "caching": "ReadOnly", "diffDiskSettings": object{"option": "Local"}}
	}
	return object{"createOption": "FromImage", "caching": "ReadWrite", "managedDisk": object{"storageAccountType": "StandardSSD_LRS"}}
}

func (s *Spec) networkProfile() object {
	p := object{"networkInterfaceConfigurations": list{object{
		"name": s.Name, "properties": object{
			"primary":          true,
			"ipConfigurations": list{object{"name": s.Name, "properties": object{"primary": true, "subnet": object{"id": s.subnetID()}}}},
		},
	}}}
	if s.Mode == string(armops.Flexible) {
		p["networkApiVersion"] = "2020-11-01"
	}
	return p
}

// installDocker is for an image without Docker. The user may use it, as the runner logs
// in as that.
const installDocker = `#cloud-config
package_update: true
packages: [docker.io]
system_info:
  default_user:
    groups: [docker]
runcmd:
  - usermod -aG docker "$(getent passwd 1000 | cut -d: -f1)"
`

func (s *Spec) cloudInit() string {
	switch s.CloudInit {
	case "":
		return installDocker
	case "-":
		return ""
	}
	return s.CloudInit
}

func (s *Spec) cloudInitHash() string {
	sum := sha256.Sum256([]byte(s.cloudInit()))
	return hex.EncodeToString(sum[:8])
}

// fixed are the values of a scale set that Azure does not let anybody change, by path.
var fixed = []string{
	"location", "zones", "properties.orchestrationMode", "properties.platformFaultDomainCount", "properties.singlePlacementGroup",
	"properties.virtualMachineProfile.priority", "properties.virtualMachineProfile.osProfile.adminUsername",
	"properties.virtualMachineProfile.osProfile.computerNamePrefix", "properties.virtualMachineProfile.storageProfile.osDisk.diffDiskSettings",
}
