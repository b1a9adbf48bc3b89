# shellcheck shell=bash
# Homes for the ready ceremony scripts, and what of a home must be equal after two runs of one ceremony.

# Authorities and tokens for all of them, in the p11ca.conf of `p11ca init --softhsm --name Acme`.
extend_conf() {
    sed -i -e 's|^authorities = {|authorities = {\
  root-next = { token = "root-next"; key = "root-2036"; subject = "CN=Acme Root CA 2036,O=Acme"; profile = "root-ca";\
                issues = [ "issuing-ca", "cross-ca" ]; };\
  factory-next = { token = "factory-next"; key = "factory-2"; subject = "CN=Acme Factory CA 2,O=Acme"; profile = "issuing-ca";\
                   issuer = "root"; issues = [ "server", "client", "device" ]; };|' \
        -e 's|^tokens = {|tokens = {\
  root-next = { kind = "softhsm2"; uri = "pkcs11:token=acme-2nd-root"; pin = "file:pins/root"; so-pin = "file:pins/root-so";\
                store = "softhsm"; };\
  factory-next = { kind = "softhsm2"; uri = "pkcs11:token=acme-2nd-factory"; pin = "file:pins/factory";\
                   so-pin = "file:pins/factory-so"; store = "softhsm"; };|' \
        -e 's|profile = "issuing-ca"; issuer = "root"; issues|profile = "issuing-ca"; issuer = "root"; ticket-from = "root"; issues|' \
        -e 's|profile = "root-ca"; };|profile = "root-ca"; issues = [ "issuing-ca", "cross-ca" ]; };|' "$1/p11ca.conf"
}

# In setup_file: blank (nothing done), rooted (root.conf), both (intermediate.conf too), request (rooted, and a request of
# a factory elsewhere) in BATS_FILE_TMPDIR.
make_homes() {
    local base=$BATS_FILE_TMPDIR
    p11ca -q init "$base/both" --name Acme --softhsm >/dev/null
    extend_conf "$base/both"
    mkdir "$base/blank"
    cp -a "$base/both/p11ca.conf" "$base/both/pins" "$base/blank/"
    cp -a "$base/blank" "$base/rooted"
    p11ca -q -C "$base/rooted" ceremony run --yes "$scripts/root.conf"
    cp -a "$base/rooted" "$base/request"
    (cd "$base" && ec_request elsewhere "/CN=Factory elsewhere" && mv elsewhere.csr request/factory.csr)
}

# The home a ready script begins with.
home_for() {
    case $1 in
    root) echo blank ;;
    intermediate) echo rooted ;;
    intermediate-from-request) echo request ;;
    *) echo both ;;
    esac
}

# Objects of every token: class, label, usage, access; without IDs, points, moduli and serials.
objects_of() {
    local home=$1 label
    for label in root factory 2nd-root 2nd-factory; do
        grep -qs "acme-$label" "$home"/softhsm/tokens/*/token.object || continue
        echo "token $label"
        SOFTHSM2_CONF=$PWD/$home/softhsm/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label "acme-$label" --login \
            --pin "$(cat "$home/pins/${label#2nd-}")" -O 2>/dev/null |
            sed -E '/^ *(ID|EC_POINT|Modulus|uri|Unique ID):/d' | sort
    done
}

# A file without keys, serials, times and signatures.
plain() {
    case $1 in
    *.crt | *.pem)
        openssl crl2pkcs7 -nocrl -certfile "$1" 2>/dev/null | openssl pkcs7 -print_certs -text -noout 2>/dev/null |
            sed -E '/Serial Number|Not Before|Not After/d; /^ +([0-9a-f]{2}:)*[0-9a-f]{2}:?$/d; s/([0-9A-F]{2}:){19}[0-9A-F]{2}/KEYID/'
        ;;
    *.crl)
        openssl crl -in "$1" -noout -text | sed -E '/Update:/d; /^ +([0-9a-f]{2}:)*[0-9a-f]{2}:?$/d; s/([0-9A-F]{2}:){19}[0-9A-F]{2}/KEYID/'
        ;;
    *.csr) openssl req -in "$1" -noout -text -verify 2>&1 | sed -E '/^ +([0-9a-f]{2}:)*[0-9a-f]{2}:?$/d' ;;
    *.ticket) grep -v '^not-' "$1" ;;
    *.ticket.p7s)
        openssl cms -verify -binary -inform DER -in "$1" -content "${1%.p7s}" -noverify -out /dev/null 2>&1
        openssl cms -cmsout -print -inform DER -in "$1" | grep -E 'subject:|digestAlgorithm|signatureAlgorithm'
        ;;
    *) sha256sum <"$1" ;;
    esac
}

# Everything in a home that two runs of one ceremony must have in common.
state_of() {
    local home=$1 file
    objects_of "$home"
    sqlite3 -batch "$home/ledger.db" "SELECT 'cert', profile, status, subject FROM certificate ORDER BY id;
        SELECT 'authority', name, key_label, cert IS NOT NULL FROM authority ORDER BY name;
        SELECT 'crl', authority, number FROM crl ORDER BY authority, number;
        SELECT 'event', kind, count(*) FROM event WHERE kind IN ('key', 'install', 'issue', 'crl', 'destroy') GROUP BY kind;"
    while read -r file; do
        echo "file $file"
        plain "$home/$file"
    done < <(cd "$home" && find . -type f -not -path './softhsm/*' -not -path './ceremonies/*' -not -path './pins/*' \
        -not -name 'ledger.db*' -not -path './tokens/*' -not -name p11ca.conf | sort)
    (cd "$home/ceremonies" && find . -type f | sort)
}
