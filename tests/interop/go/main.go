// verify PURPOSE HOST ROOT CHAIN KEY: the verdict of Go's crypto/x509.
package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"runtime"
)

var purposes = map[string]x509.ExtKeyUsage{
	"server": x509.ExtKeyUsageServerAuth,
	"client": x509.ExtKeyUsageClientAuth,
}

// The exit status of what is neither accepted (0) nor refused (1).
func broken(why ...any) {
	fmt.Println(why...)
	os.Exit(2)
}

func refused(why error) {
	fmt.Println(why)
	os.Exit(1)
}

func read(file string) []byte {
	text, err := os.ReadFile(file)
	if err != nil {
		broken(err)
	}
	return bytes.TrimSpace(text)
}

// What does not parse is refused: that is how crypto/tls answers.
func certificates(file string) []*x509.Certificate {
	var all []*x509.Certificate
	for rest := read(file); len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			broken(file, "is no PEM")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			refused(err)
		}
		all = append(all, cert)
	}
	return all
}

func main() {
	if len(os.Args) == 1 {
		fmt.Println(runtime.Version())
		return
	}
	if len(os.Args) != 6 {
		broken("want PURPOSE HOST ROOT CHAIN KEY")
	}
	purpose, known := purposes[os.Args[1]]
	if !known {
		broken("no such purpose", os.Args[1])
	}
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{purpose},
	}
	if os.Args[2] != "-" {
		options.DNSName = os.Args[2]
	}
	if !options.Roots.AppendCertsFromPEM(read(os.Args[3])) {
		broken(os.Args[3], "holds no certificate")
	}
	chain := certificates(os.Args[4])
	for _, cert := range chain[1:] {
		options.Intermediates.AddCert(cert)
	}
	if _, err := chain[0].Verify(options); err != nil {
		refused(err)
	}
}
