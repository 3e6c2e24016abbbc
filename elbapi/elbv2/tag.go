package elbv2

import (
	"maps"
	"slices"
	"strings"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// maxTags is how many tags a resource can have (AWS guide, quotas).
const maxTags = 50

// Tag is a tag.
type Tag struct {
	Key   string `query:"required,min=1,max=128" pattern:"([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)"`
	Value string `answer:"always" query:"max=256" pattern:"([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)"`
}

// newTags returns the tags of a new resource, nil if it has none.
func newTags(l []Tag) (map[string]string, error) { return addTags(nil, l) }

// addTags returns tags with others added, which take the place of those with the same keys.
func addTags(have map[string]string, l []Tag) (map[string]string, error) {
	out := maps.Clone(have)
	seen := make(map[string]bool)
	for _, t := range l {
		if seen[t.Key] {
			return nil, query.Fail("DuplicateTagKeys", "Tag key '%s' was specified more than once", t.Key)
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, query.Invalid("aws: prefixed tag key names are not allowed for external use")
		}
		if out == nil {
			out = make(map[string]string)
		}
		seen[t.Key], out[t.Key] = true, t.Value
	}
	if len(out) > maxTags {
		return nil, query.Fail("TooManyTags", "The maximum number of tags has been reached: %d", maxTags)
	}
	return out, nil
}

// tagged returns where the tags of a resource are.
func tagged(r *store.Region, arn string) (*map[string]string, error) {
	resource := arn[strings.LastIndexByte(arn, ':')+1:]
	switch kind, _, _ := strings.Cut(resource, "/"); kind {
	case "loadbalancer":
		l, err := find(r, arn)
		if err != nil {
			return nil, err
		}
		return &l.Tags, nil
	case "listener":
		_, x, err := findListener(r, arn)
		if err != nil {
			return nil, err
		}
		return &x.Tags, nil
	case "targetgroup":
		g, err := findGroup(r, arn)
		if err != nil {
			return nil, err
		}
		return &g.Tags, nil
	case "truststore":
		if t := r.TrustStore(arn); t != nil {
			return &t.Tags, nil
		}
		return nil, query.Fail("TrustStoreNotFound", "Trust store '%s' not found", arn)
	case "listener-rule":
		_, x := findRule(r, arn)
		if x == nil {
			return nil, query.Fail("RuleNotFound", "One or more rules not found")
		}
		return nil, query.Fail("OperationNotPermitted", "Default rule '%s' cannot have tags", arn)
	}
	return nil, query.Invalid("'%s' is not a valid ARN of a load balancer, listener, rule, target group or trust store", arn)
}

type addTagsInput struct {
	ResourceArns []string `query:"required"`
	Tags         []Tag    `query:"required,min=1"`
}

func addTagsTo(c *elbapi.Call, in *addTagsInput) (*nothing, error) {
	return changeTags(c, in.ResourceArns, func(have map[string]string) (map[string]string, error) { return addTags(have, in.Tags) })
}

type removeTagsInput struct {
	ResourceArns []string `query:"required"`
	TagKeys      []string `query:"required"`
}

func removeTags(c *elbapi.Call, in *removeTagsInput) (*nothing, error) {
	return changeTags(c, in.ResourceArns, func(have map[string]string) (map[string]string, error) {
		out := maps.Clone(have)
		for _, key := range in.TagKeys {
			delete(out, key)
		}
		return out, nil
	})
}

// changeTags changes the tags of all the resources, or of none.
func changeTags(c *elbapi.Call, arns []string, change func(map[string]string) (map[string]string, error)) (*nothing, error) {
	return elbapi.Update(c, func(r *store.Region) (*nothing, error) {
		places := make([]*map[string]string, len(arns))
		changed := make([]map[string]string, len(arns))
		for i, arn := range arns {
			p, err := tagged(r, arn)
			if err != nil {
				return nil, err
			}
			if changed[i], err = change(*p); err != nil {
				return nil, err
			}
			places[i] = p
		}
		for i, p := range places {
			*p = changed[i]
		}
		return &nothing{}, nil
	})
}

type describeTagsInput struct {
	ResourceArns []string `query:"required"`
}

// TagDescription is the tags of a resource, sorted by key.
type TagDescription struct {
	ResourceArn string
	Tags        []Tag
}

type describeTagsOutput struct{ TagDescriptions []TagDescription }

func describeTags(c *elbapi.Call, in *describeTagsInput) (*describeTagsOutput, error) {
	if n := len(in.ResourceArns); n > 20 {
		return nil, query.Invalid("Up to 20 resources can be described at a time, but %d were specified", n)
	}
	return elbapi.View(c, func(r *store.Region) (*describeTagsOutput, error) {
		out := &describeTagsOutput{TagDescriptions: []TagDescription{}}
		for _, arn := range in.ResourceArns {
			d := TagDescription{ResourceArn: arn, Tags: []Tag{}}
			if _, x := findRule(r, arn); x == nil { // the default rule, which has none
				tags, err := tagged(r, arn)
				if err != nil {
					return nil, err
				}
				for _, key := range slices.Sorted(maps.Keys(*tags)) {
					d.Tags = append(d.Tags, Tag{key, (*tags)[key]})
				}
			}
			out.TagDescriptions = append(out.TagDescriptions, d)
		}
		return out, nil
	})
}
