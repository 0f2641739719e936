package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const (
	kindOfSet     = "Microsoft.Compute/virtualMachineScaleSets"
	kindOfMachine = "Microsoft.Compute/virtualMachines"
	kindOfImage   = "Microsoft.Compute/images"
)

// templateOf has these resources alone.
func templateOf(resources ...any) object { return object{"resources": resources} }

// setResource is the resource of a scale set, with parts of it changed.
func setResource(name string, change func(set, properties object)) object {
	properties := object{
		"orchestrationMode": "Uniform", "upgradePolicy": object{"mode": "Manual"},
		"virtualMachineProfile": object{
			"osProfile":      object{"computerNamePrefix": "ci", "adminUsername": "azureuser"},
			"storageProfile": object{"imageReference": object{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}},
			"networkProfile": object{"networkInterfaceConfigurations": []any{object{"name": "nic", "properties": object{"primary": true}}}},
		},
	}
	set := resourceOf(kindOfSet, name, object{"sku": object{"name": "Standard_D2s_v5", "capacity": 2}, "properties": properties})
	if change != nil {
		change(set, properties)
	}
	return set
}

// machineResource is the resource of a virtual machine, with parts of it changed.
func machineResource(name string, change func(machine, properties object)) object {
	properties := object{
		"hardwareProfile": object{"vmSize": "Standard_D2s_v5"}, "osProfile": object{"computerName": "own", "adminUsername": "azureuser"},
		"storageProfile": object{"imageReference": object{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}},
		"networkProfile": object{"networkInterfaces": []any{}},
	}
	machine := resourceOf(kindOfMachine, name, object{"properties": properties})
	if change != nil {
		change(machine, properties)
	}
	return machine
}

func imageIn(properties object) object {
	if profile, ok := properties["virtualMachineProfile"].(object); ok {
		properties = profile
	}
	return properties["storageProfile"].(object)["imageReference"].(object)
}

// TestProvidersAreAskedBeforeADeployment: what Compute would refuse is refused before anything
// is begun, by a deployment and by its validation (recording 38).
func TestProvidersAreAskedBeforeADeployment(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, Throttle: true, CoreQuota: 19})
	s.send(t, "PUT", s.ScaleSetPath("there"), setResource("there", func(set, _ object) { set["sku"] = object{"name": "Standard_D2s_v5", "capacity": 1} }))
	s.send(t, "PUT", s.machinesPath()+"/own", machineResource("own", nil))
	s.Advance(settled)
	for name, c := range map[string]struct {
		resource     object
		code, target string
	}{
		"size":              {setResource("a", func(set, _ object) { set["sku"] = object{"name": "Standard_X1", "capacity": 1} }), "InvalidParameter", "vmSize"},
		"zone":              {setResource("a", func(set, _ object) { set["zones"] = []any{"9"} }), "AvailabilityZoneNotSupported", ""},
		"hibernation":       {setResource("a", func(_, p object) { p["additionalCapabilities"] = object{"hibernationEnabled": true} }), "OperationNotAllowed", ""},
		"image":             {setResource("a", func(_, p object) { imageIn(p)["sku"] = "none" }), "InvalidParameter", "imageReference"},
		"required":          {setResource("a", func(_, p object) { delete(p, "upgradePolicy") }), "InvalidParameter", "upgradePolicy"},
		"model":             {setResource("a", func(set, _ object) { delete(set, "sku") }), "InvalidParameter", "sku.name"},
		"quota":             {setResource("a", func(set, _ object) { set["sku"] = object{"name": "Standard_D2s_v5", "capacity": 10} }), "QuotaExceeded", ""},
		"quota of one more": {setResource("there", func(set, _ object) { set["sku"] = object{"name": "Standard_D2s_v5", "capacity": 9} }), "QuotaExceeded", ""},
		"unchangeable":      {setResource("there", func(_, p object) { p["orchestrationMode"] = "Flexible" }), "PropertyChangeNotAllowed", "orchestrationMode"},
		"machine's size":    {machineResource("a", func(_, p object) { p["hardwareProfile"] = object{"vmSize": "Standard_X1"} }), "InvalidParameter", "vmSize"},
		"machine's image":   {machineResource("a", func(_, p object) { imageIn(p)["offer"] = "none" }), "InvalidParameter", "imageReference"},
		"machine's zone":    {machineResource("a", func(m, _ object) { m["zones"] = []any{"9"} }), "AvailabilityZoneNotSupported", ""},
		"machine required":  {machineResource("a", func(_, p object) { delete(p, "hardwareProfile") }), "InvalidParameter", "vmSize"},
		"machine's change":  {machineResource("own", func(_, p object) { p["priority"] = "Spot" }), "PropertyChangeNotAllowed", "priority"},
		"machine's quota":   {machineResource("a", func(_, p object) { p["hardwareProfile"] = object{"vmSize": "Standard_D16s_v5"} }), "QuotaExceeded", ""},
	} {
		t.Run(name, func(t *testing.T) {
			body := deploymentOf(templateOf(resourceOf(securityGroup, "nsg", nil), c.resource), object{})
			for method, path := range map[string]string{"PUT": "", "POST": "/validate"} {
				r := s.send(t, method, s.deployment("d")+path+deploymentVersion, body)
				require.Equal(t, http.StatusBadRequest, r.status, r.raw)
				assert.Equal(t, "InvalidTemplateDeployment", r.code())
				assert.Contains(t, r.message(), "The template deployment 'd' is not valid according to the validation procedure. The tracking id is '")
				assert.Equal(t, "gateway", r.header.Get("X-Ms-Failure-Cause"))
				assert.Equal(t, c.code, r.text("error.details.0.code"), r.raw)
				assert.Equal(t, c.target, r.text("error.details.0.target"))
				assert.Empty(t, r.header.Get("X-Ms-Request-Charge"), "nothing is charged")
			}
		})
	}
	assert.Equal(t, "DeploymentNotFound", s.get(t, s.deployment("d")+deploymentVersion).code(), "none was begun")
	assert.Equal(t, "ResourceNotFound", s.get(t, s.ScaleSetPath("a")).code())
	assert.Equal(t, 1, s.capacity(t, s.ScaleSetPath("there")))
}

