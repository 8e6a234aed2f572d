# Walks a path from directory to directory, from the root or from REGAIN_ROOT, which it
# never leaves: absolute links and `..` are taken inside it.
#
#   walk PATH [keep]   goes to the last directory and sets
#                        here   where that is, as the kernel says
#                        rest   what remains of the path from there
#                        land   whose it is: root's or a user's
#                        links  how many links were followed
#                      `keep` does not follow a link that the path ends with
#   look_at            one line about `rest` in the current directory
#
# The current directory is the descriptor: whatever is swapped above it later, it
# stays the one that was checked. While every directory so far can be changed by root
# alone, this is root's land; a link there is root's decision, and is followed. Behind
# the first directory that somebody else can change the walk stops, with land=user:
# what comes then is gone through with that user's rights (hand.sh), or descriptor by
# descriptor without any link (pin.sh).
newline='
'

# Whether the kernel calls the current directory so: some shells answer `pwd -P` from
# memory.
is_here() { [ "$(readlink /proc/self/cwd)" = "${here:-/}" ]; }

# walk_trusts UID:MODE: whether root alone can change a directory. An entry for somebody
# else in an ACL is held down by the ACL's mask, which is what the group's bits show, so
# these bits tell enough.
walk_trusts() {
	case $1 in
	0:*[2367] | 0:*[2367]?) return 1 ;;
	0:?*) return 0 ;;
	esac
	return 1
}

walk() {
	rest=$1 links=0 walk_last=${2:-follow}
	case $rest in
	/*) ;;
	*) fail "$rest is not absolute" || return 1 ;;
	esac
	cd -P "${REGAIN_ROOT:-/}" || return 1
	top=
	[ -z "${REGAIN_ROOT:-}" ] || top=$(readlink /proc/self/cwd) || return 1
	[ "$top" != / ] || top=
	here=$top land=root
	if [ -z "$top_is_safe" ] && walk_trusts "$(stat -c '%u:%a' .)"; then top_is_safe=1; fi
	if [ -n "$top_is_safe" ]; then
		walk_on
	else
		land=user
		walk_trim
	fi
}
top_is_safe=

walk_trim() {
	while :; do
		case $rest in
		/*) rest=${rest#/} ;;
		?*/) rest=${rest%/} ;;
		*) break ;;
		esac
	done
	[ -n "$rest" ] || rest=.
}

walk_on() {
	while :; do
		case $rest in
		*"$newline"*) fail 'a path with a line break is left alone' || return 1 ;;
		esac
		walk_trim
		walk_name=${rest%%/*} walk_more=
		case $rest in
		*/*) walk_more=${rest#*/} ;;
		esac
		case $walk_name in
		.)
			[ -n "$walk_more" ] || return 0
			rest=$walk_more
			continue
			;;
		..)
			if [ "$here" != "$top" ]; then
				cd -P .. || return 1
				here=${here%/*}
				is_here || fail "${here#"$top"} changed meanwhile" || return 1
			fi
			rest=${walk_more:-.}
			continue
			;;
		esac
		if [ -L "./$walk_name" ]; then
			[ -n "$walk_more" ] || [ "$walk_last" = follow ] || return 0
			links=$((links + 1))
			[ "$links" -le 40 ] || fail "too many links on the way to $rest" || return 1
			walk_to=$(readlink "./$walk_name") && [ -n "$walk_to" ] || return 1
			case $walk_to in
			/*)
				cd -P "${top:-/}" || return 1
				here=$top
				is_here || return 1
				;;
			esac
			rest=$walk_to${walk_more:+/$walk_more}
			continue
		fi
		if [ -z "$walk_more" ] || [ ! -d "./$walk_name" ]; then return 0; fi
		walk_stride || return 1
		if [ "$land" = user ]; then
			walk_trim
			return 0
		fi
	done
}

# Enters all directories ahead that root alone can change, and the one behind them: where
# nobody else can change a name there is nothing to be checked step by step.
walk_stride() {
	walk_far=. walk_left=$rest
	set --
	while [ "${walk_left#*/}" != "$walk_left" ]; do
		case ${walk_left%%/*} in '' | . | ..) break ;; esac
		walk_far=$walk_far/${walk_left%%/*} walk_left=${walk_left#*/}
		set -- "$@" "$walk_far"
	done
	walk_far= walk_left=$rest
	for walk_fact in $(stat -c '%f:%u:%a' "$@" 2>/dev/null); do
		case $walk_fact in
		# The type of a directory.
		4???:*) ;;
		*) break ;;
		esac
		walk_far=$walk_far/${walk_left%%/*} walk_left=${walk_left#*/}
		if ! walk_trusts "${walk_fact#*:}"; then
			land=user
			break
		fi
	done
	here=$here$walk_far rest=$walk_left
	[ -n "$walk_far" ] && cd -P ".$walk_far" 2>/dev/null ||
		fail "${here#"$top"} cannot be entered: give it back first" || return 1
	is_here || fail "${here#"$top"} changed while it was looked at"
}

# file MODE UID GID LINKS SIZE DEVICE:INODE SECONDS TIME, or another word alone; where the
# way ends earlier, `nowhere` and whether even the next name is absent.
look_at() {
	case $rest in
	*/*)
		# What a user's link leads to is not the name that was asked for.
		if [ "$land" = own ] && [ "$links" != 0 ] ||
			[ -e "./${rest%%/*}" ] || [ -L "./${rest%%/*}" ]; then
			echo nowhere
		else
			echo nowhere absent
		fi
		;;
	*)
		if [ -L "./$rest" ]; then
			echo link
		elif [ -f "./$rest" ]; then
			stat -c 'file %a %u %g %h %s %d:%i %Y %y' "./$rest"
		elif [ -d "./$rest" ]; then
			stat -c 'directory %a %u %g %h %s %d:%i %Y %y' "./$rest"
		elif [ -e "./$rest" ]; then
			echo other
		else
			echo absent
		fi
		;;
	esac
}

# set_time SECONDS TIME FILE: to the nanosecond, where `touch` can.
set_time() {
	touch -c -d "$2" "$3" 2>/dev/null || touch -c -d "@$1" "$3"
}
