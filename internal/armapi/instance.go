package armapi

import (
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// machine is the part that is used of an instance of a Uniform scale set and of a
// virtual machine of a Flexible one (docs/decisions/0012-reads-decode-little.md).
type machine struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	InstanceID string `json:"instanceId"` // in Uniform orchestration mode alone

	Tags       map[string]string `json:"tags"`
	Properties struct {
		VMID              string        `json:"vmId"`
		TimeCreated       string        `json:"timeCreated"`
		ProvisioningState string        `json:"provisioningState"`
		View              *instanceView `json:"instanceView"`
		OS                *struct {
			Linux struct {
				SSH struct {
					PublicKeys []publicKeyID `json:"publicKeys"`
				} `json:"ssh"`
			} `json:"linuxConfiguration"`
		} `json:"osProfile"` // part of the model, as are its keys
		ScaleSet struct {
			ID string `json:"id"`
		} `json:"virtualMachineScaleSet"` // in Flexible orchestration mode alone
		Protection vmss.Protection `json:"protectionPolicy"` // in Uniform orchestration mode alone
	} `json:"properties"`
}

type instanceView struct {
	Statuses []status `json:"statuses"`

	// IsVMInStandbyPool is true for a VM that is the pool's until the scale set takes
	// it, running or deallocated as the pool wants it (Microsoft's pages on standby
	// pools; armcompute, VirtualMachineInstanceView).
	IsVMInStandbyPool bool `json:"isVMInStandbyPool"`
}

type status struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func instanceOf(m machine) vmss.Instance {
	p := m.Properties
	statuses := val(p.View).Statuses
	i := vmss.Instance{
		ID:                m.ID,
		Name:              m.Name,
		InstanceID:        m.InstanceID,
		VMID:              p.VMID,
		ProvisioningState: p.ProvisioningState,
		HasView:           p.View != nil,
		PowerState:        powerState(statuses),
		Failure:           failure(statuses),
		Created:           parseTime(p.TimeCreated),
		SSHKeys:           sshKeys(m),
		Tags:              m.Tags,
	}
	i.Mark, i.ByPolicy = markOf(m)
	return i
}

// publicKeyID is a key of an instance's model. Of its text, which is the same for all
// instances, nothing is kept.
type publicKeyID struct {
	Key keyData `json:"keyData"`
}

type keyData vmss.KeyID

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *keyData) UnmarshalText(text []byte) error {
	*k = keyData(vmss.KeyIDOf(text))
	return nil
}

// sshKeys is nil where the response held no model.
func sshKeys(m machine) []vmss.KeyID {
	os := m.Properties.OS
	if os == nil {
		return nil
	}
	ids := make([]vmss.KeyID, len(os.Linux.SSH.PublicKeys))
	for n, key := range os.Linux.SSH.PublicKeys {
		ids[n] = vmss.KeyID(key.Key)
	}
	return ids
}

// parseTime returns the zero Time for a missing or malformed time.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// flexibleInstanceOf converts a VM of a Flexible scale set, which has no number.
func flexibleInstanceOf(m machine) vmss.Instance {
	i := instanceOf(m)
	if i.Name == "" {
		i.Name = i.ID[strings.LastIndex(i.ID, "/")+1:]
	}
	i.InstanceID = i.Name
	if i.ProvisioningState == "" {
		i.ProvisioningState = provisioningState(val(m.Properties.View).Statuses)
	}
	return i
}

// powerState reads the code "PowerState/running" among the statuses, whose
// order and case are not specified.
func powerState(statuses []status) string {
	for _, s := range statuses {
		if state, ok := strings.CutPrefix(strings.ToLower(s.Code), "powerstate/"); ok {
			return state
		}
	}
	return ""
}

// failure reads the code "ProvisioningState/failed/AllocationFailed" and its
// message, in one line.
func failure(statuses []status) string {
	const prefix = "provisioningstate/failed"
	for _, s := range statuses {
		if len(s.Code) < len(prefix) || !strings.EqualFold(s.Code[:len(prefix)], prefix) {
			continue
		}
		reason := strings.Trim(s.Code[len(prefix):], "/")
		if reason != "" && s.Message != "" {
			reason += ": "
		}
		return armerr.Line(reason + s.Message)
	}
	return ""
}

// provisioningState reads the state in the code "ProvisioningState/succeeded"
// or "ProvisioningState/failed/AllocationFailed".
func provisioningState(statuses []status) string {
	const prefix = "provisioningstate/"
	for _, s := range statuses {
		if len(s.Code) >= len(prefix) && strings.EqualFold(s.Code[:len(prefix)], prefix) {
			state, _, _ := strings.Cut(s.Code[len(prefix):], "/")
			return state
		}
	}
	return ""
}
