# sshd's program, `sshd -t`, and the account of privilege separation: what the name
# service says of it (getent: 0 found, 2 not found), and whether /etc/passwd has it.
sshd=$(command -v sshd)
block program
printf '%s\n' "$sshd"
if [ -n "$sshd" ]; then
	block test
	if [ -e "$work/accepted" ]; then
		# Before it tells its settings, sshd has tested all that `-t` tests.
		words= code=0
		if [ -s "$work/settings.errors" ]; then words=$(cat "$work/settings.errors"); fi
	else
		words=$("$sshd" -t 2>&1)
		code=$?
	fi
	if [ -n "$words" ]; then printf '%s\n' "$words" | words_of_sshd; fi
	block "test.exit $code"
fi
if has getent; then
	limited 3 getent passwd sshd >/dev/null
	block "privsep.service $?"
fi
if [ -r /etc/passwd ]; then
	found=1
	while IFS=: read -r name _; do
		if [ "$name" = sshd ]; then found=0; fi
	done </etc/passwd
	block "privsep.line $found"
fi
