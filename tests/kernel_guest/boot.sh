#!/bin/busybox sh
# The guest's first process, in the initramfs. It loads modules, mounts the machine's root with a
# tmpfs over it, and what a system has beside its files. Then it hands on to jobs.sh of the checkout
# there: the kernel's command line has dvr_jobs=PATH. Busybox does this faster than other programs.
set -e
/bin/busybox mkdir -p /bin /dev /proc /lower /memory /root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
for module in $(cat /modules/order); do
    # Some are only recommended by others, and need another processor.
    insmod "/modules/$module" || echo "goes on without $module"
done

mount -t virtiofs -o ro root /lower
mount -t tmpfs -o mode=755,size=75% memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work overlay /root
mount -t sysfs sysfs /root/sys
mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
mount -t tmpfs -o mode=755 run /root/run
mount -t tmpfs -o mode=1777 tmp /root/tmp
mkdir -p /root/run/lock /root/run/openvswitch /root/run/kernel_guest /root/lib/modules
mount -t virtiofs share /root/run/kernel_guest

release=$(uname -r)
rm -rf "/root/lib/modules/$release"
ln -s "/run/kernel_guest/modules/lib/modules/$release" "/root/lib/modules/$release"
hostname "$(cat /root/run/kernel_guest/hostname)"
ip link set lo up
stty -F /dev/ttyS1 raw -echo
for word in $(cat /proc/cmdline); do
    case $word in
    dvr_jobs=*) jobs=${word#dvr_jobs=} ;;
    esac
done
mount --move /proc /root/proc
mount --move /dev /root/dev
exec switch_root /root /bin/bash "$jobs"
