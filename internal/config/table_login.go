package config

var loginOptions = []Option{
	{
		Group: groupLogin, Key: "ssh_key_file", Type: "string",
		Rule:    "the absolute path of a file that the runner's user can read and write, and nobody else can read",
		Example: "/etc/gitlab-runner/fleeting-plugin-azure/id_ci",
		Doc: "The private SSH key with which the plugin has the runner log in, where `connector_config` has neither `key_path` nor `password`. " +
			"The file, and its directory, are made if there are none; the public half is added to the scale set's model before the first instance is created, and new instances get it with that. " +
			"Left out, it is `fleeting-plugin-azure/id_<scale set>-<hash of its resource ID>` beside the runner's `config.toml`: in the directory of the one that the environment variable `CONFIG_FILE` names, " +
			"else in `/etc/gitlab-runner` for root, in `~/.gitlab-runner` for others, and on Windows in the runner's working directory. A `--config` on the runner's command line is not seen. " +
			"What the file held before and was moved to the same name with something after it, as `id_ci.old`, serves the instances that were made with it. See [the guide](../guides/ssh-keys.md).",
		hidden:  true,
		aliases: []string{"ssh_key_path", "ssh_private_key_file", "ssh_key"},
		at:      func(c *Config) *string { return &c.SSHKeyFile },
		check:   checkFile,
	},
	{
		Group: groupLogin, Key: "ssh_key_type", Type: "string", Default: "ed25519",
		Choices: []Choice{
			{Value: "ed25519", Doc: "Ed25519."},
			{Value: "rsa-3072", Doc: "RSA with 3072 bits, for images whose SSH server takes no Ed25519.", aliases: []string{"rsa", "rsa3072"}},
		},
		Rule:    "the type of a new key",
		Example: "ed25519",
		Doc:     "The type of the key that the plugin makes. A key that is there stays, whatever its type.",
		aliases: []string{"ssh_key_algorithm", "key_type"},
		at:      func(c *Config) *string { return &c.SSHKeyType },
	},
}