// TestQuotaOfAPutAndOfADeployment: the same lack has two codes (recording 38).
func TestQuotaOfAPutAndOfADeployment(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, CoreQuota: 3})
	set := setResource("a", nil)
	plain := s.send(t, "PUT", s.ScaleSetPath("a"), set)
	assert.Equal(t, http.StatusConflict, plain.status)
	assert.Equal(t, "OperationNotAllowed", plain.code())
	r := s.deploy(t, "d", templateOf(set), object{})
	assert.Equal(t, "QuotaExceeded", r.text("error.details.0.code"), r.raw)
	assert.Contains(t, r.text("error.details.0.message"), plain.message()+" Submit a request for Quota increase at ")

	s.SetCoreQuota(1)
	machine := s.send(t, "PUT", s.ResourcePath("/providers/"+kindOfMachine+"/a"), machineResource("a", nil))
	assert.Equal(t, http.StatusConflict, machine.status)
	assert.Equal(t, "OperationNotAllowed", machine.code())
}

// TestValidationChangesNothing: it draws from none of Compute's limits, and takes no room.
func TestValidationChangesNothing(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, Throttle: true, CoreQuota: 4})
	remaining := func() string {
		r := s.send(t, "PUT", s.ScaleSetPath("a"), setResource("a", nil))
		require.Equal(t, http.StatusCreated, r.status, r.raw)
		return r.header.Get("X-Ms-Ratelimit-Remaining-Resource")
	}
	body := deploymentOf(templateOf(setResource("a", nil)), object{})
	for range 20 {
		r := s.send(t, "POST", s.deployment("d")+"/validate"+deploymentVersion, body)
		require.Equal(t, http.StatusOK, r.status, r.raw)
		require.Empty(t, r.header.Get("X-Ms-Ratelimit-Remaining-Resource"))
	}
	assert.Zero(t, s.Stats().Instances)
	other := virtual(t, armsim.Config{Polite: true, Throttle: true})
	fresh := other.send(t, "PUT", other.ScaleSetPath("a"), setResource("a", nil)).header.Get("X-Ms-Ratelimit-Remaining-Resource")
	assert.Equal(t, fresh, remaining())
}

// TestTermsOfAPlanInADeployment: what Resource Manager itself checks is not wrapped
// (recording 38).
func TestTermsOfAPlanInADeployment(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	sold := func(machine, properties object) {
		machine["plan"] = object{"publisher": "almalinux", "product": "almalinux-x86_64", "name": "9-gen2"}
		properties["storageProfile"] = object{"imageReference": object{"publisher": "almalinux", "offer": "almalinux-x86_64", "sku": "9-gen2", "version": "latest"}}
	}
	for code, resource := range map[string]object{
		"MarketplacePurchaseEligibilityFailed": machineResource("a", sold),
		"ResourcePurchaseValidationFailed":     machineResource("a", func(m, _ object) { m["plan"] = object{"publisher": "x", "product": "x", "name": "x"} }),
	} {
		bad := setResource("b", func(set, _ object) { set["sku"] = object{"name": "Standard_X1", "capacity": 1} })
		r := s.deploy(t, "d", templateOf(bad, resource), object{})
		assert.Equal(t, http.StatusBadRequest, r.status)
		assert.Equal(t, code, r.code(), r.raw)
		assert.Equal(t, "gateway", r.header.Get("X-Ms-Failure-Cause"))
	}
}

