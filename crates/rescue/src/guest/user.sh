# Runs commands with the rights of the account that logs in, and no other rights: in a
# directory that a user may change, root's rights are what a planted link, FIFO or
# race is after. Whatever such a command does or says is the user's own doing.
#
#   find_user NAME     sets user_name user_uid user_gid user_groups user_home
#                      user_shell; status 1 if there is no such account
#   as_user CMD...     runs CMD as that user, with an empty environment, without
#                      other open files, for ten seconds at most
#
# setpriv (util-linux) and chroot (coreutils) take numbers and ask neither PAM nor
# the name service, which may be what is broken; su is for systems with neither.
# busybox alone has neither, only programs that ask for a name: in a mount namespace of
# their own they are shown account files that know nobody else.
# REGAIN_ROOT goes before the account files: numbers of a mounted root are its own.
find_user() {
	user_name=$1 user_uid=
	if [ -z "${REGAIN_ROOT:-}" ] && command -v getent >/dev/null 2>&1; then
		user_entry=$(timeout 3 getent passwd "$1" 2>/dev/null </dev/null)
	else
		user_entry=
	fi
	[ -n "$user_entry" ] || user_entry=$(
		awk -F: -v name="$1" '$1 == name { print; exit }' "${user_files:-${REGAIN_ROOT:-}/etc}/passwd" 2>/dev/null
	)
	[ -n "$user_entry" ] || return 1
	IFS=: read -r user_name _ user_uid user_gid _ user_home user_shell <<-END
		$user_entry
	END
	case $user_uid$user_gid in
	'' | *[!0-9]*) return 1 ;;
	esac
	# Written as 00 it would be root's number, and not look like it.
	case $user_uid in
	0?*) return 1 ;;
	esac
	user_groups=
	if [ -z "${REGAIN_ROOT:-}" ]; then
		for user_group in $(timeout 3 id -G "$user_name" 2>/dev/null </dev/null); do
			user_groups=$user_groups${user_groups:+,}$user_group
		done
	fi
	[ -n "$user_groups" ] || user_groups=$(
		awk -F: -v name="$user_name" -v own="$user_gid" '
			BEGIN { list = own }
			{ n = split($4, members, ","); for (i = 1; i <= n; i++) if (members[i] == name) list = list "," $3 }
			END { print list }' "${user_files:-${REGAIN_ROOT:-}/etc}/group" 2>/dev/null
	)
}

# What can change the user here; asked once.
if setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
	user_way=setpriv
elif chroot --userspec=65534:65534 --groups=65534 / true 2>/dev/null; then
	user_way=chroot
elif command -v busybox >/dev/null 2>&1 && unshare -m true 2>/dev/null; then
	user_way=borrow
elif [ -z "${REGAIN_ROOT:-}" ]; then
	user_way=su
else
	user_way=none
fi

as_user() {
	case $user_way in
	setpriv)
		${user_exec:-} timeout -k 1 10 setpriv --reuid "$user_uid" --regid "$user_gid" \
			--groups "$user_groups" env -i PATH="$PATH" LC_ALL=C "$@" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-
		;;
	chroot)
		${user_exec:-} timeout -k 1 10 chroot --userspec="$user_uid:$user_gid" --groups="$user_groups" / \
			env -i PATH="$PATH" LC_ALL=C "$@" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-
		;;
	borrow)
		user_borrow || return 126
		timeout -k 1 10 unshare -m sh -c '
			mount --bind "$1/borrowed.passwd" /etc/passwd &&
				mount --bind "$1/borrowed.group" /etc/group || exit 126
			account=$2 program=$(command -v env)
			shift 2
			if busybox start-stop-daemon --help >/dev/null 2>&1; then
				exec busybox start-stop-daemon -S -q -p /proc/none -c "$account" -x "$program" -- "$@"
			fi
			exec su -s /bin/sh "${account%%:*}" -c '\''exec "$0" "$@"'\'' "$program" "$@"' \
			sh "$user_borrowed" "regain-user:$user_gid" -i PATH="$PATH" LC_ALL=C "$@" \
			3>&- 4>&- 5>&- 6>&- 7>&- 8>&-
		;;
	su)
		# An account that has expired is no obstacle for root's own su (pam_rootok),
		# but its account stage may be; then this fails, and says so.
		timeout -k 1 10 su -s /bin/sh "$user_name" -c 'exec env -i PATH="$PATH" LC_ALL=C "$@"' \
			sh "$@" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-
		;;
	*)
		echo 'nothing here can act as another user (setpriv or chroot --userspec)' >&2
		return 126
		;;
	esac
}

user_borrow() {
	user_borrowed=${temp:-${TMPDIR:-/tmp}}
	(
		umask 022
		echo "regain-user:x:$user_uid:$user_gid::/:/bin/sh" >"$user_borrowed/borrowed.passwd" &&
			printf '%s\n' "$user_gid,$user_groups" | tr ',' '\n' | sort -u |
			sed 's/.*/g&:x:&:regain-user/' >"$user_borrowed/borrowed.group"
	)
}
