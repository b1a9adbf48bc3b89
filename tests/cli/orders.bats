# Orders that meet in the ledger: what one has begun, and another has finished meanwhile.

load common

setup_file() {
    prepare_home
}

setup() {
    use_home
}

# interrupted ORDER...: killed in C_Sign, its serial is reserved.
interrupted() {
    use_fault_module
    P11CA_FAULT='C_Sign:1=kill' run --separate-stderr p11ca -q -C home issue -a factory "$@"
    [[ $status == 137 || $status == 124 ]] || fail 'want it killed'
    sed -i 's/kind = "fault"/kind = "softhsm2"/' home/p11ca.conf
}

@test "an interrupted order gives no right: meanwhile the device got its certificate" {
    ec_request one /CN=meet-1
    ec_request two /CN=meet-1
    interrupted -p device --csr one.csr -o one.crt
    succeeds p11ca -q -C home issue -a factory -p device --csr two.csr -o two.crt
    answers 4 "p11ca: one.csr: device 'meet-1': profile 'device' was issued to it before, with another key or other names" \
        p11ca -q -C home issue -a factory -p device --csr one.csr -o one.crt
    [[ ! -e one.crt ]]
    equal "$(p11ca -q -C home list --id meet-1 --status issued | wc -l)" 1
    sound
}

@test "a newer reservation does not hide that the key has a device" {
    ec_request key /CN=meet-2
    succeeds p11ca -q -C home issue -a factory -p device --csr key.csr -o a.crt
    interrupted -p client --csr key.csr --id meet-2 --uri urn:example:meet-2 -o b.crt
    answers 4 "p11ca: key.csr: public key: device 'meet-2' has it already" \
        p11ca -q -C home issue -a factory -p device --csr key.csr --subject CN=meet-3 --id meet-3 -o c.crt
}

@test "audit finds: two certificates for one device, valid at once" {
    succeeds p11ca -q -C home issue -a factory -p device --new-key k1 --id meet-4 -o a.crt
    succeeds p11ca -q -C home issue -a factory -p device --new-key k2 --id meet-5 -o b.crt
    sqlite3 -batch home/ledger.db "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema WHERE type = 'trigger'" |
        sqlite3 -batch home/ledger.db
    sql "UPDATE certificate SET device = 'meet-4' WHERE device = 'meet-5'"
    run --separate-stderr p11ca -C home audit
    equal "$status" 1
    [[ $output == *"fault: ledger: device 'meet-4': two certificates valid at once: serials "* ]] || fail 'want it found'
}

@test "a ledger that is gone is not begun anew" {
    mv home/ledger.db elsewhere
    rm -f home/ledger.db-wal home/ledger.db-shm
    answers 7 'p11ca: home/ledger.db: is missing, but home/root.crt is there: restore the ledger' \
        p11ca -C home issue -a factory -p device --new-key k --id meet-6 -o a.crt
    [[ ! -e home/ledger.db && ! -e k ]]
}
