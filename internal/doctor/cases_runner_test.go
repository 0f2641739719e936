package doctor

import "strings"

// In sound, plugin_config begins at line 9, its credential is at 13, connector_config at
// 14, and the policies are at 16 and 19.
const credentialLine = `      credential = "managed_identity"` + "\n"

// extra adds a line to plugin_config, which is the 14th then, and takes it away again.
func extra(line, text, fix string) runnerCase {
	return runnerCase{
		broken: []string{credentialLine, credentialLine + "      " + line + "\n"}, fixed: []string{"      " + line + "\n", ""},
		check: "options", level: Fault, line: 14, text: text, fix: fix,
	}
}

// wrong replaces a text of plugin_config; the fix is the right one again.
func wrong(right, broken string, line int, text, fix string) runnerCase {
	return runnerCase{broken: []string{right, broken}, fixed: []string{broken, right}, check: "options", level: Fault, line: line, text: text, fix: fix}
}

// without takes a line out of plugin_config; the fix puts it at the beginning.
func without(line, text string) runnerCase {
	const table = "[runners.autoscaler.plugin_config]\n"
	return wrong(line+"\n", "", 9, text, "").fixedBy(table, table+line+"\n")
}

func (c runnerCase) fixedBy(pairs ...string) runnerCase {
	c.fixed = pairs
	return c
}

func optionCases() map[string]runnerCase {
	const subscription, byID = "00000000-0000-4000-8000-0000000000aa", `      name = "/subscriptions/00000000-0000-4000-8000-0000000000ab/resourceGroups/ci/providers/Microsoft.Compute/virtualMachineScaleSets/ci"`
	long := strings.Repeat("n", 65)
	secret := "      credential = \"client_secret\"\n tenant_id = \"" + subscription + "\"\n client_id = \"" + subscription + "\"\n"
	return map[string]runnerCase{
		"unknown option":           extra(`vmss = "x"`, `unknown key "vmss"`, `did you mean "name"?`),
		"misspelt option":          extra(`resource_group = "ci"`, `unknown key "resource_group"`, `did you mean "resource_group_name"?`),
		"nothing like it":          extra(`max_size = 3`, `unknown key "max_size"`, "use name, scale_sets, subscription_id"),
		"flag of docker-machine":   extra(`azure-location = "westeurope"`, `"azure-location" is a flag of docker-machine`, "az vmss create --location"),
		"SSH user":                 extra(`azure-ssh-user = "ubuntu"`, "is a flag of docker-machine", "username in [runners.autoscaler.connector_config]"),
		"option of the autoscaler": extra(`max_instances = 10`, `"max_instances" belongs to [runners.autoscaler]`, "move it there"),
		"option of the connector":  extra(`key_path = "/x"`, "belongs to [runners.autoscaler.connector_config]", "move it there"),
		"option of a policy":       extra(`idle_count = 2`, "belongs to [[runners.autoscaler.policy]]", "move it there"),
		"option of the runner":     extra(`executor = "instance"`, "belongs to [[runners]]", "move it there"),
		"secret":                   extra(`client_secret = "hunter2"`, "is a secret and must not be in config.toml", "client_secret_file"),
		"secret of docker-machine": extra(`azure-client-secret = "hunter2"`, "is a secret and must not be in config.toml", "AZURE_CLIENT_SECRET"),
		"cloud":                    extra(`cloud = "AzureGermany"`, `"AzureGermany"`, "AzureChina"),
		"duration":                 extra(`creation_limit = "25"`, "creation_limit", ""),
		"type":                     extra(`use_resource_graph = "yes"`, "use_resource_graph", ""),
		"api-version":              extra(`api_version = "latest"`, "api_version", ""),
		"bad subscription":         wrong(subscription, "team", 11, "subscription_id", ""),
		"bad group":                wrong(`resource_group_name = "ci"`, `resource_group_name = "c/i"`, 12, "resource_group_name", ""),
		"long name":                wrong(`      name = "ci"`, `      name = "`+long+`"`, 10, "name", "1 to 64 characters"),
		"ID of another":            wrong(`      name = "ci"`, byID, 11, "differs from", "make them agree"),
		"no name":                  without(`      name = "ci"`, "name is missing"),
		"no subscription":          without(`      subscription_id = "`+subscription+`"`, "subscription_id is missing"),
		"no group":                 without(`      resource_group_name = "ci"`, "resource_group_name is missing"),
		"bad credential":           wrong(`"managed_identity"`, `"managed"`, 13, "credential", ""),
		"no secret":                wrong(credentialLine, secret, 13, "client_secret_file is missing", "AZURE_CLIENT_SECRET").fixedBy(secret, secret+` client_secret_file = "KEY"`+"\n"),
		"other executor": {
			broken: []string{"docker-autoscaler", "docker"}, fixed: []string{`executor = "docker"`, `executor = "instance"`},
			check: "executor", level: Fault, line: 4, text: `executor "docker"`, fix: "docker-autoscaler",
		},
	}
}

