# `sshd -T` for this login: the keywords that decide about logins, and none whose value
# can be secret. Other parts read the files that this one leaves.
sshd=$(command -v sshd) || { block none && return; }
connection="user=$LOGIN,host=$HOST,addr=$ADDRESS"
ask() {
	"$sshd" -T -C "$connection,lport=$PORT" "$@" >"$work/resolved" \
		2>"$work/settings.errors"
}
if ask; then
	: >"$work/accepted"
elif grep -q 'no hostkeys' "$work/settings.errors" && has ssh-keygen; then
	# Without a host key sshd shows no settings; lend it one.
	ssh-keygen -q -t ed25519 -N '' -f "$work/lent" && ask -h "$work/lent"
fi
block settings
: >"$work/settings.kept"
awk -v lent="hostkey $work/" '
	BEGIN {
		n = split("port addressfamily listenaddress hostkey usepam strictmodes " \
			"pubkeyauthentication passwordauthentication kbdinteractiveauthentication " \
			"challengeresponseauthentication permitrootlogin permitemptypasswords " \
			"authorizedkeysfile authorizedkeyscommanduser authorizedprincipalsfile " \
			"trustedusercakeys revokedkeys authenticationmethods allowusers allowgroups " \
			"denyusers denygroups maxauthtries maxstartups maxsessions logingracetime " \
			"persourcemaxstartups persourcepenalties chrootdirectory permittty usedns", kept)
		for (i = 1; i <= n; i++) keep[kept[i]] = 1
	}
	function tell(line) { print line; print line >copy }
	index($0, lent) == 1 { next }
	$1 in keep { tell($0); next }
	$1 ~ /^(authorizedkeyscommand|authorizedprincipalscommand)$/ {
		tell($1 " " $2 (NF > 2 ? " (hidden)" : ""))
	}
	$1 == "forcecommand" { tell($1 " " ($2 == "none" && NF == 2 ? "none" : "(hidden)")) }
' copy="$work/settings.kept" "$work/resolved"
if [ ! -s "$work/resolved" ]; then
	block errors
	words_of_sshd <"$work/settings.errors"
fi
