// Package prices estimates what an hour of a virtual machine costs: from what the
// caller knows, from Azure's Retail Prices API, from a cache of it, or from a dated
// table. It is for hints to people; nothing of the plugin depends on it. It must not
// import any package of this module.
package prices
