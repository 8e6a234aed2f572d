give_back() { # USER PATH...
	account_of "$1" || return 1
	shift
	for path in "$@"; do
		walk "$path" && look || return 1
		case $seen in
		directory) give_back_directory "$path" ;;
		file) give_back_file "$path" ;;
		*) fail "$path is neither a file nor a directory" ;;
		esac || return 1
		[ -n "$dry" ] || say "gave $path back to $user_name"
	done
}

# Only the home itself or its .ssh; and no directory is anybody's home that belongs to
# the system or to another account.
give_back_directory() {
	case $1 in
	"$user_home") give_back_home ;;
	"$user_home/.ssh")
		[ "$land/$rest" = user/.ssh ] || fail "$1 is not in the home of $user_name" || return 1
		set -- "$1" "$(stat -c %u .)"
		[ "$2" = "$user_uid" ] || fail "the home of $user_name belongs to another account: give it back first" || return 1
		pin only-keys || fail "$1 is left alone: $(because)"
		;;
	*) fail "$1 is neither the home of $user_name nor its .ssh" ;;
	esac || return 1
	mode=$(without_write "$seen_mode")
	mode=7${mode#?}
	if [ "$seen_uid" = "$user_uid" ]; then
		own_mode "$mode"
		return
	fi
	if [ -n "$dry" ]; then
		would "chown $user_uid:$user_gid $(path_here)"
		[ "$seen_mode" = "$mode" ] || would "chmod 0$mode $(path_here)"
		return
	fi
	begin owner "$(path_here)" && write_account || return 1
	printf '%s\n' "$seen_inode $seen_uid:$seen_gid $seen_mode $user_uid:$user_gid $mode" >"$record/owner"
	commit && pin chown-directory "$seen_inode" "$seen_uid:$seen_gid" "$user_uid:$user_gid" "$mode" ||
		fail "$(path_here) is left alone: $(because)"
}

give_back_home() {
	[ "$land" = root ] || fail "${here:-/} can be changed by others than root" || return 1
	may_be_home || return 1
	if [ "$seen_uid" != "$user_uid" ] && [ "$seen_uid" != 0 ] && HOME_DIR=$user_home OWNER=$seen_uid awk -F: '
		$3 == ENVIRON["OWNER"] && $6 == ENVIRON["HOME_DIR"] { found = 1 }
		END { exit !found }' "$top/etc/passwd"; then
		fail "$user_home is the home of its owner, another account" || return 1
	fi
}

# The file itself is never given away: what it holds is put into a new file of the
# user's own, if it is nothing but keys.
give_back_file() {
	if [ "$land" = root ]; then
		fail "$1 is in a directory of root's: give that back first" || return 1
	fi
	case $1 in
	*/authorized_keys*) ;;
	*) fail "$1 is not a file of authorized keys" || return 1 ;;
	esac
	if [ "$seen_uid" = "$user_uid" ] && is_users_group "$seen_gid"; then
		mode=$(without_write "$seen_mode")
		case $mode in
		[67]*) ;;
		*) mode=6${mode#?} ;;
		esac
		own_mode "$mode"
		return
	fi
	pin keep "$temp/old" 262144 >/dev/null && only_keys "$temp/old" || {
		[ -s "$temp/why" ] || echo 'it holds something else than keys' >"$temp/why"
		fail "$1 is left alone: $(because)"
		return 1
	}
	cp "$temp/old" "$temp/new"
	if [ -n "$dry" ]; then
		would "chown $user_uid:$user_gid $(path_here)"
		return
	fi
	keys_given=1
	put_keys || return 1
	keys_given=
}
