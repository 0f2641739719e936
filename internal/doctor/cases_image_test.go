package doctor_test

import (
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
)

// ubuntu is the image that setup takes.
func ubuntu() body {
	return body{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest", "id": nil, "communityGalleryImageId": nil}
}

// imaged replaces the image reference, of which these parts differ from ubuntu.
func imaged(parts body) step {
	reference := ubuntu()
	for key, value := range parts {
		reference[key] = value
	}
	return profiles(body{"storageProfile": body{"imageReference": reference}})
}

// owned refers to an image of the subscription's own.
func owned(rest string) step {
	return func(p *place) error {
		return imaged(body{"publisher": nil, "offer": nil, "sku": nil, "version": nil, "id": p.group() + "/providers/Microsoft.Compute/" + rest})(p)
	}
}

func community(id string) step {
	return imaged(body{"publisher": nil, "offer": nil, "sku": nil, "version": nil, "communityGalleryImageId": id})
}

const (
	galleryVersion = "2023-07-03"
	definition     = "galleries/own/images/runner"
)

// gallery makes a gallery with a definition.
func gallery(architecture string) step {
	return func(p *place) error {
		at := p.group() + "/providers/Microsoft.Compute/"
		if err := p.do("PUT", at+"galleries/own", galleryVersion, body{"location": "westeurope"}); err != nil {
			return err
		}
		return p.do("PUT", at+definition, galleryVersion, body{"location": "westeurope", "properties": body{
			"osType": "Linux", "osState": "Generalized", "architecture": architecture, "hyperVGeneration": "V2", "identifier": body{"publisher": "a", "offer": "b", "sku": "c"},
		}})
	}
}

// version makes a version of it in a region.
func version(name, region string) step {
	return func(p *place) error {
		return p.do("PUT", p.group()+"/providers/Microsoft.Compute/"+definition+"/versions/"+name, galleryVersion, body{"location": "westeurope", "properties": body{
			"storageProfile": body{}, "publishingProfile": body{"targetRegions": []any{body{"name": region}}},
		}})
	}
}

func managedImage(p *place) error {
	return p.do("PUT", p.group()+"/providers/Microsoft.Compute/images/golden", "2024-07-01", body{"location": "westeurope", "properties": body{"storageProfile": body{"osDisk": body{}}}})
}

func shared(versions ...string) step {
	return offers(armsim.CatalogChanges{SharedImages: []armsim.SharedImage{{Gallery: "public", Community: true, Name: "runner", Versions: versions}}})
}

// imageCases are about the image of new instances.
func imageCases() map[string]cloudCase {
	const communal = "/CommunityGalleries/public/Images/runner"
	right := imaged(nil)
	missing := func(parts body, text, fix string) cloudCase {
		return cloudCase{broken: imaged(parts), fixed: right, check: "image", level: doctor.Fault, text: text, fix: fix}
	}
	return map[string]cloudCase{
		"no publisher":  missing(body{"publisher": "Cannonical"}, `no publisher "Cannonical"`, "did you mean Canonical"),
		"no offer":      missing(body{"offer": "ubuntu-24-04-lts"}, `no offer "ubuntu-24-04-lts"`, "did you mean ubuntu-24_04-lts"),
		"no SKU":        missing(body{"sku": "servers"}, `no SKU "servers"`, "did you mean server"),
		"no version":    missing(body{"version": "24.04.2025"}, `no version "24.04.2025"`, "did you mean latest"),
		"image for Arm": missing(body{"sku": "server-arm64"}, "is for Arm64, and Standard_D2s_v5 has x64", "--vm-sku SIZE"),
		"image of 2018": {
			broken: imaged(body{"offer": "UbuntuServer", "sku": "18.04-LTS"}), fixed: right,
			check: "image", level: doctor.Warning, text: "is Deprecated", fix: "Canonical:ubuntu-24_04-lts:server:latest",
		},
		"image that will retire": {
			broken: offers(armsim.CatalogChanges{Images: []armsim.PlatformImage{{Publisher: "Canonical", Offer: "ubuntu-24_04-lts", SKU: "server", State: "ScheduledForDeprecation", Versions: []string{"1.0.0"}}}}),
			fixed:  imaged(body{"sku": "minimal"}),
			check:  "image", level: doctor.Warning, text: "is ScheduledForDeprecation 2025", fix: "kept up to date",
		},
		"terms": {
			broken: imaged(body{"publisher": "almalinux", "offer": "almalinux-x86_64", "sku": "9-gen2"}), fixed: offers(armsim.CatalogChanges{AcceptedTerms: []string{"almalinux:almalinux-x86_64:9-gen2"}}),
			check: "image", level: doctor.Fault, text: "are not accepted", fix: "az vm image terms accept --urn almalinux:almalinux-x86_64:9-gen2:latest",
		},
		"size for Arm": {
			broken: sized("Standard_D2ps_v5"), fixed: imaged(body{"sku": "server-arm64"}),
			check: "image", level: doctor.Fault, text: "is for x64, and Standard_D2ps_v5 has Arm64", fix: "--image",
		},
		"generation": {
			broken: sized("Standard_D2_v2"), fixed: imaged(body{"offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"}),
			check: "image", level: doctor.Fault, text: "is of Hyper-V generation V2, and Standard_D2_v2 takes V1", fix: "--image",
		},
		"no managed image": {
			broken: owned("images/golden"), fixed: managedImage,
			check: "image", level: doctor.Fault, text: "images/golden does not exist", fix: "az image list",
		},
		"managed image on Arm": {
			broken: steps(managedImage, owned("images/golden"), sized("Standard_D2ps_v5")), fixed: sized("Standard_D2s_v5"),
			check: "image", level: doctor.Fault, text: "is for x64, and Standard_D2ps_v5 has Arm64", fix: "--vm-sku SIZE",
		},
		"no gallery image": {
			broken: owned(definition), fixed: steps(gallery("x64"), version("1.0.0", "westeurope")),
			check: "image", level: doctor.Fault, text: "does not exist", fix: "az sig image-definition list",
		},
		"no gallery version at all": {
			broken: steps(gallery("x64"), owned(definition)), fixed: version("1.0.0", "West Europe"),
			check: "image", level: doctor.Fault, text: "has no version that counts as the latest", fix: "az sig image-version list",
		},
		"no such gallery version": {
			broken: steps(gallery("x64"), version("1.0.0", "westeurope"), owned(definition+"/versions/1.0.1")), fixed: owned(definition + "/versions/1.0.0"),
			check: "image", level: doctor.Fault, text: "has no version 1.0.1", fix: "did you mean 1.0.0?",
		},
		"gallery image of another region": {
			broken: steps(gallery("x64"), version("1.0.0", "eastus"), owned(definition)), fixed: version("1.0.0", "westeurope"),
			check: "image", level: doctor.Fault, text: "is not replicated to westeurope", fix: "targetRegions name=westeurope",
		},
		"gallery image for Arm": {
			broken: steps(gallery("Arm64"), version("1.0.0", "westeurope"), owned(definition)), fixed: sized("Standard_D2ps_v5"),
			check: "image", level: doctor.Fault, text: "is for Arm64, and Standard_D2s_v5 has x64", fix: "--vm-sku SIZE",
		},
		"no community image": {
			broken: community(communal), fixed: shared("1.0.0"),
			check: "image", level: doctor.Fault, text: "is in no community gallery of westeurope", fix: "az sig image-definition list-community --public-gallery-name public",
		},
		"no version of a community image": {
			broken: steps(shared("1.0.0"), community(communal+"/Versions/2.0.0")), fixed: community(communal + "/Versions/latest"),
			check: "image", level: doctor.Fault, text: "has no version 2.0.0", fix: "did you mean 1.0.0?",
		},
		"no ID of a community image": {
			broken: steps(shared("1.0.0"), community("/CommunityGalleries/public/runner")), fixed: community(communal),
			check: "image", level: doctor.Fault, text: "is no ID of a community gallery's image", fix: "/CommunityGalleries/GALLERY/Images/IMAGE",
		},
	}
}
