#!/usr/bin/env bash
# Runs a command beside Ceph's S3 gateway: one monitor, one store in memory, nothing that outlives the command.
#   apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common
#   test/support/s3-servers/ceph.sh npx tap test/platform/storage/any-bucket.test.ts
set -euo pipefail
port=${S3_PORT:-18080}
monitor_port=$((port + 1))
dir=$(mktemp -d)
stop() {
  # shellcheck disable=SC2046
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap stop EXIT

cluster=$(cat /proc/sys/kernel/random/uuid)
store=$(cat /proc/sys/kernel/random/uuid)
cat > "$dir/ceph.conf" <<CONF
[global]
fsid = $cluster
mon host = [v2:127.0.0.1:$monitor_port]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
keyring = $dir/keyring
mon data = $dir/mon
mon allow pool size one = true
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
osd class load list = *
osd class default list = *
run dir = $dir
crash dir = $dir
admin socket = $dir/\$name.asok
log file = $dir/\$name.log
CONF
export CEPH_CONF=$dir/ceph.conf
here=$PWD
cd "$dir"
{
  monmaptool --create --fsid "$cluster" --addv a "[v2:127.0.0.1:$monitor_port]" monmap
  ceph-authtool -C keyring --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *'
  ceph-authtool keyring --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
  ceph-mon -i a --mkfs --monmap monmap --keyring keyring
  ceph-mon -f -i a &
  timeout 30 ceph osd new "$store"
  mkdir osd
  ceph-osd -i 0 --mkfs --osd-uuid "$store"
  timeout 30 ceph osd crush add osd.0 1 root=default host=here
  ceph-osd -f -i 0 &
  timeout 60 radosgw-admin user create --uid exora --display-name exora --access-key exora-test --secret-key exora-test-secret
  radosgw -f -n client.admin --rgw-frontends="beast endpoint=127.0.0.1:$port" &
} > "$dir/started" 2>&1 || { cat "$dir/started" >&2; exit 1; }
cd "$here"
timeout 60 bash -c "until curl -s -o /dev/null http://127.0.0.1:$port/; do sleep 0.2; done"

S3_TEST_ENDPOINT=http://127.0.0.1:$port S3_TEST_ACCESS_KEY_ID=exora-test S3_TEST_SECRET_ACCESS_KEY=exora-test-secret "$@"
