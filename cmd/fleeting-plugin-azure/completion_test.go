package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for shell, part := range map[string]string{
		"bash": "__start_fleeting-plugin-azure", "zsh": "#compdef fleeting-plugin-azure",
		"fish": "complete -c fleeting-plugin-azure", "powershell": "Register-ArgumentCompleter",
	} {
		code, stdout, stderr := runForTest("completion", shell)
		assert.Equal(t, exitOK, code, shell)
		assert.Contains(t, stdout, part)
		assert.Empty(t, stderr, shell)
	}
}

// offered are what a shell chooses from at the end of a command line, without descriptions.
func offered(t *testing.T, line ...string) (all []string, directive string) {
	t.Helper()
	code, stdout, _ := runForTest(append([]string{cobra.ShellCompNoDescRequestCmd}, line...)...)
	require.Equal(t, exitOK, code, line)
	all = strings.Split(strings.TrimSpace(stdout), "\n")
	return all[:len(all)-1], all[len(all)-1]
}

func TestCompletedValues(t *testing.T) {
	t.Parallel()
	const noFile, files, extension = ":4", ":0", ":8"
	for _, c := range []struct {
		line      string
		want      []string
		directive string
	}{
		{"setup --mode ", []string{"Uniform", "Flexible"}, noFile},
		{"setup --executor ", []string{"docker-autoscaler", "instance"}, noFile},
		{"setup --cloud ", []string{"AzurePublic", "AzureChina", "AzureUSGovernment"}, noFile},
		{"teardown --credential ", []string{"default", "environment", "managed_identity", "workload_identity", "client_secret", "client_certificate", "azure_cli"}, noFile},
		{"doctor --output ", []string{"text", "json"}, noFile},
		{"migrate --output ", []string{"text", "json"}, noFile},
		{"setup --name ", []string{}, noFile},
		{"setup ", []string{}, noFile},
		{"setup --ssh-key ", []string{}, files},
		{"doctor --config ", []string{}, files},
		{"migrate --environment ", []string{}, files},
		{"migrate ", []string{"toml"}, extension},
		{"te", []string{"teardown"}, noFile},
	} {
		got, directive := offered(t, strings.Split(c.line, " ")...)
		assert.Equal(t, c.want, got, c.line)
		assert.Equal(t, c.directive, directive, c.line)
	}
}
