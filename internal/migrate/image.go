package migrate

import (
	"fmt"
	"strings"
)

// currentImage is the newest Ubuntu with long support.
const currentImage = "Canonical:ubuntu-24_04-lts:server:latest"

// outdated are images that no longer get updates, by publisher and the beginning of
// the offer, and why.
var outdated = []struct{ publisher, offer, why string }{
	{"canonical", "ubuntuserver", "Ubuntu up to 19 gets no updates any more, current releases of Docker do not support it, and newer releases have another offer"},
	{"canonical", "0001-com-ubuntu-minimal", "Ubuntu of this offer gets no updates any more"},
	{"canonical", "0001-com-ubuntu-server-focal", "Ubuntu 20.04 has had no updates since May 2025"},
	{"openlogic", "centos", "CentOS gets no updates any more"},
	{"coreos", "coreos", "CoreOS Container Linux ended in 2020"},
	{"credativ", "debian", "these releases of Debian get no updates any more"},
	{"debian", "debian-9", "Debian 9 gets no updates any more"},
	{"debian", "debian-10", "Debian 10 gets no updates any more"},
	{"rancher", "rancheros", "RancherOS gets no updates any more"},
}

func takeImage(r *runner, s setting) (Verdict, string) {
	if strings.HasPrefix(s.value, "/") { // a resource ID, of a gallery's image for example
		r.image = s.value
		return "", ""
	}
	parts := strings.Split(s.value, ":")
	if len(parts) != 4 || !urn(parts) {
		r.image = currentImage
		return Decision, "not of the form publisher:offer:sku:version; " + currentImage + " stands in its place. az vm image list --all --publisher NAME lists what there is"
	}
	for _, o := range outdated {
		if strings.EqualFold(parts[0], o.publisher) && strings.HasPrefix(strings.ToLower(parts[1]), o.offer) {
			r.image = currentImage
			return Changed, fmt.Sprintf("%s in its place: %s", currentImage, o.why)
		}
	}
	r.image = s.value
	if strings.HasPrefix(strings.ToLower(parts[0]), "microsoftwindows") || strings.EqualFold(parts[0], "microsoftvisualstudio") {
		return Decision, inSetup + "--image. Instances with Windows need an administrator's password and OpenSSH or WinRM, see the plugin's documentation"
	}
	return "", ""
}

func urn(parts []string) bool {
	for _, p := range parts {
		if p == "" || strings.ContainsFunc(p, func(c rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", c)
		}) {
			return false
		}
	}
	return true
}

// windows reports whether the image has Windows, as far as its name tells.
func (r *runner) windows() bool {
	publisher, _, _ := strings.Cut(strings.ToLower(r.image), ":")
	return strings.HasPrefix(publisher, "microsoftwindows") || publisher == "microsoftvisualstudio"
}
