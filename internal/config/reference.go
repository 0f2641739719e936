package config

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const referenceHead = `# Configuration reference

<!-- Code generated from the option table in internal/config. DO NOT EDIT. -->

> This page is generated from the table against which the plugin validates your
> configuration. To change it, change the table and run
> ` + "`go test ./internal/config -run TestReference -update`" + `.

The options go into the ` + "`plugin_config`" + ` table of the runner's ` + "`config.toml`" + `:

` + "```toml" + `
[[runners]]
  executor = "instance"
  [runners.autoscaler]
    plugin = "fleeting-plugin-azure"
    [runners.autoscaler.plugin_config]
      name = "ci-runners"
      subscription_id = "00000000-0000-0000-0000-000000000000"
      resource_group_name = "ci"
      credential = "managed_identity"
` + "```" + `

Keys are written exactly as below, in lower case. An unknown key, a wrong value
or a missing key stops the plugin with one line that names every mistake and its
fix. An empty string counts as an absent key.

## All options

`

const referenceCloud = `
For a cloud without a name, give a table with all three URLs instead of the name.
Its Microsoft.Compute must have an [api_version](#api_version) that the plugin
supports; Azure Stack Hub does not: its newest profile, 2020-09-01-hybrid, has
2020-06-01, in which a scale set has no ETag.

`

const referenceSecrets = `
## Giving secrets safely

No key takes a secret, and keys that look like one are rejected; the error does
not show the value. The safest secret is none: prefer
` + "`managed_identity`" + ` or ` + "`workload_identity`" + `. Otherwise:

- Put the client secret in a file that only the runner's user can read, and name
  it in ` + "`client_secret_file`" + `:

  ` + "```sh" + `
  install -m 0600 -o gitlab-runner /dev/stdin /etc/gitlab-runner/azure-client-secret
  ` + "```" + `

  Paste the secret, then press Enter and Ctrl-D. Use the user that the runner
  runs as.
- Or set ` + "`AZURE_CLIENT_SECRET`" + ` in the environment of the runner's service, and leave
  ` + "`client_secret_file`" + ` out.
- Put a certificate and its private key, not protected by a password, in a file
  that only the runner's user can read, and name it in ` + "`client_certificate_file`" + `.

` + "```toml" + `
[runners.autoscaler.plugin_config]
  name = "ci-runners"
  subscription_id = "00000000-0000-0000-0000-000000000000"
  resource_group_name = "ci"
  credential = "client_secret"
  tenant_id = "contoso.onmicrosoft.com"
  client_id = "00000000-0000-0000-0000-000000000000"
  client_secret_file = "/etc/gitlab-runner/azure-client-secret"
` + "```" + `
`

// Reference returns the whole text of docs/reference/configuration.md.
func Reference() []byte {
	var b bytes.Buffer
	b.WriteString(referenceHead)
	b.WriteString("| key | type | required | default | meaning |\n|---|---|---|---|---|\n")
	for _, o := range table {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s | %s |\n",
			o.Key, o.Key, o.Type, orNo(o.Required), code(o.Default), escapeCell(o.Doc))
	}
	for i, o := range table {
		if i == 0 || table[i-1].Group != o.Group {
			fmt.Fprintf(&b, "\n## %s\n", o.Group)
		}
		writeOption(&b, o)
	}
	writeNeeds(&b)
	b.WriteString(referenceSecrets)
	return b.Bytes()
}

func writeOption(b *bytes.Buffer, o Option) {
	fmt.Fprintf(b, "\n### `%s`\n\n%s\n\n", o.Key, o.Doc)
	fmt.Fprintf(b, "- Value: %s.\n", escapeMarkdown(o.Rule))
	if o.Required != "" {
		fmt.Fprintf(b, "- Required: %s.\n", o.Required)
	}
	if o.Default != "" {
		fmt.Fprintf(b, "- Default: `%s`.\n", o.Default)
	}
	if o.Env != "" {
		fmt.Fprintf(b, "- If absent: read from `%s` for %s.\n", o.Env, codes(o.EnvFor))
	}
	if o.StandIn != "" {
		fmt.Fprintf(b, "- May be left out when `%s` is set.\n", o.StandIn)
	}
	if len(o.OnlyFor) > 0 {
		fmt.Fprintf(b, "- Rejected with any credential but %s.\n", codes(o.OnlyFor))
	}
	fmt.Fprintf(b, "- Example: `%s = %s`\n", o.Key, o.literal())
	writeChoices(b, o.Choices)
	writeKeys(b, o)
}

// literal is the example in TOML.
func (o Option) literal() string {
	if o.Type == typeBoolean || o.Type == typeNumber || o.Type == typeList {
		return o.Example
	}
	return strconv.Quote(o.Example)
}

func writeChoices(b *bytes.Buffer, choices []Choice) {
	if len(choices) == 0 {
		return
	}
	b.WriteString("\n| value | meaning |\n|---|---|\n")
	for _, c := range choices {
		fmt.Fprintf(b, "| `%s` | %s |\n", c.Value, escapeCell(c.Doc))
	}
}

func writeKeys(b *bytes.Buffer, o Option) {
	if len(o.Keys) == 0 {
		return
	}
	b.WriteString(referenceCloud)
	b.WriteString("| key | value | meaning |\n|---|---|---|\n")
	for _, k := range o.Keys {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", k.Key, escapeMarkdown(k.Rule), escapeCell(k.Doc))
	}
	fmt.Fprintf(b, "\n```toml\n[runners.autoscaler.plugin_config.%s]\n", o.Key)
	for _, k := range o.Keys {
		fmt.Fprintf(b, "  %s = %q\n", k.Key, k.Example)
	}
	b.WriteString("```\n")
}

// writeNeeds lists the keys that each credential needs.
func writeNeeds(b *bytes.Buffer) {
	b.WriteString("\n### What each credential needs\n\n| `credential` | needs | may be taken from the environment |\n|---|---|---|\n")
	for _, c := range credentialChoices {
		var needs, env []string
		for _, o := range table {
			if slices.Contains(o.NeededBy, c.Value) {
				needs = append(needs, o.Key)
			}
			if slices.Contains(o.EnvFor, c.Value) {
				env = append(env, o.Env)
			}
			if o.StandIn != "" && slices.Contains(o.NeededBy, c.Value) {
				env = append(env, o.StandIn)
			}
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", c.Value, codes(needs), codes(env))
	}
}

func orNo(s string) string {
	if s == "" {
		return "no"
	}
	return s
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func codes(items []string) string {
	if len(items) == 0 {
		return "–"
	}
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = code(item)
	}
	return strings.Join(quoted, ", ")
}

// escapeCell escapes what would end a cell of a Markdown table.
func escapeCell(s string) string {
	return strings.ReplaceAll(s, "|", `\|`)
}

// escapeMarkdown escapes what Markdown would take for markup.
func escapeMarkdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", `\<`, ">", `\>`, "[", `\[`, "]", `\]`, "*", `\*`, "_", `\_`, "&", `\&`).Replace(s)
}
