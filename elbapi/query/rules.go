package query

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Rules are what the tags of a field demand of its parameter.
type Rules struct {
	Required bool
	Flat     bool
	Min, Max *int64
	Enum     []string

	pattern     *regexp.Regexp
	patternText string
}

var known sync.Map // of *Rules, by the tag

func cached(f reflect.StructField) *Rules {
	if r, ok := known.Load(f.Tag); ok {
		return r.(*Rules)
	}
	r, err := RulesOf(f.Tag)
	if err != nil {
		panic(fmt.Sprintf("query: field %s: %v", f.Name, err))
	}
	known.Store(f.Tag, r)
	return r
}

// RulesOf reads the rules out of a tag.
func RulesOf(tag reflect.StructTag) (*Rules, error) {
	r := &Rules{patternText: tag.Get("pattern")}
	var err error
	if r.patternText != "" {
		if r.pattern, err = regexp.Compile(`\A(?:` + r.patternText + `)\z`); err != nil {
			return nil, err
		}
	}
	text := tag.Get("query")
	if text == "" {
		return r, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		if err := r.add(word); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Rules) add(word string) error {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "required":
		r.Required = true
	case "flat":
		r.Flat = true
	case "min", "max":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return err
		}
		if key == "min" {
			r.Min = &n
		} else {
			r.Max = &n
		}
	case "enum":
		r.Enum = strings.Split(value, "|")
	default:
		return fmt.Errorf("no rule %q", word)
	}
	return nil
}
