# Files of authorized keys, wherever they are: in the user's land with the user's
# hand, in root's land (`AuthorizedKeysFile /etc/ssh/keys/%u`) as any other file.
#
#   open_keys USER FILE   finds both; a copy of the file is in $temp/old
#   put_keys              $temp/new takes its place
#   only_keys FILE        whether it is a file of keys and nothing else
#   own_mode MODE         of something of the user's
account_of() {
	if [ -n "${REGAIN_ROOT:-}" ]; then
		# Its own links must not lead to the account files of this machine.
		for user_file in passwd group; do
			limit=16777216
			open_file "/etc/$user_file" && cp "$temp/old" "$temp/$user_file" || return 1
		done
		limit=1048576
		user_files=$temp
	fi
	find_user "$1" || fail "there is no account $1"
}

write_account() {
	printf '%s\n' "$user_uid $user_gid $user_groups $user_name" >"$record/user"
}

# may_be_home: whatever leads there, no directory of the system is anybody's home.
may_be_home() {
	case $(path_here)/ in
	/bin/* | /boot/* | /dev/* | /etc/* | /lib*/* | /proc/* | /root/* | /run/* | /sbin/* | /sys/* | /usr/* | /tmp/*) ;;
	/var/*/*/) return 0 ;;
	/var/*) ;;
	/*/*/) return 0 ;;
	esac
	fail "$(path_here) is a directory of the system"
}

is_users_group() {
	case ,$user_groups,$user_gid, in
	*",$1,"*) return 0 ;;
	esac
	return 1
}

open_keys() {
	keys_put=put
	account_of "$1" && walk "$2" && look || return 1
	if [ "$seen" = nowhere ]; then
		make_keys_directory "$2" || return 1
	fi
	: >"$temp/old"
	case $land/$seen in
	*/absent) ;;
	root/file)
		open_file "$2" || return 1
		# The user's own account is the user's: a link in root's land that leads
		# out of it is root's decision, but hardly meant for a key.
		[ "$links" = 0 ] || only_keys "$temp/old" ||
			fail "$2 leads to ${here#"$top"}/$rest, which is no file of keys" || return 1
		;;
	user/file)
		[ "$seen_size" -le "$limit" ] || fail "$2 is larger than $limit bytes" || return 1
		hand read "$((limit + 1))" </dev/null | head -c "$((limit + 1))" >"$temp/old"
		[ "$(wc -c <"$temp/old")" -eq "$seen_size" ] ||
			fail "$user_name cannot read $2; give it back first" || return 1
		;;
	user/directory | user/other) set_aside "$2" || return 1 ;;
	*) fail "$2 is not a file" || return 1 ;;
	esac
}

# The directory that the file is to lie in, if that alone is not there; one of the user's
# is made together with the file.
make_keys_directory() {
	# In a home that a dry run has not made.
	case $(path_here) in
	"${dry_made:-none}"/*)
		would "mkdir -m 0700 ${1%/*}"
		seen=absent
		return
		;;
	esac
	case $rest in
	*/*/*) fail "there is no directory for $1" || return 1 ;;
	esac
	[ "$seen_next" = absent ] || fail "there is no directory for $1" || return 1
	keys_name=${rest#*/} rest=${rest%/*} seen=absent
	if [ "$land" = user ]; then
		if [ -n "$dry" ]; then
			would "mkdir -m 0700 $(path_here)"
		else
			begin made "$(path_here)" && write_account &&
				printf '%s\n' "$seen_in $seen_in_time" >"$record/time" && commit later || return 1
			keys_put=put-in-new
		fi
	elif [ "$user_uid" != 0 ] && { [ "$links" != 0 ] || [ "${1#"${user_home%/}"/}" != "$1" ]; }; then
		fail "$user_name has no say over ${here#"$top"}: root owns it, so make ${1%/*} by hand" ||
			return 1
	else
		make_directory || return 1
		[ -n "$dry" ] || cd -P "./$rest" || return 1
		here=$here/$rest
		rest=$keys_name seen=absent seen_mode=0
		return 0
	fi
	# How old a directory of ours is does not matter.
	rest=$rest/$keys_name seen_in='' seen_in_time=''
}
dry_made=
keys_put=put

set_aside() {
	aside_name=${rest##*/}.before-regain
	if [ -n "$dry" ]; then
		would "mv $1 $1.before-regain"
		seen=absent
		return
	fi
	begin aside "$1" && write_account && printf '%s\n' "$aside_name" >"$record/aside" &&
		printf '%s\n' "$seen_in $seen_in_time" >"$record/time" && commit || return 1
	hand aside "$aside_name" </dev/null || fail "$1 cannot be moved aside: $(because)" || return 1
	look
}

