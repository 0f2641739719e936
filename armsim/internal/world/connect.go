package world

import (
	"cmp"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// connect gives the instance its addresses and its machine.
func (i *Instance) connect() (err error) {
	w := i.world()
	if err := w.addresses.attach(i); err != nil {
		return err
	}
	if w.hosting == nil {
		return nil
	}
	os, _ := i.Profile["osProfile"].(object)
	password := i.Set.secrets.Password
	if jsonmap.Bool(os, "linuxConfiguration.disablePasswordAuthentication") {
		password = ""
	}
	private, public := i.addresses()
	i.machine, err = machine.New(machine.Config{
		Name: i.Computer, Addresses: append(private, public...), Port: w.hosting.port,
		User:     cmp.Or(jsonmap.Text(os, "adminUsername"), specializedUser),
		Password: password, AuthorizedKeys: PublicKeys(os), ParentDir: w.hosting.dir,
		Env: append([]string{"ARMSIM_INSTANCE=" + i.Name, "ARMSIM_VM_ID=" + i.VMID}, w.hosting.env...),
	})
	return err
}

// specializedUser stands for the users that a specialized image has already: its instances
// are made without an osProfile, and nobody but a run command reaches them.
const specializedUser = "azureuser"

func connectFailure(err error) *Failure {
	return &Failure{"NetworkingInternalOperationError", err.Error()}
}

// PublicKeys are the SSH public keys of an OS profile.
func PublicKeys(osProfile map[string]any) []string {
	var keys []string
	for _, key := range jsonmap.List(osProfile, "linuxConfiguration.ssh.publicKeys") {
		keys = append(keys, jsonmap.Text(key, "keyData"))
	}
	return keys
}
