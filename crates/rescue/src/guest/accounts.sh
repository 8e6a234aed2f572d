# The account files, under the system's own lock (lock.sh).
#
#   change_account FILE NAME PROGRAM [VALUE]
#
# PROGRAM (awk) changes the fields of the account's line in /etc/FILE; `value` is
# VALUE. An account that is kept elsewhere (a directory server) is not there.
change_account() {
	lock_accounts || return 1
	limit=16777216
	open_file "/etc/$1" || return 1
	limit=1048576
	if ! NAME=$2 VALUE=${4:-} awk -F: -v OFS=: '
		BEGIN { name = ENVIRON["NAME"]; value = ENVIRON["VALUE"] }
		$1 == name { found++; '"$3"' }
		{ print }
		END { exit found != 1 }' <"$temp/old" >"$temp/new"; then
		fail "$2 is not in /etc/$1: change the account where it is kept" || return 1
	fi
	put_accounts && unlock_accounts
}

# Hashes stay in the guest: a dry run shows which fields change, and a lock's mark.
put_accounts() {
	for shown in old new; do
		awk -F: -v OFS=: '
			{
				mark = $2
				sub(/[^!*].*/, "", mark)
				if (mark != $2 && $2 != "x") $2 = mark "(hash)"
				print
			}
		' <"$temp/$shown" >"$temp/$shown.shown"
	done
	put_file "$temp/old.shown" "$temp/new.shown"
}
