package template

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExpressions(t *testing.T) {
	t.Parallel()
	scope := Scope{"resourcegroup": func([]any) (any, error) {
		return map[string]any{"location": "westeurope", "tags": []any{"a", "b"}}, nil
	}}
	for expression, want := range map[string]any{
		"plain": "plain", "": "", "[": "[", "[]x": "[]x", "[[not]": "[not]", "[[not": "[[not",
		"[concat('a', 'b')]":                                "ab",
		"[ concat ( 'it''s' , 1 , true() ) ]":               "it's1True",
		"[concat(createArray(1), createArray('x'))]":        []any{1.0, "x"},
		"[resourceGroup().location]":                        "westeurope",
		"[ResourceGroup().LOCATION]":                        "westeurope",
		"[resourceGroup().tags[1]]":                         "b",
		"[resourceGroup()['location']]":                     "westeurope",
		"[toLower('AB')]":                                   "ab",
		"[format('{0}-{1:D3}{{}}', 'a', 7)]":                "a-007{}",
		"[if(true(), 'yes', resourceGroup().none)]":         "yes",
		"[if(equals(1, 2), 'yes', 'no')]":                   "no",
		"[substring('abcdef', 1, 3)]":                       "bcd",
		"[take(uniqueString('test'), 5)]":                   "rbgf3",
		"[last(split('a/b;c', createArray('/', ';')))]":     "c",
		"[length('abc')]":                                   3.0,
		"[add(mul(2, 3), -1)]":                              5.0,
		"[div(7, 2)]":                                       3.0,
		"[string(createObject('a', 1))]":                    `{"a":1}`,
		"[contains(createArray('a'), 'a')]":                 true,
		"[contains('abc', 'b')]":                            true,
		"[contains(createObject('a', 1), 'A')]":             true,
		"[empty(createArray())]":                            true,
		"[and(true(), not(false()), or(false(), true()))]":  true,
		"[union(createArray(1), createArray(1, 2))]":        []any{1.0, 2.0},
		"[skip(range(3, 3), 1)]":                            []any{4.0, 5.0},
		"[max(1, 3, 2)]":                                    3.0,
		"[base64ToString(base64('x'))]":                     "x",
		"[json('{\"a\": [1]}').a[0]]":                       1.0,
		"[coalesce(null(), 'x')]":                           "x",
		"[padLeft(5, 3, '0')]":                              "005",
		"[replace('a-b', '-', '')]":                         "ab",
		"[join(createArray('a', 1), ',')]":                  "a,1",
		"[startsWith('Abc', 'ab')]":                         true,
		"[greaterOrEquals(2, 2)]":                           true,
		"[int('42')]":                                       42.0,
		"[bool('true')]":                                    true,
		"[intersection(createArray(1, 2), createArray(2))]": []any{2.0},
		"[indexOf('abc', 'C')]":                             2.0,
	} {
		got, err := scope.Value(expression)
		require.NoError(t, err, expression)
		assert.Equal(t, want, got, expression)
	}
}

func TestExpressionsThatAreWrong(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"[listKeys('x', '2019')]":        "The template function 'listKeys' is not valid",
		"[concat('a'":                    "", // no expression at all
		"[concat('a']":                   "unexpected end",
		"[concat('a)]":                   "unexpected end",
		"[concat('a') 'b']":              "unexpected character",
		"[concat('a',)]":                 "unexpected character at position '11'",
		"[concat]":                       "unexpected end",
		"['literal']":                    "found a literal",
		"[]":                             "unexpected end",
		"[concat()]":                     "takes 1 or more",
		"[concat('a', createArray())]":   "all strings or all arrays",
		"[createArray(1)[1]]":            "out of bounds",
		"[createArray(1)['x']]":          "out of bounds",
		"[createObject('a', 1).b]":       "available properties are 'a'",
		"[concat('a').b]":                "neither an object nor an array",
		"[if('a', 1, 2)]":                "must be a boolean",
		"[substring('abc', 2, 5)]":       "the length of the string parameter: '3'",
		"[div(1, 0)]":                    "Division by zero",
		"[format('{1}', 'a')]":           "no argument",
		"[format('{0:N2}', 1)]":          "does not simulate the format",
		"[add(1, 99999999999999999999)]": "is no number",
		"[concat(" + strings.Repeat("concat(", 300) + "'a'" + strings.Repeat(")", 301) + "]": "nested deeper",
		"[concat('" + strings.Repeat("a", maxLength) + "')]":                                 "longer than",
	} {
		_, err := Scope{}.Value(expression)
		if want == "" {
			assert.NoError(t, err, expression)
			continue
		}
		require.ErrorContains(t, err, want, expression)
		var typed *Error
		require.ErrorAs(t, err, &typed, expression)
	}
}

// TestUniqueString has Bicep's values; those of guid are UUIDs of version 5.
func TestUniqueString(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "rbgf3xv4ufgzg", uniqueString([]string{"test"}))
	assert.Equal(t, "a7wkljktk6wne", uniqueString([]string{"hello", "world"}))
	assert.Equal(t, "cgtzqvhu4i23s", uniqueString([]string{"abc"}))
	assert.Equal(t, "bmg7c6xu4tw46", uniqueString([]string{"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-rg"}))
	assert.Equal(t, "xzi4ioaxtmth4", uniqueString([]string{"foo", "bar", "baz"}))
	assert.Equal(t, byte('5'), guid([]string{"a"})[14])
	assert.Equal(t, guid([]string{"a-b"}), guid([]string{"a", "b"}))
}

// FuzzValue finds that no text makes the evaluation panic, and that what is no
// expression stays.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{"[concat('a', 'b')]", "[[x]", "[if(true(), 1, 2).a[0]]", "[format('{0}', 1)]", "[uniqueString('abcdefg')]", "[json('[1]')[0]]", "[substring('a', -1, 2)]", "[range(0, 3)]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Scope{}.Value(text)
		if !isExpression(text) && !strings.HasPrefix(text, "[[") {
			assert.NoError(t, err)
			assert.Equal(t, text, v)
		}
	})
}
