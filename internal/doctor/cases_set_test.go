package doctor_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
)

func onSpot(s *setup.Spec)     { s.Spot = true }
func onFlexible(s *setup.Spec) { s.Mode = "Flexible" }

// lockedKey is a private key with a passphrase.
func lockedKey(p *place) string {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(p, err)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret"))
	require.NoError(p, err)
	path := filepath.Join(p.TempDir(), "locked")
	require.NoError(p, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	return path
}

// otherKey makes a key, and uses it alone.
func otherKey(p *place) error {
	path, public := makeKey(p.T)
	p.env["PUBLIC"] = public
	return p.keyPath(path)
}

// ownKey leaves the login to the plugin.
func ownKey(p *place) error {
	p.env["OWN"] = filepath.Join(p.TempDir(), "own")
	for line := range strings.Lines(p.settings) {
		if strings.Contains(line, "key_path") {
			return p.edit(line, "      timeout = \"1m\"\n", `credential = `, `ssh_key_file = "`+p.env["OWN"]+`"`+"\n      credential = ")
		}
	}
	return nil
}

// addKey puts the key of otherKey into the model.
func addKey(p *place) error {
	path := "/home/azureuser/.ssh/authorized_keys"
	return p.profile(body{"osProfile": body{"linuxConfiguration": body{"ssh": body{"publicKeys": []any{body{"path": path, "keyData": p.env["PUBLIC"]}}}}}})
}

// setCases are about the scale set's model, and what the configuration says of it.
func setCases() map[string]cloudCase {
	upgrade := func(policy body) step { return patches(body{"properties": body{"upgradePolicy": policy}}) }
	repairs := func(on bool) step {
		return patches(body{"properties": body{"automaticRepairsPolicy": body{"enabled": on}}})
	}
	notices := func(on bool) step {
		return profiles(body{"scheduledEventsProfile": body{"terminateNotificationProfile": body{"enable": on}}})
	}
	prefix := func(text string) step {
		return func(p *place) error {
			return p.again(func(set body) {
				within(set, "properties", "virtualMachineProfile", "osProfile")["computerNamePrefix"] = text
			})
		}
	}
	eviction := func(policy string) step {
		return func(p *place) error {
			return p.again(func(set body) { within(set, "properties", "virtualMachineProfile")["evictionPolicy"] = policy })
		}
	}
	return map[string]cloudCase{
		"upgrades": {
			broken: upgrade(body{"mode": "Automatic"}), fixed: upgrade(body{"mode": "Manual"}),
			check: "scale-set", level: doctor.Fault, text: "upgrade policy is not Manual", fix: "upgradePolicy.mode=Manual",
		},
		"rolling upgrades": {
			broken: upgrade(body{"mode": "Rolling"}), fixed: upgrade(body{"mode": "Manual"}),
			check: "scale-set", level: doctor.Fault, text: "upgrade policy is not Manual", fix: "upgradePolicy.mode=Manual",
		},
		"OS upgrades": {
			broken: upgrade(body{"automaticOSUpgradePolicy": body{"enableAutomaticOSUpgrade": true}}), fixed: upgrade(body{"automaticOSUpgradePolicy": body{"enableAutomaticOSUpgrade": false}}),
			check: "scale-set", level: doctor.Fault, text: "automatic OS upgrades are on", fix: "enableAutomaticOSUpgrade=false",
		},
		"overprovisioning": {
			broken: patches(body{"properties": body{"overprovision": true}}), fixed: patches(body{"properties": body{"overprovision": false}}),
			check: "scale-set", level: doctor.Fault, text: "overprovisioning is on", fix: "overprovision=false",
		},
		"repairs": {
			broken: repairs(true), fixed: repairs(false),
			check: "scale-set", level: doctor.Warning, text: "automatic repairs are on", fix: "--enable-automatic-repairs false",
		},
		"termination notices": {
			broken: notices(true), fixed: notices(false),
			check: "scale-set", level: doctor.Warning, text: "each deletion waits", fix: "--enable-terminate-notification false",
		},
		"Spot that is deallocated": {
			spec: onSpot, broken: eviction("Deallocate"), fixed: eviction("Delete"),
			check: "scale-set", level: doctor.Warning, text: "eviction policy is Deallocate", fix: "eviction policy Delete",
		},
		"one placement group": {
			broken: patches(body{"properties": body{"singlePlacementGroup": true}}), fixed: patches(body{"properties": body{"singlePlacementGroup": false}}),
			check: "scale-set", level: doctor.Warning, text: "limited to 100 instances", fix: "singlePlacementGroup=false",
		},
		"a name that is too long": {
			broken: prefix(strings.Repeat("a", 58)), fixed: prefix("ci"),
			check: "names", level: doctor.Fault, text: "have 63 at most on Linux", fix: "--computer-name-prefix ci",
		},
		"another key": {
			broken: otherKey, fixed: addKey,
			check: "key", level: doctor.Fault, text: "is not among the model's keys", fix: "name the private half",
		},
		"own key of another user": {
			broken: steps(ownKey, edits("timeout", "username = \"root\"\n      timeout")), fixed: edits("username = \"root\"", ""),
			check: "key", level: doctor.Fault, text: `to the admin user "azureuser", not to "root"`, fix: "leave username out",
		},
		"own key is spoiled": {
			broken: steps(ownKey, func(p *place) error { return os.WriteFile(p.env["OWN"], []byte("spoiled"), 0o600) }), fixed: func(p *place) error { return os.Remove(p.env["OWN"]) },
			check: "key", level: doctor.Fault, text: "is no private key of SSH without a passphrase", fix: "the plugin makes another",
		},
		"a key with a passphrase": {
			broken: func(p *place) error { return p.keyPath(lockedKey(p)) }, fixed: steps(otherKey, addKey),
			check: "key", level: doctor.Fault, text: "is no private key of SSH without a passphrase", fix: "ssh-keygen -t ed25519 -N ''",
		},
		"external addresses": {
			broken: edits("key_path", "use_external_addr = true\n      key_path"), fixed: edits("use_external_addr = true\n", ""),
			check: "addresses", level: doctor.Fault, text: "instances have no public address", fix: "leave use_external_addr out",
		},
		"more instances than a scale set takes": {
			broken: edits("max_instances = 10", "max_instances = 2000", "capacity_per_instance = 1", "capacity_per_instance = 1", "concurrent = 10", "concurrent = 2000", "  executor", "  request_concurrency = 9\n  executor"),
			fixed:  edits("max_instances = 2000", "max_instances = 1000"),
			check:  "max-instances", level: doctor.Fault, text: "the scale set takes 1000", fix: "max_instances = 1000",
		},
		"no scale set": {
			broken: func(p *place) error {
				return p.admin.Write(p.Context(), "VirtualMachineScaleSets_Delete", p.setup.Spec.ScaleSetID(), nil, nil)
			},
			fixed: func(p *place) error {
				plan, err := p.setup.Plan(p.Context())
				require.NoError(p, err)
				return p.setup.Apply(p.Context(), plan)
			},
			check: "scale-set", level: doctor.Fault, text: "ResourceNotFound", fix: "name",
		},
		"another name": {
			broken: edits(`name = "ci"`, `name = "cj"`), fixed: edits(`name = "cj"`, `name = "ci"`),
			check: "scale-set", level: doctor.Fault, text: "ResourceNotFound", fix: "name",
		},
		"another group": {
			broken: edits(`resource_group_name = "runners"`, `resource_group_name = "runner"`), fixed: edits(`resource_group_name = "runner"`, `resource_group_name = "runners"`),
			check: "scale-set", level: doctor.Fault, text: "ResourceGroupNotFound", fix: "resource_group_name", hides: true,
		},
	}
}
