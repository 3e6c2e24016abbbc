package account

import (
	"testing"
	"time"
)

// TestMeter: what reads load balancers is held back beyond the rate, each version of the API by itself; all else is counted alone.
func TestMeter(t *testing.T) {
	m := newMeter()
	now := time.Now()
	passes := func(service, operation string) bool {
		l := m.count(service, operation)
		return l == nil || l.AllowN(now, 1)
	}
	n := 0
	for range 100 {
		if passes("Elastic Load Balancing v2", "DescribeListeners") {
			n++
		}
	}
	if n != describeBurst-burstLeft {
		t.Errorf("%d requests at once", n)
	}
	if !passes("Elastic Load Balancing", "DescribeLoadBalancers") || !passes("Elastic Load Balancing v2", "ModifyListener") || !passes("ACM", "ListCertificates") {
		t.Error("other requests are held back too")
	}
	now = now.Add(time.Second)
	for n = 0; passes("Elastic Load Balancing v2", "DescribeListeners"); n++ {
	}
	if n < describeRate-1 || n > describeRate {
		t.Errorf("%d requests after a second", n)
	}
	if DescribeTime(10) != 0 || DescribeTime(1035) != 100*time.Second {
		t.Errorf("10 requests take %v, 1035 take %v", DescribeTime(10), DescribeTime(1035))
	}
	if c := m.Calls(); c["ACM.ListCertificates"] != 1 || c["Elastic Load Balancing v2.DescribeListeners"] != 100+n+1 {
		t.Errorf("counted %v", c)
	}
}
