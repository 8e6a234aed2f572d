# What a guest knows about its own SSH server: reads only, in parts that fail each by
# itself. Portable sh for Debian, Ubuntu, RHEL, SUSE and busybox.
#
# Each part is a process of its own. Two run at a time, because a login is being tried
# meanwhile and needs its share of the VM; but a part that does not end soon goes on
# beside those that come next. When time is up, what is left is ended with everything
# below it, and what writes more than it may ends itself. A part prints blocks: a line
# `MARK NAME ARGUMENT...`, then text up to the next such line. The first is `part`, the
# last is `done`, and behind it stands the `status` of the part's process, if that ended
# at all. crates/rescue/src/report reads them.
#
# A process is a millisecond: what the shell can do itself, it does.
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

@PARTS@

# part NAME BYTES: begins a part, and waits for the one before it.
part() {
	(
		# In blocks of 512 bytes; what comes near the limit is measured by its reader.
		ulimit -f "$(($2 / 512 + 2))"
		exec >"$work/$1"
		block "part $1"
		"part_$1"
		block 'done'
	) 2>/dev/null </dev/null &
	before=$begun begun=$1:$!
	[ -z "$before" ] || await "$before"
}

# await NAME:PID: waits for a part, but not longer than to the clock's next sign.
await() {
	wait "${1#*:}"
	status=$?
	if [ $status -eq $sign ]; then
		late="$late $1"
	else
		block "status $status" >>"$work/${1%%:*}"
	fi
}

# finish WAVE: waits for all that have begun, until the clock says that it is over. What
# not even SIGKILL ends, in a dead mount, goes on.
finish() {
	late="$late $begun" begun=
	while [ -n "${late# }" ] && [ ! -e "$work/over.$1" ]; do
		left=$late late=
		for one in $left; do await "$one"; done
	done
	late=
}

# Gives a sign a few times a second; ends what runs when a wave's time is over, and says
# so.
clock() {
	read -r own _ </proc/self/stat
	for wave in 1 2; do
		for second in @SECONDS@ over; do
			for turn in 1 2 3 4 5; do
				# Some know whole seconds only: then this is the second's only sign.
				whole=
				sleep 0.2 || { sleep 1 && whole=1; } || exit
				kill -USR1 $$
				[ -z "$whole" ] || break
			done
		done
		end_below $$
		: >"$work/over.$wave"
	done
}

# Ends everything below a process but ourselves. Each is stopped first, so that nothing
# gets away. The kernel's `stat` would show a program's name as its owner wrote it.
end_below() {
	for below in $(awk -v parent="$1" -v own="$own" '
		$1 == "PPid:" && $2 == parent {
			split(FILENAME, at, "/")
			if (at[3] != own) print at[3]
		}' /proc/[0-9]*/status); do
		kill -STOP "$below"
		(end_below "$below")
		kill -KILL "$below"
	done
}

work=$TMPDIR/parts
mkdir "$work" || exit 1
# Debian's unit makes this directory and takes it away again; without it sshd speaks
# of nothing else.
made=
if [ ! -e /run/sshd ] && mkdir -m 0755 /run/sshd 2>/dev/null; then made=1; fi
# What `wait` returns when SIGUSR1 (10) comes.
sign=138
trap : USR1
begun= late=
clock >/dev/null 2>&1 </dev/null &
clock=$!
@FIRST@
finish 1
@THEN@
finish 2
kill $clock
if [ -n "$made" ]; then rmdir /run/sshd; fi
cd "$work" && cat @NAMES@
cd / && rm -rf "$work"
block end
