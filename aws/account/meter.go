package account

import (
	"context"
	"strings"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// Rates of the load balancing APIs, for each account, region and version of the API: a bucket of describeBurst requests that
// fills up by describeRate a second for what reads. Parley keeps within them by itself, so that it does not take the account's
// automation the rate away more than it must.
// Source: "Request throttling for the Elastic Load Balancing API", Elastic Load Balancing user guide.
const (
	describeBurst = 40
	describeRate  = 10
)

// burstLeft is so much of the bucket left unused that no request is refused for arriving early: the first ones wait for their
// connections, and later ones overtake them.
const burstLeft = 5

// DescribeTime is how long so many requests that read load balancers take in one region, at least.
func DescribeTime(n int) time.Duration {
	return time.Duration(max(0, n-(describeBurst-burstLeft))) * time.Second / describeRate
}

// Meter counts the requests of a session and holds back those that would exceed AWS's published rates.
type Meter struct {
	mu      sync.Mutex
	calls   map[string]int // by "service.Operation"
	buckets map[string]*rate.Limiter
}

func newMeter() *Meter { return &Meter{calls: map[string]int{}, buckets: map[string]*rate.Limiter{}} }

// Calls returns how many requests were sent, by "Service.Operation". Retries count.
func (m *Meter) Calls() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := make(map[string]int, len(m.calls))
	for k, n := range m.calls {
		c[k] = n
	}
	return c
}

// add puts the meter behind the retries and the look-up of credentials, so that each request that goes out passes it and no other.
func (m *Meter) add(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("ParleyMeter", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		middleware.FinalizeOutput, middleware.Metadata, error) {
		service, operation := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)
		if l := m.count(service, operation); l != nil {
			if err := l.Wait(ctx); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
		}
		return next.HandleFinalize(ctx, in)
	}), "Signing", middleware.Before)
}

// count notes a request and returns what holds it back, if anything.
func (m *Meter) count(service, operation string) *rate.Limiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[service+"."+operation]++
	if !strings.HasPrefix(service, "Elastic Load Balancing") || !strings.HasPrefix(operation, "Describe") {
		return nil
	}
	if m.buckets[service] == nil {
		m.buckets[service] = rate.NewLimiter(describeRate, describeBurst-burstLeft)
	}
	return m.buckets[service]
}
