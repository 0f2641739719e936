package armsim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// names reads a list that is a plain array, and returns what is in it by name.
func names(t *testing.T, s *sim, target string) []string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.Endpoint+inSubscription("/providers/Microsoft.Compute/locations/westeurope/publishers"+target), http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.bearer)
	response, err := s.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	var list []object
	require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
	var all []string
	for _, one := range list {
		all = append(all, one["name"].(string))
	}
	return all
}

func TestPlatformImages(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	const v, ubuntu = "?api-version=" + version, "/canonical/artifacttypes/vmimage/offers"
	assert.Equal(t, []string{"almalinux", "Canonical", "Debian", "MicrosoftWindowsServer", "RedHat"}, names(t, s, v))
	assert.Equal(t, []string{"0001-com-ubuntu-server-jammy", "ubuntu-24_04-lts", "UbuntuServer"}, names(t, s, ubuntu+v))
	assert.Equal(t, []string{"minimal", "server", "server-arm64"}, names(t, s, ubuntu+"/ubuntu-24_04-lts/skus"+v))
	versions := ubuntu + "/ubuntu-24_04-lts/skus/server/versions" + v
	assert.Equal(t, []string{"24.04.202509010", "24.04.202510020", "24.04.202511040"}, names(t, s, versions))
	assert.Equal(t, []string{"24.04.202511040"}, names(t, s, versions+"&$top=1&$orderby=name%20desc"))

	image := func(rest string) reply {
		return s.get(t, inSubscription("/providers/Microsoft.Compute/locations/westeurope/publishers"+rest))
	}
	arm := image(ubuntu + "/ubuntu-24_04-lts/skus/server-arm64/versions/24.04.202511040")
	assert.Equal(t, "Arm64", arm.text("properties.architecture"), arm.raw)
	assert.Equal(t, "V2", arm.text("properties.hyperVGeneration"))
	assert.Equal(t, "Deprecated", image(ubuntu+"/UbuntuServer/skus/18.04-LTS/versions/18.04.202401161").text("properties.imageDeprecationStatus.imageState"))
	sold := image("/almalinux/artifacttypes/vmimage/offers/almalinux-x86_64/skus/9-gen2/versions/9.6.202505220")
	assert.Equal(t, object{"publisher": "almalinux", "product": "almalinux-x86_64", "name": "9-gen2"}, get(sold.body, "properties.plan"))

	for rest, message := range map[string]string{
		"/nobody/artifacttypes/vmimage/offers":                      "Publisher: nobody was not found.",
		ubuntu + "/none/skus":                                       "Artifact: VMImage was not found.",
		ubuntu + "/UbuntuServer/skus/none/versions":                 "Artifact: VMImage was not found.",
		ubuntu + "/UbuntuServer/skus/18.04-LTS/versions/18.04.2020": "Artifact: VMImage was not found.",
	} {
		r := image(rest)
		assert.Equal(t, []any{404, "NotFound", message}, []any{r.status, r.code(), r.message()}, rest)
	}
	assert.Equal(t, http.StatusNotImplemented, image(ubuntu+"/UbuntuServer/skus/18.04-LTS/versions"+v+"&$filter=x").status)
}