func limitCases() map[string]runnerCase {
	limits := func(broken, fixed []string, level Level, line int, text, fix string) runnerCase {
		return runnerCase{broken: broken, fixed: fixed, check: "limits", level: level, line: line, text: text, fix: fix}
	}
	many := []string{"  request_concurrency = 4\n", "", "max_instances = 10", "max_instances = 30", "concurrent = 10", "concurrent = 30"}
	return map[string]runnerCase{
		"concurrent":    limits([]string{"concurrent = 10", "concurrent = 2"}, []string{"concurrent = 2", "concurrent = 10"}, Warning, 1, "of 10 jobs", "concurrent = 10"),
		"no concurrent": limits([]string{"concurrent = 10\n", ""}, []string{"[[runners]]", "concurrent = 10\n[[runners]]"}, Warning, 0, "concurrent = 1:", "concurrent = 10"),
		"limit":         limits([]string{"  request", "  limit = 3\n  request"}, []string{"limit = 3", "limit = 10"}, Warning, 5, "limit = 3", "limit = 10"),
		"one request":   limits(many, []string{`  executor`, "  request_concurrency = 4\n  executor"}, Warning, 2, "request_concurrency is 1", "request_concurrency = 4"),
		"no maximum":    limits([]string{"    max_instances = 10\n", ""}, []string{"    [runners.autoscaler.plugin_config]", "    max_instances = 10\n    [runners.autoscaler.plugin_config]"}, Warning, 6, "max_instances is not set", "max_instances = 10"),
		"negative":      limits([]string{"max_instances = 10", "max_instances = 10\n max_use_count = -1"}, []string{" max_use_count = -1\n", ""}, Fault, 6, "negative", "leave out"),
		"jobs at once": limits([]string{"max_instances = 10", "max_instances = 10\n    capacity_per_instance = 2"}, []string{"concurrent = 10", "concurrent = 20", "request_concurrency = 4", "request_concurrency = 9"},
			Warning, 1, "of 20 jobs", "concurrent = 20"),
	}
}

