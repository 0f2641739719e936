package armapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// fingerprint is short and changes with what a new instance is made from. Azure's own
// latestModelApplied is no help: a write of the scale set's tags changes it, too.
func fingerprint(set vmss.ScaleSet, p armcompute.VirtualMachineScaleSetProperties) string {
	vm := val(p.VirtualMachineProfile)
	raw, err := json.Marshal([]any{set.Size, val(vm.StorageProfile).ImageReference, set.Model.Login.AdminUsername, set.Model.Login.PublicKeys})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:4])
}
