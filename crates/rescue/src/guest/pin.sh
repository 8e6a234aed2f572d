# What root does in a directory that a user can change, because the user cannot: to
# read, change or bring back something of another owner. It is walk.sh and this text,
# run by
#
#   sh -c TEXT pin TOP HERE REST COMMAND ARGUMENT...
#
# from the directory HERE. No link is followed. A directory is held as the current
# one, a file by an open descriptor, and nothing is done to either before the kernel
# has said that it is the very thing at that path: no link to elsewhere, no second
# hard link, no other file system mounted over it.
say() { printf '%s\n' "$*" >&2; }
fail() { say "$@" && return 1; }
set -u
umask 077
top=$1 here=$2 rest=$3 command=$4
shift 4
is_here || exit 1
walk_trim

# The mount that descriptor $1 is on; without the kernel's word for it, whether
# anything is mounted at or below the path $2.
mount_of() {
	while read -r word value; do
		[ "$word" != mnt_id: ] || { echo "$value" && return; }
	done <"/proc/self/fdinfo/$1"
	case $2 in
	*[!A-Za-z0-9/._-]*) return 1 ;;
	esac
	awk -v path="$2" '$5 == path || index($5, path "/") == 1 { bad = 1 }
		END { exit bad }' /proc/self/mountinfo && echo none
}

down() {
	case $1 in
	. | ..) fail "$1 has no place in ${here#"$top"}" || return 1 ;;
	esac
	[ ! -L "./$1" ] || fail "${here#"$top"}/$1 is a link" || return 1
	cd -P "./$1" 2>/dev/null || fail "${here#"$top"}/$1 is no directory" || return 1
	here=$here/$1
	is_here || fail "${here#"$top"} changed while it was looked at" || return 1
	exec 5<.
	now=$(mount_of 5 "$here") && [ "$now" = "$mount" ] ||
		fail "something is mounted on ${here#"$top"}" || return 1
}

hold() {
	[ -f "./$rest" ] && [ ! -L "./$rest" ] || fail "${here#"$top"}/$rest is not a file" || return 1
	exec 6<"./$rest" || return 1
	[ "$(readlink /proc/self/fd/6)" = "$here/$rest" ] ||
		fail "${here#"$top"}/$rest changed while it was looked at" || return 1
	set -- $(stat -L -c '%f %h %u %g %a %s %d:%i' /proc/self/fd/6)
	case $1 in
	8*) ;;
	*) fail "${here#"$top"}/$rest is not a file" || return 1 ;;
	esac
	[ "$2" = 1 ] || fail "${here#"$top"}/$rest has another name elsewhere (a hard link)" || return 1
	held_uid=$3 held_gid=$4 held_mode=$5 held_size=$6 held_inode=$7
	exec 5<.
	now=$(mount_of 6 "$here/$rest") && [ "$now" = "$(mount_of 5 "$here/$rest")" ] ||
		fail "something is mounted on ${here#"$top"}/$rest" || return 1
}

exec 5<.
mount=$(mount_of 5 "$here/$rest") || fail "something is mounted below ${here#"$top"}" || exit 1
while :; do
	case $rest in
	*/*) ;;
	*) break ;;
	esac
	next=${rest#*/}
	down "${rest%%/*}" || exit 1
	rest=$next
done

case $command in
keep)
	# keep DESTINATION LIMIT: a copy with all that belongs to it.
	hold || exit 1
	[ "$held_size" -le "$2" ] || fail "${here#"$top"}/$rest is larger than $2 bytes" || exit 1
	cp -L --preserve=all /proc/self/fd/6 "$1" 2>/dev/null || cp -L -p /proc/self/fd/6 "$1" || exit 1
	[ "$(stat -c %s "$1")" -le "$2" ] || exit 1
	echo "$held_mode $held_uid $held_gid $held_inode"
	;;
restore)
	# restore KEPT TEMPORARY-NAME MODE UID:GID: makes it beside, for the user to
	# rename: only the user's own rename can do no harm where a link may be planted.
	set -C
	exec 7>"./$2" || exit 1
	set +C
	cat "$1" >&7 && chown "$4" /proc/self/fd/7 && chmod "00$3" /proc/self/fd/7 || exit 1
	cp -p --preserve=all --attributes-only "$1" /proc/self/fd/7 2>/dev/null || :
	chmod "00$3" /proc/self/fd/7 && touch -c -r "$1" /proc/self/fd/7
	;;
chmod)
	# chmod KIND INODE UID WAS MODE, of that inode and nothing else. What it was is
	# asked again here: the caller may have it from the user's hand.
	if [ "$1" = directory ]; then
		down "$rest" || exit 1
		[ "$(stat -c '%d:%i %u %a' .)" = "$2 $3 ${4#"${4%%[!0]*}"}" ] ||
			fail "${here#"$top"} is another one now" || exit 1
		chmod "00$5" .
	else
		hold || exit 1
		[ "$held_inode $held_uid $held_mode" = "$2 $3 ${4#"${4%%[!0]*}"}" ] ||
			fail "${here#"$top"}/$rest is another one now" || exit 1
		chmod "00$5" /proc/self/fd/6
	fi
	;;
chown-directory)
	# chown-directory INODE WAS-UID:GID UID:GID MODE
	down "$rest" || exit 1
	[ "$(stat -c '%d:%i %u:%g' .)" = "$1 $2" ] || fail "${here#"$top"} is another one now" || exit 1
	# The mode goes down first: a new owner must not meet bits of the old one.
	chmod "00$4" . && chown -h "$3" . && chmod "00$4" .
	;;
only-keys)
	# Whether a directory holds what belongs into .ssh, and nothing else.
	down "$rest" || exit 1
	for entry in ./* ./.[!.]* ./..?*; do
		[ -e "$entry" ] || [ -L "$entry" ] || continue
		case ${entry#./} in
		authorized_keys* | known_hosts* | id_* | *.pub | config | environment | rc) ;;
		*) fail "${here#"$top"} holds ${entry#./}, which has no place there" || exit 1 ;;
		esac
		[ ! -d "$entry" ] || [ -L "$entry" ] || fail "${here#"$top"} holds a directory" || exit 1
	done
	;;
*) exit 2 ;;
esac
