package classic

import (
	"maps"
	"slices"

	"github.com/parley-tls/parley/elbapi"
	"github.com/parley-tls/parley/elbapi/query"
	"github.com/parley-tls/parley/elbapi/store"
)

// maxTags is how many a load balancer can have. Source: "Tag your Classic Load Balancer", Classic guide.
const maxTags = 50

// Tag is a tag.
type Tag struct {
	Key   string `query:"required,min=1,max=128" pattern:"([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)"`
	Value string `query:"max=256" pattern:"([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)"`
}

// TagKey is the key of a tag.
type TagKey struct {
	Key string `query:"min=1,max=128" pattern:"([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)"`
}

// tag puts tags on a load balancer, all or none.
func tag(l *store.LoadBalancer, tags []Tag) error {
	all := maps.Clone(l.Tags)
	if all == nil {
		all = map[string]string{}
	}
	seen := map[string]bool{}
	for _, t := range tags {
		if seen[t.Key] {
			return query.Fail("DuplicateTagKeys", "Tag keys must be unique: %s is given more than once", t.Key)
		}
		seen[t.Key], all[t.Key] = true, t.Value
	}
	if len(all) > maxTags {
		return query.Fail("TooManyTags", "The quota of %d tags of a load balancer has been reached", maxTags)
	}
	l.Tags = all
	return nil
}

type addTagsInput struct {
	LoadBalancerNames []string `query:"required,min=1"`
	Tags              []Tag    `query:"required,min=1"`
}

func addTags(c *elbapi.Call, in *addTagsInput) (*nothing, error) {
	return &nothing{}, c.Update(func(r *store.Region) error {
		for _, name := range in.LoadBalancerNames {
			l, err := find(r, name)
			if err == nil {
				err = tag(l, in.Tags)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type removeTagsInput struct {
	LoadBalancerNames []string `query:"required,min=1"`
	Tags              []TagKey `query:"required,min=1"`
}

func removeTags(c *elbapi.Call, in *removeTagsInput) (*nothing, error) {
	return &nothing{}, c.Update(func(r *store.Region) error {
		for _, name := range in.LoadBalancerNames {
			l, err := find(r, name)
			if err != nil {
				return err
			}
			for _, t := range in.Tags {
				delete(l.Tags, t.Key)
			}
		}
		return nil
	})
}

type describeTagsInput struct {
	LoadBalancerNames []string `query:"required,min=1,max=20"`
}

// TagDescription is the tags of a load balancer.
type TagDescription struct {
	LoadBalancerName string
	Tags             []Tag
}

type describeTagsOutput struct{ TagDescriptions []TagDescription }

func describeTags(c *elbapi.Call, in *describeTagsInput) (*describeTagsOutput, error) {
	out := &describeTagsOutput{TagDescriptions: []TagDescription{}}
	return out, c.View(func(r *store.Region) error {
		for _, name := range in.LoadBalancerNames {
			l, err := find(r, name)
			if err != nil {
				return err
			}
			d := TagDescription{name, []Tag{}}
			for _, key := range slices.Sorted(maps.Keys(l.Tags)) {
				d.Tags = append(d.Tags, Tag{key, l.Tags[key]})
			}
			out.TagDescriptions = append(out.TagDescriptions, d)
		}
		return nil
	})
}
