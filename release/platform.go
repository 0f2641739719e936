package main

import (
	_ "embed"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The Makefile reads the same list. A host that runs binaries of two platforms
// takes the better one, whatever the order.
//
//go:embed platforms
var platformList string

// platform is an operating system and an architecture as Go names them, the
// latter with its variant: linux/armv7.
type platform struct{ os, arch string }

func platforms() []platform {
	var all []platform
	for _, line := range strings.Fields(platformList) {
		system, arch, _ := strings.Cut(line, "/")
		all = append(all, platform{system, arch})
	}
	return all
}

func (p platform) String() string { return p.os + "/" + p.arch }

// goArch is GOARCH, without the variant.
func (p platform) goArch() string {
	if strings.HasPrefix(p.arch, "armv") {
		return "arm"
	}
	return p.arch
}

// variant is that of an OCI platform: v7.
func (p platform) variant() string { return strings.TrimPrefix(p.arch, p.goArch()) }

// oci has no version of Windows: an entry without one is for any Windows, one
// with a version for its hosts alone (containerd/platforms, windowsmatcher).
func (p platform) oci() v1.Platform {
	return v1.Platform{OS: p.os, Architecture: p.goArch(), Variant: p.variant()}
}

func (p platform) suffix() string {
	if p.os == "windows" {
		return ".exe"
	}
	return ""
}

// plugin is the binary's place where fleeting-artifact looks for it.
func (p platform) plugin() string { return filepath.Join(p.os, p.arch, "plugin"+p.suffix()) }

// name is what the files of a release that are for the platform begin with.
func (p platform) name() string { return pluginName + "-" + p.os + "-" + p.arch }

// download is the binary's name among the files of a release.
func (p platform) download() string { return p.name() + p.suffix() }

// sbom is the name of the list of what is in the binary; .ci/sign makes it from
// the name, too.
func (p platform) sbom() string { return p.name() + ".cdx.json" }
