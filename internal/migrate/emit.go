package migrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// keyPath is a place for the key of Windows, for which the plugin has none of its own.
	keyPath = "/etc/gitlab-runner/id_ed25519"

	// readyCommand waits for cloud-init; 2 means that it is done, with warnings.
	readyCommand = "cloud-init status --wait || test $? -eq 2"

	noTenant = "# tenant_id = \"…\" # needed, here or as AZURE_TENANT_ID: az account show --query tenantId --output tsv"
)

// writer writes tables with the indentation of those that they replace.
type writer struct {
	b       strings.Builder
	indent  string
	prefix  string
	newline string
	table   string // further indentation of keys
}

func (w *writer) line(s string) {
	w.b.WriteString(w.indent + w.prefix + s + w.newline)
}

func (w *writer) header(s string) {
	w.line(w.table + s)
}

func (w *writer) key(key, v string) {
	w.line(w.table + "  " + key + " = " + v)
}

func (w *writer) text(key, v string) {
	if v != "" {
		w.key(key, quote(v))
	}
}

func (w *writer) blank() {
	w.b.WriteString(w.newline)
}

// quote writes a basic string of TOML.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		case r == utf8.RuneError:
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// tables returns the text that replaces [runners.machine].
func (r *runner) tables(indent, newline string, maxInstances int) string {
	w := &writer{indent: indent, newline: newline}
	w.header("[runners.autoscaler]")
	for _, c := range r.comments {
		w.line("  " + c)
	}
	w.text("plugin", "fleeting-plugin-azure")
	w.key("capacity_per_instance", "1")
	if r.maxUse > 0 {
		w.key("max_use_count", strconv.Itoa(r.maxUse))
	}
	w.key("max_instances", strconv.Itoa(maxInstances))
	if !r.windows() {
		w.line("  # The VM is up before cloud-init is done; 2 means \"done, with warnings\".")
		w.text("instance_ready_command", readyCommand)
	}
	w.table = "  "
	w.blank()
	w.header("[runners.autoscaler.plugin_config]")
	r.pluginConfig(w)
	w.blank()
	w.header("[runners.autoscaler.connector_config]")
	if r.windows() {
		w.line("    # The private half of the key that the image lets in.")
		w.text("key_path", keyPath)
	} else {
		w.line("    # Without key_path and password the plugin logs in with an SSH key of its own.")
	}
	w.key("use_external_addr", "false")
	w.blank()
	w.line("  # The last policy that matches applies. Without preemptive_mode = false jobs")
	w.line("  # wait several times as long; it needs GitLab Runner 18.1.")
	for i, p := range r.policies() {
		if i > 0 {
			w.blank()
		}
		p.write(w)
	}
	return w.b.String()
}

func (r *runner) pluginConfig(w *writer) {
	w.text("name", r.scaleSet)
	w.text("subscription_id", r.subscription)
	w.text("resource_group_name", r.group)
	w.text("cloud", r.cloud)
	w.text("credential", r.credential())
	if r.secret == "" {
		return
	}
	if r.tenant == "" {
		w.line("    " + noTenant)
	}
	w.text("tenant_id", r.tenant)
	w.text("client_id", r.client)
	w.text("client_secret_file", r.secretFile)
}

// credential is the plugin's counterpart of how docker-machine signed in.
func (r *runner) credential() string {
	if r.secret != "" {
		return "client_secret"
	}
	return "managed_identity"
}

// edit replaces a part of the text.
type edit struct {
	span
	text string
}

// edits returns what changes in the text for a runner.
func (d *document) edits(r *runner, newline string, maxInstances int) []edit {
	removed := d.machineSpans(r)
	r.comments = d.keptComments(r, removed)
	at, indent := d.insertion(r, removed)
	block := r.tables(indent, newline, maxInstances)
	if at > 0 && d.text[at-1] != '\n' {
		block = newline + block
	}
	all := []edit{{span{r.executor.value.start, r.executor.value.end}, quote("docker-autoscaler")}}
	placed := false
	for _, s := range removed {
		e := edit{span: s}
		if s.start == at && !placed {
			e.text, placed = block, true
		}
		all = append(all, e)
	}
	if !placed {
		all = append(all, edit{span{at, at}, block})
	}
	return all
}

// machineSpans returns the lines of [runners.machine]. Between two of its tables
// blank lines and comments belong to it, too.
func (d *document) machineSpans(r *runner) []span {
	var spans []span
	for _, e := range r.machine {
		s := span{d.lineStart(e.start), d.lineEnd(e.end)}
		if n := len(spans) - 1; n >= 0 && !d.entryBetween(spans[n].end, s.start) {
			spans[n].end = max(spans[n].end, s.end)
			continue
		}
		spans = append(spans, s)
	}
	return spans
}

func (d *document) entryBetween(start, end int) bool {
	for _, e := range d.entries {
		if e.start >= start && e.start < end {
			return true
		}
	}
	return false
}

// insertion returns where the new tables go, and their indentation: in place of the
// first old table, or, where the settings are dotted keys, after the runner's last line.
func (d *document) insertion(r *runner, removed []span) (int, string) {
	if r.machine[0].header {
		line := d.text[removed[0].start:r.machine[0].start]
		return removed[0].start, string(line[:len(line)-len(strings.TrimLeft(string(line), " \t"))])
	}
	last := 0
	for _, e := range d.entries {
		if e.runner == r.index {
			last = max(last, d.lineEnd(e.end))
		}
	}
	return last, "  "
}

// keptComments returns the comments within the tables that go, but those that may
// hold a secret.
func (d *document) keptComments(r *runner, removed []span) []string {
	var all []string
	for _, s := range removed {
		for _, c := range d.commentsIn(r, s) {
			text := strings.TrimSpace(strings.TrimRight(string(d.text[c.start:c.end]), "\r\n"))
			if r.mayHoldSecret(text) {
				r.note(Dropped, "(comment)", FromConfig, d.line(c.start), "a comment that may hold a secret was left out")
				continue
			}
			all = append(all, text)
		}
	}
	if len(all) > 0 {
		all = append([]string{"# Comments from [runners.machine]:"}, all...)
	}
	return all
}

// mayHoldSecret goes by words, by what secrets of Entra ID have in them, and by the
// secrets that are known.
func (r *runner) mayHoldSecret(comment string) bool {
	c := strings.ToLower(comment)
	for _, word := range []string{"secret", "password", "token", "~"} {
		if strings.Contains(c, word) {
			return true
		}
	}
	return slices.ContainsFunc(r.extra, func(s string) bool { return s != "" && strings.Contains(comment, s) })
}
