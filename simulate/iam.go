package simulate

import (
	"net/http"
	"strings"
)

var iamActions = map[string]func(*Cloud, *call) (tree, error){
	"ListServerCertificates": (*Cloud).listServerCertificates,
	"GetServerCertificate":   (*Cloud).getServerCertificate,
}

func (c *Cloud) listServerCertificates(k *call) (tree, error) {
	prefix := k.in.text("PathPrefix")
	var found []tree
	for _, cert := range k.who.account.certificates {
		about := cert.branch("ServerCertificateMetadata")
		if strings.HasPrefix(about.text("Path"), prefix) {
			found = append(found, about)
		}
	}
	size, bad := k.in.sizeOf("MaxItems", 1, 1000, 100)
	part, next, ok := page(found, k.in.text("Marker"), size)
	if bad || !ok {
		return nil, refuse("ValidationError", "Invalid Marker or MaxItems.")
	}
	out := tree{"ServerCertificateMetadataList": list(part), "IsTruncated": next != ""}
	if next != "" {
		out["Marker"] = next
	}
	return out, nil
}

func (c *Cloud) getServerCertificate(k *call) (tree, error) {
	name := k.in.text("ServerCertificateName")
	for _, cert := range k.who.account.certificates {
		if cert.branch("ServerCertificateMetadata").text("ServerCertificateName") == name {
			return tree{"ServerCertificate": cert}, nil
		}
	}
	f := refuse("NoSuchEntity", "The Server Certificate with name %s cannot be found.", name)
	f.status = http.StatusNotFound
	return nil, f
}
