#!/bin/bash
# The guest's first process, once boot.sh has mounted all: it runs jobs. The second serial port says
# which job to run or to end. A job is a folder of the share, with a command and its input; it gets
# the command's output and exit code.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
share=/run/kernel_guest

run() {
    bash "$1/command" <"$1/input" >"$1/output" 2>"$1/error" &
    echo $! >"$1/pid"
    wait $!
    echo $? >"$1/code.new"
    mv "$1/code.new" "$1/code"
}

exec 3</dev/ttyS1
: >"$share/ready"
while read -r verb job <&3; do
    case $verb in
    run) run "$share/$job" 3<&- & ;;
    end) kill "$(cat "$share/$job/pid")" ;;
    esac
done
