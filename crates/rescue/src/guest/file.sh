# Files in root's land: replaced by one rename, with mode, owner, ACL, attributes and
# label as they were.
#
#   at PATH [keep]     walks there; false unless it is root's land
#   open_file PATH     at, and a copy of the file in $temp/old; `seen` says what is there
#   put_file [OLD NEW] $temp/new takes its place, with $new_mode if it is a new file;
#                      a dry run shows the difference between OLD and NEW instead
#   take_file          removes it
#   set_mode MODE      of a file or directory
#   make_directory     0755, root's
limit=1048576

at() {
	walk "$@" || return 1
	if [ "$land" != root ]; then
		fail "$1 is left alone: ${here:-/} can be changed by others than root"
	fi
}

open_file() {
	at "$1" && look || return 1
	case $seen in
	file) ;;
	absent) : >"$temp/old" && return 0 ;;
	nowhere) fail "$1 is left alone: there is no directory for it" || return 1 ;;
	*) fail "$1 is not a file" || return 1 ;;
	esac
	[ "$seen_size" -le "$limit" ] || fail "$1 is larger than $limit bytes" || return 1
	head -c "$((limit + 1))" <"./$rest" >"$temp/old" && [ "$(wc -c <"$temp/old")" -le "$limit" ]
}

# begin_file LEFT: what is there is kept: the file itself by a second name where the
# disk allows it, so that nothing of it can be lost.
begin_file() {
	begin file "$(path_here)" || return 1
	temporary=.regain.$(random)
	printf '%s\n' "$temporary" >"$record/temporary" && printf '%s\n' "$1" >"$record/left" &&
		sum_here >"$record/was" || return 1
	if [ -n "$locked" ]; then
		touch -r "$temp/etc" "$record/time"
	else
		touch -r . "$record/time"
	fi || return 1
	if [ -e "./$rest" ] || [ -L "./$rest" ]; then
		ln "./$rest" "$record/old" 2>/dev/null || cp -a "./$rest" "$record/old" || return 1
	fi
	commit
}

put_file() {
	if [ "$seen" = file ] && cmp -s "$temp/old" "$temp/new"; then return 0; fi
	if [ -n "$dry" ]; then
		differ "$(path_here)" "${1:-$temp/old}" "${2:-$temp/new}"
		return
	fi
	begin_file "$(sum <"$temp/new")" || return 1
	(set -C && : >"./$temporary") || return 1
	if [ "$seen" = file ]; then
		cp -a "./$rest" "./$temporary" || return 1
		case $seen_mode in
		????*) chmod "${seen_mode#?}" "./$temporary" || return 1 ;;
		esac
	else
		chmod "${new_mode:-644}" "./$temporary" || return 1
	fi
	cat "$temp/new" >"./$temporary" || return 1
	timeout 20 sync "./$temporary" 2>/dev/null || :
	mv -f "./$temporary" "./$rest" || return 1
	if [ "$seen" != file ] && [ -z "$top" ]; then restorecon "./$rest" 2>/dev/null || :; fi
	timeout 20 sync . 2>/dev/null || :
}

take_file() {
	if [ -n "$dry" ]; then
		would "rm $(path_here)"
		return
	fi
	begin_file absent && rm -f "./$rest"
}

# begin_mode BY KIND INODE OWNER WAS NEW
begin_mode() {
	begin mode "$(path_here)" && printf '%s\n' "$*" >"$record/mode" || return 1
	if [ "$1" != root ]; then write_account || return 1; fi
	commit
}

set_mode() {
	[ "$seen_mode" != "$1" ] || return 0
	if [ -n "$dry" ]; then
		would "chmod 0$1 $(path_here)"
		return
	fi
	begin_mode root "$seen" "$seen_inode" "$seen_uid" "$seen_mode" "$1" &&
		chmod "00$1" "./$rest"
}

make_directory() {
	if [ -n "$dry" ]; then
		would "mkdir -m 0755 $(path_here)"
		return
	fi
	begin made "$(path_here)" && printf '%s\n' "$seen_in $seen_in_time" >"$record/time" &&
		commit && mkdir -m 755 "./$rest" || return 1
	if [ -z "$top" ]; then restorecon "./$rest" 2>/dev/null || :; fi
}

# without_write MODE: what it is without write access for group and others, and
# without the bits that run a program as somebody else.
without_write() {
	set -- "${1#"${1%???}"}"
	case $1 in
	?[2367]?) set -- "${1%??}$((${1#?} / 10 - 2))${1#??}" ;;
	esac
	case $1 in
	??[2367]) set -- "${1%?}$((${1#??} - 2))" ;;
	esac
	printf '%s\n' "$1"
}
