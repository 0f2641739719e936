package instancegroup

import (
	"context"
	"fmt"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// SSHKeys returns the SSH public keys that the model of a scale set is to have, going by
// those that it has, and whether these differ. Its error is one line with the fix.
type SSHKeys func(vmss.Login) (keys []vmss.PublicKey, differ bool, err error)

// modelUpdateTime is how long an increase waits for Azure to have carried out a write of
// the model, which it may refuse or preempt others for. It takes Azure seconds.
const modelUpdateTime = 30 * time.Second

// keyWrite owns what is remembered of the last write of the model's SSH public keys.
type keyWrite struct {
	at time.Time // zero: there was none
}

// isUnderWay reports whether Azure may still be carrying the write out.
func (k *keyWrite) isUnderWay(set vmss.ScaleSet, now time.Time) bool {
	return !k.at.IsZero() && set.IsUpdating() && now.Sub(k.at) < modelUpdateTime
}

// ensureKeys has the scale set, as it was read for an increase, give the keys that it is
// to give to new instances. Where they are not in its model the increase is put off to
// the next one, which reads the scale set again. Nothing is sent where they are.
func (g *Group) ensureKeys(ctx context.Context, set vmss.ScaleSet) error {
	if g.sshKeys == nil {
		return nil
	}
	keys, differ, err := g.sshKeys(set.Model.Login)
	switch {
	case err != nil:
		return fmt.Errorf("increase scale set %q: the key for its instances: %w", g.name, err)
	case !differ && g.awaitsKeys(set):
		return errDeferred
	case !differ:
		return nil
	}
	if err := g.client.SetPublicKeys(ctx, keys, set.ETag); err != nil {
		return g.keyRefusal(set, err)
	}
	g.log.Info("the SSH public key for new instances was added to the scale set's model", "operation", "increase", "count", len(keys))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keyWrite.at = g.now()
	return errDeferred
}

func (g *Group) awaitsKeys(set vmss.ScaleSet) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.keyWrite.isUnderWay(set, g.now())
}

// keyRefusal is the error where Azure does not take the keys. A refusal of what they are
// must not be taken for one of the increase's size.
func (g *Group) keyRefusal(set vmss.ScaleSet, err error) error {
	if !isRefusedForSize(err) {
		return err
	}
	return fmt.Errorf("increase scale set %q: %v; nothing was changed; fix: Azure does not let the SSH public keys of this scale set be changed: create it again with the key in the .pub file beside ssh_key_file "+
		"(fleeting-plugin-azure setup does), or set key_path in connector_config to the private half of a key that its model has: az vmss show --ids %s --query virtualMachineProfile.osProfile.linuxConfiguration.ssh", g.name, err, set.ID) //nolint:errorlint // see above
}
