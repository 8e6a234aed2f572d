make_home() { # USER HOME
	account_of "$1" && at "$2" && look || return 1
	case $seen in
	absent) ;;
	nowhere) fail "there is no directory for $2" || return 1 ;;
	*) fail "something is at $2 already" || return 1 ;;
	esac
	may_be_home || return 1
	if [ -n "$dry" ]; then
		dry_made=$(path_here)
		would "mkdir -m 0700 $2, for $1"
		return
	fi
	begin made "$(path_here)" && printf '%s\n' "$seen_in $seen_in_time" >"$record/time" && commit || return 1
	# The directory above is only root's, so nobody can put another one in between.
	mkdir -m 700 "./$rest" && chown -h "$user_uid:$user_gid" "./$rest" || return 1
	if [ -z "$top" ]; then restorecon "./$rest" 2>/dev/null || :; fi
	say "made $2"
}
