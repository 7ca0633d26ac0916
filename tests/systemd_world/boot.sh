#!/bin/sh
# Boots this machine's systemd in namespaces of its own, on a copy of the machine's files that
# exists in memory only. Started as the first process of new mount, process, cgroup, host name
# and IPC namespaces: boot.sh WORK TREE UNIT..., WORK being an empty folder, TREE files to lay
# over the copy, and the UNITs what is enabled. No other unit of the machine's is started.
set -eu
work=$1 tree=$2
shift 2

mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$work"
mkdir "$work/upper" "$work/aside" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/aside" "$work/root"
root=$work/root
for folder in etc/systemd/system lib/systemd/system; do
    rm -rf "$root/$folder"/*.wants "$root/$folder"/*.requires
done
# Other units of the tool would not be the test's.
rm -f "$root"/etc/systemd/system/stekguard-*
cp -a "$tree/." "$root/"

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 666 "$root/dev/tty" c 5 0
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
: >"$root/etc/machine-id"

systemctl --quiet --root "$root" enable "$@"
cd "$root"
mkdir -p .outside
pivot_root . .outside
umount -l /.outside
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=multi-user.target --log-target=console --show-status=no