put_keys() {
	if [ "$land" = root ]; then
		new_mode=644
		put_file
		return
	fi
	keys_mode=600
	if [ "$seen" = file ]; then
		[ -n "${keys_given:-}" ] || ! cmp -s "$temp/old" "$temp/new" || return 0
		keys_mode=$(without_write "$seen_mode")
		case $keys_mode in
		[4567]??) ;;
		*) keys_mode=6${keys_mode#?} ;;
		esac
		keys_mode=${keys_kept_mode:-$keys_mode}
	fi
	if [ -n "$dry" ]; then
		differ "$(path_here)" "$temp/old" "$temp/new"
		return
	fi
	record_keys "$(sum <"$temp/new")" || return 1
	hand "$keys_put" "$temporary" "$keys_mode" <"$temp/new" ||
		fail "$user_name cannot write $(path_here): $(because); give its directory back first"
}

# record_keys LEFT: what is there, and the sum of what is about to be.
record_keys() {
	begin user_file "$(path_here)" && write_account || return 1
	temporary=.regain.$(random)
	printf '%s\n' "$seen_in $seen_in_time" >"$record/time"
	printf '%s\n' "$temporary $seen_mode $seen_seconds $seen_time" >"$record/old.facts"
	printf '%s\n' "$1" >"$record/left"
	echo absent >"$record/was"
	if [ "$seen" = file ]; then
		sum <"$temp/old" >"$record/was"
		if [ "$seen_uid" = "$user_uid" ] && is_users_group "$seen_gid"; then
			cp "$temp/old" "$record/old" || return 1
		else
			# Another owner's: root alone can bring it back as it is.
			set -- $(pin keep "$record/old" "$limit")
			[ $# = 4 ] || fail "$(path_here) is left alone: $(because)" || return 1
			foreign_mode=$(three "$1")
			printf '%s\n' "${foreign_mode#"${foreign_mode%???}"} $2:$3 $4" >"$record/foreign"
		fi
	fi
	commit
}

# Every line is blank, a comment, or a key with its options: then it is a file of
# keys, and not a secret that was moved or linked there.
only_keys() {
	[ "$(tr -d '\000' <"$1" | wc -c)" -eq "$(wc -c <"$1")" ] || return 1
	awk '
		function is_key(kind, key) {
			return kind ~ /^(sk-)?(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp(256|384|521))(-cert-v01)?(@openssh\.com)?$/ &&
				key ~ /^AAAA[A-Za-z0-9+\/]+=?=?$/ && length(key) >= 60
		}
		{ sub(/\r$/, ""); sub(/^[ \t]+/, "") }
		/^#/ || /^$/ { next }
		{
			split($0, word)
			if (is_key(word[1], word[2])) next
			quoted = 0
			for (i = 1; i <= length($0); i++) {
				c = substr($0, i, 1)
				if (c == "\\" && substr($0, i + 1, 1) == "\"") i++
				else if (c == "\"") quoted = !quoted
				else if (!quoted && (c == " " || c == "\t")) break
			}
			options = substr($0, 1, i - 1)
			split(substr($0, i + 1), word)
			if (quoted || options !~ /^[A-Za-z][A-Za-z0-9-]*(=".*")?(,[A-Za-z][A-Za-z0-9-]*(=".*")?)*$/ ||
				!is_key(word[1], word[2])) { bad = 1; exit }
		}
		END { exit bad }' "$1"
}

# own_mode MODE: with the user's hand, or root's pin where it is another owner's.
own_mode() {
	[ "$seen_mode" != "$1" ] || return 0
	if [ -n "$dry" ]; then
		would "chmod 0$1 $(path_here)"
		return
	fi
	if [ "$seen_uid" = "$user_uid" ] && [ "$user_uid" != 0 ]; then
		begin_mode user "$seen" "$seen_inode" "$seen_uid" "$seen_mode" "$1" || return 1
		hand chmod "$1" </dev/null
	else
		begin_mode pin "$seen" "$seen_inode" "$seen_uid" "$seen_mode" "$1" || return 1
		pin chmod "$seen" "$seen_inode" "$seen_uid" "$seen_mode" "$1"
	fi || fail "$(path_here) is left alone: $(because)"
}