// TestWhatCannotBeAsked is begun, and fails in its turn: what refers to others is known only
// when these are there.
func TestWhatCannotBeAsked(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	later := setResource("a", func(set, properties object) {
		set["sku"] = object{"name": "Standard_X1", "capacity": 1}
		set["tags"] = object{"nsg": "[reference('nsg').provisioningState]"}
	})
	r := s.deploy(t, "d", templateOf(resourceOf(securityGroup, "nsg", nil), later), object{})
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	s.Advance(settled)
	assert.Equal(t, "InvalidParameter", s.operation(t, r).text("error.details.0.code"))
}

// TestStockAtOnceOfADeployment: a size that Azure has not is found at once, as a lack of room
// is not (TestDeploymentWhoseResourceFails).
func TestStockAtOnceOfADeployment(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, Stock: []armsim.Stock{{ScaleSet: "a", AtOnce: true}}})
	r := s.deploy(t, "d", templateOf(setResource("a", nil)), object{})
	assert.Equal(t, "InvalidTemplateDeployment", r.code(), r.raw)
	assert.Equal(t, "SkuNotAvailable", r.text("error.details.0.code"))
	assert.Equal(t, http.StatusCreated, s.deploy(t, "d", templateOf(setResource("b", nil)), object{}).status)
}

// TestDeploymentOntoWhatIsDeleted: nobody is asked what that would be, and it fails in its turn.
func TestDeploymentOntoWhatIsDeleted(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	path := s.scaleSet(t, armsim.ScaleSetSpec{Name: "a", Capacity: 1})
	s.send(t, "DELETE", path, nil)
	r := s.deploy(t, "d", templateOf(setResource("a", nil)), object{})
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	s.Advance(settled)
	assert.Equal(t, "OperationNotAllowed", s.operation(t, r).text("error.details.0.code"))
}

// TestImageOfTheSameTemplate is taken as there, also where a template within makes it.
func TestImageOfTheSameTemplate(t *testing.T) {
	t.Parallel()
	image := resourceOf(kindOfImage, "own", object{"properties": object{"storageProfile": object{"osDisk": object{"osType": "Linux", "osState": "Generalized"}}}})
	uses := func(dependsOn, name string) object {
		return setResource("a", func(set, p object) {
			p["virtualMachineProfile"].(object)["storageProfile"] = object{"imageReference": object{"id": "[resourceId('" + kindOfImage + "', '" + name + "')]"}}
			set["dependsOn"] = []any{dependsOn}
		})
	}
	within := resourceOf("Microsoft.Resources/deployments", "within", object{"properties": object{"mode": "Incremental", "template": deploymentOf(templateOf(image), nil)["properties"].(object)["template"]}})
	delete(within, "location")
	for name, template := range map[string]object{"beside": templateOf(image, uses("own", "own")), "within": templateOf(within, uses("within", "own"))} {
		s := virtual(t, armsim.Config{Polite: true})
		r := s.deploy(t, "d", template, object{})
		require.Equal(t, http.StatusCreated, r.status, "%s: %s", name, r.raw)
		s.Advance(settled)
		assert.Equal(t, "Succeeded", s.status(t, r), s.operation(t, r).raw)
	}
	s := virtual(t, armsim.Config{Polite: true})
	r := s.deploy(t, "d", templateOf(image, uses("own", "none")), object{})
	assert.Equal(t, "ResourceNotFound", r.text("error.details.0.code"), r.raw)
}

// TestTemplateWithinAnotherGroup: the group must be there (recording 38).
func TestTemplateWithinAnotherGroup(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	within := resourceOf("Microsoft.Resources/deployments", "within", object{"resourceGroup": "other", "properties": object{
		"mode": "Incremental", "template": deploymentOf(templateOf(resourceOf(securityGroup, "nsg", nil)), nil)["properties"].(object)["template"]}})
	r := s.deploy(t, "d", templateOf(within), object{})
	assert.Equal(t, http.StatusNotFound, r.status)
	assert.Equal(t, "ResourceGroupNotFound", r.code(), r.raw)
	assert.Contains(t, r.message(), "'other'")
	require.NoError(t, s.Put(t.Context(), "/subscriptions/"+armsim.DefaultSubscriptionID+"/resourceGroups/other", "2021-04-01", object{"location": "westeurope"}))
	r = s.deploy(t, "d", templateOf(within), object{})
	s.Advance(settled)
	require.Equal(t, "Succeeded", s.status(t, r), s.operation(t, r).raw)
	assert.Equal(t, "ResourceNotFound", s.get(t, s.network("networkSecurityGroups/nsg")).code())
}
