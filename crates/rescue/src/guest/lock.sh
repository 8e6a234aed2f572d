# The system's own lock on its accounts (/etc/passwd, /etc/shadow, /etc/group).
#
#   lock_accounts      waits for it
#   unlock_accounts    lets it go; so does the end of this process, however it comes
#
# useradd, usermod, chage, passwd and PAM take a lock that sh cannot take: an fcntl
# lock on /etc/.pwd.lock (lckpwdf). `vipw` takes it for as long as its editor runs, so
# the editor that it is given here only waits. It changes nothing, and says so. The
# FIFO's end in our hand is what the editor waits for: it is closed when we end.
# A system without vipw gets the link that shadow's tools make beside the file. A
# mounted root is used by nobody else.
locked=

lock_accounts() {
	[ -z "$locked${REGAIN_ROOT:-}${REGAIN_DRY:-}" ] || return 0
	# The lock is files in /etc: this is how old that directory was without it.
	touch -r /etc "$temp/etc" || return 1
	if command -v vipw >/dev/null 2>&1 && command -v mkfifo >/dev/null 2>&1; then
		lock_by_vipw
	else
		lock_by_link
	fi || fail 'somebody else is changing the accounts: try again' || return 1
}

lock_by_vipw() {
	rm -f "$temp/held" "$temp/free"
	mkfifo "$temp/held" "$temp/free" || return 1
	printf 'echo held >"%s"\ntimeout 120 cat "%s"\n' "$temp/held" "$temp/free" >"$temp/hold"
	exec 8<>"$temp/free"
	for lock_try in 1 2 3; do
		(
			exec 8>&- 3>&-
			EDITOR="sh $temp/hold" VISUAL="sh $temp/hold" timeout 150 vipw </dev/null >/dev/null 2>&1 ||
				timeout 5 sh -c 'echo failed >"$1"' sh "$temp/held"
		) &
		locked=$!
		case $(timeout 40 cat "$temp/held") in
		held) return 0 ;;
		esac
		locked=
		sleep 1
	done
	exec 8>&-
	return 1
}

lock_by_link() {
	for lock_try in 1 2 3 4 5; do
		printf '%s' "$$" >"/etc/passwd.$$" || return 1
		if ln "/etc/passwd.$$" /etc/passwd.lock 2>/dev/null; then
			rm -f "/etc/passwd.$$"
			locked=link
			return 0
		fi
		rm -f "/etc/passwd.$$"
		lock_owner=$(head -c 20 /etc/passwd.lock 2>/dev/null | tr -cd 0-9)
		# As shadow does: the lock of a process that has ended is nobody's.
		if [ -n "$lock_owner" ] && ! kill -0 "$lock_owner" 2>/dev/null; then
			rm -f /etc/passwd.lock
		else
			sleep 1
		fi
	done
	return 1
}

unlock_accounts() {
	case $locked in
	'') return 0 ;;
	link) rm -f /etc/passwd.lock ;;
	*)
		exec 8>&-
		wait "$locked"
		;;
	esac
	locked=
}
