package symptom

// The sides that print a text.
const (
	sideClient = "client"
	sideServer = "server"
)

// Class says where a connection ended: the first thing to tell apart.
type Class string

// The classes.
const (
	Local                 Class = "local"
	RefusedByLoadBalancer Class = "refused-by-load-balancer"
	RefusedByClient       Class = "refused-by-client"
	NotTLS                Class = "not-tls"
	NotNegotiation        Class = "not-negotiation"
	Undecided             Class = "unknown"
)

var classWords = map[Class]string{
	Local:                 "it failed locally, before any byte was sent",
	RefusedByLoadBalancer: "the load balancer or server ended it",
	RefusedByClient:       "the client ended it",
	NotTLS:                "one side did not speak TLS",
	NotNegotiation:        "it is not the negotiation that failed",
	Undecided:             "the text does not say where it failed",
}

func (c Class) known() bool { return classWords[c] != "" }

// Words says the class in plain English.
func (c Class) Words() string { return classWords[c] }
