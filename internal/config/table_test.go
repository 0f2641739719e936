package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTableAndStructAgree pairs the options with the fields one to one: each
// accessor must reach the field that carries the option's key.
func TestTableAndStructAgree(t *testing.T) {
	t.Parallel()
	assertPaired(t, table, func(c *Config) reflect.Value { return reflect.ValueOf(c).Elem() })
	assertPaired(t, cloudKeys, func(c *Config) reflect.Value { return reflect.ValueOf(&c.Cloud).Elem() })
}

func assertPaired(t *testing.T, options []Option, of func(*Config) reflect.Value) {
	t.Helper()
	var c Config
	var keys, tags []string
	for _, o := range options {
		keys = append(keys, o.Key)
	}
	structType := of(&c).Type()
	for i := range structType.NumField() {
		tag, _, _ := strings.Cut(structType.Field(i).Tag.Get("json"), ",")
		if tag == "-" {
			continue
		}
		tags = append(tags, tag)
		field := of(&c).Field(i)
		if field.Kind() == reflect.Struct {
			field = field.FieldByName("Name")
		}
		require.Less(t, len(tags)-1, len(options), tag)
		at := field.Addr().Convert(reflect.TypeFor[*string]()).Interface() // a Duration, too
		assert.Same(t, at, options[len(tags)-1].at(&c), tag)
	}
	assert.Equal(t, tags, keys)
}

func TestTableIsSound(t *testing.T) {
	t.Parallel()
	spoken := map[string]string{}
	for _, o := range append(Options(), cloudKeys...) {
		assert.NotEmpty(t, o.Doc, o.Key)
		assert.NotEmpty(t, o.Rule, o.Key)
		assert.NotEmpty(t, o.Type, o.Key)
		assert.True(t, (o.check == nil) == (len(o.Choices) > 0), "%s needs either choices or a check", o.Key)
		for _, v := range []string{o.Example, o.Default} {
			if v == "" || o.hidden && o.check(v) != "" { // the example's path is not absolute on every system
				continue
			}
			_, complaint := o.validate(v)
			assert.Empty(t, complaint, o.Key)
		}
		for _, word := range append([]string{o.Key}, o.aliases...) {
			if o.Group != "" {
				assert.Empty(t, spoken[normalize(word)], "%q means two keys", word)
				spoken[normalize(word)] = o.Key
			}
		}
		for _, credential := range append(append(append([]string{}, o.NeededBy...), o.OnlyFor...), o.EnvFor...) {
			assert.Equal(t, credential, nearestChoice(credential, credentialChoices))
		}
		for _, choice := range o.Choices {
			assert.NotEmpty(t, choice.Doc, choice.Value)
		}
	}
}

func TestOptionsAreACopy(t *testing.T) {
	t.Parallel()
	o := Options()
	n := slices.IndexFunc(o, func(o Option) bool { return o.Key == "cloud" })
	o[n].Choices[0].Value, o[n].Keys[0].Key, o[0].Key = "x", "y", "z"
	assert.NotEqual(t, "x", table[n].Choices[0].Value)
	assert.NotEqual(t, "y", table[n].Keys[0].Key)
	assert.NotEqual(t, "z", table[0].Key)
}
