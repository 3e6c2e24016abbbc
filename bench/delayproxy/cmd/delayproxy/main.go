// Command delayproxy relays TCP and adds a round trip, that of the TCP handshake included:
//
//	delayproxy LISTEN UPSTREAM RTT
//	delayproxy 127.0.0.1:9443 127.0.0.1:8443 50ms
//
// On SIGINT or SIGTERM it prints what it carried: "connections 3 refused 0 up 1551 down 8211 most 2".
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/parley-tls/parley/bench/delayproxy"
)

func main() {
	if len(os.Args) != 4 {
		fail("usage: delayproxy LISTEN UPSTREAM RTT, as in: delayproxy 127.0.0.1:9443 127.0.0.1:8443 50ms")
	}
	rtt, err := time.ParseDuration(os.Args[3])
	if err != nil {
		fail(fmt.Sprintf("delayproxy: round-trip time %q: want a duration such as 50ms", os.Args[3]))
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	p, err := delayproxy.Listen(os.Args[1], os.Args[2], rtt)
	if err != nil {
		fail("delayproxy: " + err.Error())
	}
	<-stop
	p.Stop()
	fmt.Println(p.Counters())
}

func fail(line string) {
	fmt.Fprintln(os.Stderr, line)
	os.Exit(2)
}
