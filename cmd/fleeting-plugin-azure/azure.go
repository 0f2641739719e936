package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

// azureFlags say as whom, and at which cloud. They are plugin_config's.
type azureFlags struct {
	subscription, group, name         string
	credential, tenant, client        string
	secretFile, cloud                 string
	endpoint, audience, authorityHost string
}

func (a *azureFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.subscription, "subscription", os.Getenv("AZURE_SUBSCRIPTION_ID"), "subscription ID; default: AZURE_SUBSCRIPTION_ID of the environment")
	f.StringVar(&a.group, "resource-group", "", "resource group; default: the name")
	f.StringVar(&a.name, "name", "", "name of the scale set")
	f.StringVar(&a.credential, "credential", "", "how to sign in, as plugin_config's credential")
	f.StringVar(&a.tenant, "tenant", "", "tenant ID, as plugin_config's tenant_id")
	f.StringVar(&a.client, "client-id", "", "client ID, as plugin_config's client_id")
	f.StringVar(&a.secretFile, "client-secret-file", "", "file with the client secret")
	f.StringVar(&a.cloud, "cloud", "", "AzurePublic, AzureUSGovernment or AzureChina")
	f.StringVar(&a.endpoint, "cloud-endpoint", "", "Resource Manager's address of another cloud")
	f.StringVar(&a.audience, "cloud-audience", "", "Resource Manager's audience of another cloud")
	f.StringVar(&a.authorityHost, "cloud-authority", "", "sign-in address of another cloud")
}

// config checks the flags as plugin_config is checked.
func (a *azureFlags) config() (config.Config, error) {
	raw := map[string]any{"name": a.name, "subscription_id": a.subscription, "resource_group_name": cmp.Or(a.group, a.name)}
	for key, value := range map[string]string{"credential": a.credential, "tenant_id": a.tenant, "client_id": a.client, "client_secret_file": a.secretFile, "cloud": a.cloud} {
		if value != "" {
			raw[key] = value
		}
	}
	if a.endpoint != "" {
		raw["cloud"] = map[string]string{"resource_manager_endpoint": a.endpoint, "resource_manager_audience": a.audience, "authority_host": a.authorityHost}
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return config.Config{}, err
	}
	cfg, err := config.Parse(text, os.Getenv)
	return cfg, a.inFlags(err)
}

// inFlags words problems of plugin_config as problems of flags.
func (a *azureFlags) inFlags(err error) error {
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		return err
	}
	var all []string
	for _, problem := range problems {
		key, rest, _ := strings.Cut(problem, " ")
		if key == "resource_group_name" && a.group == "" {
			continue // it is the name, which is another problem
		}
		if flag := flagOf[key]; flag != "" {
			problem = "--" + flag + " " + rest
		}
		all = append(all, problem)
	}
	return errors.New(strings.Join(all, "; "))
}

// flagOf are the flags for keys of plugin_config.
var flagOf = map[string]string{
	"name": "name", "subscription_id": "subscription", "resource_group_name": "resource-group", "credential": "credential",
	"tenant_id": "tenant", "client_id": "client-id", "client_secret_file": "client-secret-file", "cloud": "cloud",
}

func resources(cfg config.Config) (*armapi.Resources, error) {
	return armapi.NewResources(cfg, armapi.Options{})
}

func terminalOf(c *cobra.Command) terminal.Terminal {
	return terminal.New(c.OutOrStdout(), c.ErrOrStderr(), os.Getenv)
}

// outputFlag is --output; the error is one of usage.
type outputFlag struct{ format string }

func (o *outputFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&o.format, "output", "text", "text or json")
	c.PreRunE = func(*cobra.Command, []string) error {
		if o.format != "text" && o.format != "json" {
			return fmt.Errorf("--output is text or json, not %q", o.format)
		}
		return nil
	}
}

func (o *outputFlag) json() bool { return o.format == "json" }

// writeJSON shows a value to machines.
func writeJSON(c *cobra.Command, value any) error {
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
