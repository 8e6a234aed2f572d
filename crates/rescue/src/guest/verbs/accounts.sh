clear_expiry() { # USER
	change_account shadow "$1" '$8 = ""' || return 1
	[ -n "$dry" ] || say "$1 no longer expires"
}

renew_password() { # USER
	change_account shadow "$1" '$3 = value' "$(($(date +%s) / 86400))" || return 1
	[ -n "$dry" ] || say "the password of $1 counts as changed today"
}

unlock_keys() { # USER
	change_account shadow "$1" 'sub(/^!+/, "*", $2)' || return 1
	[ -n "$dry" ] || say "keys of $1 are let in, the password stays locked"
}

set_shell() { # USER
	# A shell that people log in with, of those that the system knows.
	shells='/bin/sh /usr/bin/sh'
	if open_file /etc/shells 3>/dev/null && [ -s "$temp/old" ]; then
		shells=$(sed 's/#.*//' "$temp/old" | tr -d ' \t')
	fi
	shell=
	set -f
	for candidate in /bin/bash /usr/bin/bash /bin/sh /usr/bin/sh /bin/ash $shells; do
		case $newline$(printf '%s\n' $shells)$newline in
		*"$newline$candidate$newline"*) ;;
		*) continue ;;
		esac
		case ${candidate##*/} in
		nologin | false | true | rbash | git-shell | scponly | rssh | tmux | screen) continue ;;
		esac
		if walk "$candidate" && [ "$land" = root ] && [ -f "./$rest" ] && [ -x "./$rest" ]; then
			shell=$candidate
			break
		fi
	done 3>/dev/null
	set +f
	[ -n "$shell" ] || fail 'no shell of /etc/shells is there and runs' || return 1
	change_account passwd "$1" '$7 = value' "$shell" || return 1
	[ -n "$dry" ] || say "the login shell of $1 is $shell"
}

add_sshd_account() {
	lock_accounts || return 1
	limit=16777216
	open_file /etc/group || return 1
	group=$(awk -F: '$1 == "sshd" { print $3; exit }' <"$temp/old")
	open_file /etc/passwd && limit=1048576 || return 1
	if grep -q '^sshd:' "$temp/old"; then
		fail 'the account sshd is there' || return 1
	fi
	id=$(awk -F: '
		{ used[$3] = 1 }
		END { for (i = 999; i > 99; i--) if (!(i in used)) { print i; exit } }' <"$temp/old")
	[ -n "$id" ] || fail 'no number is free for the account sshd' || return 1
	{
		cat "$temp/old"
		[ -z "$(tail -c 1 "$temp/old")" ] || echo
		echo "sshd:x:$id:${group:-65534}:sshd privilege separation:/run/sshd:/usr/sbin/nologin"
	} >"$temp/new"
	put_accounts && unlock_accounts || return 1
	[ -n "$dry" ] || say 'added the account sshd'
}
