package metric

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"golang.org/x/time/rate"

	"github.com/parley-tls/parley/aws/account"
)

// calls are the API calls that change what handshakes with a listener depend on. Changes of Classic listeners are asked for too, though
// they have no metric: what is known of them is of use beside an access log.
var calls = []string{"ModifyListener", "CreateListener", "SetLoadBalancerPoliciesOfListener"}

// trailPages bounds what is looked through for each call: 50 events a page, two requests a second.
// Source: LookupEvents, AWS CloudTrail API reference.
const (
	trailPages = 40
	trailRate  = 2
)

// Trail looks up in CloudTrail who changed listeners in a time. With an error there may be changes that were found before it.
func Trail(ctx context.Context, s *account.Session, from, to time.Time) ([]Change, error) {
	client, pace := s.CloudTrail(), rate.NewLimiter(trailRate, trailRate)
	var l []Change
	for _, call := range calls {
		in := &cloudtrail.LookupEventsInput{StartTime: &from, EndTime: &to, LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String(call)}}}
		for page := 0; ; page++ {
			if page == trailPages {
				return l, fmt.Errorf("%s: more than %d events in that time; the oldest are not known", call, trailPages*50)
			}
			if err := pace.Wait(ctx); err != nil {
				return l, err
			}
			out, err := client.LookupEvents(ctx, in)
			if err != nil {
				return l, err
			}
			for _, e := range out.Events {
				if c, err := ParseEvent(aws.ToString(e.CloudTrailEvent)); err == nil && c != nil {
					l = append(l, *c)
				}
			}
			if aws.ToString(out.NextToken) == "" {
				break
			}
			in.NextToken = out.NextToken
		}
	}
	return l, nil
}
