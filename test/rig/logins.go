package rig

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/sshkeys"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// OthersKey is an SSH public key of somebody else, for the model of a scale set.
const OthersKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ops"

// keyPath is where the list of SSH public keys is in a write of a scale set.
var keyPath = []string{"properties", "virtualMachineProfile", "osProfile", "linuxConfiguration", "ssh", "publicKeys"}

// writesKeys reports whether a body writes nothing but SSH public keys, among them those
// of others, which only a plugin with a key of its own may do.
func (b *Bubble) writesKeys(body map[string]any) bool {
	var value any = body
	for _, name := range keyPath {
		object, ok := value.(map[string]any)
		if !ok || len(object) != 1 {
			return false
		}
		value = object[name]
	}
	list, _ := value.([]any)
	return b.KeyFile != "" && slices.ContainsFunc(list, func(key any) bool { return key.(map[string]any)["keyData"] == OthersKey })
}

// Rotate moves the plugin's key away, as an operator does.
func (b *Bubble) Rotate() error {
	if b.KeyFile == "" {
		return nil
	}
	err := os.Rename(b.KeyFile, fmt.Sprintf("%s.%d", b.KeyFile, time.Now().UnixNano()))
	if os.IsNotExist(err) {
		return nil // it was rotated, and nobody has needed one since
	}
	return err
}

// ReplaceKeys puts others' key alone into the model, as a tool that keeps the model does.
// It does nothing where Azure refuses that now.
func (b *Bubble) ReplaceKeys() {
	var body any = []any{map[string]any{"path": sshkeys.PathOf(vmss.Login{AdminUsername: "azureuser"}), "keyData": OthersKey}}
	for _, name := range slices.Backward(keyPath) {
		body = map[string]any{name: body}
	}
	_ = b.Sim.Do(context.Background(), http.MethodPatch, b.Sim.ScaleSetPath(ScaleSetName), "2025-04-01", body)
}

// Logins is the promise on the plugin's own keys: each instance that runs is given a key
// that it was made with, and only one that was made with none of them is given none.
func (b *Bubble) Logins() error {
	if b.KeyFile == "" || b.Provisioner == nil {
		return nil
	}
	own, err := b.ownKeys()
	if err != nil {
		return err
	}
	made := map[string][]vmss.KeyID{}
	for _, i := range b.Sim.Instances() {
		for _, line := range i.PublicKeys {
			made[InstanceID(i)] = append(made[InstanceID(i)], vmss.KeyIDOf([]byte(line)))
		}
	}
	for _, i := range b.Running() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		info, err := b.Plugin.ConnectInfo(ctx, i.ID())
		cancel()
		keys := made[i.ID()]
		if err != nil {
			if strings.Contains(err.Error(), "without a key that the plugin has") && slices.ContainsFunc(keys, func(id vmss.KeyID) bool { return own[id] }) {
				return fmt.Errorf("%s has a key of the plugin's: %w", i.ID(), err)
			}
			continue // it is gone, or Azure cannot be asked
		}
		pair, err := sshkeys.Parse(info.Key)
		if err != nil {
			return fmt.Errorf("the key for %s: %w", i.ID(), err)
		}
		if keys != nil && !slices.Contains(keys, pair.ID) {
			return fmt.Errorf("%s is given a key that it was not made with", i.ID())
		}
	}
	return nil
}

// keyless is the promise on the plugin's own keys, too: what it orders is made with one.
func (v *Invariants) keyless(set string, existed []armsim.InstanceInfo) {
	if v.bubble.KeyFile == "" {
		return
	}
	own, err := v.bubble.ownKeys()
	if err != nil {
		v.violate("%v", err)
		return
	}
	for _, i := range v.bubble.InstancesOf(set) {
		before := slices.ContainsFunc(existed, func(e armsim.InstanceInfo) bool { return e.VMID == i.VMID })
		if !before && !slices.ContainsFunc(i.PublicKeys, func(line string) bool { return own[vmss.KeyIDOf([]byte(line))] }) {
			v.violate("%s is made without the plugin's key", InstanceID(i))
		}
	}
}

// ownKeys are the keys that the plugin has, or had.
func (b *Bubble) ownKeys() (map[vmss.KeyID]bool, error) {
	files, err := filepath.Glob(b.KeyFile + "*")
	if err != nil {
		return nil, err
	}
	own := map[vmss.KeyID]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, ".pub") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		pair, err := sshkeys.Parse(content)
		if err != nil {
			return nil, err
		}
		own[pair.ID] = true
	}
	return own, nil
}
