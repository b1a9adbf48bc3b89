#!/usr/bin/env bats
# Invariants 1 and 2: the keys of an authority are made in the token, stay there, only sign, and are
# exactly one. pkcs11-tool is the judge of our keys, and the maker of bad ones.

load common
load ceremony

setup_file() {
    prepare_home
}

setup() {
    use_home
    ec_request dev /CN=leaf-1
}

# The commands that use an authority's key; each must refuse it with the same words.
refused_everywhere() {
    local authority=$1 pattern=$2
    refused 6 "p11ca: $pattern" p11ca -C home issue -a "$authority" -p "$3" --csr dev.csr -o out.crt
    refused 6 "p11ca: $pattern" p11ca -C home request "$authority" -o out.csr
    refused 6 "p11ca: $pattern" p11ca -C home install "$authority" "home/$authority.crt"
    refused 6 "p11ca: $pattern" p11ca -C home bench -a "$authority" -n 1
    # The doctor's findings are a result, so stdout has them.
    run --separate-stderr p11ca -C home token check "$authority"
    equal "$status" 6
    # shellcheck disable=SC2053
    [[ $stderr == $pattern || $stderr == "p11ca: "$pattern ]] || fail "want '$pattern' of token check"
    [[ $output == *$'\nbad '* ]] || fail 'want a bad finding'
}

attribute_of() {
    sed -nE "s/^$1 +$2 +(.*)/\1/p" <<<"$output" | tr '\n' ' '
}

@test "the CA keys: sensitive, always sensitive, never extractable, local, sign only" {
    for token in root factory; do
        run on_token "$token" -O
        equal "$status" 0
        equal "$(grep -c '^Private Key Object; EC$' <<<"$output")" 1
        equal "$(grep -c '^Public Key Object; EC' <<<"$output")" 1
        # That is all there is: no certificates, no secret keys, no data.
        equal "$(grep -cE '^[A-Z].* Object' <<<"$output")" 2
        sed -n '/^Private Key Object/,$p' <<<"$output" >private
        sed -i '/^Public Key Object/,$d' private
        equal "$(sed -nE 's/^ +Usage: +//p' private)" sign
        equal "$(sed -nE 's/^ +Access: +//p' private)" 'sensitive, always sensitive, never extractable, local'
        equal "$(sed -nE 's/^ +label: +//p' private)" "$(key_label $token)"
    done
}

@test "the CA keys: nobody can change them, nor use them for anything but signing" {
    local id
    id=$(on_token factory -O --type privkey | sed -nE 's/^ +ID: +//p')
    run on_token factory --derive --mechanism ECDH1-DERIVE --id "$id" --input-file dev.key
    [[ $status != 0 ]] || fail 'want no derivation'
    run on_token factory --set-id ff --type privkey --id "$id"
    [[ $status != 0 ]] || fail 'want the key not modifiable'
    succeeds p11ca -C home token check factory
}

@test "the key of the certificate is the key in the token" {
    local id
    id=$(on_token factory -O --type pubkey | sed -nE 's/^ +ID: +//p')
    on_token factory --read-object --type pubkey --id "$id" --output-file pub.der
    equal "$(openssl pkey -pubin -inform DER -in pub.der 2>/dev/null || openssl pkey -pubin -in pub.der)" \
        "$(openssl x509 -in home/factory.crt -noout -pubkey)"
}

@test "token check: good keys are good" {
    succeeds p11ca -C home token check factory
    for attribute in CKA_SENSITIVE CKA_ALWAYS_SENSITIVE CKA_NEVER_EXTRACTABLE; do
        grep -qE "^good +$attribute +true$" <<<"$output"
    done
    grep -qE '^good +self-test signature ' <<<"$output"
    refute grep -qE '^(bad|weak)' <<<"$output"
    succeeds p11ca -C home --json token check root
    equal "$(jq -r '.token, .good, ([.findings[] | select(.level != "good")] | length)' <<<"$output" | tr '\n' ' ')" 'root true 0 '
}

@test "a key made with pkcs11-tool's defaults is refused by every command, the attribute named" {
    on_token factory --keypairgen --key-type EC:prime256v1 --label tool --id 77 >/dev/null
    bind_key factory tool
    refused_everywhere factory "token 'factory': private key 'tool': key policy: CKA_*: want *, have *" device
}