func TestTermsAreAcceptedAsTheyWereRead(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	const plan = "/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine/publishers/almalinux/offers/almalinux-x86_64/plans/9-gen2/agreements/current?api-version=2021-01-01"
	const old = "/providers/Microsoft.MarketplaceOrdering/agreements/almalinux/offers/almalinux-x86_64/plans/9-gen2"
	terms := s.get(t, inSubscription(plan))
	require.Equal(t, http.StatusOK, terms.status, terms.raw)
	assert.Equal(t, false, get(terms.body, "properties.accepted"))

	terms.body["properties"].(object)["accepted"] = true
	forged := object{"properties": object{"accepted": true, "signature": "x"}}
	assert.Equal(t, http.StatusBadRequest, s.send(t, "PUT", inSubscription(plan), forged).status)
	assert.Equal(t, http.StatusOK, s.send(t, "PUT", inSubscription(plan), terms.body).status)
	assert.Equal(t, true, get(s.get(t, inSubscription(plan)).body, "properties.accepted"))

	assert.Equal(t, http.StatusOK, s.send(t, "POST", inSubscription(old)+"/cancel?api-version=2021-01-01", nil).status)
	assert.Equal(t, false, get(s.get(t, inSubscription(old+"?api-version=2021-01-01")).body, "properties.accepted"))
	assert.Equal(t, http.StatusOK, s.send(t, "POST", inSubscription(old)+"/sign?api-version=2021-01-01", nil).status)
	assert.Equal(t, []string{"almalinux:almalinux-x86_64:9-gen2"}, s.Catalog().AcceptedTerms)
	assert.Equal(t, http.StatusBadRequest, s.get(t, inSubscription(strings.Replace(plan, "9-gen2", "none", 1))).status)
}

func TestTermsNeedTheirProvider(t *testing.T) {
	t.Parallel()
	const ordering = "/providers/Microsoft.MarketplaceOrdering"
	s := virtual(t, armsim.Config{Subscription: armsim.Subscription{NotRegistered: []string{"Microsoft.MarketplaceOrdering"}}})
	sign := inSubscription(ordering + "/agreements/almalinux/offers/almalinux-x86_64/plans/9-gen2/sign?api-version=2021-01-01")
	r := s.send(t, "POST", sign, nil)
	assert.Equal(t, []any{http.StatusConflict, "MissingSubscriptionRegistration"}, []any{r.status, r.code()}, r.raw)
	require.Equal(t, http.StatusOK, s.send(t, "POST", inSubscription(ordering+"/register?api-version=2021-04-01"), nil).status)
	assert.Equal(t, http.StatusOK, s.send(t, "POST", sign, nil).status)
}

// compute is a path of a Compute resource in the simulator's group.
func compute(s *sim, rest string) string {
	return s.ResourcePath("/providers/Microsoft.Compute" + rest)
}

func TestGalleries(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	gallery := compute(s, "/galleries/g")
	definition := object{"location": "westeurope", "properties": object{
		"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", "identifier": object{"publisher": "p", "offer": "o", "sku": "s"}}}
	r := s.send(t, "PUT", gallery+"/images/i", definition)
	assert.Equal(t, []any{404, "ParentResourceNotFound"}, []any{r.status, r.code()})

	r = s.send(t, "PUT", gallery, object{"location": "westeurope"})
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	assert.Equal(t, "Creating", r.text("properties.provisioningState"))
	assert.Contains(t, r.header.Get("Azure-AsyncOperation"), "/capsOperations/")
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.operation(t, r).text("status"))
	assert.Equal(t, "Succeeded", s.get(t, gallery).text("properties.provisioningState"))

	require.Equal(t, http.StatusCreated, s.send(t, "PUT", gallery+"/images/i", definition).status)
	assert.Equal(t, "x64", s.get(t, gallery+"/images/i").text("properties.architecture"))
	source := object{"location": "westeurope", "properties": object{"storageProfile": object{"source": object{"id": "x"}}}}
	assert.Equal(t, http.StatusBadRequest, s.send(t, "PUT", gallery+"/images/i/versions/1", source).status)
	for _, v := range []string{"1.0.9", "1.0.10"} {
		require.Equal(t, http.StatusCreated, s.send(t, "PUT", gallery+"/images/i/versions/"+v, source).status)
	}
	assert.Len(t, s.list(t, gallery+"/images/i/versions"), 2)
	region := s.get(t, gallery+"/images/i/versions/1.0.9").body
	assert.Equal(t, "West Europe", get(region, "properties.publishingProfile.targetRegions.0.name"))

	r = s.send(t, "DELETE", gallery, nil)
	assert.Equal(t, []any{409, "CannotDeleteResource"}, []any{r.status, r.code()})
	for _, path := range []string{"/images/i/versions/1.0.9", "/images/i/versions/1.0.10", "/images/i", ""} {
		assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", gallery+path, nil).status)
	}
	assert.Equal(t, http.StatusNotFound, s.get(t, gallery).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", gallery, nil).status)
}

