#!/usr/bin/env bats
# Names as text: what is ordered, what the ledger has, and what another program reads in the certificate are the same.

load common

setup_file() {
    prepare_home
}

setup() {
    use_home
    openssl ecparam -name prime256v1 -genkey -noout | openssl pkey -pubout >leaf.pub
    n=0
}

# The next order of a client certificate, for the one key.
order() {
    n=$((n + 1))
    rm -f out.crt
    p11ca --json -C home issue -a factory -p client --pubkey leaf.pub -o out.crt --uri "urn:example:$n" "$@"
}

# RFC 2253 is RFC 4514 but for new words for the old: OpenSSL has no option of the newer number.
subject_of() {
    openssl x509 -in out.crt -noout -subject -nameopt RFC2253,utf8,-esc_msb | sed 's/^subject=//'
}

@test "RFC 4514: the canonical text of OpenSSL and of p11ca, and a second time around" {
    local text want
    # order | canonical; empty: the same
    while IFS='|' read -r -u 7 text want; do
        during=$text
        want=${want:-$text}
        succeeds order --subject "$text"
        equal "$(jq -r .subject <<<"$output")" "$want"
        equal "$(subject_of)" "$want"
        equal "$(sql 'SELECT subject FROM certificate ORDER BY id DESC LIMIT 1')" "$want"
        # What was given out is taken in, and means the same octets.
        openssl x509 -in out.crt -noout -subject -nameopt sep_multiline,dump_all,dump_der,oid >before
        succeeds order --subject "$want"
        openssl x509 -in out.crt -noout -subject -nameopt sep_multiline,dump_all,dump_der,oid | diff before - || fail 'want the same octets'
    done 7<<'END'
CN=leaf,O=Acme,C=US
cn = leaf , o= Acme Inc. ,c=US|CN=leaf,O=Acme Inc.,C=US
CN=a\,b\+c\"d\\e\<f\>g\;h
CN=a\2cb\2Bc|CN=a\,b\+c
CN=a=b\=c|CN=a=b=c
CN=\ a b\ |CN=\ a b\ 
CN=\20a\20|CN=\ a\ 
CN=\#1#2
CN=#0c03c3bc41|CN=üA
2.5.4.3=leaf,2.5.4.10=Acme|CN=leaf,O=Acme
CN=M\c3\bcller|CN=Müller
CN=Ελένη,O=株式会社,C=JP
CN=😀
CN=leaf,serialNumber=SN-1,OU=b,OU=a,DC=pki,DC=example
emailAddress=a@b.example,CN=leaf
CN=leaf,UID=u,L=l,ST=st,street=s,title=t,pseudonym=p,dnQualifier=q,initials=i,postalCode=D-10115
1.3.6.1.4.1.32473.1=a,CN=leaf|1.3.6.1.4.1.32473.1=#0C0161,CN=leaf
1.3.6.1.4.1.32473.1=#0c0161,CN=leaf|1.3.6.1.4.1.32473.1=#0C0161,CN=leaf
END
}

@test "a subject out of a request: octets kept, the text canonical" {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -utf8 \
        -subj '/C=DE/O=Müller, Söhne \+ Co/CN=#1 "leaf" \\ x' -out leaf.csr 2>/dev/null
    succeeds p11ca --json -C home issue -a factory -p client --csr leaf.csr --uri urn:example:1 -o out.crt
    equal "$(jq -r .subject <<<"$output")" 'CN=\#1 \"leaf\" \\ x,O=Müller\, Söhne \+ Co,C=DE'
    equal "$(subject_of)" 'CN=\#1 \"leaf\" \\ x,O=Müller\, Söhne \+ Co,C=DE'
    equal "$(openssl x509 -in out.crt -noout -subject -nameopt dump_all,dump_der,oid)" \
        "$(openssl req -in leaf.csr -noout -subject -nameopt dump_all,dump_der,oid)"
}

@test "alternative names: host names become A-labels wherever they stand; local parts stay" {
    local option text want
    while IFS='|' read -r -u 7 option text want; do
        during="$option $text"
        rm -f out.crt
        succeeds p11ca --json -C home issue -a factory -p client --pubkey leaf.pub --subject "CN=${option#--}" "$option" "$text" -o out.crt
        equal "$(jq -r .sans <<<"$output")" "$want"
        [[ $(openssl x509 -in out.crt -noout -ext subjectAltName) == *"$want" ]] || fail "want '$want' in the certificate"
    done 7<<'END'
--dns|bücher.example|DNS:xn--bcher-kva.example
--dns|*.Straße.Example|DNS:*.xn--strae-oqa.example
--email|Bob.b+c@bücher.example|email:Bob.b+c@xn--bcher-kva.example
--uri|https://u@bücher.example:8443/a%20b?c#d|URI:https://u@xn--bcher-kva.example:8443/a%20b?c#d
--uri|spiffe://example.org/ns/a_b|URI:spiffe://example.org/ns/a_b
END
}

@test "addresses: one text for each" {
    rm -f out.crt
    succeeds p11ca --json -C home issue -a factory -p server --pubkey leaf.pub --dns a.example \
        --ip 2001:0DB8:0:0::0001 --ip 2001:db8::1 --ip 192.0.2.1 --ip ::ffff:192.0.2.1 -o out.crt
    equal "$(jq -r .sans <<<"$output")" 'DNS:a.example, IP:2001:db8::1, IP:192.0.2.1, IP:::ffff:192.0.2.1'
    [[ $(openssl x509 -in out.crt -noout -ext subjectAltName) == \
        *'DNS:a.example, IP Address:2001:DB8:0:0:0:0:0:1, IP Address:192.0.2.1, IP Address:0:0:0:0:0:FFFF:C000:201' ]] || fail 'want these'
}

@test "URIs that another program would take apart otherwise are refused" {
    local uri
    for uri in https://u@evil@a.example/ 'https://a.example:443x/' 'https://[::1/' https://a..example/ 'https://a.example#b#c' \
        https://127.1/ 'https://a_b.example/' https:///a 'https://:1/'; do
        refused 4 "p11ca: *SAN URI '$uri': RFC 5280 4.2.1.6: want *" p11ca -C home issue -a factory -p client --pubkey leaf.pub --subject CN=leaf --uri "$uri" -o out.crt
    done
}
