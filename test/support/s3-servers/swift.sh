#!/usr/bin/env bash
# Runs a command beside OpenStack Swift with its S3 interface, on one folder that does not outlive the command.
#   apt-get install --no-install-recommends swift-proxy swift-account swift-container swift-object memcached
#   test/support/s3-servers/swift.sh npx tap test/platform/storage/any-bucket.test.ts
set -euo pipefail
port=${S3_PORT:-18090}
cache_port=$((port + 1))
dir=$(mktemp -d)
stop() {
  # shellcheck disable=SC2046
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap stop EXIT
mkdir -p "$dir/disk/sdb1"

memcached -u nobody -l 127.0.0.1 -p "$cache_port" &
server_port=$((port + 2))
for kind in account container object; do
  {
    swift-ring-builder "$dir/$kind.builder" create 4 1 1
    swift-ring-builder "$dir/$kind.builder" add "r1z1-127.0.0.1:$server_port/sdb1" 1
    swift-ring-builder "$dir/$kind.builder" rebalance
  } > "$dir/started"
  cat > "$dir/$kind-server.conf" <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $server_port
workers = 0
user = $(id -un)
swift_dir = $dir
devices = $dir/disk
mount_check = false
fallocate_reserve = 0
log_level = ERROR
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
CONF
  "swift-$kind-server" "$dir/$kind-server.conf" > "$dir/$kind.log" 2>&1 &
  server_port=$((server_port + 1))
done
cat > "$dir/proxy-server.conf" <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
workers = 0
user = $(id -un)
swift_dir = $dir
log_level = ERROR
[pipeline:main]
pipeline = catch_errors cache bulk s3api tempauth slo dlo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$cache_port
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = exora-test-secret .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
CONF
swift-proxy-server "$dir/proxy-server.conf" > "$dir/proxy.log" 2>&1 &
timeout 60 bash -c "until curl -s -o /dev/null http://127.0.0.1:$port/info; do sleep 0.2; done"

S3_TEST_ENDPOINT=http://127.0.0.1:$port S3_TEST_ACCESS_KEY_ID=test:tester S3_TEST_SECRET_ACCESS_KEY=exora-test-secret "$@"