@test "a key made with pkcs11-tool's defaults cannot sign itself a root" {
    on_token root --keypairgen --key-type EC:prime256v1 --label tool --id 77 >/dev/null
    bind_key root tool
    refused_everywhere root "token 'root': private key 'tool': key policy: CKA_*: want *, have *" issuing-ca
    # Another root, recorded with a good key, whose label then means this one.
    add_authority other 'profile = "root-ca";'
    script '{ do = "generate-key"; authority = "other"; algorithm = "P-256"; }'
    succeeds run_it
    bind_key other tool
    script '{ do = "self-sign"; authority = "other"; }'
    run --separate-stderr run_it
    equal "$status" 6
    [[ $stderr == "p11ca: step 1, self-sign: token 'root': private key 'tool': key policy: CKA_"* ]] || fail 'want the attribute'
}

@test "an imported key is refused by every command, the attribute named" {
    openssl pkcs8 -topk8 -nocrypt -in dev.key -out import.pem
    SOFTHSM2_CONF=$PWD/home/softhsm/softhsm2.conf softhsm2-util --import import.pem --token acme-factory \
        --label imported --id 78 --pin "$(cat home/pins/factory)" >/dev/null
    bind_key factory imported
    refused_everywhere factory "token 'factory': private key 'imported': key policy: CKA_*: want *, have *" device
}

@test "an imported key with every other attribute right is refused for its history" {
    # What an attacker would do: copy the policy, and hope that nobody asks where the key comes from.
    openssl pkcs8 -topk8 -nocrypt -in dev.key -outform DER -out import.der
    on_token factory --write-object import.der --type privkey --label copied --id 79 --sensitive --usage-sign >/dev/null
    bind_key factory copied
    run --separate-stderr p11ca -q -C home issue -a factory -p device --csr dev.csr -o out.crt
    equal "$status" 6
    [[ $stderr =~ ^"p11ca: token 'factory': private key 'copied': key policy: "CKA_(ALWAYS_SENSITIVE|NEVER_EXTRACTABLE|LOCAL)": want true, have false"$ ]] ||
        fail 'want an attribute of its history'
    [[ ! -e out.crt ]]
}

@test "a good key of another authority is not this one's: the recorded key decides" {
    # Generated properly, by a ceremony - but the ledger has recorded another one for 'factory'.
    sed -i -E '/^ *factory = \{ token = /i spare = { token = "factory"; key = "spare"; subject = "CN=Spare"; profile = "issuing-ca"; };' \
        home/p11ca.conf
    printf 'title = "t"; steps = ( { do = "generate-key"; authority = "spare"; algorithm = "P-384"; } );\n' >spare.conf
    succeeds p11ca -q -C home ceremony run --yes spare.conf
    bind_key factory spare
    refused 6 "p11ca: authority 'factory': key 'spare' of token 'factory': its CKA_ID is not the one the ledger has recorded" \
        p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
}

@test "a key that is not there" {
    bind_key factory nothing
    refused 6 "p11ca: token 'factory': no private key with label 'nothing'" \
        p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
}

@test "an Ed25519 key on the same token does not stop p11ca from finding its own" {
    run on_token factory --keypairgen --key-type EC:edwards25519 --label other --id 7a
    [[ $status == 0 ]] || skip "this SoftHSM makes no Ed25519 keys: $output"
    succeeds p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt out.crt
    succeeds p11ca -C home token check factory
}

@test "other keys and objects on the same token do not matter" {
    on_token factory --keypairgen --key-type rsa:2048 --label other --id 7b >/dev/null
    on_token factory --write-object home/pins/factory-so --type data --label "$(key_label factory)" >/dev/null
    succeeds p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt out.crt
}

@test "two keys with one label and ID are refused" {
    local id
    id=$(on_token factory -O --type privkey | sed -nE 's/^ +ID: +//p')
    on_token factory --keypairgen --key-type EC:prime256v1 --label "$(key_label factory)" --id "$id" >/dev/null
    refused_everywhere factory "token 'factory': want exactly one private key with label '$(key_label factory)', have 2" device
}

@test "two keys with one label and different IDs are refused" {
    on_token factory --keypairgen --key-type EC:prime256v1 --label "$(key_label factory)" --id 7c >/dev/null
    refused_everywhere factory "token 'factory': want exactly one private key with label '$(key_label factory)', have 2" device
}

@test "two public keys with the label and ID are refused" {
    local id
    id=$(on_token factory -O --type privkey | sed -nE 's/^ +ID: +//p')
    openssl ec -in dev.key -pubout -outform DER -out pub.der 2>/dev/null
    on_token factory --write-object pub.der --type pubkey --label "$(key_label factory)" --id "$id" >/dev/null
    refused 6 "p11ca: token 'factory': want exactly one public key with label '$(key_label factory)' and its ID, have 2" \
        p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
}

