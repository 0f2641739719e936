package migrate

import (
	"fmt"
	"regexp"
	"strings"
)

// text takes a value over as it is.
func text(at func(*runner) *string) func(*runner, setting) (Verdict, string) {
	return func(r *runner, s setting) (Verdict, string) {
		if s.value == "" {
			return Dropped, "it is empty"
		}
		*at(r) = s.value
		return "", ""
	}
}

// yes takes over an option that is there or not. docker-machine reads such variables
// and values as strconv.ParseBool does.
func yes(at func(*runner) *bool) func(*runner, setting) (Verdict, string) {
	return func(r *runner, s setting) (Verdict, string) {
		*at(r) = s.value == "1" || strings.EqualFold(s.value, "true") || strings.EqualFold(s.value, "t")
		if !*at(r) {
			return Dropped, "it is off"
		}
		return "", ""
	}
}

var (
	modelValue = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	tagName    = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// model sets a property of the scale set's model.
func model(property string) func(*runner, setting) (Verdict, string) {
	return func(r *runner, s setting) (Verdict, string) {
		switch {
		case !modelValue.MatchString(s.value):
			return Decision, "its value is not one that Azure takes; set " + property + " with az vmss update"
		case strings.EqualFold(s.value, "false") || s.value == "0":
			return Dropped, "it is off"
		}
		r.models = append(r.models, property+"="+s.value)
		return "", ""
	}
}

func takeSecret(r *runner, s setting) (Verdict, string) {
	switch {
	case s.value == "":
		return Dropped, "it is empty"
	case strings.ContainsAny(s.value, "\n\r\x00"):
		return Decision, "its value has more than one line, which a client secret has not; it was left out"
	}
	r.secret = s.value
	return "", ""
}

func takeCloud(r *runner, s setting) (Verdict, string) {
	switch strings.ToLower(s.value) {
	case "azurepubliccloud":
		return "", "the default of cloud in plugin_config"
	case "azurechinacloud":
		r.cloud = "AzureChina"
	case "azureusgovernmentcloud":
		r.cloud = "AzureUSGovernment"
	case "azuregermancloud":
		return Decision, "Azure closed this cloud in 2021; choose a region of the public one"
	default:
		return Decision, "not a cloud that docker-machine knows; set cloud in plugin_config"
	}
	return "", ""
}

const currentSize = "Standard_D2s_v5"

var (
	// Azure retired these with 31 August 2024 (learn.microsoft.com, "Av1-series retirement").
	retiredSize = regexp.MustCompile(`(?i)^(Basic_A\d+|Standard_A([0-9]|1[01]))$`)
	// These start images of generation 1 alone ("Generation 2 VM sizes" there).
	oldGeneration = regexp.MustCompile(`(?i)^Standard_(A\d+m?_v2|[DF]\d+(_v2)?)$`)
)

func takeSize(r *runner, s setting) (Verdict, string) {
	if retiredSize.MatchString(s.value) {
		r.size = currentSize
		return Changed, fmt.Sprintf("%s in its place: Azure has retired the A series of the first version", currentSize)
	}
	r.size = s.value
	if s.value == "" {
		return Dropped, "it is empty"
	}
	if oldGeneration.MatchString(s.value) {
		return Changed, inSetup + "--size. It starts images of generation 1 only: take a newer size such as " + currentSize +
			", or an image that ends in gen1"
	}
	return "", ""
}

func takeTags(r *runner, s setting) (Verdict, string) {
	parts := strings.Split(s.value, ",")
	var tags []string
	for i := 0; i+1 < len(parts); i += 2 { // NAME,VALUE,NAME,VALUE; an odd end is ignored
		key, value := strings.TrimSpace(parts[i]), strings.TrimSpace(parts[i+1])
		if !tagName.MatchString(key) || !plainWord.MatchString(value) {
			return Decision, "set the tags with az vmss update --set tags.NAME=VALUE: one of them has characters that need quoting"
		}
		tags = append(tags, "tags."+key+"="+value)
	}
	r.models = append(r.models, tags...)
	return "", ""
}
