package arm

import (
	"crypto/rsa"
	"strings"

	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// checkKeys refuses what is no public key that Azure takes: a private half, a wrapped
// line (azure-cli#9440), RSA below 2048 bits, and types other than RSA and Ed25519, of
// which terraform-provider-azurerm says that Azure does not support them. The status is
// believed.
func checkKeys(model object) *problem {
	os, _ := jsonmap.At(model, "properties.virtualMachineProfile.osProfile").(object)
	for _, key := range world.PublicKeys(os) {
		if !usableKey(key) {
			return invalidParameter("linuxConfiguration.ssh.publicKeys.keyData", "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.")
		}
	}
	return nil
}

const leastRSABits = 2048

func usableKey(text string) bool {
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil || strings.TrimSpace(string(rest)) != "" {
		return false
	}
	if key.Type() == ssh.KeyAlgoED25519 {
		return true
	}
	parsed, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return false
	}
	public, isRSA := parsed.CryptoPublicKey().(*rsa.PublicKey)
	return isRSA && public.N.BitLen() >= leastRSABits
}
