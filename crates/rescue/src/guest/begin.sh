# How every script of edits begins. REGAIN_UNDO is ID/STEP: what is recorded lies in
# /var/lib/regain/undo/ID/STEP with the script that brings it back, so that even an
# operator at the serial console can undo. With REGAIN_ROOT the guest is a disk that
# is mounted there; with REGAIN_DRY nothing is changed.
set -u
umask 077
exec 3>&1
say() { printf 'say %s\n' "$*" >&3; }
fail() { say "$@" && return 1; }
