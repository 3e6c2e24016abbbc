// Command goclient connects with the crypto/tls of the Go that runs it: goclient ADDR NAME.
package main

import (
	"crypto/tls"
	"os"
)

func main() {
	tls.Dial("tcp", os.Args[1], &tls.Config{ServerName: os.Args[2], InsecureSkipVerify: true})
}
