package migrate

import (
	"bytes"
	"fmt"
	"strings"
)

const referenceHead = `# What becomes of docker+machine

<!-- Code generated from the option table in internal/migrate. DO NOT EDIT. -->

> This page is generated from the table by which ` + "`fleeting-plugin-azure migrate`" + ` works.
> To change it, change the table and run
> ` + "`go test ./internal/migrate -run TestReference -update`" + `.
> [Move from docker+machine](../guides/migrate-from-docker-machine.md) is the guide.

Every setting of ` + "`[runners.machine]`" + ` and every option of docker-machine with the azure
driver, and its fate. *mapped*: it means the same. *changed*: it is still there and means
something else. *dropped*: it has no counterpart. *decision*: you have to decide or to
supply something. Single values may have another fate than the table says: an image that
gets no updates any more is replaced, for example.
`

// Reference returns the whole text of docs/reference/docker-machine.md.
func Reference() []byte {
	var b bytes.Buffer
	b.WriteString(referenceHead)
	section := Origin("")
	for _, o := range Options() {
		if o.Origin != section && !(section != Runner && section != "" && o.Origin != Machine && o.Origin != Classic) {
			writeSection(&b, o.Origin)
		}
		section = o.Origin
		name := code(o.Name)
		if o.Origin == Rancher {
			name += " (Rancher)"
		}
		fate := escape(o.Fate)
		if o.Origin == Runner {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name, o.Verdict, fate)
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", name, code(o.Env), code(o.Default), o.Verdict, fate)
	}
	return b.Bytes()
}

func writeSection(b *bytes.Buffer, o Origin) {
	switch o {
	case Runner:
		b.WriteString("\n## Settings in config.toml\n\nThose with `autoscaling.` before their name are in `[[runners.machine.autoscaling]]`.\n\n" +
			"| setting | fate | what becomes of it |\n|---|---|---|\n")
		return
	case Azure:
		b.WriteString("\n## Options of the azure driver\n\n`(Rancher)`: only Rancher's fork has it. GitLab's fork has those of Docker.\n\n")
	case Classic:
		b.WriteString("\n## Options of the azure driver before docker-machine 0.7\n\n")
	case Machine:
		b.WriteString("\n## Options of docker-machine itself\n\n")
	}
	b.WriteString("| option | variable | default | fate | what becomes of it |\n|---|---|---|---|---|\n")
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "[", `\[`, "]", `\]`, "_", `\_`, "*", `\*`).Replace(s)
}
