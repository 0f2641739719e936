package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// normalize drops what is mistyped most often: case and separators.
func normalize(s string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(s))
}

// distance returns the edit distance of written from a word, zero for one of its
// aliases; false if it is too large for a typing error.
func distance(written, word string, aliases []string) (int, bool) {
	w := normalize(written)
	for _, alias := range aliases {
		if w == normalize(alias) {
			return 0, true
		}
	}
	target := normalize(word)
	limit := (len(target) + 1) / 3
	if len(w) > len(target)+limit {
		return 0, false
	}
	d := levenshtein.ComputeDistance(w, target)
	return d, d <= limit
}

func nearestChoice(written string, choices []Choice) string {
	best, found := 0, ""
	for _, c := range choices {
		if d, ok := distance(written, c.Value, c.aliases); ok && (found == "" || d < best) {
			best, found = d, c.Value
		}
	}
	return found
}

func nearestKey(written string, options []Option) string {
	choices := make([]Choice, len(options))
	for i, o := range options {
		choices[i] = Choice{Value: o.Key, aliases: o.aliases}
	}
	return nearestChoice(written, choices)
}

// nearestAlias returns the option that has the key among its aliases.
func nearestAlias(written string, options []Option) string {
	for _, o := range options {
		if slices.ContainsFunc(o.aliases, func(alias string) bool { return normalize(alias) == normalize(written) }) {
			return o.Key
		}
	}
	return ""
}

func unknownKey(prefix string, options []Option, key string) string {
	keys := make([]string, len(options))
	for i, o := range options {
		keys[i] = prefix + o.Key
		if normalize(key) == normalize(o.Key) {
			return fmt.Sprintf("unknown key %s; did you mean %q?", show(prefix+key), keys[i])
		}
	}
	if place, ok := placeOf(key); ok && prefix == "" && nearestAlias(key, options) == "" {
		return place
	}
	if isSecretKey(key) {
		return secretKey(prefix + key)
	}
	if near := nearestKey(key, options); near != "" {
		return fmt.Sprintf("unknown key %s; did you mean %q?", show(prefix+key), prefix+near)
	}
	return fmt.Sprintf("unknown key %s; use %s", show(prefix+key), orList(keys))
}

// isSecretKey reports whether the name of a key says that its value is a secret.
func isSecretKey(key string) bool {
	k := normalize(key)
	for _, part := range []string{"secret", "password", "passwd", "passphrase"} {
		if strings.Contains(k, part) {
			return true
		}
	}
	for _, end := range []string{"token", "accesskey", "accountkey", "apikey", "privatekey", "pwd"} {
		if strings.HasSuffix(k, end) {
			return true
		}
	}
	return false
}

func secretKey(key string) string {
	const refusal = "%s is a secret and must not be in config.toml; put it in a file readable only by the runner's user and name it in "
	k := normalize(key)
	if strings.Contains(k, "cert") || strings.Contains(k, "privatekey") {
		return fmt.Sprintf(refusal+"client_certificate_file, with a private key that needs no password", show(key))
	}
	rest := "client_secret_file, or set AZURE_CLIENT_SECRET in the runner's environment"
	switch k {
	case "password":
		rest += "; that of instances goes into [runners.autoscaler.connector_config]"
	case "token":
		rest += "; that of the runner goes into [[runners]]"
	}
	return fmt.Sprintf(refusal+rest, show(key))
}
