# The user's own hand: what is done in a directory that a user can change, with that
# user's rights and no others (user.sh), so that whatever is planted there can do only
# what the user could do anyway. It is walk.sh and this text, run by
#
#   sh -c TEXT hand TOP HERE REST COMMAND ARGUMENT...
#
# from the directory HERE, which root has walked to. Links are followed, inside TOP.
say() { printf '%s\n' "$*" >&2; }
fail() { say "$@" && return 1; }
walk_trusts() { :; }
set -u
umask 077
top=$1 here=$2 rest=$3 command=$4 links=0 walk_last=follow land=own
shift 4
case $command in
look-kept | aside | back) walk_last=keep ;;
esac
# The label that belongs there, for SELinux.
label() {
	! command -v restorecon >/dev/null 2>&1 || restorecon "./$rest" 2>/dev/null || :
}

cd -P "${here:-/}" 2>/dev/null || :
is_here || exit 1
walk_on || exit 1

if [ "$command" = put-in-new ]; then
	file=${rest#*/} rest=${rest%%/*}
	mkdir -m 700 "./$rest" && label && cd -P "./$rest" || exit 1
	rest=$file command=put
fi
case $command in
look | look-kept)
	look_at
	# The directory's time changes with every file that is replaced in it.
	stat -c '%Y %y' .
	;;
read)
	# Not a FIFO, which would have us wait; if it becomes one now, we are stopped.
	[ -f "./$rest" ] || fail 'it is not a file' || exit 1
	head -c "$1" <"./$rest"
	;;
put)
	# put TEMPORARY-NAME MODE [SECONDS TIME]: standard input becomes the file; as
	# put-in-new, in a directory that is made for it.
	case $rest in */*) fail 'its directory is not there' || exit 1 ;; esac
	trap 'rm -f "./$1"' EXIT
	(set -C && : >"./$1") || exit 1
	if [ -f "./$rest" ]; then
		# The copy brings what belongs to it: ACL, label, attributes.
		cp -a "./$rest" "./$1" 2>/dev/null
		chmod 600 "./$1" || exit 1
	fi
	cat >"./$1" && chmod "00$2" "./$1" || exit 1
	[ -z "${3:-}" ] || set_time "$3" "$4" "./$1" || exit 1
	timeout 5 sync "./$1" 2>/dev/null || :
	mv -f "./$1" "./$rest" && trap - EXIT && label
	;;
take)
	mv -f "./$1" "./$rest"
	;;
rmdir) rmdir "./$rest" ;;
rm) rm -f "./$rest" ;;
# What may lie about after an end that nothing could hold up.
rm-temporary)
	case $rest in
	*/*) ;;
	*) rm -f "./$1" ;;
	esac
	;;
# Five digits: with fewer the bits for others' rights stay on a directory.
chmod) chmod "00$1" "./$rest" ;;
aside)
	[ ! -e "./$1" ] && [ ! -L "./$1" ] || fail "$1 is there" || exit 1
	mv "./$rest" "./$1"
	;;
back)
	[ ! -e "./$rest" ] && [ ! -L "./$rest" ] || fail "something is there" || exit 1
	mv "./$1" "./$rest"
	;;
time) set_time "$1" "$2" . ;;
*) exit 2 ;;
esac
