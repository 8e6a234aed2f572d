# The account: its entry without the full name, by the name service (getent: 0 found,
# 2 not found) and by /etc/passwd; its groups; what its password field is, never the
# hash, and the days; its shell; and the text that pam_nologin shows to everybody. The
# part about keys reads the file that this one leaves.
entry= line= service=2
if has getent; then
	entry=$(limited 3 getent passwd "$LOGIN")
	service=$?
	block "service $service"
fi
while IFS= read -r line; do
	case $line in "$LOGIN:"*) break ;; esac
	line=
done </etc/passwd
block "line ${line:+found}"
entry=${entry:-$line}
if [ -n "$entry" ]; then
	IFS=: read -r _ _ uid gid _ home shell <<-END
		$entry
	END
	block entry
	printf '%s\n' "$uid:$gid:$home:$shell"
	groups=$(limited 3 id "$LOGIN")
	block groups
	groups=${groups#*groups=}
	printf '%s\n' "$groups"
	printf '%s\n' "$uid" "$gid" "$groups" "$home" >"$work/user"
	block shadow
	while IFS=: read -r name password changed _ max _ inactive expires _; do
		[ "$name" = "$LOGIN" ] || continue
		case $password in
		'!'*) kind=locked ;;
		'' | '*'*) kind=none ;;
		*) kind=usable ;;
		esac
		echo "$kind:$changed:$max:$inactive:$expires"
		break
	done </etc/shadow
	block shell
	stat -L -c '%f %u %g %s %n' "${shell:-/bin/sh}"
elif [ $service -eq 2 ]; then
	: >"$work/nobody"
fi
for file in /etc/nologin /run/nologin /var/run/nologin; do
	if [ -e "$file" ] && territory "$file"; then
		block nologin
		head -c 1000 "$real"
		break
	fi
done
