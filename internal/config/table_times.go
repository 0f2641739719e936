package config

var timeOptions = []Option{
	{
		Group: groupTimes, Key: "creation_limit", Type: "duration", Default: "25m",
		Rule:    "a duration from 1m to 24h such as 45m or 1h30m",
		Example: "45m",
		Doc: "How long Azure may take to create an instance. One that takes longer is removed. " +
			"Windows images and extensions need more: Azure itself waits up to 40 minutes for them.",
		aliases: []string{"creation_timeout", "create_timeout", "provisioning_timeout"},
		at:      func(c *Config) *string { return (*string)(&c.CreationLimit) },
		check:   checkCreationLimit,
	},
	{
		Group: groupTimes, Key: "failed_grace", Type: "duration", Default: "2m",
		Rule:    "a duration from 0s to 24h such as 2m",
		Example: "10m",
		Doc: "How long an instance may be in provisioning state Failed with its power on before it is removed. " +
			"An extension that fails and is tried again needs some.",
		aliases: []string{"failure_grace", "failed_timeout", "grace"},
		at:      func(c *Config) *string { return (*string)(&c.FailedGrace) },
		check:   checkFailedGrace,
	},
}