// makeImages makes the gallery "g" with the image "i" of one version, and the
// managed image "m".
func (s *sim) makeImages(t tb) (gallery, managed string) {
	t.Helper()
	gallery, managed = compute(s, "/galleries/g"), compute(s, "/images/m")
	source := object{"storageProfile": object{"source": ref("x")}}
	for _, one := range []struct {
		path       string
		properties object
	}{
		{gallery, object{}},
		{gallery + "/images/i", object{"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", "identifier": object{"publisher": "p", "offer": "o", "sku": "s"}}},
		{gallery + "/images/i/versions/1.0.0", source},
		{managed, object{"hyperVGeneration": "V2", "storageProfile": object{"osDisk": object{"osType": "Linux", "osState": "Generalized", "managedDisk": ref("x")}}}},
	} {
		s.make(t, one.path, object{"properties": one.properties, "tags": object{"made": "by-test"}})
	}
	return gallery, managed
}

// TestGroupGoesWithWhatItKeeps: images, galleries and keys are listed with the
// group's resources, and go with it, together with what was assigned on them.
func TestGroupGoesWithWhatItKeeps(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, PageSize: 2})
	gallery, managed := s.makeImages(t)
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", compute(s, "/sshPublicKeys/k"), object{"location": "westeurope"}).status)
	group, listed := s.ResourcePath(""), map[string]string{}
	for _, one := range s.list(t, group+"/resources") {
		assert.Nil(t, get(one, "properties"))
		assert.Equal(t, "westeurope", get(one, "location"))
		listed[get(one, "name").(string)] = get(one, "type").(string)
	}
	assert.Equal(t, map[string]string{
		"g": "Microsoft.Compute/galleries", "g/i": "Microsoft.Compute/galleries/images", "g/i/1.0.0": "Microsoft.Compute/galleries/images/versions",
		"m": "Microsoft.Compute/images", "k": "Microsoft.Compute/sshPublicKeys",
	}, listed)
	of := func(filter string) int {
		return len(s.list(t, group+"/resources?api-version=2021-04-01&$filter="+url.QueryEscape(filter)))
	}
	assert.Equal(t, []int{4, 1, 1}, []int{of("tagName eq 'made' and tagValue eq 'by-test'"), of("resourceType eq 'Microsoft.Compute/images'"), of("name eq 'g/i'")})

	assignments := func() int {
		return len(s.list(t, group+authorization+"roleAssignments?api-version=2022-04-01&$filter="+url.QueryEscape("principalId eq 'p'")))
	}
	for _, scope := range []string{gallery, gallery + "/images/i/versions/1.0.0", managed} {
		require.Equal(t, http.StatusCreated, s.assign(t, scope, "one", "Reader", "p", "User").status)
	}
	require.Equal(t, http.StatusAccepted, s.send(t, "DELETE", gallery+"/images/i/versions/1.0.0", nil).status)
	assert.Equal(t, 2, assignments())
	lock := managed + authorization + "locks/keep?api-version=2016-09-01"
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", lock, object{"properties": object{"level": "CanNotDelete"}}).status)
	for _, path := range []string{managed, group} {
		assert.Equal(t, "ScopeLocked", s.send(t, "DELETE", path, nil).code(), path)
	}
	require.Equal(t, http.StatusOK, s.send(t, "DELETE", lock, nil).status)

	require.Equal(t, http.StatusAccepted, s.send(t, "DELETE", group, nil).status)
	s.Advance(settled)
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", group, object{"location": "westeurope"}).status)
	assert.Empty(t, s.list(t, group+"/resources"))
	assert.Equal(t, http.StatusNotFound, s.get(t, managed).status)
	assert.Zero(t, assignments())
}

