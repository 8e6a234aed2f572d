# sshd's processes: id, state, command line. sshd's own options stay, what stands behind
# others does not, and other people's names do not.
block processes
for process in /proc/[0-9]*; do
	read -r name <"$process/comm" || continue
	case $name in
	sshd | sshd-session | sshd-auth)
		# Anybody may call a program so; the server and its sessions' monitors are root's.
		owner=
		while read -r name _ owner _; do [ "$name" != Uid: ] || break; done <"$process/status"
		[ "$owner" = 0 ] || continue
		read -r stat <"$process/stat" || continue
		stat=${stat##*) }
		printf '%s\n' "${process#/proc/} ${stat%% *} $(tr '\0\n' '  ' <"$process/cmdline")"
		;;
	esac
done | awk '
	BEGIN { login = ENVIRON["LOGIN"] }
	# `sshd: NAME [priv]`, `sshd: NAME@pts/0`: the title of a session.
	$3 ~ /^sshd(-session|-auth)?:$/ && $4 !~ /^\// {
		title = $4
		sub(/@.*/, "", title)
		print $1, $2, $3, (title == login ? $4 : "(another user)")
		next
	}
	# What other parts ask right now.
	$4 ~ /^-[Tt]$/ { next }
	{
		told = $1 " " $2
		for (i = 3; i <= NF; i++) {
			if ($i ~ /^(sshd(-session|-auth)?:|\/[A-Za-z0-9_.\/-]*|-[DdtTeqir46R]+|\[[a-z]+\]|[0-9]+|of|[0-9]+-[0-9]+|startups)$/)
				told = told " " $i
			else if ($i ~ /^-p[0-9]*$/ || $i ~ /^-oPort=[0-9]+$/) told = told " " $i
			else if ($i == "-o" && $(i + 1) ~ /^Port=[0-9]+$/) { told = told " -o " $(i + 1); i++ }
			else if ($i ~ /^-[fEhgkbuc]$/) told = told " " $i
			else told = told " (hidden)"
		}
		print told
	}'
