#!/usr/bin/env bash
# A SLURM of one node on this machine, for tests: tools/slurm_here.sh start FOLDER | stop FOLDER
# Needs Debian's slurm-wlm and munge, and root. It runs without systemd and without control groups.
# Afterwards: export SLURM_CONF=FOLDER/slurm.conf
set -euo pipefail
what=$1
mkdir -p "$2"
home=$(cd "$2" && pwd)
ports=${SLURM_HERE_PORT:-26817}

start() {
    local cores memory node
    cores=$(nproc)
    memory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
    node=$(hostname -s)
    mkdir -p "$home/state" "$home/spool" "$home/munge"
    chmod 700 "$home/munge"
    [ -f "$home/munge/key" ] || head -c 1024 /dev/urandom >"$home/munge/key"
    chmod 400 "$home/munge/key"
    munged --force --key-file="$home/munge/key" --socket="$home/munge/socket" \
        --pid-file="$home/munge/pid" --log-file="$home/munge/log" --seed-file="$home/munge/seed"
    cat >"$home/slurm.conf" <<EOF
ClusterName=here
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$ports
SlurmdPort=$((ports + 1))
AuthType=auth/munge
AuthInfo=socket=$home/munge/socket
CredType=cred/munge
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.pid
SlurmctldLogFile=$home/slurmctld.log
SlurmdLogFile=$home/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
EOF
    export SLURM_CONF=$home/slurm.conf
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for _ in $(seq 40); do
        if sinfo -h -o %T 2>/dev/null | grep -q idle; then
            echo "export SLURM_CONF=$SLURM_CONF"
            return
        fi
        sleep 0.5
    done
    echo "SLURM does not start; see $home/*.log" >&2
    stop
    return 1
}

stop() {
    for name in slurmd slurmctld munge/munged; do
        local file=$home/${name/munged/pid}
        [ "$name" = munge/munged ] || file=$home/$name.pid
        [ -f "$file" ] && kill "$(cat "$file")" 2>/dev/null || true
    done
}

case $what in
start) start ;;
stop) stop ;;
*) echo "usage: $0 start|stop FOLDER" >&2; exit 2 ;;
esac
