# Units of the SSH server, and of programs that own packet filter rules: name, load
# state, active state, sub state, result, unit file state. systemd looks long for a unit
# that is nowhere, so it is asked only for those that have a file.
if has systemctl; then
	units='ssh.service sshd.service'
	for unit in ssh.socket sshd.socket firewalld.service fail2ban.service sshguard.service; do
		for directory in /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system \
			/usr/lib/systemd/system /lib/systemd/system /run/systemd/generator*; do
			if [ -e "$directory/$unit" ] || [ -L "$directory/$unit" ]; then
				units="$units $unit"
				break
			fi
		done
	done
	block units
	systemctl show -p Id -p LoadState -p ActiveState -p SubState -p Result \
		-p UnitFileState $units |
		awk -F= '
		function told() {
			if (is["Id"] != "" && is["LoadState"] != "not-found")
				print is["Id"] "|" is["LoadState"] "|" is["ActiveState"] "|" is["SubState"] \
					"|" is["Result"] "|" is["UnitFileState"]
			split("", is)
		}
		/^$/ { told(); next }
		{ is[$1] = $2; seen = 1 }
		END { told(); if (seen) print "." }'
else
	block none
fi
