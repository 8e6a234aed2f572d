# What a guest knows about its own SSH server: reads only, in parts that fail each by
# itself. Portable sh for Debian, Ubuntu, RHEL, SUSE and busybox.
#
# Each part is a process of its own. They run one after the other, because a login is
# being tried meanwhile and needs its share of the VM; but a part that does not end soon
# goes on beside those that come next. What is left when time is up is ended with
# everything below it, and what writes more than it may ends itself. A part prints blocks: a line `MARK NAME ARGUMENT...`, then text up to the next such line. The
# first is `part`, the last is `done`, and behind it stands the `status` of the part's
# process, if that ended at all. crates/rescue/src/report reads them.
#
# A program is a millisecond: what the shell can do itself, it does.
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

# Sets `above` to a path and every directory above it, a line each.
ancestry() {
	ancestry=$1 above=
	while [ -n "$ancestry" ]; do
		above=$above$ancestry$newline
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
	ancestry "$1"
	owners=$(
		set -f
		IFS=$newline
		stat -c '%u:%a' $above 2>/dev/null
	)
	while IFS=: read -r owner mode; do
		case $owner$mode in 0*[0145][0145]) ;; *) return 1 ;; esac
	done <<-END
		$owners
	END
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

# Ends everything below a process, which is stopped first, so that nothing gets away. The
# kernel's `stat` would show a program's name as its owner wrote it.
end_below() {
	for below in $(awk -v parent="$1" '
		$1 == "PPid:" && $2 == parent { split(FILENAME, at, "/"); print at[3] }
	' /proc/[0-9]*/status); do
		kill -STOP "$below"
		(end_below "$below")
		kill -KILL "$below"
	done
}

# part NAME BYTES: runs a part, or begins it if it does not end soon.
part() {
	(
		(
			# In blocks of 512 bytes; what comes near the limit is measured by its reader.
			ulimit -f "$(($2 / 512 + 2))"
			block "part $1"
			(
				case $1 in
@PARTS@
				esac
			)
			block 'done'
		) >"$work/$1"
		block "status $?" >>"$work/$1"
	) 2>/dev/null </dev/null &
	begun=$!
	wait $begun
}

# Tells us to go on with the next part, a few times a second, until all have begun.
turns() {
	(
		for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			sleep 0.2 || sleep 1
			kill -USR1 $$
		done
	) >/dev/null 2>&1 </dev/null &
	turns=$!
}

# watch PART...: ends parts that take too long. One that not even SIGKILL ends, in a dead
# mount, is not waited for.
watch() {
	(
		sleep @SECONDS@ &
		trap 'kill $!' TERM
		wait $! || exit
		for slow in "$@"; do
			# A number of ours that ended may be another's by now.
			if grep -qx "PPid:[[:space:]]*$$" "/proc/$slow/status"; then end_below "$slow"; fi
		done
		sleep 1
		kill -USR1 $$
	) >/dev/null 2>&1 </dev/null &
	watches="$watches $!"
}

work=$TMPDIR/parts
mkdir "$work" || exit 1
# Debian's unit makes this directory and takes it away again; without it sshd speaks
# of nothing else.
made=
if [ ! -e /run/sshd ] && mkdir -m 0755 /run/sshd 2>/dev/null; then made=1; fi
trap : USR1
first= all= watches=
turns
@FIRST@
kill $turns
watch $first $all
wait $first
turns
@THEN@
kill $turns
watch $all
wait $all
kill $watches 2>/dev/null
if [ -n "$made" ]; then rmdir /run/sshd; fi
(
	cd "$work" && cat @NAMES@
)
rm -rf "$work"
block end