@test "a public key object that belongs to another key is noticed" {
    local id
    id=$(on_token factory -O --type privkey | sed -nE 's/^ +ID: +//p')
    openssl ec -in dev.key -pubout -outform DER -out pub.der 2>/dev/null
    on_token factory --delete-object --type pubkey --id "$id" >/dev/null
    on_token factory --write-object pub.der --type pubkey --label "$(key_label factory)" --id "$id" >/dev/null
    run --separate-stderr p11ca -q -C home issue -a factory -p device --csr dev.csr -o out.crt
    equal "$status" 6
    [[ $stderr == "p11ca: token 'factory': public key"*'CKA_LOCAL'* || $stderr == *'public key is not the one the ledger has recorded' ]] ||
        fail 'want the public key named'
    [[ ! -e out.crt ]]
}

@test "two tokens with one label are refused, until the serial is given" {
    local serial
    serial=$(p11ca -C home --json token list | jq -r '.[] | select(.name == "factory") | .serial')
    SOFTHSM2_CONF=$PWD/home/softhsm/softhsm2.conf softhsm2-util --init-token --free --label acme-factory \
        --pin 1234 --so-pin 12345678 >/dev/null
    refused_everywhere_but_check=(p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt)
    refused 6 "p11ca: token 'factory': want exactly one token that matches pkcs11:token=acme-factory, have 2 (add serial=... to the uri)" \
        "${refused_everywhere_but_check[@]}"
    refused 6 "p11ca: token 'factory': want exactly one token that matches *, have 2 *" p11ca -C home token check factory
    sed -i "s/pkcs11:token=acme-factory/&;serial=$serial/" home/p11ca.conf
    succeeds "${refused_everywhere_but_check[@]}"
}

@test "a token that is not there" {
    sed -i 's/token=acme-factory/token=acme-elsewhere/' home/p11ca.conf
    refused 6 "p11ca: token 'factory': want exactly one token that matches pkcs11:token=acme-elsewhere, have 0" \
        p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
}

@test "a home that was moved still reaches its store" {
    mv home moved
    succeeds p11ca -C moved issue -a factory -p device --csr dev.csr -o out.crt
    grep -q "tokendir = $PWD/moved/softhsm/tokens" moved/softhsm/softhsm2.conf
}

@test "a kind that would weaken the policy, or slips in a name: refused with the file" {
    local file=home/tokens/lax.conf line
    mkdir -p home/tokens
    sed -i 's/kind = "softhsm2"/kind = "lax"/' home/p11ca.conf
    for line in 'weak = "CKA_SENSITIVE"' 'weak = "CKA_LOCALL"' 'omit = "CKA_LOCAL"'; do
        during=$line
        printf 'description = "x";\nmodule = "%s";\nstore-env = "SOFTHSM2_CONF";\n%s;\n' "$softhsm" "$line" >"$file"
        refused 3 "p11ca: token 'factory': *$file: ${line%% *}: 'CKA_*' is no attribute that may be named here" \
            p11ca -C home token check factory
    done
}

@test "a PIN the token would not take is refused before the token is initialised" {
    sed -i 's/token=acme-factory/token=acme-second/' home/p11ca.conf
    printf 12 >home/pins/factory
    refused 5 "p11ca: token 'factory': user PIN: want 4 to 255 characters" p11ca -C home token init factory
    printf 1234 >home/pins/factory
    succeeds p11ca -q -C home token init factory
}

@test "a token whose PIN comes in shares: it is initialised without one, and says so" {
    sed -i 's/token=acme-factory/token=acme-second/; s|pin = "file:pins/factory"|pin = "shares:pins/share"|' home/p11ca.conf
    succeeds p11ca -q -C home token init factory
    succeeds p11ca -C home token list
    [[ $output == *acme-second*'no user PIN'* ]] || fail 'want it told'
    refused 5 "p11ca: token 'factory': no user PIN was set; its shares are made when one is" \
        p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
    refused 6 "p11ca: token 'factory': a token that matches pkcs11:token=acme-second is already initialised" \
        p11ca -C home token init factory
}

@test "shares that are missing, mistyped, readable by others: no login is tried" {
    sed -i 's|pin = "file:pins/factory"|pin = "shares:pins/share"|' home/p11ca.conf
    use_fault_module
    issue=(p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt)
    refused 5 "p11ca: token 'factory': home/pins/share.*: shares: want 2, have 0" "${issue[@]}"
    printf 'ABCD-EFGH\n' >home/pins/share.3
    chmod 600 home/pins/share.3
    refused 5 "p11ca: token 'factory': home/pins/share.3: share: want an even number of groups of 4 characters, have 8 characters" \
        "${issue[@]}"
    chmod 640 home/pins/share.3
    refused 3 "p11ca: token 'factory': PIN file: home/pins/share.3: want a file only its owner can read (mode 0600), have mode 0640" \
        "${issue[@]}"
    equal "$(calls C_Login)" 0
}
