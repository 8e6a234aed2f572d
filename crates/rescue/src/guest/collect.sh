# What a guest knows about its own SSH server: reads only, in parts that fail each by
# itself. Portable sh for Debian, Ubuntu, RHEL, SUSE and busybox.
#
# This text runs itself once for every part, as `sh TEXT PART BYTES`, each in a process
# group of its own, with a limit of seconds and one of bytes. A part prints blocks: a
# line `MARK NAME ARGUMENT...`, then text up to the next such line. The first is `part`,
# the last is `done`, and behind it stands the `status` of the part's process, if that
# ended at all. crates/rescue/src/report reads them.
#
# A process is a millisecond, and there are fifteen parts: what the shell can do itself,
# it does.
#
# MARK is random, so that no file's content can be taken for a block. Set before this
# text, and exported: MARK LOGIN HOST ADDRESS PORT, and TMPDIR by the frame. What can be
# secret is not printed: parts print what they know the shape of, and nothing else.
#
# The words between at signs are filled in before it is sent.
set -u
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
newline='
'

block() { printf '\n%s %s\n' "$MARK" "$*"; }
has() { command -v "$1" >/dev/null 2>&1; }

# Runs a command for some seconds at most; 124 if that was not enough.
limited() {
	if has timeout; then
		timeout -k 1 "$@"
		return
	fi
	limited_seconds=$1
	shift
	if has setsid; then setsid "$@" & else "$@" & fi
	limited=$!
	(
		sleep "$limited_seconds" &
		trap 'kill $!' TERM
		wait $! && { kill -9 -$limited || kill -9 $limited; }
	) >/dev/null 2>&1 &
	limited_watch=$!
	wait $limited
	limited_code=$?
	kill $limited_watch 2>/dev/null
	if [ $limited_code -eq 137 ]; then limited_code=124; fi
	return $limited_code
}

# A path and every directory above it, a line each.
ancestry() {
	ancestry=$1
	while [ -n "$ancestry" ]; do
		printf '%s\n' "$ancestry"
		case $ancestry in
		/) ancestry= ;;
		/*/*) ancestry=${ancestry%/*} ;;
		/*) ancestry=/ ;;
		*) ancestry= ;;
		esac
	done
}

# Whether only root can say what a name in this directory stands for.
safe=$newline
is_safe() {
	case $safe in *"$newline$1$newline"*) return ;; esac
	(
		set -f
		IFS=$newline
		stat -c '%u %a' $(ancestry "$1") 2>/dev/null
	) | {
		none=1
		while IFS=' ' read -r owner mode; do
			none=0
			case $owner$mode in 0*[0145][0145]) ;; *) exit 1 ;; esac
		done
		exit $none
	} || return
	safe=$safe$1$newline
}

# Sets `real`, a regular file in a place that only root can change, or `why` it is none.
territory() {
	real=$1 why='others than root may change it'
	is_safe "${1%/*}" || return
	if [ -L "$1" ]; then
		real=$(readlink -f "$1" 2>/dev/null) && is_safe "${real%/*}" || return
	fi
	why='it is not a regular file'
	[ -f "$real" ] && [ ! -L "$real" ]
}

# What sshd says of its configuration. A word that it repeats stays only if it looks
# like a keyword, an algorithm or a path.
words_of_sshd() {
	awk '
	/^@+$/ { next }
	# sshd ends its lines as a terminal wants them.
	{ sub(/\r$/, ""); $0 = substr($0, 1, 400) }
	match($0, /Bad configuration option: /) {
		word = substr($0, RSTART + RLENGTH)
		if (word !~ /^([Xx]11)?[A-Za-z]+$/ || length(word) > 31)
			$0 = substr($0, 1, RSTART + RLENGTH - 1) "(hidden)"
	}
	{
		told = ""
		while (match($0, /["\047][^"\047]*["\047]/)) {
			word = substr($0, RSTART + 1, RLENGTH - 2)
			if (word !~ /^[A-Za-z0-9@.,:+*\/_-]*$/ || length(word) > 64) word = "(hidden)"
			told = told substr($0, 1, RSTART) word substr($0, RSTART + RLENGTH - 1, 1)
			$0 = substr($0, RSTART + RLENGTH)
		}
		print told $0
	}'
}

if [ $# -eq 2 ]; then
	# In blocks of 512 bytes; what comes near the limit is measured by its reader.
	ulimit -f "$(($2 / 512 + 2))"
	block "part $1"
	(
		case $1 in
@PARTS@
		esac
	) 2>/dev/null
	block 'done'
	exit
fi

# part NAME SECONDS BYTES: begins a part.
part() {
	(
		limited "$2" sh "$0" "$1" "$3" >"$work/$1" 2>/dev/null </dev/null
		block "status $?" >>"$work/$1"
	) &
	begun=$!
}

work=$TMPDIR/parts
mkdir "$work" || exit 1
export MARK LOGIN HOST ADDRESS PORT work
# Debian's unit makes this directory and takes it away again; without it sshd speaks
# of nothing else.
made=
if [ ! -e /run/sshd ] && mkdir -m 0755 /run/sshd 2>/dev/null; then made=1; fi
# A part that not even SIGKILL ends, in a dead mount, is not waited for.
trap : USR1
(
	sleep @SECONDS@ &
	trap 'kill $!' TERM
	wait $! && kill -USR1 $$
) >/dev/null 2>&1 &
watch=$!
first= all=
@FIRST@
wait $first
@THEN@
wait $all
kill $watch 2>/dev/null
if [ -n "$made" ]; then rmdir /run/sshd; fi
(
	cd "$work" && cat @NAMES@
)
rm -rf "$work"
block end