func policyCases() map[string]runnerCase {
	policy := func(broken, fixed []string, level Level, line int, text, fix string) runnerCase {
		return runnerCase{broken: broken, fixed: fixed, check: "policies", level: level, line: line, text: text, fix: fix}
	}
	const periods = `"* 8-18 * * mon-fri"`
	period := func(broken, text string) runnerCase {
		return policy([]string{periods, broken}, []string{broken, periods}, Fault, 20, text, "minute, hour, day of month, month, day of week")
	}
	first := sound[strings.Index(sound, "    [[runners.autoscaler.policy]]"):]
	second := first[strings.LastIndex(first, "    [[runners.autoscaler.policy]]"):]
	return map[string]runnerCase{
		"catch-all last": policy([]string{`periods = [` + periods + `]`, `periods = ["* * * * *"]`}, []string{`periods = ["* * * * *"]`, `periods = [` + periods + `]`}, Fault, 19, "the 1 before it are never used", "in front"),
		"no catch-all": policy([]string{"      idle_count = 0", "      timezone = \"UTC\"\n      periods = [\"* 20 * * *\"]\n      idle_count = 0"}, []string{"      timezone = \"UTC\"\n      periods = [\"* 20 * * *\"]\n", ""},
			Warning, 16, "no policy holds at all times", "idle_time"),
		"idle time missing":  policy([]string{"idle_count = 0\n      idle_time = \"20m0s\"", "idle_count = 0"}, []string{"idle_count = 0", "idle_count = 0\n      idle_time = \"20m0s\""}, Warning, 16, "idle_time is not set", "20m0s"),
		"no idle time":       policy([]string{"idle_count = 0\n      idle_time = \"20m0s\"", "idle_count = 0\n      idle_time = \"0s\""}, []string{`"0s"`, `"20m0s"`}, Warning, 18, "idle_time is 0 s: ", "20m0s"),
		"idle time in nanos": policy([]string{"idle_count = 0\n      idle_time = \"20m0s\"", "idle_count = 0\n      idle_time = 1200"}, []string{"idle_time = 1200", `idle_time = "20m0s"`}, Fault, 18, "nanoseconds", `"20m0s"`),
		"preemptive":         policy([]string{"      preemptive_mode = false\n", ""}, []string{"idle_count = 2", "idle_count = 2\n      preemptive_mode = false"}, Warning, 19, "preemptive_mode is not set", "preemptive_mode = false"),
		"preemptive before":  policy([]string{"      preemptive_mode = false\n", ""}, []string{"idle_count = 2", "idle_count = 0"}, Warning, 19, "preemptive_mode is not set", "before, idle_count = 0"),
		"preemptive set":     policy([]string{"preemptive_mode = false", "preemptive_mode = true"}, []string{"preemptive_mode = true", "preemptive_mode = false"}, Warning, 24, "preemptive_mode is on", "preemptive_mode = false"),
		"scale factor":       policy([]string{"idle_count = 2", "idle_count = 2\n scale_factor = 0.5"}, []string{"scale_factor = 0.5", "scale_factor = 1.2"}, Warning, 23, "scale_factor 0.5", "1.2"),
		"too many idle":      policy([]string{"idle_count = 2", "idle_count = 20"}, []string{"idle_count = 20", "idle_count = 10"}, Warning, 22, "more than max_instances", "idle_count = 10"),
		"seven fields":       period(`"* * 8-18 * * mon-fri *"`, "docker+machine"),
		"four fields":        period(`"8-18 * * mon-fri"`, "has 4 fields"),
		"no cron":            period(`"* 25 * * mon-fri"`, "no cron expression"),
		"unknown zone":       policy([]string{"Europe/Berlin", "Europe/Bonn"}, []string{"Europe/Bonn", "Europe/Berlin"}, Fault, 21, `"Europe/Bonn"`, "tzdata"),
		"no zone":            policy([]string{"      timezone = \"Europe/Berlin\"\n", ""}, []string{"      idle_count = 2", "      timezone = \"Europe/Berlin\"\n      idle_count = 2"}, Warning, 20, "local time", "timezone"),
		"none":               policy([]string{first, ""}, []string{`    key_path = "KEY"` + "\n", `    key_path = "KEY"` + "\n    [[runners.autoscaler.policy]]\n  idle_count = 0\n  idle_time = \"20m0s\"\n  preemptive_mode = false\n"}, Warning, 6, "there is no policy", "[[runners.autoscaler.policy]]"),
		"one for some times": policy([]string{first, second}, []string{second, first}, Warning, 16, "no policy holds at all times", "put one without periods in front"),
	}
}

func loginCases() map[string]runnerCase {
	const key = "      key_path = \"KEY\"\n"
	return map[string]runnerCase{
		"own key":     {[]string{key, "", credentialLine, credentialLine + "      ssh_key_file = \"/\"\n"}, []string{`ssh_key_file = "/"`, `ssh_key_file = "KEY"`}, "login", Fault, 14, "is a directory", "name the file in it"},
		"key missing": {[]string{`"KEY"`, `"KEY.old"`}, []string{`"KEY.old"`, `"KEY"`}, "login", Fault, 15, "does not exist", "correct the path"},
		"directory":   {[]string{`"KEY"`, `"/"`}, []string{`"/"`, `"KEY"`}, "login", Fault, 15, "is a directory", "name the file in it"},
		"password":    {[]string{`key_path = "KEY"`, `password = "hunter2"`}, []string{`password = "hunter2"`, `key_path = "KEY"`}, "secrets", Warning, 15, "the password of all instances", "key_path"},
		"secret file": {
			[]string{credentialLine, "      credential = \"client_secret\"\n tenant_id = \"00000000-0000-4000-8000-0000000000bb\"\n client_id = \"00000000-0000-4000-8000-0000000000cc\"\n client_secret_file = \"/nowhere/secret\"\n"},
			[]string{"/nowhere/secret", "KEY"}, "secrets", Fault, 9, "does not exist", "copy the file there",
		},
	}
}
