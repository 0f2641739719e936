package armsim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// profileOf is the virtual machine profile of a scale set's model.
func profileOf(model object) object {
	return model["properties"].(object)["virtualMachineProfile"].(object)
}

func setImage(ref object) func(object) {
	return func(model object) { profileOf(model)["storageProfile"] = object{"imageReference": ref} }
}

func urn(publisher, offer, sku, version string) object {
	return object{"publisher": publisher, "offer": offer, "sku": sku, "version": version}
}

var windowsImage = urn("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-g2", "latest")

func setPrefix(prefix string) func(object) {
	return func(model object) { profileOf(model)["osProfile"].(object)["computerNamePrefix"] = prefix }
}

func setSize(name string) func(object) {
	return func(model object) { model["sku"].(object)["name"] = name }
}

func setPlan(name string) func(object) {
	return func(model object) {
		model["plan"] = object{"publisher": "almalinux", "product": "almalinux-x86_64", "name": name}
	}
}

var soldImage = setImage(urn("almalinux", "almalinux-x86_64", "9-gen2", "latest"))

func ephemeral(model object) {
	profileOf(model)["storageProfile"].(object)["osDisk"] = object{"diffDiskSettings": object{"option": "Local"}, "createOption": "FromImage"}
}

func zones(all ...any) func(object) { return func(model object) { model["zones"] = all } }

// atLocation moves the scale set to another region.
func atLocation(name string) func(object) { return func(model object) { model["location"] = name } }

func both(changes ...func(object)) func(object) {
	return func(model object) {
		for _, change := range changes {
			change(model)
		}
	}
}

// orders are changes of a model that Azure creates, and what comes of them; an
// empty error: it is created.
var orders = map[string]struct {
	change func(object)
	want   string // in the error
}{
	"as it is":                    {func(object) {}, ""},
	"unknown size":                {setSize("Standard_X1"), "InvalidParameter (400): The value Standard_X1 provided for the VM size is not valid."},
	"size in another case":        {setSize("standard_d2S_V5"), ""},
	"restricted size":             {setSize("Standard_D8s_v5"), "SkuNotAvailable (409): The requested size for resource"},
	"size restricted in the zone": {both(setSize("Standard_D4s_v5"), zones("1", "2")), "SkuNotAvailable (409)"},
	"size open in the zone":       {both(setSize("Standard_D4s_v5"), zones("1")), ""},
	"size open without zones":     {setSize("Standard_D4s_v5"), ""},
	"zone that there is not":      {zones("4"), "AvailabilityZoneNotSupported (400)"},
	"region without zones":        {both(atLocation("westus"), zones("1")), "ResourceTypeNotSupportAvailabilityZones (400)"},
	"instance mix without sizes":  {setSize("Mix"), "SkuProfileVMSizesCannotBeNullOrEmpty (400)"},
	"unknown publisher":           {setImage(urn("SUSE", "openSUSE-Leap", "42.3", "latest")), "InvalidParameter (400): The following list of images referenced from the deployment template are not found: Publisher: SUSE, Offer: openSUSE-Leap, Sku: 42.3, Version: latest."},
	"version that is gone":        {setImage(urn("Canonical", "ubuntu-24_04-lts", "server", "24.04.2020")), "PlatformImageNotFound (404)"},
	"version that there is":       {setImage(urn("Canonical", "ubuntu-24_04-lts", "server", "24.04.202509010")), ""},
	"deprecated image":            {setImage(urn("Canonical", "UbuntuServer", "18.04-LTS", "latest")), "ImageVersionDeprecated (400)"},
	"plan that there is not":      {both(soldImage, setPlan("none")), "ResourcePurchaseValidationFailed (400)"},
	"plan without terms":          {both(soldImage, setPlan("9-gen2")), "MarketplacePurchaseEligibilityFailed (400)"},
	"image without its plan":      {soldImage, "VMMarketplaceInvalidInput (400)"},
	"another architecture":        {setSize("Standard_D2ps_v5"), "BadRequest (400): Cannot create a VM of size 'Standard_D2ps_v5' because this VM size only supports a CPU Architecture of 'Arm64'"},
	"Arm64 on Arm64":              {both(setSize("Standard_D2ps_v5"), setImage(urn("Canonical", "ubuntu-24_04-lts", "server-arm64", "latest"))), ""},
	"another generation":          {both(setSize("Standard_D2s_v6"), setImage(urn("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", "latest"))), "BadRequest (400): The selected VM size 'Standard_D2s_v6' cannot boot Hypervisor Generation '1'."},
	"ephemeral disk":              {both(setSize("Standard_D4ds_v5"), ephemeral), ""},
	"ephemeral disk, none there":  {ephemeral, "NotSupported (409)"},
	"Windows":                     {both(setImage(windowsImage), setPrefix("ninechars")), ""},
	"Windows, long prefix":        {both(setImage(windowsImage), setPrefix("tenlletters")), "InvalidParameter (400): Windows computer name prefix"},
	"Windows, prefix of digits":   {both(setImage(windowsImage), setPrefix("1234")), "InvalidParameter (400): Windows computer name prefix"},
	"Linux, prefix of digits":     {setPrefix("1234"), ""},
	"Linux, longest prefix":       {setPrefix(strings.Repeat("a", 58)), ""},
	"Linux, long prefix":          {setPrefix(strings.Repeat("a", 59)), "InvalidParameter (400): Linux host name prefix"},
	"no image":                    {func(m object) { delete(profileOf(m), "storageProfile") }, "'storageProfile.imageReference' is missing"},
	"no interface":                {func(m object) { delete(profileOf(m), "networkProfile") }, "'networkProfile.networkInterfaceConfigurations' is missing"},
	"no user":                     {func(m object) { delete(profileOf(m)["osProfile"].(object), "adminUsername") }, "'osProfile.adminUsername' is missing"},
	"community image":             {setImage(object{"communityGalleryImageId": "/CommunityGalleries/c-1/Images/runner"}), ""},
	"community version":           {setImage(object{"communityGalleryImageId": "/CommunityGalleries/c-1/Images/runner/Versions/1.0.0"}), ""},
	"community version, gone":     {setImage(object{"communityGalleryImageId": "/CommunityGalleries/c-1/Images/runner/Versions/9.0.0"}), "GalleryImageNotFound (404)"},
	"shared, specialized image": {both(setImage(object{"sharedGalleryImageId": "/SharedGalleries/G/Images/runner/versions/latest"}),
		func(m object) { delete(profileOf(m)["osProfile"].(object), "adminUsername") }), ""},
	"image of another subscription": {setImage(object{"id": "/subscriptions/x/resourceGroups/ci/providers/Microsoft.Compute/images/i"}), "GalleryImageNotFound (404)"},
}