func TestGalleriesOfOthers(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Catalog: armsim.CatalogChanges{SharedImages: []armsim.SharedImage{
		{Gallery: "contoso-1", Community: true, Name: "runner", Versions: []string{"1.0.0", "1.0.1"}},
		{Gallery: "SUB-G", Name: "runner", Versions: []string{"1.0.0"}, State: "Specialized"},
	}}})
	at := func(rest string) reply {
		return s.get(t, inSubscription("/providers/Microsoft.Compute/locations/westeurope"+rest))
	}
	community := at("/communityGalleries/Contoso-1")
	assert.Equal(t, "/CommunityGalleries/contoso-1", community.text("identifier.uniqueId"), community.raw)
	assert.NotEmpty(t, community.text("properties.disclaimer"))
	assert.Len(t, at("/communityGalleries/contoso-1/images/runner/versions").values(), 2)
	assert.Equal(t, "1.0.1", at("/communityGalleries/contoso-1/images/runner/versions/1.0.1").text("name"))
	assert.Equal(t, "Specialized", at("/sharedGalleries/SUB-G/images/runner").text("properties.osState"))
	for _, none := range []string{"/communityGalleries/SUB-G", "/sharedGalleries/SUB-G/images/none", "/sharedGalleries/SUB-G/images/runner/versions/2.0.0"} {
		assert.Equal(t, http.StatusNotFound, at(none).status, none)
	}
}

func TestPublicKeysAsResources(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	key := compute(s, "/sshPublicKeys/k")
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", key, object{"location": "westeurope"}).status)
	for encryption, kind := range map[string]string{"Ed25519": ssh.KeyAlgoED25519, "RSA": ssh.KeyAlgoRSA} {
		r := s.send(t, "POST", key+"/generateKeyPair", object{"encryptionType": encryption})
		require.Equal(t, http.StatusOK, r.status, r.raw)
		signer, err := ssh.ParsePrivateKey([]byte(r.text("privateKey")))
		require.NoError(t, err)
		assert.Equal(t, kind, signer.PublicKey().Type())
		public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s.get(t, key).text("properties.publicKey")))
		require.NoError(t, err)
		assert.Equal(t, signer.PublicKey().Marshal(), public.Marshal())
	}
	assert.Equal(t, http.StatusBadRequest, s.send(t, "POST", key+"/generateKeyPair", object{"encryptionType": "DSA"}).status)
	assert.Equal(t, http.StatusBadRequest, s.send(t, "PATCH", key, object{"properties": object{"publicKey": "no key"}}).status)
	assert.Len(t, s.list(t, compute(s, "/sshPublicKeys")), 1)
	assert.Equal(t, http.StatusOK, s.send(t, "DELETE", key, nil).status)
	assert.Equal(t, http.StatusNotFound, s.get(t, key).status)
	assert.Empty(t, s.list(t, compute(s, "/sshPublicKeys")))
}

func TestAnInstanceIsOfTheVersionThatWasLatest(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{PageSize: 10})
	newer := armsim.PlatformImage{Publisher: "Canonical", Offer: "ubuntu-24_04-lts", SKU: "server", Versions: []string{"24.04.202511040", "24.04.202512010"}}
	for _, mode := range []string{"Uniform", "Flexible"} {
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci" + mode, Capacity: 1, OrchestrationMode: mode})
		require.NoError(t, s.ChangeCatalog(armsim.CatalogChanges{Images: []armsim.PlatformImage{newer}}))
		s.setCapacity(t, set, 2)
		s.Advance(settled)
		versions := map[any]int{}
		list := set + "/virtualMachines"
		if mode == "Flexible" {
			list = compute(s, "/virtualMachines")
		}
		for _, i := range s.list(t, list) {
			versions[get(i, "properties.storageProfile.imageReference.exactVersion")]++
		}
		want := map[any]int{"24.04.202511040": 1, "24.04.202512010": 1}
		if mode == "Flexible" {
			want = map[any]int{"24.04.202512010": 2} // the newer one was there already
		}
		assert.Equal(t, want, versions, mode)
	}
}
