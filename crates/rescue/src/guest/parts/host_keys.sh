# Host keys and the directories above sshd's files, as stat sees them, and fingerprints
# of the public halves.
keys=
while read -r keyword value; do
	if [ "$keyword" = hostkey ]; then keys="$keys$value$newline"; fi
done <"$work/settings.kept"
if [ -z "$keys" ]; then
	for kind in rsa ecdsa ed25519; do
		keys="$keys/etc/ssh/ssh_host_${kind}_key$newline"
	done
fi
keys="$keys/etc/ssh$newline/run/sshd"
block paths
printf '%s\n' "$keys"
block stat
(
	set -f
	IFS=$newline
	stat -L -c '%f %u %g %s %n' $keys
)
block fingerprints
if has ssh-keygen; then
	for file in /etc/ssh/ssh_host_*_key.pub; do
		if territory "$file" && read -r type key _ <"$real"; then echo "$type $key"; fi
	done | ssh-keygen -l -f - | while read -r _ fingerprint _; do echo "$fingerprint"; done
fi