func TestNewScaleSetsAreCheckedAgainstTheCatalog(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Catalog: armsim.CatalogChanges{
		Restrictions: []armsim.SizeRestriction{{Size: "Standard_D8s_v5"}, {Size: "Standard_D4s_v5", Zones: []string{"2"}}},
		SharedImages: []armsim.SharedImage{
			{Gallery: "c-1", Community: true, Name: "runner", Versions: []string{"1.0.0"}},
			{Gallery: "G", Name: "runner", Versions: []string{"1.0.0"}, State: "Specialized"},
		},
	}})
	for name, c := range orders {
		for _, mode := range []string{"Uniform", "Flexible"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{
					Name: strings.Map(onlyLetters, name) + mode, OrchestrationMode: mode, Change: func(m map[string]any) {
						setPrefix("ci")(m)
						c.change(m)
					},
				})
				if c.want == "" {
					require.NoError(t, err)
					return
				}
				assert.ErrorContains(t, err, c.want)
			})
		}
	}
}

func onlyLetters(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return -1
}

func TestAcceptedTermsLetAPlanBeBought(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Catalog: armsim.CatalogChanges{AcceptedTerms: []string{"almalinux:almalinux-x86_64:9-gen2"}}})
	_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", Change: both(soldImage, setPlan("9-gen2"))})
	assert.NoError(t, err)
}

func TestImagesOfOwnGalleriesAreLookedUp(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	gallery, managed := compute(s, "/galleries/g"), compute(s, "/images/i")
	definition := object{"location": "westeurope", "properties": object{
		"osType": "Linux", "osState": "Generalized", "architecture": "Arm64", "hyperVGeneration": "V2", "identifier": object{"publisher": "p", "offer": "o", "sku": "s"}}}
	elsewhere := object{"targetRegions": []any{object{"name": "eastus"}}}
	source := object{"source": object{"id": managed}}
	for _, w := range []struct {
		path string
		body object
	}{
		{gallery, object{"location": "westeurope"}},
		{gallery + "/images/d", definition},
		{gallery + "/images/d/versions/1.0.0", object{"location": "westeurope", "properties": object{"storageProfile": source}}},
		{gallery + "/images/d/versions/2.0.0", object{"location": "westeurope", "properties": object{"storageProfile": source, "publishingProfile": elsewhere}}},
		{managed, object{"location": "westeurope", "properties": object{"storageProfile": object{"osDisk": object{"osType": "Linux"}}}}},
	} {
		require.NoError(t, s.Put(t.Context(), w.path, version, w.body))
		s.Advance(settled)
	}
	trusted := func(m object) { profileOf(m)["securityProfile"] = object{"securityType": "TrustedLaunch"} }
	byID := func(id string) func(object) { return setImage(object{"id": id}) }
	for name, c := range map[string]struct {
		change func(object)
		want   string
	}{
		"definition":       {both(setSize("Standard_D2ps_v5"), byID(gallery+"/images/d")), ""},
		"version":          {both(setSize("Standard_D2ps_v5"), byID(gallery+"/Images/D/Versions/1.0.0")), ""},
		"not replicated":   {both(setSize("Standard_D2ps_v5"), byID(gallery+"/images/d/versions/2.0.0")), "GalleryImageNotFound (404)"},
		"architecture":     {byID(gallery + "/images/d"), "BadRequest (400): Cannot create a VM"},
		"none":             {byID(gallery + "/images/none"), "ResourceNotFound (404)"},
		"no group":         {byID(strings.Replace(managed, "/ci/", "/none/", 1)), "ResourceGroupNotFound (404)"},
		"a gallery":        {byID(gallery), "InvalidParameter (400)"},
		"managed image":    {byID(managed), ""},
		"trusted launch":   {both(byID(managed), trusted), "BadRequest (400): Managed Images are not supported"},
		"trusted platform": {trusted, ""},
	} {
		_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: strings.Map(onlyLetters, name), Change: c.change})
		if c.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.ErrorContains(t, err, c.want, name)
	}
}

func TestTheDefaultImageIsOfTheSize(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "arm", Size: "Standard_D4ps_v5"})
	const image = "properties.virtualMachineProfile.storageProfile.imageReference.sku"
	assert.Equal(t, "server-arm64", s.get(t, set).text(image))
	assert.Equal(t, "server", s.get(t, s.scaleSet(t, armsim.ScaleSetSpec{Name: "x"})).text(image))
}
